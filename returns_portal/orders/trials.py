"""Orders that are trials: their units cost nothing until they are charged.

Nothing of such an order was paid when it is opened, so whatever comes back before it is charged is worth nothing, by
the same arithmetic as for every other order. The transaction that records a charge prices the units that it is for.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.orders.models import TRIAL, FinancialStatus, FulfillmentStatus, Order, OrderLine
from returns_portal.shop.queries import current


class TrialLine(msgspec.Struct, frozen=True):
    """One unit that is to be tried; the price in minor units of the order's currency, tax in it."""

    sku: str
    title: str
    size: str
    color: str
    price: int


class TrialOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is a trial."""

    number: str
    email: str
    name: str
    phone: str
    locale: str
    currency: str
    address: dict[str, str]
    lines: Sequence[TrialLine]


async def open_order(db: AsyncConnection, actor: Actor, order: TrialOrder) -> tuple[UUID, list[UUID]]:
    """Write the order with its units at nothing; its id, and the ids of its lines in their sequence."""
    now, order_id = clock.now(), new_id()
    head: dict[str, Any] = {
        "id": order_id,
        "number": order.number,
        "email": order.email,
        "email_key": email_key(order.email),
        "name": order.name,
        "phone": order.phone,
        "locale": order.locale,
        "currency": order.currency,
        "placed_at": now,
        "financial_status": FinancialStatus.AUTHORIZED,
        "fulfillment_status": FulfillmentStatus.UNFULFILLED,
        "address": order.address,
        "tax_included": True,
        **dict.fromkeys(_FREE, 0),
        "source": TRIAL,
        "fingerprint": f"\\x{hashlib.sha256(order.number.encode()).hexdigest()}",
        "created_at": now,
        "updated_at": now,
    }
    lines = [_line(order_id, position, line) for position, line in enumerate(order.lines)]
    event = history.rows(actor, ("order", order_id, "created", {"source": TRIAL}))
    await insert_rows(db, (Order, [head]), (OrderLine, lines), event)
    if (await current(db)).confirming.looks:
        await defer(db, "confirming.look_at", order_id=str(order_id))
    return order_id, [line["id"] for line in lines]


_FREE: Final = (
    "total",
    "order_discount",
    "shipping_price",
    "shipping_discount",
    "shipping_tax",
    "shipping_paid",
    "shipping_refundable",
    "extras_paid",
)


def _line(order_id: UUID, position: int, line: TrialLine) -> dict[str, Any]:
    return {
        "id": new_id(),
        "order_id": order_id,
        "position": position,
        "sku": line.sku,
        "title": line.title,
        "size": line.size,
        "color": line.color,
        "quantity": 1,
        "shipped": 0,
        "unit_price": line.price,
        "discount": line.price,
        "tax": 0,
        "unit_discount": [line.price],
        "unit_tax": [0],
        "unit_paid": [0],
    }


_SHIP: Final = """
    WITH lines AS (UPDATE order_line SET shipped = quantity WHERE order_id = :id)
    UPDATE orders SET shipped_at = coalesce(shipped_at, :at), fulfillment_status = 'fulfilled', updated_at = :now
    WHERE id = :id
"""


async def mark_shipped(db: AsyncConnection, order_id: UUID, at: datetime) -> None:
    """All of it has left the shop."""
    await run(db, _SHIP, id=order_id, at=at, now=clock.now())


_CANCEL: Final = """
    UPDATE orders o SET cancelled_at = :now, updated_at = :now WHERE id = :id
    RETURNING EXISTS (SELECT FROM order_call c WHERE c.order_id = o.id AND c.state = 'waiting') AS awaits_call
"""


async def mark_cancelled(db: AsyncConnection, order_id: UUID) -> None:
    """Nothing of it will be sent, and nobody has to call about it."""
    rows = await run(db, _CANCEL, id=order_id, now=clock.now())
    if rows and rows[0].awaits_call:
        await defer(db, "confirming.look_again", order_id=str(order_id))


_DEPOSIT: Final = """
    UPDATE orders SET total = total + :amount, extras_paid = extras_paid + :amount, updated_at = :now WHERE id = :id
"""


async def take_deposit(db: AsyncConnection, order_id: UUID, amount: int) -> None:
    """A deposit was paid: part of the total that is of no unit yet."""
    await run(db, _DEPOSIT, id=order_id, amount=amount, now=clock.now())


_CHARGE: Final = """
    WITH units AS (
        UPDATE order_line l SET discount = 0, unit_discount = '{0}', unit_paid = ARRAY[l.unit_price], tax = u.tax,
            unit_tax = ARRAY[u.tax]
        FROM unnest(CAST(:lines AS uuid[]), CAST(:taxes AS bigint[])) AS u(line_id, tax)
        WHERE l.id = u.line_id AND l.order_id = :id AND l.unit_paid = '{0}'
        RETURNING l.unit_price)
    UPDATE orders SET total = total + (SELECT coalesce(sum(unit_price), 0) FROM units) - CAST(:deposit AS bigint),
        extras_paid = extras_paid - CAST(:deposit AS bigint), updated_at = :now
    WHERE id = :id
"""


async def charge_units(
    db: AsyncConnection, order_id: UUID, units: Sequence[tuple[UUID, int]], *, deposit_used: int = 0
) -> None:
    """Let units have been paid for, at their price: a line and the tax in it, each. Charged again, nothing changes.

    `deposit_used` of an earlier deposit (minor units) pays for a part of them.
    """
    await run(
        db,
        _CHARGE,
        id=order_id,
        lines=[line_id for line_id, _ in units],
        taxes=[tax for _, tax in units],
        deposit=deposit_used,
        now=clock.now(),
    )


_APPROVE: Final = """
    UPDATE orders o SET delivered_at = greatest(delivered_at, :at), updated_at = :now,
        financial_status = CASE WHEN o.total > 0 THEN 'paid' ELSE 'voided' END
    FROM (SELECT EXISTS (SELECT FROM shop WHERE points_rate > 0 AND points_since <= :now) AS earns) AS s
    WHERE o.id = :id RETURNING s.earns
"""


async def approve(db: AsyncConnection, order_id: UUID, at: datetime | None, *, earns: bool = True) -> None:
    """The customer has approved what is kept: from here on the windows for returning it run.

    For a purchase on approval the statutory period begins with the approval (BGH, VIII ZR 265/03), so this is what
    stands as the day of delivery; what is approved later moves it.

    Args:
        db: The transaction.
        order_id: The order.
        at: When; None for what is paid for before it has arrived.
        earns: Whether all of it is settled, so that it earns points.
    """
    rows = await run(db, _APPROVE, id=order_id, at=at, now=clock.now())
    if earns and rows and rows[0].earns:
        await defer(db, "points.settle", order_id=str(order_id))
