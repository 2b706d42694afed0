"""Points expire on their day, once, and their owner was told twice before."""

from datetime import datetime, timedelta

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError
from returns_portal.payments.models import Tender
from returns_portal.points import expiry
from returns_portal.points.rules import last_day
from tests.points.purse import ANA, NOW, balance, buy, capture, expiring, give, hold, release
from tests.portal import Portal, at_once

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def ends(portal: Portal) -> datetime:
    [(_, moment)] = await expiring(portal)
    assert moment is not None
    return moment


async def letters(portal: Portal) -> list[tuple[str, int, str]]:
    rows = await portal.rows(
        "SELECT recipient, CAST(values ->> 'points' AS int) AS points, values ->> 'last_day' AS day FROM email"
        " WHERE template = 'points_expiring' ORDER BY created_at, id"
    )
    return [(row.recipient, row.points, row.day) for row in rows]


async def test_what_has_expired_is_not_spent_while_its_round_is_still_to_come(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=1)
        await give(portal, 30)
        [(_, first), _never] = await expiring(portal)
    assert first is not None
    with clock.at(first):
        assert (await balance(portal)).points == 30
        with pytest.raises(ConflictError):
            await hold(portal, 31)
        await capture(portal, (await hold(portal, 30)).id)
        await expiry.expire(portal.begin)
        assert (await balance(portal)).points == 0


async def test_points_expire_on_their_day_the_oldest_first(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=1)
        await give(portal, 200, months=2)
        await give(portal, 300)
        [(_, first), (_, second), _never] = await expiring(portal)
        await capture(portal, (await hold(portal, 40)).id)
    assert first is not None
    assert second is not None
    with clock.at(first - timedelta(seconds=1)):
        await expiry.expire(portal.begin)
    assert (await balance(portal)).points == 560
    with clock.at(first):
        await at_once(*(expiry.expire(portal.begin) for _ in range(10)))
    assert (await balance(portal)).points == 500
    with clock.at(second + 300 * DAY):
        await expiry.expire(portal.begin)
        await expiry.expire(portal.begin)
    assert await expiring(portal) == [(300, None)]
    rows = await portal.rows(
        "SELECT account, CAST(sum(amount) AS int) AS sum FROM ledger_entry WHERE account = 'breakage' GROUP BY account"
    )
    assert [tuple(row) for row in rows] == [("breakage", -260)]


async def test_held_points_do_not_expire_until_they_come_back(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=1)
        end = await ends(portal)
        held = await hold(portal, 60, minutes=60 * 24 * 30)
    with clock.at(end + DAY):
        await expiry.expire(portal.begin)
        assert ((await balance(portal)).points, (await balance(portal)).held) == (0, 60)
        await release(portal, held.id)
        await expiry.expire(portal.begin)
    assert ((await balance(portal)).points, (await balance(portal)).held) == (0, 0)


async def test_many_accounts_expire_batch_by_batch(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_BATCH", 2)
    with clock.at(NOW):
        for number in range(5):
            await give(portal, 10, email=f"c{number}@example.com", months=1)
    with clock.at(NOW + 40 * DAY):
        await expiry.expire(portal.begin)
    assert await portal.rows("SELECT 1 FROM points_lot WHERE remaining > 0") == []


async def test_the_owner_is_told_a_month_and_a_week_before_once_each(portal: Portal) -> None:
    with clock.at(NOW):
        await buy(portal, "1", (Tender.EXTERNAL, 1_000), email="Ana@Example.com")
        await give(portal, 100, months=3)
        await give(portal, 50, months=3)
        end = await ends(portal)
    day = last_day(end, "Europe/Sofia").isoformat()
    told = []
    for before in (31 * DAY, 30 * DAY, 29 * DAY, 8 * DAY, 7 * DAY, DAY, -DAY):
        with clock.at(end - before):
            await at_once(*(expiry.remind(portal.begin) for _ in range(5)))
        told.append(len(await letters(portal)))
    assert told == [0, 1, 1, 1, 2, 2, 2]
    # To the address as the customer writes it; both lots are one sum of one day.
    assert await letters(portal) == [("Ana@Example.com", 150, day)] * 2


async def test_who_is_late_is_told_once_of_the_nearest_time(portal: Portal) -> None:
    """The worker was down for a month, or the points were given shortly before."""
    with clock.at(NOW):
        await give(portal, 100, months=3)
        end = await ends(portal)
    for before in (6 * DAY, 5 * DAY):
        with clock.at(end - before):
            await expiry.remind(portal.begin)
    assert [(to, points) for to, points, _ in await letters(portal)] == [(ANA, 100)]


async def test_what_was_spent_meanwhile_is_not_told(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=3)
        end = await ends(portal)
        await capture(portal, (await hold(portal, 100)).id)
    with clock.at(end - 20 * DAY):
        await expiry.remind(portal.begin)
    assert await letters(portal) == []


async def test_a_crash_between_note_and_letter_leaves_neither(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=3)
        end = await ends(portal)

    def crash(*_: object) -> None:
        raise RuntimeError("the process died")

    with clock.at(end - 20 * DAY):
        with monkeypatch.context() as patch:
            patch.setattr(expiry, "_letter", crash)
            with pytest.raises(RuntimeError):
                await expiry.remind(portal.begin)
        assert await portal.rows("SELECT 1 FROM points_notice") == []
        await expiry.remind(portal.begin)
        await expiry.remind(portal.begin)
    assert len(await letters(portal)) == 1


async def test_who_was_forgotten_is_not_written_to(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=3)
        end = await ends(portal)
    await portal.rows("UPDATE points_account SET email_key = 'forgotten-1' RETURNING id")
    with clock.at(end - 20 * DAY):
        await expiry.remind(portal.begin)
    assert await letters(portal) == []
