"""Recording what the gateway answered for a charge, once, with all that follows from it for the trial."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.jobs import defer
from returns_portal.payments.gateway import GatewayIntent
from returns_portal.tryon import checkout
from returns_portal.tryon.booking import book, reopen
from returns_portal.tryon.charges import Answer, Meaning, meaning
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import charge_to, move_to
from returns_portal.tryon.models import CHARGE_TRANSITIONS, ChargeKind, ChargeStatus, Mode, Outcome, TrialStatus
from returns_portal.tryon.queries import Charge, TrialView, trial_by_id
from returns_portal.tryon.steps import SETTLING, advance, let_go, overdue

log = structlog.get_logger(__name__)

T = TrialStatus
C = ChargeStatus
RETRY_DAYS: Final = (1, 3, 5, 7)
"""How long after each refusal a charge, or a lost hold, is tried again; after the last of them it is a person's."""


async def record(begin: Begin, trial_id: UUID, charge_id: UUID, answer: Answer) -> None:
    """Write down what the gateway says of a charge. The same again changes nothing."""
    async with begin() as db:
        trial = await trial_by_id(db, trial_id, lock=True)
        if trial is None:
            return
        charge = next(each for each in trial.charges if each.id == charge_id)
        found = meaning(charge, answer)
        if found is None:
            await _note(db, charge, answer)
        elif _can_be(charge, found.status):
            await _write(db, trial, charge, found, answer)
        else:
            log.warning("charge.unexpected", charge=str(charge_id), have=charge.status, gateway=found.status)


_FAILURE: Final = "UPDATE trial_charge SET failure = :failure WHERE id = :id AND failure <> :failure"


async def _note(db: AsyncConnection, charge: Charge, answer: Answer) -> None:
    """What the customer's browser was told of its last attempt."""
    if charge.status == C.ACTION_NEEDED and isinstance(answer, GatewayIntent):
        await run(db, _FAILURE, id=charge.id, failure=answer.failure)


def _can_be(charge: Charge, status: ChargeStatus) -> bool:
    # What was captured in the gateway's dashboard is captured all the same.
    elsewhere = charge.status == C.HELD and status == C.CAPTURED
    return elsewhere or status in CHARGE_TRANSITIONS[charge.status]


async def _write(db: AsyncConnection, trial: TrialView, charge: Charge, found: Meaning, answer: Answer) -> None:
    if isinstance(answer, GatewayIntent) and found.status in {C.HELD, C.CAPTURED}:
        await _keep_card(db, trial, answer)
    if found.status == C.CAPTURED and isinstance(answer, GatewayIntent):
        if charge.status == C.HELD:
            await charge_to(db, SYSTEM, charge.id, C.CAPTURING, to_capture=answer.received)
        card = (answer.card_brand, answer.card_last4)
        await book(db, trial, charge, answer.received, card=card, **found.columns)
    else:
        columns = found.columns
        if found.status == C.FAILED and _is_scheduled(trial, charge):
            columns = columns | {"next_try_at": _next_try(trial, charge.kind)}
        await charge_to(db, SYSTEM, charge.id, found.status, **columns)
        if found.status in checkout.DEAD and trial.mode == Mode.TRIAL:
            await reopen(db, charge.id)
    await follow(db, trial.id, charge.id)


async def follow(db: AsyncConnection, trial_id: UUID, charge_id: UUID) -> None:
    """Do what follows for the trial from where a charge of it stands now. Under the order's lock."""
    trial = await trial_by_id(db, trial_id)
    if trial is not None:
        charge = next(each for each in trial.charges if each.id == charge_id)
        await _FOLLOW[charge.status](db, trial, charge)


_CARD: Final = """
    UPDATE trial SET payment_method = coalesce(:method, payment_method), card_brand = :brand, card_last4 = :last4
    WHERE id = :id AND (payment_method IS DISTINCT FROM coalesce(:method, payment_method) OR card_last4 <> :last4)
"""


async def _keep_card(db: AsyncConnection, trial: TrialView, answer: GatewayIntent) -> None:
    if answer.payment_method != trial.payment_method or answer.card_last4 != trial.card_last4:
        known = {"method": answer.payment_method, "brand": answer.card_brand, "last4": answer.card_last4}
        await run(db, _CARD, id=trial.id, **known)


def _is_scheduled(trial: TrialView, charge: Charge) -> bool:
    """Whether it was asked for without the customer, so that it is tried again by itself."""
    if charge.kind == ChargeKind.HOLD:
        return trial.status in checkout.RUNNING | {T.AUTHORISATION_EXPIRED}
    return trial.status == T.SETTLING and charge.kind == ChargeKind.CHARGE


