"""Holds that end before their trial does: renewed, turned into a charge, or lost; never two at once."""

import pytest
from sqlalchemy import text

from returns_portal.finance.tasks import tasks
from returns_portal.tryon.models import TrialStatus
from returns_portal.tryon.queries import TrialView
from tests.points.purse import give
from tests.portal import FINANCE, Portal
from tests.sandboxes import SandboxProcess
from tests.tryon.money import KEEP, RETURN, arrives, at_gateway, days_later, given, running, settled_now
from tests.tryon.samples import MARIA, PRICE, boots, decided, delivered, place, seen, shipped

pytestmark = pytest.mark.anyio

T = TrialStatus
VISA = "pm_card_visa"


async def lasting(portal: Portal, card: str = VISA) -> TrialView:
    """A trial with a hold that ends before it does, because it was prolonged."""
    trial = await running(portal, payment_method=card)
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial SET ends_at = ends_at + interval '6 days'"))
    return trial


async def worsened(portal: Portal, card: str) -> None:
    """The card on file is another one by now."""
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial SET payment_method = :card"), {"card": card})


async def test_a_hold_is_renewed_a_day_before_it_ends(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await lasting(portal)
    await days_later(portal, 5.9)
    assert [status for status, _, _ in at_gateway(sandbox, await seen(portal, trial))] == ["requires_capture"]
    await days_later(portal, 6.1)
    trial = await seen(portal, trial)
    assert (trial.status, trial.held) == (T.DELIVERED, 4 * PRICE)
    assert at_gateway(sandbox, trial) == [("canceled", 4 * PRICE, 0), ("requires_capture", 4 * PRICE, 0)]
    trial = await settled_now(portal, await decided(portal, trial, *[KEEP] * 4))
    assert (trial.status, trial.charged, trial.held) == (T.SETTLED, 4 * PRICE, 0)


async def test_a_renewed_hold_leaves_out_what_came_back(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await lasting(portal)
    await arrives(portal, trial, [3])
    await days_later(portal, 6.1)
    trial = await seen(portal, trial)
    assert trial.held == 3 * PRICE
    assert at_gateway(sandbox, trial)[-1] == ("requires_capture", 3 * PRICE, 0)


async def test_what_is_decided_is_captured_and_the_card_on_file_does_the_rest(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await decided(portal, await lasting(portal), KEEP, RETURN)
    await days_later(portal, 6.1)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.held) == (T.DELIVERED, PRICE, 0)
    assert [item.outcome for item in trial.items] == ["kept", "open", "open", "open"]
    await arrives(portal, trial, [1])
    trial = await settled_now(portal, await decided(portal, trial, KEEP, RETURN, KEEP, RETURN))
    assert (trial.status, trial.charged) == (T.SETTLING, 2 * PRICE)
    taken = [(status, received) for status, _, received in at_gateway(sandbox, trial)]
    assert taken == [("succeeded", PRICE), ("succeeded", PRICE)]


async def test_a_renewal_that_is_declined_asks_for_a_card_and_the_trial_goes_on(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await lasting(portal)
    await worsened(portal, "pm_card_chargeDeclined")
    await days_later(portal, 6.1)
    trial = await seen(portal, trial)
    assert (trial.status, trial.held) == (T.AUTHORISATION_EXPIRED, 0)
    assert (await portal.mails())[-1] == "trial_hold_expired"
    trial = await given(portal, trial, VISA)
    assert (trial.status, trial.held) == (T.DELIVERED, 4 * PRICE)
    assert [status for status, _, _ in at_gateway(sandbox, trial)][-1] == "requires_capture"


async def test_a_hold_that_is_lost_before_it_is_sent_is_tried_again_and_called_off_in_the_end(portal: Portal) -> None:
    await give(portal, 5_000, email=MARIA)
    trial = await place(portal, await boots(portal), trial_days=3, points=5_000)
    await portal.work()
    await worsened(portal, "pm_card_chargeDeclined")
    await days_later(portal, 6.1)
    assert (await seen(portal, trial)).status == T.AUTHORISATION_EXPIRED
    async with portal.begin() as db:
        [case] = (await tasks(db, FINANCE)).trials
    assert (case.number, case.amount) == (trial.number, 4 * PRICE)
    for later in (6.5, 7.2, 8, 10.3, 12):
        await days_later(portal, later)
    trial = await seen(portal, trial)
    assert (trial.status, [each.unattended for each in trial.charges]) == (
        T.AUTHORISATION_EXPIRED,
        [False, True, True, True],
    )
    assert (await portal.mails()).count("trial_hold_expired") == 3
    await days_later(portal, 13.2)
    assert (await seen(portal, trial)).status == T.CANCELLED
    assert {row.stock for row in await portal.rows("SELECT stock FROM variant")} == {10}
    assert await portal.points(MARIA) == {"EUR": 5_000}
    [told] = await portal.rows("SELECT values FROM email WHERE template = 'trial_cancelled'")
    assert told.values["why"] == "no_card"


async def test_a_lost_hold_that_the_bank_agrees_to_later_goes_on_by_itself(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await lasting(portal)
    await worsened(portal, "pm_card_chargeDeclined")
    await days_later(portal, 6.1)
    await worsened(portal, VISA)
    await days_later(portal, 7.2)
    trial = await seen(portal, trial)
    assert (trial.status, trial.held) == (T.DELIVERED, 4 * PRICE)
    assert [status for status, _, _ in at_gateway(sandbox, trial)].count("requires_capture") == 1


@pytest.mark.parametrize("declared", [True, False])
async def test_without_a_card_it_ends_all_the_same(portal: Portal, *, declared: bool) -> None:
    trial = await lasting(portal)
    await worsened(portal, "pm_card_chargeDeclined")
    if declared:
        await decided(portal, trial, RETURN, RETURN, RETURN, RETURN)
    await days_later(portal, 6.1)
    await days_later(portal, 11)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLING, 0)
    await days_later(portal, 25)
    for later in (26, 29, 34, 41, 60):
        await days_later(portal, later)
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, 0)


async def test_a_hold_that_ended_by_itself_is_noticed(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await lasting(portal)
    trial = await seen(portal, trial)
    sandbox.control(f"payment_intents/{trial.charges[0].reference}/expire")
    await days_later(portal, 7.1)
    trial = await seen(portal, trial)
    assert [each.status for each in trial.charges] == ["expired", "held"]
    assert (trial.status, trial.held) == (T.DELIVERED, 4 * PRICE)


async def test_a_hold_that_ended_before_it_is_captured_is_charged_from_the_card(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await seen(portal, await decided(portal, await lasting(portal), KEEP, KEEP, RETURN, RETURN))
    sandbox.control(f"payment_intents/{trial.charges[0].reference}/expire")
    trial = await settled_now(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLING, 2 * PRICE)
    assert at_gateway(sandbox, trial)[-1] == ("succeeded", 2 * PRICE, 2 * PRICE)


async def test_what_was_captured_in_the_dashboard_pays_and_the_rest_goes_back(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await seen(portal, await decided(portal, await lasting(portal), KEEP, RETURN, RETURN, RETURN))
    status, answer, _ = sandbox.send("POST", f"/v1/payment_intents/{trial.charges[0].reference}/capture")
    assert status == 200, answer
    trial = await settled_now(portal, trial)
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == (T.SETTLED, PRICE, 3 * PRICE)


async def test_the_hold_is_lost_on_the_way_to_the_customer(portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    await shipped(portal, trial)
    await worsened(portal, "pm_card_chargeDeclined")
    await days_later(portal, 6.1)
    assert (await seen(portal, trial)).status == T.AUTHORISATION_EXPIRED
    await delivered(portal, trial)
    trial = await given(portal, trial, VISA)
    assert trial.status == T.DELIVERED
    assert trial.ends_at is not None
