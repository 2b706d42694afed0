"""Reads of refunds, and the money state of an order from which a refund is planned."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.orders.units import REDUCED, worth_of
from returns_portal.payments.disputes import LOST
from returns_portal.payments.models import Tender
from returns_portal.questions import Question, ask
from returns_portal.refunds.parts import Paid
from returns_portal.refunds.rules import LineBalance, OrderBalance, TenderBalance

# A refund that failed is still owed and will be tried again, so its money is not there for another; and a payment that
# could not be looked up is still what was paid: its refunds wait until somebody has mended that.
# One round trip: the hot path of filing and of check-in reads all that decides a refund at once. The caller holds the
# order's row lock where it goes on to write.
_BALANCE = f"""
    SELECT o.currency, o.shipping_refundable, o.shipping_paid, o.shipping_tax,
           (SELECT json_agg(json_build_object(
                'id', l.id, 'paid', l.unit_paid, 'tax', l.unit_tax, 'reduced', {REDUCED}, 'settled', (
                    SELECT json_agg(json_build_array(r.first_unit, r.quantity)) FROM refund_line r
                    WHERE r.order_line_id = l.id AND r.voided_at IS NULL)
            ) ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id) AS lines,
           (SELECT json_agg(json_build_object(
                'id', p.id, 'tender', p.tender, 'captured', p.amount, 'known', p.status = 'captured',
                'refunded', p.refunded_before + {LOST} + coalesce((
                    SELECT sum(f.amount) FROM refund f WHERE f.payment_id = p.id AND f.status <> 'canceled'), 0)
            ) ORDER BY p.created_at, p.id) FROM payment p
            WHERE p.order_id = o.id) AS tenders,
           EXISTS (SELECT 1 FROM refund_line r WHERE r.order_id = o.id AND r.order_line_id IS NULL
                   AND r.voided_at IS NULL) AS shipping_settled,
           (SELECT json_object_agg(r.id, r.postage_fee) FROM returns r WHERE r.order_id = o.id AND r.postage_fee > 0
             AND NOT EXISTS (SELECT FROM refund f WHERE f.return_id = r.id AND f.fee > 0 AND f.status <> 'canceled')
           ) AS fees,
           EXISTS (SELECT FROM exchange x WHERE x.order_id = o.id AND x.arrived_at IS NOT NULL
                   AND x.status IN ('awaiting_payment', 'to_send')) AS exchanging,
           EXISTS (SELECT FROM returns r WHERE r.order_id = o.id AND r.gift_id IS NOT NULL
                   AND r.status <> 'cancelled') AS given
    FROM orders o WHERE o.id = :order_id
"""  # noqa: S608 - the interpolated text is our own


async def balance_of(db: AsyncConnection, order_id: UUID) -> OrderBalance:
    """The money state of an order.

    Raises:
        NotFoundError: there is no such order.
    """
    rows = await run(db, _BALANCE, order_id=order_id)
    if not rows:
        raise NotFoundError("There is no such order.")
    [row] = rows
    refundable: int = row.shipping_refundable
    return OrderBalance(
        currency=row.currency,
        lines=tuple(_line(line) for line in row.lines or ()),
        tenders=tuple(
            TenderBalance(UUID(t["id"]), Tender(t["tender"]), t["captured"], t["refunded"], t["known"])
            for t in row.tenders or ()
        ),
        shipping=refundable,
        shipping_tax=row.shipping_tax * refundable // row.shipping_paid if row.shipping_paid else 0,
        shipping_settled=row.shipping_settled,
        fees={UUID(return_id): fee for return_id, fee in (row.fees or {}).items()},
        exchanging=row.exchanging,
        given=row.given,
    )


def _line(line: dict[str, Any]) -> LineBalance:
    settled = frozenset(unit for first, count in line["settled"] or () for unit in range(first, first + count))
    paid, tax = line["paid"], line["tax"]
    if line["reduced"]:
        worth = worth_of(paid, line["reduced"])
        tax = [part * left // full if full else 0 for part, left, full in zip(tax, worth, paid, strict=True)]
        paid = worth
    return LineBalance(UUID(line["id"]), tuple(paid), tuple(tax), settled)


_PAID_FOR = """
    WITH RECURSIVE chain AS (
        SELECT id, corrects_id FROM parcel WHERE id = :parcel_id
        UNION ALL SELECT p.id, p.corrects_id FROM parcel p JOIN chain c ON p.id = c.corrects_id)
    SELECT order_line_id, first_unit, quantity, amount, tax FROM refund_line
    WHERE parcel_id IN (SELECT id FROM chain) AND order_line_id IS NOT NULL AND voided_at IS NULL
"""


async def paid_for(db: AsyncConnection, parcel_id: UUID) -> dict[UUID, Paid]:
    """What was paid because of this parcel or the counts that it corrects, by line."""
    found: dict[UUID, Paid] = {}
    for row in await run(db, _PAID_FOR, parcel_id=parcel_id):
        paid = found.get(row.order_line_id, Paid())
        units = (*paid.units, *range(row.first_unit, row.first_unit + row.quantity))
        found[row.order_line_id] = Paid(units, paid.amount + row.amount, paid.tax + row.tax)
    return found


class RefundView(msgspec.Struct, frozen=True):
    """A refund as it is shown, in minor units of `currency`; `amount` is without the bonus."""

    id: UUID
    return_id: UUID | None
    rma: str
    """Empty for refunds of no return."""
    order_number: str
    kind: str
    reason: str
    status: str
    destination: str
    currency: str
    amount: int
    bonus: int
    tax: int
    shipping: int
    fee: int
    """What was kept for the postage of the return, beside `amount`."""
    gateway_id: str | None
    gateway_reference: str
    failure_reason: str
    livemode: bool
    requested_at: datetime
    created_at: datetime
    due_at: datetime
    held_at: datetime | None
    """Since when it waits for the end of a dispute."""
    submitted_at: datetime | None
    settled_at: datetime | None
    card_brand: str
    card_last4: str
    pending_reason: str | None
    """What the gateway waits for, in its word."""
    has_account: bool
    """Whether it is known to which account a transfer would go."""


_VIEW = """
    SELECT f.id, f.return_id, coalesce(r.rma, '') AS rma, o.number AS order_number, f.kind, f.reason, f.status,
           f.destination, f.currency, f.amount, f.bonus, f.tax, f.shipping, f.fee, f.gateway_id, f.gateway_reference,
           f.failure_reason, f.livemode, f.requested_at, f.created_at, f.due_at, f.held_at, f.submitted_at,
           f.settled_at, p.card_brand, p.card_last4, f.pending_reason,
           coalesce(f.bank_account, r.bank_account) IS NOT NULL AS has_account
    FROM refund f LEFT JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id
    JOIN payment p ON p.id = f.payment_id
"""


async def refund_for(db: AsyncConnection, actor: Actor, refund_id: UUID) -> RefundView:
    """One refund, if the actor may see it.

    Raises:
        NotFoundError: none, or not theirs.
    """
    found = await _views(db, actor, "f.id = :id", {"id": refund_id})
    if not found:
        raise NotFoundError("There is no such refund.")
    return found[0]


async def refunds_of_return(db: AsyncConnection, actor: Actor, return_id: UUID) -> list[RefundView]:
    """The refunds of a return that the actor may see, oldest first."""
    return await ask(db, of_return(actor, return_id))


def of_return(actor: Actor, return_id: UUID) -> Question[RefundView]:
    """As `refunds_of_return`, to be asked together with others."""
    return _question(actor, "f.return_id = :id", {"id": return_id})


async def refunds_of_order(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[RefundView]:
    """The refunds of an order that the actor may see, oldest first, with and without a return."""
    return await _views(db, actor, "f.order_id = :of_order", {"of_order": order_id})


async def refunds_of_returns(db: AsyncConnection, actor: Actor, return_ids: list[UUID]) -> dict[UUID, list[RefundView]]:
    """The refunds of several returns, by return: one query for a whole page."""
    found: dict[UUID, list[RefundView]] = {}
    for view in await _views(db, actor, "f.return_id = ANY(:ids)", {"ids": return_ids}):
        if view.return_id is not None:
            found.setdefault(view.return_id, []).append(view)
    return found


async def _views(db: AsyncConnection, actor: Actor, condition: str, values: dict[str, object]) -> list[RefundView]:
    return await ask(db, _question(actor, condition, values))


def _question(actor: Actor, condition: str, values: dict[str, object]) -> Question[RefundView]:
    if actor.kind == "customer":
        # What the receiver of a gift sends back is theirs, and not the order's customer's.
        whose = "r.gift_id = :gift_id" if actor.gift_id else "f.order_id = :order_id AND r.gift_id IS NULL"
        condition += f" AND {whose}"
        values = values | ({"gift_id": actor.gift_id} if actor.gift_id else {"order_id": actor.order_id})
    return Question(f"{_VIEW} WHERE {condition} ORDER BY f.created_at, f.id", values, RefundView)


async def list_refunds(
    db: AsyncConnection, actor: Actor, *, status: str | None, before: UUID | None, limit: int
) -> list[RefundView]:
    """Refunds newest first, after the one where the last page ended. For staff and keys with `refunds:read`."""
    actor.require("refunds:read", "finance", "support")
    conditions = ["true"]
    values: dict[str, object] = {"limit": limit}
    if status is not None:
        conditions.append("f.status = :status")
        values["status"] = status
    if before is not None:
        conditions.append("f.id < :before")
        values["before"] = before
    where = " AND ".join(conditions)
    rows = await run(db, f"{_VIEW} WHERE {where} ORDER BY f.id DESC LIMIT :limit", **values)
    return [RefundView(*row) for row in rows]