def _refusals(trial: TrialView, kind: ChargeKind) -> int:
    """How often the bank has refused since it last agreed."""
    count = 0
    for charge in trial.charges:
        if charge.kind == kind and (charge.status == C.CAPTURED or charge.capture_before is not None):
            count = 0
        elif charge.kind == kind and charge.status == C.FAILED and charge.next_try_at is not None:
            count += charge.unattended or kind == ChargeKind.CHARGE
    return count


def _next_try(trial: TrialView, kind: ChargeKind) -> datetime | None:
    """When it is tried again; after the last try the moment of the failure itself, and nobody looks at it any more."""
    refusals = _refusals(trial, kind)
    if kind == ChargeKind.HOLD and refusals >= len(RETRY_DAYS):
        return None
    days = (*RETRY_DAYS, 0)[min(refusals, len(RETRY_DAYS))]
    return clock.now() + timedelta(days=days)


async def _unchanged(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    """The customer is on their way to answer their bank, or nobody knows yet: nothing follows."""


async def _held(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    if trial.status == T.PLACED:
        await checkout.agreed(db, trial)
    elif trial.status == T.AUTHORISATION_EXPIRED:
        await checkout.go_on(db, trial)
    elif trial.status in SETTLING:
        await defer(db, "tryon.settle", trial_id=str(trial.id))
    elif trial.status not in checkout.RUNNING:
        await let_go(db, charge)


async def _captured(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    if trial.status == T.PLACED:
        await checkout.agreed(db, trial)
    elif trial.status in SETTLING:
        await _go_on_settling(db, trial, charge)
    elif trial.status not in checkout.RUNNING:
        await defer(db, "tryon.unwind", trial_id=str(trial.id))


async def _go_on_settling(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    """What was planned meanwhile is planned anew, since there is other money now."""
    if not any(item.charge_id == charge.id for item in trial.items):
        for other in trial.charges:
            if other.kind == ChargeKind.CHARGE and other.status == C.PLANNED:
                await let_go(db, other)
                await reopen(db, other.id)
    if trial.status != T.SETTLING:
        await move_to(db, SYSTEM, trial.id, T.SETTLING)
    now = await trial_by_id(db, trial.id)
    ask_for = await advance(db, now) if now else None
    if ask_for is not None:
        await defer(db, "tryon.submit", charge_id=str(ask_for))


async def _failed(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    if trial.status == T.PLACED:
        await checkout.refused(db, trial, charge.failure)
    elif charge.kind == ChargeKind.HOLD and (trial.status in checkout.RUNNING or _tried_again(trial, charge)):
        await checkout.hold_lost(db, trial)
    elif trial.status == T.SETTLING and charge.kind == ChargeKind.CHARGE:
        await _not_paid(db, trial, charge)
    elif trial.status in SETTLING:
        await defer(db, "tryon.settle", trial_id=str(trial.id))


def _tried_again(trial: TrialView, charge: Charge) -> bool:
    return trial.status == T.AUTHORISATION_EXPIRED and charge.unattended


async def _not_paid(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    """The bank refused a charge without the customer: they are asked, and in the end finance is."""
    if charge.next_try_at is not None and charge.next_try_at > clock.now():
        await move_to(db, SYSTEM, trial.id, T.PAYMENT_ACTION_NEEDED, reason=charge.failure)
        await tell(db, trial, "trial_action_needed", amount=charge.amount, reason=charge.failure)
    else:
        await overdue(db, trial, [item for item in trial.items if item.outcome == Outcome.OPEN])


async def _let_go(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    """Released: what waited for that goes on."""
    del charge
    for other in trial.charges:
        if other.status == C.PLANNED:
            await defer(db, "tryon.submit", charge_id=str(other.id))
    if trial.status in SETTLING:
        await defer(db, "tryon.settle", trial_id=str(trial.id))


async def _expired(db: AsyncConnection, trial: TrialView, charge: Charge) -> None:
    del charge
    if trial.status in SETTLING:
        await defer(db, "tryon.settle", trial_id=str(trial.id))
    elif trial.status in checkout.RUNNING:
        await checkout.plan_hold(db, trial, unattended=True)


_Follow = Callable[[AsyncConnection, TrialView, Charge], Awaitable[None]]
_FOLLOW: Final[dict[ChargeStatus, _Follow]] = {
    C.ACTION_NEEDED: _unchanged,
    C.HELD: _held,
    C.CAPTURED: _captured,
    C.FAILED: _failed,
    C.CANCELED: _let_go,
    C.EXPIRED: _expired,
}
