"""Checkout: what the bank agrees to, refuses, or wants to hear from the customer; and cards that are given anew."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon import authorising, settling, sweeping
from returns_portal.tryon.models import Mode, TrialStatus
from returns_portal.tryon.queries import TrialView
from tests.portal import FINANCE, Portal
from tests.sandboxes import SandboxProcess
from tests.tryon.money import (
    KEEP,
    arrives,
    at_gateway,
    days_later,
    given,
    kept_first,
    running,
    settled_now,
    tried_again,
)
from tests.tryon.samples import PRICE, boots, decided, delivered, place, seen, shipped

pytestmark = pytest.mark.anyio

T = TrialStatus
VISA, DECLINED, ASKS = "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_authenticationRequired"
LATER_REFUSED = "pm_card_chargeCustomerFail"


async def placed(portal: Portal, card: str | None, *, days: int = 3, mode: Mode = Mode.TRIAL) -> TrialView:
    trial = await place(portal, await boots(portal), payment_method=card, trial_days=days, mode=mode)
    await portal.work()
    return await seen(portal, trial)


@pytest.mark.parametrize("days", [3, 21])
async def test_a_card_that_is_good(portal: Portal, days: int) -> None:
    trial = await placed(portal, VISA, days=days)
    assert (trial.status, trial.card_brand, trial.card_last4) == (T.AUTHORISED, "visa", "4242")
    assert trial.held == (4 * PRICE if days == 3 else 0)
    assert trial.rma
    assert trial.payment_method
    assert trial.payment_method != VISA
    assert await portal.mails() == ["trial_authorised"]
    labels = await portal.rows("SELECT count(*) AS lines FROM return_line")
    assert labels[0].lines == 4
    if days == 3:
        assert trial.charges[0].capture_before is not None


@pytest.mark.parametrize("days", [3, 21])
async def test_a_card_that_is_refused_and_another_one(portal: Portal, sandbox: SandboxProcess, days: int) -> None:
    trial = await placed(portal, DECLINED, days=days)
    assert (trial.status, trial.charges[0].failure) == (T.AUTHORISATION_FAILED, "insufficient_funds")
    assert await portal.mails() == ["trial_authorisation_failed"]
    trial = await given(portal, trial, VISA)
    assert trial.status == T.AUTHORISED
    assert [each.status for each in trial.charges] == ["failed", "held"]
    held = [amount for status, amount, _ in at_gateway(sandbox, trial) if status == "requires_capture"]
    assert sum(held) == trial.held


@pytest.mark.parametrize("succeeds", [True, False])
@pytest.mark.parametrize("days", [3, 21])
async def test_a_bank_that_wants_to_hear_from_the_customer(
    portal: Portal, sandbox: SandboxProcess, days: int, *, succeeds: bool
) -> None:
    trial = await placed(portal, ASKS, days=days)
    waits = authorising.awaited(trial)
    assert trial.status == T.PLACED
    assert waits is not None
    assert waits.reference is not None
    kind = "payment_intents" if days == 3 else "setup_intents"
    sandbox.control(f"{kind}/{waits.reference}/authenticate", succeeds=succeeds)
    await authorising.refresh(portal.context, waits.id)
    await portal.work()
    trial = await seen(portal, trial)
    assert trial.status == (T.AUTHORISED if succeeds else T.AUTHORISATION_FAILED)
    if not succeeds:
        assert "authentication_failure" in trial.charges[0].failure
        assert all(status == "canceled" for status, _, _ in at_gateway(sandbox, trial))


@pytest.mark.parametrize("days", [3, 21])
async def test_a_card_that_the_browser_gives(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway, days: int
) -> None:
    trial = await placed(portal, None, days=days)
    waits = authorising.awaited(trial)
    assert waits is not None
    secret = await authorising.client_secret(portal.begin, gateway, waits)
    assert secret == await authorising.client_secret(portal.begin, gateway, waits)
    intent = secret.partition("_secret_")[0]
    kind = "payment_intents" if days == 3 else "setup_intents"
    status, answer, _ = sandbox.send("POST", f"/v1/{kind}/{intent}/confirm", f"payment_method={DECLINED}")
    assert status == 402
    await authorising.refresh(portal.context, waits.id)
    assert (await seen(portal, trial)).charges[0].status == "action_needed"
    status, answer, _ = sandbox.send("POST", f"/v1/{kind}/{intent}/confirm", f"payment_method={VISA}")
    assert status == 200, answer
    await sweeping.sweep(portal.begin)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.card_last4) == (T.AUTHORISED, "4242")
    with pytest.raises(ConflictError):
        await authorising.client_secret(portal.begin, gateway, waits)


async def test_an_intent_whose_answer_was_lost_is_found(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    trial = await placed(portal, None)
    waits = authorising.awaited(trial)
    assert waits is not None
    secret = await authorising.client_secret(portal.begin, gateway, waits)
    await portal.rows("UPDATE trial_charge SET reference = NULL RETURNING id")
    sandbox.control("keys/forget", older_than_hours=0)
    assert await authorising.client_secret(portal.begin, gateway, waits) == secret


async def test_another_card_while_the_first_waits_for_its_bank(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await given(portal, await placed(portal, ASKS), VISA)
    assert trial.status == T.AUTHORISED
    assert [status for status, _, _ in at_gateway(sandbox, trial)] == ["canceled", "requires_capture"]


async def test_a_deposit_is_charged_only_when_the_bank_agreed_to_the_rest(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_policy SET deposit_percent = 10"))
    trial = await placed(portal, DECLINED)
    assert all(received == 0 for _, _, received in at_gateway(sandbox, trial))
    trial = await given(portal, trial, VISA)
    taken = [(status, received) for status, _, received in at_gateway(sandbox, trial)]
    assert taken[-2:] == [("requires_capture", 0), ("succeeded", 4 * PRICE // 10)]
    assert (trial.status, trial.held) == (T.AUTHORISED, 4 * PRICE - 4 * PRICE // 10)


async def test_a_purchase_that_is_refused_and_then_paid(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await placed(portal, DECLINED, mode=Mode.PURCHASE)
    assert (trial.status, trial.charged) == (T.AUTHORISATION_FAILED, 0)
    trial = await given(portal, trial, VISA)
    assert (trial.status, trial.charged) == (T.AUTHORISED, 4 * PRICE)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == 4 * PRICE


async def test_an_answer_that_was_lost_is_looked_for(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    await portal.work()
    trial = await seen(portal, trial)
    assert trial.charges[0].status == "unknown"
    sandbox.control("keys/forget", older_than_hours=0)
    await authorising.refresh(portal.context, trial.charges[0].id)
    trial = await seen(portal, trial)
    assert trial.status == T.AUTHORISED
    assert len(at_gateway(sandbox, trial)) == 1


async def test_nobody_gives_a_card_and_the_order_is_called_off(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await placed(portal, None)
    waiting = await place(portal, ["boot-41"], payment_method=ASKS, email="other@example.com", trial_days=3)
    await portal.work()
    await days_later(portal, 2.9)
    assert (await seen(portal, trial)).status == T.PLACED
    await days_later(portal, 3.1)
    assert (await seen(portal, trial)).status == T.CANCELLED
    waiting = await seen(portal, waiting)
    assert waiting.status == T.CANCELLED
    assert [status for status, _, _ in at_gateway(sandbox, waiting)] == ["canceled"]
    stock = await portal.rows("SELECT DISTINCT stock FROM variant")
    assert [row.stock for row in stock] == [10]


async def test_a_cancelled_order_whose_bank_agrees_late_is_let_go(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await placed(portal, ASKS)
    waits = authorising.awaited(trial)
    assert waits is not None
    sandbox.control(f"payment_intents/{waits.reference}/authenticate", succeeds=True)
    with clock.shifted(timedelta(days=3.1)):
        await authorising.give_up(portal.begin)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.held) == (T.CANCELLED, 0)
    assert [status for status, _, _ in at_gateway(sandbox, trial)] == ["canceled"]


async def test_no_card_is_asked_for_while_all_is_well(portal: Portal) -> None:
    trial = await placed(portal, VISA)
    with pytest.raises(ConflictError) as refused:
        await given(portal, trial, VISA)
    assert refused.value.code == "wrong_status"


# Charges of a card on file.


async def unpaid(portal: Portal) -> TrialView:
    """A trial whose card was good at checkout and is refused when it is charged."""
    trial = await running(portal, days=21, payment_method=LATER_REFUSED)
    return await settled_now(portal, await kept_first(portal, trial, 4))


async def test_a_refused_charge_asks_the_customer_and_another_card_pays(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    trial = await unpaid(portal)
    assert (trial.status, trial.charged) == (T.PAYMENT_ACTION_NEEDED, 0)
    assert (await portal.mails())[-1] == "trial_action_needed"
    trial = await given(portal, trial, VISA)
    assert (trial.status, trial.charged) == (T.SETTLED, 4 * PRICE)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == 4 * PRICE


async def test_a_refused_charge_is_tried_again_and_ends_with_finance(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await unpaid(portal)
    for later, tries in ((0.9, 1), (1.1, 2), (4.2, 3), (9.3, 4), (16.4, 5)):
        await days_later(portal, later)
        assert len(at_gateway(sandbox, trial)) == tries
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, 0)
    mails = await portal.mails()
    assert mails.count("trial_action_needed") == 4
    assert mails[-1] == "trial_overdue"
    await days_later(portal, 60)
    assert (await seen(portal, trial)).status == T.OVERDUE
    trial = await tried_again(portal, trial)
    assert (trial.status, trial.charged) == (T.OVERDUE, 0)
    async with portal.begin() as db:
        with pytest.raises(InvalidError):
            await settling.write_off(db, FINANCE, trial.number, " ")
        await settling.write_off(db, FINANCE, trial.number, "not worth it")
    trial = await seen(portal, trial)
    assert (trial.status, [item.outcome for item in trial.items]) == (T.WRITTEN_OFF, ["waived"] * 4)


async def test_the_customer_confirms_a_charge_in_the_browser(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    trial = await given(portal, await unpaid(portal), None)
    waits = authorising.awaited(trial)
    assert waits is not None
    await days_later(portal, 1.1)
    assert authorising.awaited(await seen(portal, trial)) is None
    trial = await given(portal, trial, None)
    waits = authorising.awaited(trial)
    assert waits is not None
    intent = (await authorising.client_secret(portal.begin, gateway, waits)).partition("_secret_")[0]
    sandbox.send("POST", f"/v1/payment_intents/{intent}/confirm", f"payment_method={VISA}")
    await authorising.refresh(portal.context, waits.id)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged) == (T.SETTLED, 4 * PRICE)


async def test_a_bank_that_asks_at_the_charge(portal: Portal, sandbox: SandboxProcess) -> None:
    trial = await placed(portal, ASKS, days=21)
    waits = authorising.awaited(trial)
    assert waits is not None
    sandbox.control(f"setup_intents/{waits.reference}/authenticate", succeeds=True)
    await authorising.refresh(portal.context, waits.id)
    await portal.work()
    trial = await settled_now(
        portal, await decided(portal, await delivered(portal, await shipped(portal, trial)), *[KEEP] * 4)
    )
    assert (trial.status, trial.charges[-1].failure) == (T.PAYMENT_ACTION_NEEDED, "authentication_required")
    trial = await given(portal, trial, ASKS)
    waits = authorising.awaited(trial)
    assert waits is not None
    # While the bank waits for them, another card is given; whichever is first, all is paid once.
    sandbox.control(f"payment_intents/{waits.reference}/authenticate", succeeds=True)
    trial = await given(portal, trial, VISA)
    assert (trial.status, trial.charged) == (T.SETTLED, 4 * PRICE)
    assert sum(received for _, _, received in at_gateway(sandbox, trial)) == 4 * PRICE


async def test_what_comes_back_is_not_charged_while_a_card_is_asked_for(portal: Portal) -> None:
    trial = await unpaid(portal)
    await arrives(portal, trial, [2, 3])
    await portal.work()
    assert (await seen(portal, trial)).status == T.PAYMENT_ACTION_NEEDED
    trial = await given(portal, trial, VISA)
    assert (trial.status, trial.charged) == (T.SETTLED, 2 * PRICE)
