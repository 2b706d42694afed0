"""Doing what a charge asks for: taken up under the order's lock, asked of the gateway without one, recorded once.

The order of writes is that of every effect outside: the charge's row says what is to happen and is committed, the
gateway is asked under a key made of the row's id, and its answer is recorded. Whoever finds a row that was asked for
before does not know what became of it, and looks first.
"""

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.jobs import JobContext, defer
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon import checkout
from returns_portal.tryon.booking import book, reopen
from returns_portal.tryon.charges import Asked, ask, is_present
from returns_portal.tryon.life import charge_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, TrialStatus
from returns_portal.tryon.outcomes import follow, record
from returns_portal.tryon.queries import Charge, TrialView, trial_by_id, trial_id_of_charge

T = TrialStatus
C = ChargeStatus
_OVER = frozenset({T.SETTLED, T.CANCELLED, T.WRITTEN_OFF})
_CREATING = frozenset({C.SUBMITTING, C.UNKNOWN})
_ASKED_BEFORE = frozenset({C.SUBMITTING, C.UNKNOWN, C.CAPTURING, C.CANCELING})


async def submit(context: JobContext, charge_id: UUID) -> None:
    """Do what a charge asks for. Run any number of times, by any number of workers, it happens once.

    Raises:
        GatewayUnknownError: nobody knows what became of it; the same again looks first.
    """
    async with context.begin() as db:
        trial_id = await trial_id_of_charge(db, charge_id)
        asked = await _take_up(db, trial_id, charge_id) if trial_id else None
    if asked is not None:
        await carry_out(context, asked)


async def carry_out(context: JobContext, asked: Asked) -> None:
    """Ask the gateway for a charge that was taken up, and record its answer.

    Raises:
        GatewayUnknownError: as `submit`.
    """
    gateway, trial, charge = context.service(StripeGateway), asked.trial, asked.charge
    try:
        if charge.status in _CREATING and trial.customer is None:
            trial = await with_customer(context.begin, gateway, trial, again=asked.before)
        answer = await ask(gateway, Asked(trial, charge, asked.before))
    except GatewayUnknownError:
        await _nobody_knows(context.begin, trial.id, charge.id)
        raise
    await record(context.begin, trial.id, charge.id, answer)


_CUSTOMER = "UPDATE trial SET customer = coalesce(customer, :customer) WHERE id = :id RETURNING customer"


async def with_customer(begin: Begin, gateway: StripeGateway, trial: TrialView, *, again: bool = False) -> TrialView:
    """The trial with Stripe's customer, by whom its payments are found again: kept before anything is asked.

    `again`: it was tried before, so that the key may only bring its error back. A second customer costs nothing.
    """
    key = None if again else f"{trial.id}:customer"
    made = await gateway.create_customer(key=key, metadata={"trial_id": str(trial.id)})
    async with begin() as db:
        [row] = await run(db, _CUSTOMER, id=trial.id, customer=made)
    return msgspec.structs.replace(trial, customer=row.customer)


async def _nobody_knows(begin: Begin, trial_id: UUID, charge_id: UUID) -> None:
    async with begin() as db:
        trial = await trial_by_id(db, trial_id, lock=True)
        if trial and any(each.id == charge_id and each.status == C.SUBMITTING for each in trial.charges):
            await charge_to(db, SYSTEM, charge_id, C.UNKNOWN)


async def _take_up(db: AsyncConnection, trial_id: UUID, charge_id: UUID) -> Asked | None:
    """The charge as it is to be asked for now; None where there is nothing to ask."""
    trial = await trial_by_id(db, trial_id, lock=True)
    if trial is None:
        return None
    charge = next(each for each in trial.charges if each.id == charge_id)
    if charge.status == C.PLANNED:
        return await _begin(db, trial, charge)
    reads = charge.status in {C.ACTION_NEEDED, C.HELD} and charge.reference is not None
    if charge.status in _ASKED_BEFORE or (reads and not _is_kept_card(charge)):
        return Asked(trial, charge, before=True)
    return None


def _is_kept_card(charge: Charge) -> bool:
    return charge.kind == ChargeKind.SETUP and charge.status == C.HELD


async def _begin(db: AsyncConnection, trial: TrialView, charge: Charge) -> Asked | None:
    """Begin a planned charge, if it is wanted still and nothing stands before it."""
    if trial.status in _OVER or _is_stale(trial, charge):
        await charge_to(db, SYSTEM, charge.id, C.CANCELED)
        await reopen(db, charge.id)
        await defer(db, "tryon.settle", trial_id=str(trial.id))
        return None
    if _waits(trial, charge):
        return None
    if charge.kind != ChargeKind.SETUP and not charge.amount:
        await charge_to(db, SYSTEM, charge.id, C.SUBMITTING, submitted_at=clock.now())
        await book(db, trial, charge, 0, card=("", ""))
        await follow(db, trial.id, charge.id)
        return None
    if trial.payment_method is None and is_present(trial, charge):
        await charge_to(db, SYSTEM, charge.id, C.ACTION_NEEDED)
        return None
    begun = {"attempts": charge.attempts + 1, "submitted_at": clock.now()}
    await charge_to(db, SYSTEM, charge.id, C.SUBMITTING, **begun)
    return Asked(
        trial, msgspec.structs.replace(charge, status=C.SUBMITTING, attempts=charge.attempts + 1), before=False
    )


def _is_stale(trial: TrialView, charge: Charge) -> bool:
    """Whether something that it was to pay for came back meanwhile, or the bank agreed to what another card began."""
    if charge.kind == ChargeKind.DEPOSIT:
        return any(each.kind == charge.kind and each.status == C.CAPTURED for each in trial.charges)
    return charge.kind == ChargeKind.CHARGE and any(
        item.received for item in trial.items if item.charge_id == charge.id
    )


_LIVE = frozenset({C.SUBMITTING, C.UNKNOWN, C.ACTION_NEEDED, C.HELD, C.CAPTURING, C.CANCELING})


def _waits(trial: TrialView, charge: Charge) -> bool:
    """Whether another charge has to come to its end first: there are never two holds, nor two charges for one thing.

    A deposit waits until the bank has agreed to the rest, so that nothing is charged for a trial that is not sent.
    """
    others = [each for each in trial.charges if each.id != charge.id]
    same = [each for each in others if each.kind == charge.kind]
    if charge.kind == ChargeKind.DEPOSIT:
        if any(each.status in _LIVE for each in same):
            return True
        kinds = {ChargeKind.HOLD, ChargeKind.SETUP} & {kind for kind, _ in checkout.needed(trial)}
        return bool(kinds) and not any(each.kind in kinds and each.status == C.HELD for each in others)
    if charge.kind == ChargeKind.SETUP:
        return any(each.status in _LIVE - {C.HELD} for each in same)
    return any(each.status in _LIVE for each in same)
