"""What a check-in or a decision is worth, and setting it in motion.

The rows are written here, under the order's lock and in the transaction of the check-in; `settling.py` moves the money.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.ids import new_id
from returns_portal.jobs import defer_many
from returns_portal.notifications import actions as notifications
from returns_portal.notifications.actions import Letter, enqueue
from returns_portal.payments.models import PaymentStatus
from returns_portal.refunds.life import owed, transition
from returns_portal.refunds.models import Kind, Refund, RefundLine, RefundStatus
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan, plan, within
from returns_portal.returns.actions import lock_return
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.warehouse import actions as dock
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import parcel_for
from returns_portal.warehouse.rules import Counted, Item

Decision = Literal["accept", "part", "send_back"]
_ACCEPTANCE = {"accept": Acceptance.ACCEPTED, "part": Acceptance.PART, "send_back": Acceptance.SENT_BACK}


class Released(msgspec.Struct, frozen=True):
    """What was received, and what it sets in motion."""

    check_in_id: UUID
    rma: str
    number: int
    items: list[Item]
    plan: RefundPlan
    refund_ids: list[UUID]
    due_at: datetime


async def receive(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    rma: str,
    counts: Sequence[Counted],
    *,
    number: int = 1,
    note: str = "",
) -> Released:
    """Check a parcel in and release the refund of what was counted as resellable or worn.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: the parcel was checked in already; nothing is counted again.
    """
    checked, lines = await dock.check_in(db, actor, rma, counts, number=number, note=note)
    due_at = clock.now() + timedelta(seconds=settings.undo_seconds)
    described = {line.line_id: line for line in lines}
    return await _release(
        db,
        settings,
        checked,
        _claims(checked.items),
        due_at,
        tell=lambda planned: _checked_in(checked, described, planned),
    )


def _checked_in(checked: dock.CheckedIn, lines: Mapping[UUID, dock.DockLine], planned: RefundPlan) -> Letter:
    """The e-mail that says what was counted and what it releases."""
    row = checked.return_row
    values = {
        "rma": row.rma,
        "lines": [
            {
                "title": lines[item.line_id].title if item.line_id else item.description,
                "size": lines[item.line_id].size if item.line_id else "",
                "color": lines[item.line_id].color if item.line_id else "",
                "quantity": item.quantity,
                "condition": item.condition,
            }
            for item in checked.items
        ],
        "refunds": [
            {"destination": leg.destination, "amount": leg.amount, "bonus": leg.bonus, "currency": planned.currency}
            for leg in planned.legs
        ],
        "waiting": any(item.acceptance is Acceptance.WAITING for item in checked.items),
        "url": f"/returns/{row.rma}",
    }
    return Letter("checked_in", row.email, row.locale, values, row.id)


def _claims(items: Sequence[Item]) -> list[Claim]:
    """What the accepted items claim, one claim a line."""
    wanted: dict[UUID, int] = {}
    for item in items:
        if item.acceptance is Acceptance.ACCEPTED and item.line_id is not None:
            wanted[item.line_id] = wanted.get(item.line_id, 0) + item.quantity
    return [Claim(line_id, quantity) for line_id, quantity in wanted.items()]


async def _release(
    db: AsyncConnection,
    settings: Settings,
    checked: dock.CheckedIn,
    claims: Sequence[Claim],
    due_at: datetime,
    *,
    tell: Callable[[RefundPlan], Letter] | None = None,
) -> Released:
    """Write the refunds that the claims are worth, the e-mail that tells of them, and the jobs that do them."""
    row = checked.return_row
    balance = await balance_of(db, row.order_id)
    planned = plan(balance, within(balance, claims), refund_to=RefundTo(row.refund_to), bonus_percent=row.bonus_percent)
    release_id = new_id()
    refunds = _refund_rows(row, checked.parcel_id, release_id, planned, due_at, livemode=settings.livemode)
    lines = [
        {
            "id": new_id(),
            "order_id": row.order_id,
            "parcel_id": checked.parcel_id,
            "release_id": release_id,
            "order_line_id": line.line_id,
            "first_unit": line.first_unit,
            "quantity": line.quantity,
            "amount": line.amount,
            "tax": line.tax,
        }
        for line in planned.lines
    ]
    letters = [tell(planned)] if tell else []
    booked = owed([Refund(**refund) for refund in refunds])
    await insert_rows(db, (RefundLine, lines), (Refund, refunds), *booked, notifications.rows(*letters))
    ready = await _known_payments(db, balance, planned)
    jobs = [{"refund_id": str(refund["id"])} for refund in refunds if refund["payment_id"] in ready]
    await defer_many(db, "refunds.submit", jobs, at=due_at)
    ids = [refund["id"] for refund in refunds]
    return Released(checked.parcel_id, row.rma, checked.number, checked.items, planned, ids, due_at)


async def _known_payments(db: AsyncConnection, balance: OrderBalance, planned: RefundPlan) -> set[UUID]:
    """The payments whose refunds can be set going; the job that makes or reads another one sets its refunds going.

    Those are looked at again behind whoever is writing them, who would else not see the refunds of this transaction.
    """
    wanted = {leg.payment_id for leg in planned.legs}
    unknown = wanted & {tender.payment_id for tender in balance.tenders if not tender.known}
    if unknown:
        found = await run(db, "SELECT id, status FROM payment WHERE id = ANY(:ids) FOR SHARE", ids=list(unknown))
        unknown -= {row.id for row in found if row.status == PaymentStatus.CAPTURED}
    return wanted - unknown


def _refund_rows(
    row: Any,  # noqa: ANN401 - the return's row
    parcel_id: UUID,
    release_id: UUID,
    planned: RefundPlan,
    due_at: datetime,
    *,
    livemode: bool,
) -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "id": new_id(),
            "order_id": row.order_id,
            "return_id": row.id,
            "parcel_id": parcel_id,
            "release_id": release_id,
            "kind": Kind.RETURN,
            "reason": "",
            "payment_id": leg.payment_id,
            "status": RefundStatus.PLANNED,
            "destination": leg.destination,
            "currency": planned.currency,
            "amount": leg.amount,
            "bonus": leg.bonus,
            "tax": leg.tax,
            "shipping": leg.shipping,
            "attempt": 1,
            "gateway_reference": "",
            "failure_reason": "",
            "livemode": livemode,
            "requested_at": row.created_at,
            "created_at": now,
            "due_at": due_at,
            "changed_at": now,
        }
        for leg in planned.legs
    ]


async def undo(db: AsyncConnection, actor: Actor, check_in_id: UUID) -> str:
    """Take a check-in back before its refund is due: nothing was received, nothing will be paid. Returns the RMA.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: the refund is due or done; a correction is the way then.
    """
    row = await lock_return(db, actor, (await parcel_for(db, actor, check_in_id)).rma)
    parcel = await parcel_for(db, actor, check_in_id)
    if parcel.undone_at is not None:
        raise ConflictError("This check-in was undone or corrected already.", code="already_undone")
    if parcel.corrects_id is not None:
        raise ConflictError("A correction cannot be undone, since money may have gone before it. Correct it again.")
    refunds = (
        await db.execute(
            text("SELECT id, status, due_at FROM refund WHERE parcel_id = :id FOR UPDATE"),
            {"id": check_in_id},
        )
    ).all()
    if any(refund.status != RefundStatus.PLANNED or refund.due_at <= clock.now() for refund in refunds):
        raise ConflictError(
            "The refund of this parcel is already on its way, so the check-in cannot be undone. Correct it instead.",
            code="refund_due",
        )
    for refund in refunds:
        await transition(db, actor, refund.id, RefundStatus.CANCELED)
    await db.execute(
        update(RefundLine)
        .where(col(RefundLine.parcel_id) == check_in_id, col(RefundLine.voided_at).is_(None))
        .values(voided_at=clock.now())
    )
    await dock.take_back(db, actor, check_in_id)
    return str(row.rma)


async def correct(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    check_in_id: UUID,
    counts: Sequence[Counted],
    note: str,
) -> Released:
    """Correct a count after its refund was due. More than was paid for is released; less is a case for finance.

    Money that went out is never pulled back by itself: the difference stands on finance's first screen.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: the refund is not due yet (undo it), or the check-in was corrected before.
    """
    parcel = await parcel_for(db, actor, check_in_id)
    await lock_return(db, actor, parcel.rma)
    open_refunds = (
        await db.execute(
            text("SELECT 1 FROM refund WHERE parcel_id = :id AND status = 'planned' AND due_at > :now LIMIT 1"),
            {"id": check_in_id, "now": clock.now()},
        )
    ).first()
    if open_refunds:
        raise ConflictError("The refund is not due yet: undo the check-in and count again.", code="undo_instead")
    paid = await _units_paid(db, check_in_id)
    checked = await dock.replace(db, actor, check_in_id, counts, note)
    claims = [
        Claim(claim.line_id, claim.quantity - paid.get(claim.line_id, 0))
        for claim in _claims(checked.items)
        if claim.quantity > paid.get(claim.line_id, 0)
    ]
    return await _release(db, settings, checked, claims, clock.now())


async def _still_owed(db: AsyncConnection, item: Any, units: int) -> int:  # noqa: ANN401 - a row
    """How many of the units just decided are not paid for yet.

    A correction may have brought them down from a count that was paid in full: they are not paid for again.
    """
    paid = (await _units_paid(db, item.parcel_id)).get(item.order_line_id, 0)
    [accepted] = await run(db, _ACCEPTED, parcel_id=item.parcel_id, line_id=item.order_line_id)
    return max(0, min(units, int(accepted.units) - paid))


_ACCEPTED = """
    SELECT coalesce(sum(quantity), 0)::integer AS units FROM parcel_item
    WHERE parcel_id = :parcel_id AND order_line_id = :line_id AND acceptance IN ('accepted', 'part')
