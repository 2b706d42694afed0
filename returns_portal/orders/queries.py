"""Loaders of orders. Each takes the actor; an order that is not theirs does not exist."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import order_number
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.orders.intake import AddressInput
from returns_portal.orders.models import FinancialStatus, FulfillmentStatus
from returns_portal.orders.units import OF_GIFT, REQUESTED
from returns_portal.payments.models import PaymentStatus, Tender

PAGE: Final = 50


class LineView(msgspec.Struct, frozen=True):
    """A line as it was taken in; amounts are of the whole line but for `unit_price`."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    shipped: int
    returnable: int
    """How many are in no return yet that was not cancelled, nor came in one uncalled for; none of a cancelled order."""
    unit_price: int
    discount: int
    tax: int
    paid: int
    """What was paid for the line, with its share of the order's discount, tax in it."""


class ShippingView(msgspec.Struct, frozen=True):
    """What delivery cost."""

    price: int
    discount: int
    tax: int
    standard_price: int | None
    paid: int
    refundable: int
    """What a withdrawal from the whole order gives back of it."""


class PaymentView(msgspec.Struct, frozen=True):
    """One tender of the order, and whether it can be refunded from here yet."""

    payment_id: UUID
    tender: Tender
    status: PaymentStatus
    amount: int
    refunded_before: int
    reference: str | None
    method: str
    imported_reference: str | None


class OrderView(msgspec.Struct, frozen=True):
    """An order as the API shows it, in minor units of its currency."""

    number: str
    email: str
    name: str
    phone: str
    locale: str
    currency: str
    placed_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    financial_status: FinancialStatus
    fulfillment_status: FulfillmentStatus
    shipping_address: AddressInput
    lines: list[LineView]
    order_discount: int
    shipping: ShippingView
    extras: int
    """Duties, tips and the like; no return gives any of it back."""
    tax_included: bool
    total: int
    payments: list[PaymentView]
    source: str
    updated_at: datetime


class OrderSummary(msgspec.Struct, frozen=True):
    """One row of the list of orders."""

    number: str
    currency: str
    total: int
    placed_at: datetime
    financial_status: FinancialStatus
    fulfillment_status: FulfillmentStatus
    cancelled_at: datetime | None


class OrderPage(msgspec.Struct, frozen=True):
    """A page of the list, newest first; `next_cursor` asks for the following one."""

    items: list[OrderSummary]
    next_cursor: str | None


# One statement, because every customer's page and every program's look at an order begins with it.
_VIEW = f"""
    SELECT o.id, o.number, o.email, o.name, o.phone, o.locale, o.currency, o.placed_at, o.shipped_at, o.delivered_at,
           o.cancelled_at, o.financial_status, o.fulfillment_status, o.address AS shipping_address, o.order_discount,
           o.extras_paid AS extras, o.tax_included, o.total, o.source, o.updated_at,
           json_build_object('price', o.shipping_price, 'discount', o.shipping_discount, 'tax', o.shipping_tax,
                             'standard_price', o.shipping_standard_price,
                             'paid', o.shipping_paid, 'refundable', o.shipping_refundable) AS shipping,
           (SELECT json_agg(json_build_object(
                'line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', l.quantity, 'shipped', l.shipped, 'unit_price', l.unit_price, 'discount', l.discount,
                'tax', l.tax, 'paid', (SELECT sum(unit) FROM unnest(l.unit_paid) AS unit),
                'returnable', CASE WHEN o.cancelled_at IS NULL THEN greatest(0, l.quantity - {REQUESTED}) ELSE 0 END
            ) ORDER BY l.position) FROM order_line l
            WHERE l.order_id = o.id AND (:of_gifts OR {OF_GIFT} IS NULL)) AS lines,
           (SELECT coalesce(json_agg(json_build_object(
                'payment_id', p.id, 'tender', p.tender, 'status', p.status, 'amount', p.amount,
                'refunded_before', p.refunded_before, 'reference', p.reference, 'method', p.method,
                'imported_reference', p.imported_reference) ORDER BY p.id), '[]'::json)
            FROM payment p WHERE p.order_id = o.id) AS payments
    FROM orders o WHERE o.number = :number
"""  # noqa: S608 - the interpolated text is our own
_SUMMARY = """
    SELECT id, number, currency, total, placed_at, financial_status, fulfillment_status, cancelled_at FROM orders
"""


def _not_found() -> NotFoundError:
    return NotFoundError(mark("There is no such order."))


async def order_for(db: AsyncConnection, actor: Actor, number: str) -> OrderView:
    """One order with its lines, what of them can be returned, and its payments.

    What the receiver of a gift was sent in exchange is a line for staff alone: programs show orders to their buyers.

    Raises:
        NotFoundError: there is none of this number, or it is not the actor's.
    """
    rows = await run(db, _VIEW, number=order_number(number), of_gifts=actor.kind in {"staff", "system"})
    if not rows or not actor.sees_order(rows[0].id):
        raise _not_found()
    return msgspec.convert(rows[0]._asdict(), OrderView)


async def lock_order(db: AsyncConnection, actor: Actor, key: UUID | str) -> Row[Any]:
    """One order with all its columns, locked until the commit; by its id, or by its number as people give it.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
    """
    by, value = ("id", key) if isinstance(key, UUID) else ("number", order_number(key))
    statement = text(f"SELECT * FROM orders WHERE {by} = :value FOR UPDATE")  # noqa: S608 - one of two words of ours
    found = (await db.execute(statement, {"value": value})).one_or_none()
    if found is None or not actor.sees_order(found.id):
        raise _not_found()
    return found


async def lines_of(db: AsyncConnection, order_id: UUID) -> list[Row[Any]]:
    """Every line of an order with all its columns, in order; the caller has shown that the order is the actor's."""
    statement = text("SELECT * FROM order_line WHERE order_id = :order_id ORDER BY position")
    return list(await db.execute(statement, {"order_id": order_id}))


async def page_of_orders(db: AsyncConnection, actor: Actor, cursor: str | None = None, limit: int = PAGE) -> OrderPage:
    """Orders in the reverse of the sequence in which they were taken in.

    Raises:
        ForbiddenError: a customer has one order, not a list.
        InvalidError: the cursor is not one that a page gave.
    """
    actor.require("orders:read", "support", "finance", "warehouse")
    try:
        before = None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidError(mark("This cursor is none that a page gave."), field="cursor") from error
    # Two texts rather than one with "or there is no cursor", which would keep PostgreSQL from starting at the cursor.
    after = "WHERE id < :before" if before else ""
    statement = text(f"{_SUMMARY} {after} ORDER BY id DESC LIMIT :limit")
    rows = (
        await db.execute(statement, {"before": before, "limit": limit + 1} if before else {"limit": limit + 1})
    ).all()
    shown = rows[:limit]
    return OrderPage(
        items=[msgspec.convert(row._mapping, OrderSummary) for row in shown],
        next_cursor=str(shown[-1].id) if len(rows) > limit else None,
    )
