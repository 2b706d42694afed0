"""A refund that did not go through, and how the money gets to the customer all the same.

There are three ways: another try to the same place, points with the customer's express consent, or a bank transfer.
One of them is taken at a time: the refund goes back to `planned` as a new attempt with a new key, under the order's
lock, and only from a state in which it is certain that nothing went out. A refund whose outcome is unknown is neither
tried again nor sent another way before the gateway has said what became of it.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.jobs import defer
from returns_portal.payments.amounts import UNPAYABLE
from returns_portal.payments.disputes import LOST
from returns_portal.payments.models import PaymentStatus, Tender
from returns_portal.refunds.fitting import STOPPED
from returns_portal.refunds.forgetting import forget_account
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import Destination, Kind, RefundStatus

CUSTOMER_ATTEMPTS: Final = 3
"""So often a customer can let the same card be tried; after that another way has to be taken."""


class Ways(msgspec.Struct, frozen=True):
    """What can be done now about a refund that did not go through."""

    again: bool
    points: int
    """What would be credited, the bonus in it; 0 where points are no way."""
    bonus: int
    transfer: bool

    def __bool__(self) -> bool:
        """Whether anything can be done."""
        return bool(self.again or self.points or self.transfer)


# What is left of the payment counts every refund that has not failed: others may have been made meanwhile.
_STATE: Final = f"""
    SELECT f.id, f.order_id, f.return_id, f.kind, f.status, f.destination, f.amount, f.attempt, f.failure_reason,
           p.tender, p.status AS payment_status, coalesce(r.bonus_percent, 0) AS bonus_percent,
           p.amount - p.refunded_before - {LOST} - coalesce((
               SELECT sum(x.amount) FROM refund x WHERE x.payment_id = p.id AND x.id <> f.id
               AND x.status NOT IN ('failed', 'canceled')), 0) >= f.amount AS covered
    FROM refund f JOIN payment p ON p.id = f.payment_id LEFT JOIN returns r ON r.id = f.return_id
    WHERE f.id = ANY(:ids)
