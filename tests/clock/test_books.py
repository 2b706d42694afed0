"""Closed months stay closed, and points expire once, wherever the clock is set to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.errors import ConflictError
from returns_portal.finance.books import check
from returns_portal.finance.closed_files import write_closed
from returns_portal.finance.closing import Month, close_month, month_of
from returns_portal.finance.models import ClosedFileKind
from returns_portal.points import expiry
from returns_portal.refunds import settling
from returns_portal.shop.actions import update_shop
from tests.finance.seed import stories
from tests.points.purse import balance, expiring, give, policy
from tests.portal import FINANCE, Portal
from tests.refunds.samples import LIKE_NEW

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def close(begin: Begin, month: date) -> Month:
    async with begin() as db:
        assert await close_month(db, FINANCE, month)
        period_id = (await month_of(db, FINANCE, month)).period_id
    assert period_id is not None
    await write_closed(begin, period_id, livemode=False)
    async with begin() as db:
        return await month_of(db, FINANCE, month)


@pytest.mark.parametrize(
    ("month", "zone", "midnight"),
    [
        # The clocks have gone forward within the month, or back, or do so a few hours after its end.
        (date(2026, 3, 1), "Europe/Sofia", datetime(2026, 3, 31, 21, tzinfo=UTC)),
        (date(2026, 11, 1), "America/Los_Angeles", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        (date(2026, 10, 1), "America/Los_Angeles", datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (date(2028, 2, 1), "Europe/Sofia", datetime(2028, 2, 29, 22, tzinfo=UTC)),
        (date(2027, 2, 1), "America/Los_Angeles", datetime(2027, 3, 1, 8, tzinfo=UTC)),
        (date(2026, 12, 1), "Europe/Sofia", datetime(2026, 12, 31, 22, tzinfo=UTC)),
    ],
)
async def test_a_month_ends_at_the_shops_midnight(begin: Begin, month: date, zone: str, midnight: datetime) -> None:
    async with begin() as db:
        await update_shop(db, SYSTEM, timezone=zone)
        # The six of them succeed 50, 30 and 10 minutes before the month's end, and as long after it.
        await stories(db, 1, 6, start=midnight - timedelta(minutes=70), step=timedelta(minutes=20))
    with clock.at(midnight - timedelta(microseconds=1)):
        async with begin() as db:
            with pytest.raises(ConflictError) as refused:
                await close_month(db, FINANCE, month)
        assert refused.value.code == "not_over"
    with clock.at(midnight):
        closed = await close(begin, month)
    assert (closed.ends, closed.lines) == (midnight, 6)
    assert closed.begins.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime(month.year, month.month, 1)  # noqa: DTZ001 - the wall's clock
    assert closed.files[ClosedFileKind.REFUNDS_CSV].rows == 3
    assert await check(begin) == []


async def refund_at(portal: Portal, moment: datetime, number: str) -> None:
    """A refund that succeeds at this moment by the portal's clock."""
    with clock.at(moment - DAY):
        order, [line] = await portal.order(number=number)
        await portal.work()
        filed = await portal.file(order.number, (line, 1))
        released = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with clock.at(moment):
        await settling.submit(portal.context, released.refund_ids[0])
    assert await portal.statuses(filed) == ["succeeded"]


async def test_a_clock_set_back_into_a_closed_month_changes_nothing_of_it(portal: Portal) -> None:
    """What happens then is dated in the month that is closed, and belongs to the one that is open."""
    october, november = date(2026, 10, 1), date(2026, 11, 1)
    new_month = datetime(2026, 10, 31, 22, tzinfo=UTC)
    await refund_at(portal, new_month - timedelta(hours=2), "1001")
    with clock.at(new_month + timedelta(minutes=10)):
        closed = await close(portal.begin, october)
    await refund_at(portal, new_month - timedelta(hours=1), "1002")
    with clock.at(new_month - DAY):
        async with portal.begin() as db:
            assert await close_month(db, FINANCE, october) is False
            with pytest.raises(ConflictError, match="has not ended"):
                await close_month(db, FINANCE, november)
            assert await month_of(db, FINANCE, october) == closed
    with clock.at(datetime(2026, 12, 1, tzinfo=UTC)):
        later = await close(portal.begin, november)
    assert [[total.refunds for total in month.totals] for month in (closed, later)] == [[1], [1]]
    [row] = await portal.rows(
        "SELECT count(*) AS lines, count(DISTINCT ledger_transaction_id) AS transactions,"
        " (SELECT count(*) FROM ledger_transaction WHERE kind <> 'points_earned') AS all FROM closed_line"
    )
    assert row.lines == row.transactions == row.all


async def test_points_expire_once_however_often_their_day_ends(portal: Portal) -> None:
    with clock.at(datetime(2028, 1, 31, 9, tzinfo=UTC)):
        await policy(portal, timezone="America/Los_Angeles")
        await give(portal, 100, months=1)
        await give(portal, 50)
        [(_, ends), _never] = await expiring(portal)
    assert ends == datetime(2028, 3, 1, 8, tzinfo=UTC)
    left = []
    for moment in (ends - timedelta(microseconds=1), ends, ends - DAY, ends + DAY):
        with clock.at(moment):
            await expiry.remind(portal.begin)
            await expiry.expire(portal.begin)
            left.append((await balance(portal)).points)
    assert left == [150, 50, 50, 50]
    letters = await portal.rows("SELECT values ->> 'last_day' AS day FROM email WHERE template = 'points_expiring'")
    assert [row.day for row in letters] == ["2028-02-29"]
    [row] = await portal.rows("SELECT CAST(-sum(amount) AS int) AS sum FROM ledger_entry WHERE account = 'breakage'")
    assert row.sum == 100
