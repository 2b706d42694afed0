"""Money of trials: whoever is killed between any two steps, it moves once, and the books say so."""

from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.db import run
from returns_portal.finance.books import check_trials
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon import ending as calendar
from returns_portal.tryon import renewing, settling
from returns_portal.tryon.calling_off import cancel
from returns_portal.tryon.models import Outcome, TrialStatus
from returns_portal.tryon.queries import TrialView
from tests.faults.conftest import anyio_backend, ground, ground_sandbox, ground_settings, ground_url
from tests.faults.ground import Ground
from tests.points.purse import give
from tests.portal import API
from tests.tryon.money import arrives, at_gateway, kept_first
from tests.tryon.samples import PRICE, boots, delivered, place, seen, shipped

pytestmark = pytest.mark.anyio

__all__ = ["anyio_backend", "ground", "ground_sandbox", "ground_settings", "ground_url"]

T = TrialStatus


async def ordered(ground: Ground, name: str, *, days: int = 3) -> TrialView:
    """Four sizes, each story's customer another one."""
    skus = await boots(ground, stock=10_000)
    return await place(ground, skus, email=f"{name}@example.com".lower(), trial_days=days)


async def decided(ground: Ground, name: str, *, days: int, kept: int = 1) -> TrialView:
    """A trial that runs, of which so many are kept."""
    trial = await ordered(ground, name, days=days)
    await ground.here()
    await shipped(ground, trial)
    await delivered(ground, trial)
    trial = await kept_first(ground, trial, kept)
    await ground.here()
    return trial


async def ending(ground: Ground, name: str, *, days: int, kept: int = 1) -> TrialView:
    """The same, and its settlement stands in the queue."""
    trial = await decided(ground, name, days=days, kept=kept)
    async with ground.begin() as db:
        await settling.begin(db, API, trial.number, now_by_staff=True)
    return trial


async def mails_of(ground: Ground, trial: TrialView) -> list[str]:
    rows = await ground.rows("SELECT template FROM email WHERE subject_id = :id ORDER BY created_at, id", id=trial.id)
    return [row.template for row in rows]


async def agree(ground: Ground) -> None:
    """Our charges beside the gateway's payments."""
    assert await check_trials(ground.begin, ground.context.service(StripeGateway)) == []


@pytest.mark.parametrize("days", [3, 21])
async def test_a_card_at_checkout(ground: Ground, days: int) -> None:
    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert trial.status == T.AUTHORISED
        assert trial.held == (4 * PRICE if days == 3 else 0)
        assert [amount for _, amount, _ in at_gateway(ground.sandbox, trial)] == [4 * PRICE] * (days == 3)
        assert await mails_of(ground, trial) == ["trial_authorised"]

    killed = await ground.killed_everywhere(lambda point: ordered(ground, f"at{days}-{point}", days=days), prove)
    made = "payment_intents" if days == 3 else "setup_intents"
    assert killed[f"before POST /v1/{made}"] == killed[f"after POST /v1/{made}"] == 1
    assert killed["before POST /v1/customers"] == 1
    await agree(ground)


@pytest.mark.parametrize(("days", "later"), [(3, False), (21, False), (21, True)])
async def test_settlement(ground: Ground, days: int, *, later: bool) -> None:
    """By a hold and by a card on file; whoever goes on may do so when the gateway has forgotten the keys."""

    async def a_day_later() -> None:
        ground.sandbox.control("keys/forget", older_than_hours=0)

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged, trial.held) == (T.SETTLING, PRICE, 0)
        assert sum(received for _, _, received in at_gateway(ground.sandbox, trial)) == PRICE
        assert len(at_gateway(ground.sandbox, trial)) == 1
        rows = await ground.rows("SELECT amount FROM payment WHERE order_id = :id", id=trial.order_id)
        assert [row.amount for row in rows] == [PRICE]

    killed = await ground.killed_everywhere(
        lambda point: ending(ground, f"set{days}-{later}-{point}", days=days),
        prove,
        meanwhile=a_day_later if later else None,
    )
    assert killed["before commit"] == killed["after commit"] == 2
    assert killed["before POST /v1/payment_intents"] == killed["after POST /v1/payment_intents"] == 1
    await agree(ground)


async def test_what_did_not_come_back_is_charged_after_the_grace(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await ending(ground, f"grace-{point}", days=3)
        await ground.here()
        assert (await seen(ground, trial)).charged == PRICE
        async with ground.begin() as db:
            await run(db, "UPDATE trial SET grace_ends_at = :now WHERE id = :id", id=trial.id, now=clock.now())
        await ground.ask_for("tryon.settle", trial_id=str(trial.id))
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged, trial.held) == (T.SETTLED, 4 * PRICE, 0)
        assert [taken for _, _, taken in at_gateway(ground.sandbox, trial)] == [PRICE, 3 * PRICE]
        rows = await ground.rows("SELECT amount FROM payment WHERE order_id = :id ORDER BY amount", id=trial.order_id)
        assert [row.amount for row in rows] == [PRICE, 3 * PRICE]

    killed = await ground.killed_everywhere(arrange, prove)
    assert killed["before POST /v1/payment_intents"] == killed["after POST /v1/payment_intents"] == 1
    await agree(ground)


