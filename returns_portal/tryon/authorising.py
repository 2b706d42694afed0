"""The customer and their card: given anew after a refusal, confirmed in the browser, asked after when nobody told."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.jobs import JobContext, defer
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon import asking, charges, checkout
from returns_portal.tryon.calling_off import cancel, put_back, set_aside
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Mode, TrialCharge, TrialStatus
from returns_portal.tryon.queries import Charge, TrialView, trial_by_id, trial_for, trial_id_of_charge
from returns_portal.tryon.recording import planned_charge
from returns_portal.tryon.settlement import plan
from returns_portal.tryon.steps import facts_of, let_go, write_charge

T = TrialStatus
C = ChargeStatus
ABANDONED_AFTER: Final = timedelta(days=3)
"""A trial for which nobody has given a card by then is called off."""
SET_ASIDE: Final = timedelta(minutes=60)
"""For so long items are set aside for an order that no bank has agreed to; then others may have them."""
IDLE_AFTER: Final = timedelta(days=1)
"""What a customer began in the browser, and did not bring to its end, is given up then."""
_ON_ITS_WAY: Final = frozenset({C.SUBMITTING, C.UNKNOWN, C.CAPTURING})


async def card_given(db: AsyncConnection, actor: Actor, number: str, payment_method: str | None) -> None:
    """The customer gives a card, after the bank had refused: it is tried anew, and what they had begun is given up.

    Args:
        db: The transaction.
        actor: Who gives it.
        number: The trial.
        payment_method: Stripe's; None where the customer's browser gives it to Stripe itself.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ConflictError: no card is asked for (`wrong_status`), the bank is being asked just now (`under_way`), or its
            items were sold to somebody else meanwhile (`out_of_stock`).
        InvalidError: something of it is no longer offered.
    """
    trial = await trial_for(db, actor, number, lock=True)
    if any(each.status in _ON_ITS_WAY for each in trial.charges):
        raise ConflictError(mark("The bank is being asked just now. Look again in a moment."), code="under_way")
    if payment_method is None and _goes_on(trial):
        return
    started = _STARTS.get(trial.status)
    if started is None:
        raise ConflictError(mark("No card is needed for this order now."), code="wrong_status")
    if payment_method is not None:
        await run(db, "UPDATE trial SET payment_method = :method WHERE id = :id", id=trial.id, method=payment_method)
    await started(db, actor, trial, browser=payment_method is None)


def _goes_on(trial: TrialView) -> bool:
    """Whether the browser has something that it can go on with."""
    return any(each.status == C.ACTION_NEEDED and not each.attempts for each in trial.charges)


async def _order_again(db: AsyncConnection, actor: Actor, trial: TrialView, *, browser: bool) -> None:
    """At checkout: everything that the bank has not agreed to is asked for anew."""
    if browser:
        await run(db, "UPDATE trial SET payment_method = NULL WHERE id = :id", id=trial.id)
    await set_aside(db, trial)
    if trial.status == T.AUTHORISATION_FAILED:
        await move_to(db, actor, trial.id, T.PLACED, reason="card_given")
    agreed = {each.kind for each in trial.charges if each.status in {C.HELD, C.CAPTURED}}
    for charge in trial.charges:
        if charge.status in {C.PLANNED, C.ACTION_NEEDED}:
            await let_go(db, charge)
    rows = [
        planned_charge(trial.id, kind, trial.currency, amount)
        for kind, amount in checkout.needed(trial)
        if kind not in agreed
    ]
    await insert_rows(db, (TrialCharge, rows))
    for row in rows:
        await defer(db, "tryon.submit", charge_id=str(row["id"]))
    if rows and trial.mode == Mode.PURCHASE:
        await run(db, _PAID_BY, id=trial.id, charge=rows[0]["id"])


_PAID_BY: Final = "UPDATE trial_item SET charge_id = :charge WHERE trial_id = :id"


async def _hold_again(db: AsyncConnection, actor: Actor, trial: TrialView, *, browser: bool) -> None:
    """The hold was lost: the same again, with this card."""
    del actor
    for charge in trial.charges:
        if charge.kind == ChargeKind.HOLD and charge.status in {C.PLANNED, C.ACTION_NEEDED}:
            await let_go(db, charge)
    if not await checkout.plan_hold(db, trial, status=C.ACTION_NEEDED if browser else C.PLANNED):
        await checkout.go_on(db, trial)


async def _pay_again(db: AsyncConnection, actor: Actor, trial: TrialView, *, browser: bool) -> None:
    """A charge was refused: the customer pays now."""
    del actor
    begun = next((c for c in trial.charges if c.kind == ChargeKind.CHARGE and c.status == C.ACTION_NEEDED), None)
    if begun is not None:
        await _replace(db, trial, begun)
        return
    found = plan(trial, await facts_of(db, trial), clock.now())
    if not found.charged:
        raise ConflictError(mark("There is nothing to pay any more."), code="nothing_to_pay")
    asks = browser and found.card > 0
    charge_id = await write_charge(db, trial, found, status=C.ACTION_NEEDED if asks else C.PLANNED)
    if not asks:
        await defer(db, "tryon.submit", charge_id=str(charge_id))


async def _replace(db: AsyncConnection, trial: TrialView, begun: Charge) -> None:
    """What they had begun is given up first, else both might be paid: when it is, the same is asked of this card."""
    row = planned_charge(
        trial.id, ChargeKind.CHARGE, trial.currency, begun.amount, points=begun.points, deposit=begun.deposit
    )
    await insert_rows(db, (TrialCharge, [row]))
    await run(db, "UPDATE trial_item SET charge_id = :new WHERE charge_id = :old", new=row["id"], old=begun.id)
    await let_go(db, begun)


_STARTS: Final = {
    T.PLACED: _order_again,
    T.AUTHORISATION_FAILED: _order_again,
    T.AUTHORISATION_EXPIRED: _hold_again,
    T.PAYMENT_ACTION_NEEDED: _pay_again,
    T.OVERDUE: _pay_again,
}


def awaited(trial: TrialView) -> Charge | None:
    """The charge that waits for the customer, if one does."""
    return next((each for each in trial.charges if each.status == C.ACTION_NEEDED), None)


_ASKED: Final = "UPDATE trial_charge SET submitted_at = coalesce(submitted_at, :now) WHERE id = :id"
_REFERENCE: Final = "UPDATE trial_charge SET reference = :reference WHERE id = :id AND reference IS NULL"


async def client_secret(begin: Begin, gateway: StripeGateway, charge: Charge) -> str:
    """With what the customer's browser confirms a charge that waits for them; its intent is made when first asked for.

    The caller has shown that the charge is the customer's.

    Raises:
        ConflictError: it does not wait for the customer (any more).
        GatewayError: the gateway refused, or gave no answer.
    """
    async with begin() as db:
        trial_id = await trial_id_of_charge(db, charge.id)
        trial = await trial_by_id(db, trial_id, lock=True) if trial_id else None
        known = next((each for each in trial.charges if each.id == charge.id), None) if trial else None
        if trial is None or known is None or known.status != C.ACTION_NEEDED:
            raise ConflictError(mark("Nothing waits for you here any more. Look at your order."), code="wrong_status")
        await run(db, _ASKED, id=charge.id, now=clock.now())
    if known.reference is not None:
        return (await gateway.read_intent(known.reference)).client_secret
    before = known.submitted_at is not None
    if trial.customer is None:
        trial = await asking.with_customer(begin, gateway, trial, again=before)
    is_setup = known.kind == ChargeKind.SETUP
    found = await gateway.find_intent(trial.customer or "", str(known.id), setup=is_setup) if before else None
    intent = found or await charges.create(gateway, trial, known, None)
    async with begin() as db:
        await run(db, _REFERENCE, id=charge.id, reference=intent.id)
    return intent.client_secret


async def refresh(context: JobContext, charge_id: UUID) -> None:
    """Ask the gateway what became of a charge, and record it: after the customer's return, an event, or a while.

    Raises:
        GatewayUnknownError: no answer.
    """
    await asking.submit(context, charge_id)


_ABANDONED: Final = """
    SELECT number FROM trial WHERE status IN ('placed', 'authorisation_failed') AND placed_at < :before
    OR status = 'authorisation_expired' AND shipped_at IS NULL AND changed_at < :lost_before
    ORDER BY placed_at LIMIT 100