"""


async def _units_paid(db: AsyncConnection, parcel_id: UUID) -> dict[UUID, int]:
    """Units that were paid for because of this parcel or the ones that it corrects, by line."""
    rows = await db.execute(
        text(
            "WITH RECURSIVE chain AS (SELECT id, corrects_id FROM parcel WHERE id = :id UNION ALL"
            " SELECT p.id, p.corrects_id FROM parcel p JOIN chain c ON p.id = c.corrects_id)"
            " SELECT order_line_id, sum(quantity) FROM refund_line WHERE parcel_id IN (SELECT id FROM chain)"
            " AND order_line_id IS NOT NULL AND voided_at IS NULL GROUP BY order_line_id"
        ),
        {"id": parcel_id},
    )
    return {line_id: int(units) for line_id, units in rows}


async def decide(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    item_id: UUID,
    decision: Decision,
    *,
    amount: int | None = None,
    reason: str = "",
    quantity: int | None = None,
) -> Released:
    """Decide a waiting item: pay it in full, pay a part (with the reason that the customer reads), or send it back.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it was decided already.
        InvalidError: a part without amount or reason.
    """
    if decision == "part" and (amount is None or not reason.strip()):
        raise InvalidError(
            "For a part, say how much goes back and why: the customer reads the reason.",
            code="part_needs_reason",
            field="amount",
        )
    row = await dock.settle_item(db, actor, item_id, _ACCEPTANCE[decision], reason.strip(), quantity)
    units = quantity or row.quantity
    owed = 0 if decision == "send_back" else await _still_owed(db, row, units)
    part = amount * owed // units if decision == "part" and amount is not None else None
    claims = [Claim(row.order_line_id, owed, part)] if owed else []
    return_row, line = await _return_and_line(db, actor, row.return_id, row.order_line_id)
    item = Item(row.order_line_id, units, Condition(row.condition), _ACCEPTANCE[decision])
    checked = dock.CheckedIn(row.parcel_id, return_row, 1, [item])
    released = await _release(db, settings, checked, claims, clock.now())
    await enqueue(
        db,
        template="decision_made",
        recipient=return_row.email,
        locale=return_row.locale,
        subject_id=return_row.id,
        values={
            "rma": return_row.rma,
            "decision": decision,
            "reason": reason.strip(),
            "title": line.title,
            "size": line.size,
            "color": line.color,
            "quantity": units,
            "amount": released.plan.total,
            "currency": released.plan.currency,
            "url": f"/returns/{return_row.rma}",
        },
    )
    return released


async def _return_and_line(db: AsyncConnection, actor: Actor, return_id: UUID, line_id: UUID) -> tuple[Any, Any]:
    rma = (await db.execute(text("SELECT rma FROM returns WHERE id = :id"), {"id": return_id})).scalar_one()
    row = await lock_return(db, actor, rma)
    line = (await db.execute(text("SELECT title, size, color FROM order_line WHERE id = :id"), {"id": line_id})).one()
    return row, line


async def release_unshipped(db: AsyncConnection, actor: Actor, settings: Settings, rma: str) -> Released:
    """Refund what was withdrawn from before it left the shop: staff say that it was not sent.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: nothing of it is still unshipped and unpaid.
    """
    actor.require("returns:write", "finance", "support")
    row = await lock_return(db, actor, rma)
    rows = (
        await db.execute(
            text(
                "SELECT l.id, least(a.quantity, l.quantity - l.shipped - coalesce((SELECT sum(i.quantity)"
                " FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE i.order_line_id = l.id"
                " AND i.acceptance <> 'surplus' AND p.undone_at IS NULL), 0)) AS units,"
                " (SELECT coalesce(max(number), 0) + 1 FROM parcel WHERE return_id = :id) AS next"
                " FROM return_line a JOIN order_line l ON l.id = a.order_line_id WHERE a.return_id = :id"
            ),
            {"id": row.id},
        )
    ).all()
    counts = [Counted(line.id, line.units, Condition.NOT_SHIPPED) for line in rows if line.units > 0]
    if not counts:
        raise ConflictError("Everything in this return was shipped: it is refunded when it arrives.", code="shipped")
    return await receive(db, actor, settings, rma, counts, number=rows[0].next)