async def test_points_and_a_deposit_pay_with_the_card(ground: Ground) -> None:
    deposit = (4 * PRICE - 5_000) // 10

    async def arrange(point: str) -> TrialView:
        email = f"purse-{point}@example.com"
        await give(ground, 5_000, email=email)
        async with ground.begin() as db:
            await run(db, "UPDATE trial_policy SET deposit_percent = 10")
        trial = await place(ground, await boots(ground, stock=10_000), email=email, trial_days=3, points=5_000)
        async with ground.begin() as db:
            await run(db, "UPDATE trial_policy SET deposit_percent = 0")
        await ground.here()
        await shipped(ground, trial)
        await delivered(ground, trial)
        await kept_first(ground, trial)
        await ground.here()
        async with ground.begin() as db:
            await settling.begin(db, API, trial.number, now_by_staff=True)
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged, trial.held) == (T.SETTLING, PRICE, 0)
        taken = sorted(taken for _, _, taken in at_gateway(ground.sandbox, trial))
        assert taken == sorted([deposit, PRICE - 5_000 - deposit])
        rows = await ground.rows("SELECT status FROM points_redemption WHERE id = :id", id=trial.redemption_id)
        assert sum(charge.points for charge in trial.charges if charge.status == "captured") == 5_000
        assert [row.status for row in rows] == ["captured"]

    await ground.killed_everywhere(arrange, prove)
    await agree(ground)


async def test_a_refused_charge_is_tried_again_without_the_customer(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await ending(ground, f"again-{point}", days=21)
        async with ground.begin() as db:
            await run(db, _CARD, id=trial.id, card="pm_card_chargeDeclined")
        await ground.here()
        assert (await seen(ground, trial)).status == T.PAYMENT_ACTION_NEEDED
        async with ground.begin() as db:
            await run(db, _CARD, id=trial.id, card="pm_card_visa")
            await run(db, "UPDATE trial_charge SET next_try_at = :at WHERE trial_id = :id", id=trial.id, at=clock.now())
        await calendar.end_trials(ground.begin)
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged) == (T.SETTLING, PRICE)
        assert [taken for _, _, taken in at_gateway(ground.sandbox, trial) if taken] == [PRICE]
        assert (await mails_of(ground, trial)).count("trial_action_needed") == 1

    killed = await ground.killed_everywhere(arrange, prove)
    assert killed["before POST /v1/payment_intents"] == killed["after POST /v1/payment_intents"] == 1
    await agree(ground)


_CARD = "UPDATE trial SET payment_method = :card WHERE id = :id"


async def test_everything_kept_ends_it(ground: Ground) -> None:
    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged) == (T.SETTLED, 4 * PRICE)
        assert (await mails_of(ground, trial)).count("trial_settled") == 1

    await ground.killed_everywhere(lambda point: ending(ground, f"all-{point}", days=3, kept=4), prove)


async def test_a_charge_whose_answers_are_lost(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await ending(ground, f"lost-{point}", days=21)
        ground.sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
        return trial

    async def prove(story: TrialView) -> None:
        ground.sandbox.http.delete("/_sandbox/faults")
        trial = await seen(ground, story)
        assert trial.charged == PRICE
        assert at_gateway(ground.sandbox, trial) == [("succeeded", PRICE, PRICE)]

    killed = await ground.killed_everywhere(arrange, prove)
    assert killed["before POST /v1/payment_intents"] == 3
    await agree(ground)


async def test_what_arrives_while_its_charge_is_on_its_way(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await ending(ground, f"late-{point}", days=21, kept=4)
        ground.sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3, acts=True)
        with pytest.raises(Exception, match="No answer"):
            await ground.here()
        ground.sandbox.http.delete("/_sandbox/faults")
        await arrives(ground, trial, [0, 1])
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, 4 * PRICE, 2 * PRICE)
        [(status, _, received)] = at_gateway(ground.sandbox, trial)
        assert (status, received) == ("succeeded", 4 * PRICE)
        rows = await ground.rows("SELECT status, amount FROM refund WHERE order_id = :id", id=trial.order_id)
        assert sum(row.amount for row in rows) == 2 * PRICE
        assert {row.status for row in rows} == {"succeeded"}

    await ground.killed_everywhere(arrange, prove)
    await agree(ground)


async def test_a_hold_that_is_renewed(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await decided(ground, f"renew-{point}", days=3, kept=0)
        [hold] = trial.charges
        # Its own alone: at that time the holds of all stories before are about to end, too.
        with clock.shifted(timedelta(days=6, hours=1)):
            async with ground.begin() as db:
                await renewing.renew(db, trial.id, hold.id)
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.held) == (T.DELIVERED, 4 * PRICE)
        found = [status for status, _, _ in at_gateway(ground.sandbox, trial)]
        assert found == ["canceled", "requires_capture"]

    await ground.killed_everywhere(arrange, prove)
    await agree(ground)


async def test_everything_that_came_back(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await decided(ground, f"back-{point}", days=3, kept=0)
        await arrives(ground, trial, [0, 1, 2, 3])
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.charged, trial.held) == (T.SETTLED, 0, 0)
        assert {item.outcome for item in trial.items} == {Outcome.RETURNED}
        assert at_gateway(ground.sandbox, trial) == [("canceled", 4 * PRICE, 0)]

    await ground.killed_everywhere(arrange, prove)


async def test_an_order_that_is_called_off(ground: Ground) -> None:
    async def arrange(point: str) -> TrialView:
        trial = await ordered(ground, f"off-{point}")
        await ground.here()
        async with ground.begin() as db:
            await cancel(db, API, trial.number)
        return trial

    async def prove(story: TrialView) -> None:
        trial = await seen(ground, story)
        assert (trial.status, trial.held) == (T.CANCELLED, 0)
        assert at_gateway(ground.sandbox, trial) == [("canceled", 4 * PRICE, 0)]

    await ground.killed_everywhere(arrange, prove)
    await agree(ground)