"""  # noqa: S608 - the interpolated text is our own


async def ways_of(db: AsyncConnection, actor: Actor, refund_ids: list[UUID]) -> dict[UUID, Ways]:
    """What the actor can do about these refunds; those about which nothing can be done are left out."""
    rows = await run(db, _STATE, ids=refund_ids) if refund_ids else []
    return {row.id: ways for row in rows if actor.sees_order(row.order_id) and (ways := _ways(actor, row))}


def _ways(actor: Actor, row: Any) -> Ways:  # noqa: ANN401 - a row
    """What is open to whom, as long as the payment has enough left.

    A payment that could not be looked up never had anything sent to it, so that finance can turn to a transfer.
    """
    failed = row.status == RefundStatus.FAILED
    lost = row.status == RefundStatus.PLANNED and row.payment_status == PaymentStatus.FAILED
    customer = actor.kind == "customer"
    # What was stopped before it was sent, because money went back in another way, is looked at by a person first.
    failed = failed and not (customer and row.failure_reason == STOPPED)
    is_open = (failed or (lost and not customer)) and row.covered
    if row.kind == Kind.OUTSIDE or row.tender == Tender.POINTS or not is_open:
        return Ways(again=False, points=0, bonus=0, transfer=False)
    # The bonus is what the return promised, and for card money alone.
    bonus = row.amount * row.bonus_percent // 100 if row.tender == Tender.STRIPE else 0
    return Ways(
        again=failed and row.failure_reason != UNPAYABLE and not (customer and row.attempt >= CUSTOMER_ATTEMPTS),
        points=row.amount + bonus if customer else 0,
        bonus=bonus if customer else 0,
        transfer=row.destination != Destination.TRANSFER,
    )


async def try_again(db: AsyncConnection, actor: Actor, refund_id: UUID) -> None:
    """Let a failed refund be tried again, the same way.

    Raises:
        ForbiddenError: the actor is staff of another department.
        NotFoundError: there is no such refund, or it is not the actor's.
        ConflictError: it has not failed (any more), the customer has tried often enough, or the payment has too little
            left for it.
    """
    row = await _locked(db, actor, refund_id)
    if not _ways(actor, row).again:
        raise _not_open(row)
    await _send(db, actor, row, Destination(row.destination))


async def take_points(db: AsyncConnection, actor: Actor, refund_id: UUID, *, agreed: bool) -> None:
    """Credit points instead, as the customer expressly wants it: the consent is stored with its moment.

    Directive 2011/83/EU, Art. 13(1): another means than the one that was paid with needs express agreement.

    Raises:
        NotFoundError: there is no such refund, or it is not the actor's.
        InvalidError: the customer has not agreed.
        ConflictError: it has not failed (any more), or the payment has too little left for it.
    """
    row = await _locked(db, actor, refund_id)
    ways = _ways(actor, row)
    if not ways.points:
        raise _not_open(row)
    if not agreed:
        raise no_consent()
    await _send(db, actor, row, Destination.POINTS, bonus=ways.bonus, consent=clock.now())


def no_consent() -> InvalidError:
    """Points instead of money need express agreement (Directive 2011/83/EU, Art. 13(1))."""
    return InvalidError(
        "Tick that you want points instead of money, or choose another way. Nothing has been changed.",
        code="no_consent",
        field="agreed",
    )


async def take_transfer(db: AsyncConnection, actor: Actor, refund_id: UUID, account: str | None = None) -> None:
    """Pay by bank transfer instead. `account` is encrypted by the caller; without it, the customer is asked for it.

    Raises:
        NotFoundError: there is no such refund, or it is not the actor's.
        ConflictError: it has not failed (any more), or the payment has too little left for it.
    """
    row = await _locked(db, actor, refund_id)
    if not _ways(actor, row).transfer:
        raise _not_open(row)
    if account is not None:
        await _keep(db, actor, row, account)
    await _send(db, actor, row, Destination.TRANSFER)


async def give_account(db: AsyncConnection, actor: Actor, refund_id: UUID, account: str) -> None:
    """Keep the account, encrypted by the caller, to which a refund is to be transferred.

    Raises:
        NotFoundError: there is no such refund, or it is not the actor's.
        ConflictError: it is not paid by transfer, or was paid already.
    """
    row = await _locked(db, actor, refund_id)
    waits = row.status in {RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER}
    if row.destination != Destination.TRANSFER or not waits:
        raise ConflictError(
            "This refund does not wait for an account number (any more). Nothing was stored.", code="no_transfer"
        )
    await _keep(db, actor, row, account)


async def _keep(db: AsyncConnection, actor: Actor, row: Any, account: str) -> None:  # noqa: ANN401 - a row
    """The account stands with the return, where there is one: one number serves all transfers of it."""
    if row.return_id is None:
        await run(db, "UPDATE refund SET bank_account = :account WHERE id = :id", id=row.id, account=account)
    else:
        await run(db, "UPDATE returns SET bank_account = :account WHERE id = :id", id=row.return_id, account=account)
    await history.record(db, actor, ("refund", row.id, "bank_account_given", {}))


_LOCK: Final = "SELECT o.id FROM orders o JOIN refund f ON f.order_id = o.id WHERE f.id = :id FOR UPDATE OF o"


async def _locked(db: AsyncConnection, actor: Actor, refund_id: UUID) -> Any:  # noqa: ANN401 - a row
    """The refund's state behind the order's lock, for somebody who may change it."""
    if actor.kind != "customer":
        actor.require("finance", "refunds:write")
    found = await run(db, _LOCK, id=refund_id)
    if not found or not actor.sees_order(found[0].id):
        raise NotFoundError("There is no such refund.")
    [row] = await run(db, _STATE, ids=[refund_id])
    return row


def _not_open(row: Any) -> ConflictError:  # noqa: ANN401 - a row
    if row.status == RefundStatus.UNKNOWN:
        return ConflictError(
            "Nobody knows yet whether this refund went out, so nothing else is sent. The gateway is being asked.",
            code="unknown",
        )
    if row.status == RefundStatus.FAILED and not row.covered:
        return ConflictError("The payment has less left than this refund.", code="nothing_left")
    if row.status == RefundStatus.FAILED:
        return ConflictError("This way is not open for this refund. Choose another one, or call us.", code="no_way")
    return ConflictError(
        "Somebody has chosen a way for this refund already, or it has gone through: look at where it stands.",
        code="not_failed",
    )


_CHANGE: Final = """
    UPDATE refund SET destination = :destination, bonus = :bonus, points_consent_at = :consent,
        attempt = attempt + CAST(:next AS integer), changed_at = :now
    WHERE id = :id AND status = 'planned' RETURNING id
"""


async def _send(
    db: AsyncConnection,
    actor: Actor,
    row: Any,  # noqa: ANN401 - a row
    destination: Destination,
    *,
    bonus: int = 0,
    consent: datetime | None = None,
) -> None:
    """Plan the refund anew, as a new attempt: a new effect under a new key."""
    failed = row.status == RefundStatus.FAILED
    if failed:
        await transition(db, actor, row.id, RefundStatus.PLANNED, again=True, failure="")
    values = {"id": row.id, "destination": destination.value, "now": clock.now(), "next": int(not failed)}
    # The job that sends a refund locks the refund alone: it may have been faster.
    if not await run(db, _CHANGE, **values, bonus=bonus, consent=consent):
        raise _not_open(row)
    if destination != row.destination:
        told = {"from": row.destination, "to": destination.value, "bonus": bonus}
        await history.record(db, actor, ("refund", row.id, "rerouted", told))
        await forget_account(db, return_id=row.return_id, refund_id=row.id)
    await defer(db, "refunds.submit", refund_id=str(row.id))
