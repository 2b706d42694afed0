"""What an exchange changes in its order: a unit's cost moves to the unit that is sent instead.

While the replacement is not sent, what was moved is held as part of the order's extras, which are of no unit; sent, it
is a line of the same order. The payments stay where they are, and all sums stay exact at every moment.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.orders.models import OrderLine

TRAVELS: Final = timedelta(days=7)
"""Until when what is sent after the order is taken to have arrived, from when the period for returning it runs."""
_MOVE: Final = """
    WITH line AS (
        UPDATE order_line SET unit_paid[:place] = unit_paid[:place] - CAST(:amount AS bigint),
            unit_tax[:place] = unit_tax[:place] - CAST(:tax AS bigint)
        WHERE id = :line_id RETURNING order_id)
    UPDATE orders o SET extras_paid = extras_paid + CAST(:amount AS bigint), updated_at = :now
    FROM line WHERE o.id = line.order_id
"""


async def move_cost(db: AsyncConnection, line_id: UUID, unit: int, amount: int, tax: int) -> None:
    """Take so much of what a unit cost, and of the tax in it, out of the unit; below zero, put it back.

    Under the order's lock.
    """
    # Places of PostgreSQL's arrays begin with 1.
    await run(db, _MOVE, line_id=line_id, place=unit + 1, amount=amount, tax=tax, now=clock.now())


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """One unit that is sent instead of another; amounts in minor units, tax in them."""

    sku: str
    title: str
    size: str
    color: str
    list_price: int
    paid: int
    tax: int


_NEXT: Final = "SELECT coalesce(max(position), -1) + 1 AS position FROM order_line WHERE order_id = :id"
_SENT: Final = """
    UPDATE orders SET extras_paid = extras_paid - CAST(:paid AS bigint), updated_at = :now WHERE id = :id
"""
_ARRIVES: Final = """
    UPDATE orders SET delivered_at = greatest(delivered_at, CAST(:arrives AS timestamptz)), updated_at = :now
    WHERE id = :id AND delivered_at IS NOT NULL
"""


async def arrives_later(db: AsyncConnection, order_id: UUID, sent_at: datetime) -> None:
    """Something more of an order was sent: the period for returning begins when that is taken to have arrived.

    It begins when the last of the goods arrives (Directive 2011/83/EU, Art. 9(2)(b)). An unknown delivery stays
    unknown, and closes no window. Under the order's lock.
    """
    await run(db, _ARRIVES, id=order_id, arrives=sent_at + TRAVELS, now=clock.now())


async def add_replacement(db: AsyncConnection, order_id: UUID, new: Replacement, *, sent_at: datetime | None) -> UUID:
    """Let a replacement that was sent be a line of the order, paid with what the order holds for no unit; its id.

    With `sent_at` it arrives as `arrives_later` has it; None leaves the period as it is. Under the order's lock.
    """
    [row] = await run(db, _NEXT, id=order_id)
    line = {
        "id": new_id(),
        "order_id": order_id,
        "position": row.position,
        "quantity": 1,
        "shipped": 1,
        "unit_price": new.list_price,
        "discount": new.list_price - new.paid,
        "unit_discount": [new.list_price - new.paid],
        "unit_tax": [new.tax],
        "unit_paid": [new.paid],
        **{name: getattr(new, name) for name in ("sku", "title", "size", "color", "tax")},
    }
    await insert_rows(db, (OrderLine, [line]))
    await run(db, _SENT, id=order_id, paid=new.paid, now=clock.now())
    if sent_at is not None:
        await arrives_later(db, order_id, sent_at)
    return UUID(str(line["id"]))


_PRICE: Final = """
    WITH line AS (
        UPDATE order_line SET unit_paid[1] = unit_paid[1] + CAST(:amount AS bigint),
            unit_tax[1] = unit_tax[1] + CAST(:tax AS bigint), tax = tax + CAST(:tax AS bigint),
            unit_discount[1] = greatest(unit_discount[1] - CAST(:amount AS bigint), 0),
            discount = greatest(discount - CAST(:amount AS bigint), 0)
        WHERE id = :line_id RETURNING order_id)
    UPDATE orders o SET extras_paid = extras_paid - CAST(:amount AS bigint), updated_at = :now
    FROM line WHERE o.id = line.order_id
"""


async def price_replacement(db: AsyncConnection, line_id: UUID, amount: int, tax: int) -> None:
    """Let so much more of what the order holds for no unit have paid for a replacement that was sent before.

    Under the order's lock.
    """
    await run(db, _PRICE, line_id=line_id, amount=amount, tax=tax, now=clock.now())


# Exchanges stand above orders and are not imported here; what they have moved is undone for the comparison alone.
_MOVED: Final = """
    SELECT e.order_line_id, e.unit, e.moved, e.moved_tax, e.replacement_line_id,
           e.payment_id, coalesce(p.amount, 0) AS paid
    FROM exchange e LEFT JOIN payment p ON p.id = e.payment_id
    WHERE e.order_id = :id AND (e.moved > 0 OR e.payment_id IS NOT NULL OR e.replacement_line_id IS NOT NULL)
"""


class AsTaken(msgspec.Struct, frozen=True):
    """An order without what exchanges did to it, so that it can be compared with what the shop hands in."""

    order: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    payments: frozenset[UUID] = frozenset()
    """The payments of differences, which the shop's system does not know."""


async def as_taken(db: AsyncConnection, order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> AsTaken:
    """The order as the shop knows it."""
    rows = await run(db, _MOVED, id=order["id"])
    if not rows:
        return AsTaken(order, lines)
    head, known = dict(order), {line["id"]: dict(line) for line in lines}
    # A replacement may have been exchanged itself: all costs are where they were before any line is taken away.
    for row in rows:
        head["total"] -= row.paid
        head["extras_paid"] -= row.paid + row.moved
        if row.moved:
            line = known[row.order_line_id]
            line["unit_paid"] = _raised(line["unit_paid"], row.unit, row.moved)
            line["unit_tax"] = _raised(line["unit_tax"], row.unit, row.moved_tax)
    for row in rows:
        if row.replacement_line_id is not None:
            head["extras_paid"] += sum(known.pop(row.replacement_line_id)["unit_paid"])
    return AsTaken(head, list(known.values()), frozenset(row.payment_id for row in rows if row.payment_id))


def _raised(amounts: Sequence[int], place: int, by: int) -> list[int]:
    return [amount + by if index == place else amount for index, amount in enumerate(amounts)]
