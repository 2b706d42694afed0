"""Settling: what is kept is charged, once; what came back is not, whoever was first."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.refunds import deciding
from returns_portal.tryon import ending, settling, sweeping
from returns_portal.tryon.calling_off import cancel
from returns_portal.tryon.models import Mode, Outcome, TrialStatus
from returns_portal.warehouse.models import Condition
from tests.points.purse import give
from tests.portal import API, FINANCE, Portal, at_once
from tests.sandboxes import SandboxProcess
from tests.tryon.money import (
    KEEP,
    PROBLEM,
    RETURN,
    arrives,
    at_gateway,
    days_later,
    kept_first,
    running,
    scanned,
    settled_now,
    tried_again,
)
from tests.tryon.samples import MARIA, PRICE, boots, decided, delivered, place, seen, shipped

pytestmark = pytest.mark.anyio

T = TrialStatus


@pytest.mark.parametrize("days", [3, 21])
async def test_one_of_four_is_kept(portal: Portal, sandbox: SandboxProcess, days: int) -> None:
    trial = await kept_first(portal, await running(portal, days=days))
    trial = await settled_now(portal, trial)
    assert (trial.status, trial.charged, trial.held) == (T.SETTLING, PRICE, 0)
    again = await settled_now(portal, trial)
    assert again.charged == PRICE
    taken = [received for _, _, received in at_gateway(sandbox, trial)]
    assert sum(taken) == PRICE
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, PRICE, 0)
    assert [item.outcome for item in trial.items] == ["kept", "returned", "returned", "returned"]
    assert (await portal.mails())[-1] == "trial_settled"


async def test_nothing_is_kept_and_the_hold_is_released(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await kept_first(portal, await running(portal), 0)
    trial = await settled_now(portal, trial)
    assert (trial.status, trial.charged, trial.held) == (T.SETTLING, 0, 0)
    assert at_gateway(sandbox, trial) == [("canceled", 4 * PRICE, 0)]
    await arrives(portal, trial, [0, 1, 2, 3])
    await portal.work()
    assert (await seen(portal, trial)).status == T.SETTLED


async def test_everything_that_came_back_ends_the_trial_at_once(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await running(portal)
    await arrives(portal, trial, [0, 1, 2, 3])
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.held) == (T.SETTLED, 0, 0)
    assert [item.outcome for item in trial.items] == [Outcome.RETURNED] * 4
    assert at_gateway(sandbox, trial) == [("canceled", 4 * PRICE, 0)]


async def test_staff_cannot_settle_what_is_not_decided(portal: Portal) -> None:
    trial = await running(portal)
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as refused:
            await settling.begin(db, API, trial.number, now_by_staff=True)
    assert refused.value.code == "undecided"
    assert (await seen(portal, trial)).status == T.DELIVERED


async def test_what_was_not_sent_cannot_be_settled(portal: Portal) -> None:
    trial = await place(portal, await boots(portal))
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as refused:
            await settling.begin(db, SYSTEM, trial.number)
    assert refused.value.code == "wrong_status"


@pytest.mark.parametrize("days", [3, 21])
async def test_silence_keeps_after_both_reminders(portal: Portal, sandbox: SandboxProcess, days: int) -> None:
    trial = await running(portal, days=days)
    for later in range(days - 3, days + 2):
        await days_later(portal, later)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.held) == (T.SETTLED, 4 * PRICE, 0)
    assert (await portal.mails()).count("trial_reminder") == 2
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == 4 * PRICE


async def test_a_trial_of_a_day_has_both_reminders_too(portal: Portal) -> None:
    trial = await running(portal, days=1)
    for hours in range(6, 72, 3):
        await days_later(portal, hours / 24)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.reminders) == (T.SETTLED, 4 * PRICE, 2)
    first, last = await portal.rows("SELECT sent_at FROM email WHERE template = 'trial_reminder' ORDER BY sent_at")
    assert last.sent_at - first.sent_at >= timedelta(hours=12)
    assert trial.settling_at is not None
    assert last.sent_at < trial.settling_at


async def test_while_no_reminder_goes_out_the_trial_goes_on_until_two_have(portal: Portal) -> None:
    trial = await running(portal, days=21)
    for days, reminders in ((23, 0), (23.01, 1), (24, 2)):
        await days_later(portal, days)
        trial = await seen(portal, trial)
        assert (trial.status, trial.reminders, trial.charged) == (T.DELIVERED, reminders, 0)
    await days_later(portal, 25)
    assert (await seen(portal, trial)).charged == 4 * PRICE


async def test_a_reminder_that_reaches_nobody_charges_nothing(portal: Portal) -> None:
    trial = await running(portal, days=21)
    with clock.shifted(timedelta(days=20)):
        await ending.end_trials(portal.begin)
        await portal.rows("UPDATE email SET status = 'failed' WHERE template = 'trial_reminder' RETURNING id")
    for days in (21, 22, 23):
        await days_later(portal, days)
    assert (await seen(portal, trial)).status == T.SETTLING
    await days_later(portal, 38)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.reminders) == (T.OVERDUE, 0, 0)


async def test_a_label_on_its_way_stops_silence(portal: Portal) -> None:
    trial = await running(portal, days=21)
    await days_later(portal, 20)
    await days_later(portal, 21)
    await scanned(portal, trial)
    await days_later(portal, 22)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLING, 0)


async def test_terms_that_do_not_say_so_leave_silence_to_finance(portal: Portal) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET silence_keeps = false"))
    trial = await running(portal, days=21)
    await days_later(portal, 22)
    assert (await seen(portal, trial)).status == T.SETTLING
    await days_later(portal, 37)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, 0)
    assert (await portal.mails())[-1] == "trial_overdue"


async def test_other_terms_that_do_not_speak_of_silence_charge_nothing_for_it(portal: Portal) -> None:
    trial = await running(portal, days=3, terms="You pay for what you keep.", silence_keeps=False)
    for later in (1, 2, 3, 4, 5, 19):
        await days_later(portal, later)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, 0)


async def test_finance_charges_nothing_that_nobody_agreed_to_buy(portal: Portal) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET silence_keeps = false"))
    trial = await running(portal, days=21)
    await days_later(portal, 22)
    await days_later(portal, 37)
    with clock.shifted(timedelta(days=38)):
        with pytest.raises(ConflictError) as refused:
            await tried_again(portal, trial)
        assert refused.value.code == "nothing_to_charge"
        await decided(portal, trial, KEEP)
        trial = await tried_again(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, PRICE)
    assert [item.outcome for item in trial.items] == ["kept", "open", "open", "open"]


async def test_finance_does_not_charge_before_the_grace_what_is_to_come_back(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await kept_first(portal, await running(portal, days=21))
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial SET payment_method = 'pm_card_chargeDeclined'"))
    trial = await settled_now(portal, trial)
    for later in (1.1, 4.2, 9.3, 16.4):
        await days_later(portal, later)
    assert (await seen(portal, trial)).status == T.OVERDUE
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial SET payment_method = 'pm_card_visa'"))
    with clock.shifted(timedelta(days=17)):
        trial = await tried_again(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLING, PRICE)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == PRICE


async def test_what_does_not_come_back_is_charged_after_the_grace(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    await arrives(portal, trial, [1, 2])
    await portal.work()
    await days_later(portal, 16)
    assert (await seen(portal, trial)).charged == PRICE
    await days_later(portal, 18.5)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLED, 2 * PRICE)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == 2 * PRICE
    await arrives(portal, trial, [3], number=2)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.charged, trial.refunded) == (2 * PRICE, PRICE)


async def test_what_a_carrier_has_is_never_charged_and_becomes_a_case(portal: Portal) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    with clock.shifted(timedelta(days=10)):
        await scanned(portal, trial)
    await days_later(portal, 18.5)
    assert (await seen(portal, trial)).status == T.SETTLING
    await days_later(portal, 25)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, PRICE)
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, PRICE, 0)


async def test_a_problem_is_not_charged(portal: Portal) -> None:
    trial = await decided(portal, await running(portal), PROBLEM, KEEP, PROBLEM, KEEP)
    trial = await settled_now(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLED, 2 * PRICE)
    assert [item.outcome for item in trial.items] == ["waived", "kept", "waived", "kept"]


async def test_a_problem_that_was_none_is_charged(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await running(portal)
    await decided(portal, trial, PROBLEM, RETURN, RETURN, RETURN)
    trial = await settled_now(portal, trial)
    assert (trial.charged, trial.items[0].outcome) == (0, Outcome.WAIVED)
    await decided(portal, trial, KEEP)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.charged, trial.items[0].outcome) == (PRICE, Outcome.KEPT)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == PRICE


async def test_what_the_warehouse_doubts_waits_and_is_charged_when_it_was_sent_back(portal: Portal) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    await arrives(portal, trial, [1, 2, 3], condition=Condition.DAMAGED)
    await portal.work()
    assert (await seen(portal, trial)).status == T.SETTLING
    rows = await portal.rows("SELECT id FROM parcel_item ORDER BY id")
    verdicts: list[deciding.Decision] = ["accept", "accept", "send_back"]
    for row, decision in zip(rows, verdicts, strict=True):
        async with portal.begin() as db:
            await deciding.decide(db, FINANCE, portal.settings, row.id, decision, reason="worn outside")
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLING, PRICE)
    await days_later(portal, 18.5)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLED, 2 * PRICE)


async def test_what_came_while_its_charge_was_on_its_way_is_refunded(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    with clock.shifted(timedelta(days=18.5)):
        await ending.end_trials(portal.begin)
        await sweeping.sweep(portal.begin)
        await portal.work()
    trial = await seen(portal, trial)
    assert trial.charges[-1].status == "unknown"
    await arrives(portal, trial, [1, 2, 3])
    sandbox.http.delete("/_sandbox/faults")
    await settling.settle(portal.context, trial.id)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, 4 * PRICE, 3 * PRICE)
    assert (await portal.mails()).count("refunded") >= 1


async def test_two_clicks_and_two_workers_charge_once(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await kept_first(portal, await running(portal, days=21), 2)

    async def click() -> None:
        async with portal.begin() as db:
            await settling.begin(db, API, trial.number, now_by_staff=True)

    assert await at_once(click(), click()) == [None, None]
    await at_once(*(settling.settle(portal.context, trial.id) for _ in range(4)))
    await portal.work()
    trial = await seen(portal, trial)
    assert trial.charged == 2 * PRICE
    assert at_gateway(sandbox, trial) == [("succeeded", 2 * PRICE, 2 * PRICE)]


async def test_an_answer_that_was_lost_is_found_a_day_later(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await kept_first(portal, await running(portal, days=21))
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    async with portal.begin() as db:
        await settling.begin(db, API, trial.number, now_by_staff=True)
    with pytest.raises(GatewayUnknownError):
        await settling.settle(portal.context, trial.id)
    sandbox.control("keys/forget", older_than_hours=0)
    await settling.settle(portal.context, trial.id)
    trial = await seen(portal, trial)
    assert trial.charged == PRICE
    assert [received for _, _, received in at_gateway(sandbox, trial)] == [PRICE]


async def test_points_pay_first_then_the_deposit_then_the_card(portal: Portal, sandbox: SandboxProcess) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET deposit_percent = 10"))
    await give(portal, 5_000, email=MARIA)
    deposit = (4 * PRICE - 5_000) // 10
    trial = await settled_now(portal, await kept_first(portal, await running(portal, points=5_000)))
    assert (trial.charged, trial.held) == (PRICE, 0)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == PRICE - 5_000
    assert deposit + trial.charges[-1].captured == PRICE - 5_000
    assert await portal.points(MARIA) == {"EUR": 0}


async def test_what_is_left_of_deposit_and_points_goes_back(portal: Portal, sandbox: SandboxProcess) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET deposit_percent = 50"))
    await give(portal, 5_000, email=MARIA)
    trial = await running(portal, points=5_000)
    await arrives(portal, trial, [0, 1, 2, 3])
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, 0, (4 * PRICE - 5_000) // 2)
    assert await portal.points(MARIA) == {"EUR": 5_000}
    [refund] = await portal.rows("SELECT kind, amount, tax, status FROM refund")
    assert tuple(refund) == ("deposit", (4 * PRICE - 5_000) // 2, 0, "succeeded")
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == (4 * PRICE - 5_000) // 2


async def test_points_pay_for_all_of_it(portal: Portal) -> None:
    await give(portal, 4 * PRICE, email=MARIA)
    trial = await settled_now(portal, await kept_first(portal, await running(portal, points=4 * PRICE)))
    assert (trial.charged, trial.customer) == (PRICE, None)
    assert await portal.points(MARIA) == {"EUR": 3 * PRICE}
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    assert (await seen(portal, trial)).status == T.SETTLED


async def test_what_is_kept_can_be_returned_afterwards(portal: Portal) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    line = trial.items[0].order_line_id
    filed = await portal.file(trial.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await seen(portal, trial)).refunded == PRICE


async def test_a_purchase_is_paid_delivered_and_done(portal: Portal, sandbox: SandboxProcess) -> None:
    skus = await boots(portal)
    trial = await place(portal, skus[:2], mode=Mode.PURCHASE)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.AUTHORISED, 2 * PRICE)
    await shipped(portal, trial)
    await delivered(portal, trial)
    await days_later(portal, 0)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLED, 2 * PRICE)
    assert at_gateway(sandbox, trial) == [("succeeded", 2 * PRICE, 2 * PRICE)]


async def test_a_purchase_that_is_called_off_is_refunded(portal: Portal) -> None:
    await give(portal, 5_000, email=MARIA)
    skus = await boots(portal)
    trial = await place(portal, skus[:2], mode=Mode.PURCHASE, points=5_000)
    await portal.work()
    async with portal.begin() as db:
        await cancel(db, API, trial.number)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.refunded) == (T.CANCELLED, 2 * PRICE)
    assert await portal.points(MARIA) == {"EUR": 5_000}


async def test_a_trial_that_is_called_off_lets_everything_go(portal: Portal, sandbox: SandboxProcess) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET deposit_percent = 10"))
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    async with portal.begin() as db:
        await cancel(db, API, trial.number)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.held, trial.charged, trial.refunded) == (0, 0, 4 * PRICE // 10)
    assert [status for status, _, _ in at_gateway(sandbox, trial)] == ["canceled", "succeeded"]