"""
_HELD_BACK: Final = """
    SELECT id FROM trial WHERE status IN ('placed', 'authorisation_failed') AND stocked_at < :before
    ORDER BY stocked_at LIMIT 100
"""
_UNPAID: Final = frozenset({T.PLACED, T.AUTHORISATION_FAILED, T.AUTHORISATION_EXPIRED})
_IDLE: Final = """
    SELECT t.id AS trial_id, c.id FROM trial_charge c JOIN trial t ON t.id = c.trial_id
    WHERE c.status = 'action_needed' AND c.changed_at < :before AND t.status NOT IN ('placed', 'authorisation_failed')
    ORDER BY c.changed_at LIMIT 100
"""


async def give_up(begin: Begin) -> None:
    """Call off the trials for which nobody gave a card, and give up what customers began and left."""
    async with begin() as db:
        now = clock.now()
        limits = {"before": now - ABANDONED_AFTER, "lost_before": now - checkout.CARD_GIVEN_WITHIN}
        numbers = [row.number for row in await run(db, _ABANDONED, **limits)]
        held_back = await run(db, _HELD_BACK, before=now - SET_ASIDE)
        idle = await run(db, _IDLE, before=clock.now() - IDLE_AFTER)
    for number in numbers:
        async with begin() as db:
            trial = await trial_for(db, SYSTEM, number, lock=True)
            if trial.status in _UNPAID and trial.shipped_at is None and not _asks_now(trial):
                await cancel(db, SYSTEM, number, reason="no_card")
    for row in held_back:
        async with begin() as db:
            unpaid = await trial_by_id(db, row.id, lock=True)
            if unpaid is not None and unpaid.status in _UNPAID and not _asks_now(unpaid):
                await put_back(db, unpaid)
    for row in idle:
        async with begin() as db:
            left = await trial_by_id(db, row.trial_id, lock=True)
            for charge in left.charges if left else []:
                if charge.id == row.id and charge.status == C.ACTION_NEEDED:
                    await let_go(db, charge)


def _asks_now(trial: TrialView) -> bool:
    return any(each.status in _ON_ITS_WAY for each in trial.charges)
