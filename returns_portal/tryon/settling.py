"""Settling a trial: begun by its end or by staff, done by jobs, and what staff can do where it does not go on."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.jobs import JobContext, defer
from returns_portal.refunds.actions import release_unshipped
from returns_portal.refunds.deposits import give_back
from returns_portal.returns.actions import announce
from returns_portal.returns.rules import Policy
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.tryon.asking import carry_out
from returns_portal.tryon.charges import Asked
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Mode, Outcome, TrialStatus
from returns_portal.tryon.queries import TrialView, trial_by_id, trial_for, trial_of_order
from returns_portal.tryon.settlement import PENDING, plan
from returns_portal.tryon.steps import SETTLING, advance, facts_of, give_rest_back, let_go, start, write_charge

T = TrialStatus
C = ChargeStatus
_STAFF: Final = ("trials:write", "support", "finance")
_ENDING: Final = frozenset({T.DELIVERED, T.AUTHORISATION_EXPIRED, T.SHIPPED})
_CAPTURES: Final = frozenset({C.CAPTURING, C.CANCELING})


async def begin(db: AsyncConnection, actor: Actor, number: str, *, now_by_staff: bool = False) -> TrialView:
    """Begin to settle a trial. Again, it changes nothing.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ConflictError: it was not sent (`wrong_status`), or (by staff) something is not decided yet (`undecided`).
    """
    if now_by_staff:
        actor.require(*_STAFF)
    trial = await trial_for(db, actor, number, lock=True)
    if trial.settling_at is not None:
        return trial
    if trial.status not in _ENDING or trial.shipped_at is None:
        raise ConflictError(
            mark("This trial does not run, so there is nothing to settle: it was not sent yet, or was called off."),
            code="wrong_status",
        )
    if now_by_staff and trial.undecided:
        raise ConflictError(
            mark("Something is not decided yet. Ask the customer, or wait until the trial ends."), code="undecided"
        )
    await start(db, actor, trial)
    return await trial_for(db, actor, number)


async def settle(context: JobContext, trial_id: UUID) -> None:
    """Take a trial that is being settled as far as it goes: one charge at a time.

    Raises:
        GatewayUnknownError: nobody knows what became of a charge; the same again looks first.
    """
    async with context.begin() as db:
        asked = await _next(db, trial_id)
    if asked is not None:
        await carry_out(context, asked)


async def _next(db: AsyncConnection, trial_id: UUID) -> Asked | None:
    trial = await trial_by_id(db, trial_id, lock=True)
    if trial is None:
        return None
    charge_id = await advance(db, trial)
    before = charge_id is None
    # A charge that is under way may have lost whoever asked for it.
    charge_id = charge_id or next((each.id for each in trial.charges if _is_asked(each.status)), None)
    now = await trial_by_id(db, trial_id) if charge_id else None
    if now is None:
        return None
    return Asked(now, next(each for each in now.charges if each.id == charge_id), before)


def _is_asked(status: ChargeStatus) -> bool:
    return status in {C.SUBMITTING, C.UNKNOWN, C.CAPTURING, C.CANCELING}


async def received(context: JobContext, order_id: UUID) -> None:
    """Something of a trial was counted, or decided, in the warehouse: it goes on where that matters."""
    async with context.begin() as db:
        trial = await trial_of_order(db, order_id, lock=True)
        if trial is None:
            return
        facts = await facts_of(db, trial)
        if trial.status == T.DELIVERED and trial.items and all(_is_back(item, facts.in_doubt) for item in trial.items):
            # Everything is back: nobody has to wait until the end.
            await start(db, SYSTEM, trial)
        elif trial.status in SETTLING:
            await _see_again(db, trial)
            await defer(db, "tryon.settle", trial_id=str(trial.id))


def _is_back(item: Any, in_doubt: frozenset[UUID]) -> bool:  # noqa: ANN401 - an item
    return item.outcome == Outcome.OPEN and item.received and item.order_line_id not in in_doubt


async def _see_again(db: AsyncConnection, trial: TrialView) -> None:
    """A count that was undone or corrected, and what was sent back to the customer, is open again."""
    gone = [item.id for item in trial.items if item.outcome == Outcome.RETURNED and not item.received]
    if gone:
        await run(db, "UPDATE trial_item SET outcome = 'open' WHERE id = ANY(:ids)", ids=gone)


async def retry(db: AsyncConnection, actor: Actor, number: str) -> None:
    """Charge what is due once more, without the customer: what they keep, and what did not come back in time.

    What a carrier has is not charged, nor what nothing was said of, where the terms and the reminders do not make
    silence a yes: there it takes the customer's word.

    Raises:
        NotFoundError: there is no such trial.
        ConflictError: there is nothing to charge, or a charge is under way.
    """
    actor.require("finance", "support")
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status not in {T.OVERDUE, T.PAYMENT_ACTION_NEEDED}:
        raise ConflictError(mark("Nothing of this trial waits to be charged."), code="wrong_status")
    facts = await facts_of(db, trial)
    found = plan(trial, facts, clock.now())
    if found.under_way:
        raise ConflictError(mark("A charge is under way. Wait for what becomes of it."), code="under_way")
    if not found.charged:
        raise ConflictError(
            mark(
                "Nothing can be charged: it is on its way back, was settled, or the customer has not said that they"
                " keep it. Ask them, or write it off."
            ),
            code="nothing_to_charge",
        )
    await move_to(db, actor, trial.id, T.SETTLING, reason="retry")
    now = await trial_for(db, actor, number)
    charge_id = await write_charge(db, now, found, status=C.PLANNED)
    await defer(db, "tryon.submit", charge_id=str(charge_id))


_WAIVE: Final = "UPDATE trial_item SET outcome = 'waived', charge_id = NULL WHERE trial_id = :id AND outcome = 'open'"


async def write_off(db: AsyncConnection, actor: Actor, number: str, reason: str) -> None:
    """Give up what is open: it is not charged any more.

    Where the bank refused to pay, what was paid in advance stays with the shop; else it goes back.

    Raises:
        NotFoundError: there is no such trial.
        InvalidError: no reason is given.
        ConflictError: there is nothing to give up, or a charge is under way.
    """
    actor.require("finance")
    if not reason.strip():
        raise InvalidError(mark("Say why."), field="reason", code="no_reason")
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status not in {T.OVERDUE, T.SHIPPED}:
        raise ConflictError(mark("This trial is not overdue, so nothing is to be written off."), code="wrong_status")
    if any(each.kind != ChargeKind.SETUP and each.status in PENDING for each in trial.charges):
        raise ConflictError(mark("A charge is under way. Wait for what becomes of it."), code="under_way")
    await run(db, _WAIVE, id=trial.id)
    await move_to(db, actor, trial.id, T.WRITTEN_OFF, reason=reason.strip()[:500])
    for charge in trial.charges:
        if charge.kind == ChargeKind.HOLD:
            await let_go(db, charge)
    if not any(each.kind == ChargeKind.CHARGE and each.status == C.FAILED for each in trial.charges):
        await give_rest_back(db, trial)


async def unwind(context: JobContext, trial_id: UUID) -> None:
    """Let go of what the gateway holds for a trial that was called off, and refund what was paid, once."""
    async with context.begin() as db:
        trial = await trial_by_id(db, trial_id, lock=True)
        if trial is None or trial.status not in {T.CANCELLED, T.WRITTEN_OFF}:
            return
        for charge in trial.charges:
            await let_go(db, charge)
        if trial.status == T.WRITTEN_OFF:
            return
        first = [each.payment_id for each in trial.charges if each.payment_id]
        await give_back(db, trial.order_id, first=first, livemode=trial.livemode)
        if trial.mode == Mode.PURCHASE and trial.charged:
            await _undo_purchase(db, context.service(Settings), trial)


_HAS_RETURN: Final = "SELECT id FROM returns WHERE order_id = :order_id LIMIT 1"


async def _undo_purchase(db: AsyncConnection, settings: Settings, trial: TrialView) -> None:
    """Refund a purchase that never left the shop, in the ordinary way: as withdrawn from before it was sent."""
    if await run(db, _HAS_RETURN, order_id=trial.order_id):
        return
    shop = await current(db)
    lines = [item.order_line_id for item in trial.items]
    filed = await announce(db, SYSTEM, trial.order_id, lines, policy=Policy(shop.return_days, shop.timezone))
    await release_unshipped(db, SYSTEM, settings, filed.rma)
