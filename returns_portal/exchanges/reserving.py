"""Asking for an exchange, together with its return: the replacement is taken from the stock at once, or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.actions import Taken, take_stock
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, DomainError, InvalidError
from returns_portal.exchanges.models import Exchange, ExchangeStatus
from returns_portal.exchanges.offers import Line, returned_units
from returns_portal.exchanges.rules import Difference, Returned, difference
from returns_portal.i18n import mark
from returns_portal.ids import new_exchange_number, new_id
from returns_portal.orders.models import TRIAL
from returns_portal.payments.amounts import chargeable

RESERVED: Final = timedelta(days=30)
"""So long a replacement is set aside for goods that are on their way. A carrier's scan, or a count, prolongs it."""


class Swap(msgspec.Struct, frozen=True):
    """So many units of a line are to be exchanged for so many of a variant."""

    line_id: UUID
    sku: str
    quantity: int = 1


class Asked(msgspec.Struct, frozen=True):
    """The return that exchanges belong to; what was paid for the units that come back, by line, in their sequence."""

    return_id: UUID
    order_id: UUID
    currency: str
    skus: Mapping[UUID, str]
    paid: Mapping[UUID, Sequence[int]]
    at_once_days: int | None = None
    """Within how many days the goods are to be back, where the replacements are to be sent at once."""


class Reserved(msgspec.Struct, frozen=True):
    """One exchange as it was asked for."""

    id: UUID
    number: str
    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    value: int
    difference: Difference
    at_once: bool = False

    @property
    def to_pay(self) -> int:
        """What is to be paid before it is sent; what is sent at once is held instead, in minor units."""
        return 0 if self.at_once else self.difference.to_pay

    @property
    def covered(self) -> int:
        """What of the unit that comes back pays for it, in minor units."""
        return min(self.value, self.difference.price - self.difference.to_pay)


async def reserve(db: AsyncConnection, actor: Actor, asked: Asked, swaps: Sequence[Swap]) -> list[Reserved]:
    """Set the replacements aside and write the exchanges. Under the order's lock, in the transaction of the filing.

    Raises:
        InvalidError: an article is not offered (any more), or is priced in another currency (`field` is `swaps`).
        NotFoundError: there is no such article.
        ConflictError: there is too little of one (`out_of_stock`), or it is an order that cannot be exchanged from.
    """
    if not swaps:
        return []
    [order] = await run(db, "SELECT source FROM orders WHERE id = :id", id=asked.order_id)
    if order.source == TRIAL:
        raise ConflictError(
            mark("What was ordered to be tried cannot be exchanged here: send it back, and order what you would like."),
            code="trial_not_exchangeable",
            field="swaps",
        )
    wanted = Counter[str]()
    for swap in swaps:
        if swap.quantity < 1 or swap.quantity > len(asked.paid.get(swap.line_id, ())):
            raise InvalidError(
                mark("Only what goes back can be exchanged, one for one."), code="bad_exchange", field="swaps"
            )
        wanted[swap.sku] += swap.quantity
    taken = {each.sku: each for each in await _taken(db, wanted)}
    if any(each.currency != asked.currency for each in taken.values()):
        raise InvalidError(
            mark("This article is priced in another currency, so it cannot be had in exchange."),
            code="other_currency",
            field="swaps",
        )
    lines = [Line(swap.line_id, asked.skus[swap.line_id], 0) for swap in swaps]
    known = await returned_units(db, lines, asked.currency)
    made = [
        _reserved(swap, taken[swap.sku], msgspec.structs.replace(known[swap.line_id], paid=paid), asked)
        for swap in swaps
        for paid in asked.paid[swap.line_id][: swap.quantity]
    ]
    told = [("exchange", each.id, "reserved", {"number": each.number, "sku": each.sku}) for each in made]
    rows = [_row(asked, each, taken[each.sku]) for each in made]
    await insert_rows(db, (Exchange, rows), history.rows(actor, *told))
    return made


async def _taken(db: AsyncConnection, wanted: Mapping[str, int]) -> list[Taken]:
    """Take them from the stock; an error is about the field of this form."""
    try:
        return await take_stock(db, wanted)
    except DomainError as error:
        error.field = "swaps"
        raise


def _reserved(swap: Swap, taken: Taken, unit: Returned, asked: Asked) -> Reserved:
    if unit.paid <= 0:
        raise ConflictError(
            mark("Nothing was paid for this item, so it cannot be exchanged."), code="nothing_paid", field="swaps"
        )
    found = difference(unit, taken.product_id, taken.price, asked.currency)
    return Reserved(
        new_id(),
        new_exchange_number(),
        swap.line_id,
        taken.sku,
        taken.title,
        taken.size,
        taken.color,
        unit.paid,
        found,
        # What costs too little for any card cannot be held either.
        asked.at_once_days is not None and chargeable(found.price, asked.currency) == found.price > 0,
    )


def _first_status(made: Reserved) -> ExchangeStatus:
    if made.at_once:
        return ExchangeStatus.AWAITING_HOLD
    return ExchangeStatus.AWAITING_PAYMENT if made.to_pay else ExchangeStatus.AWAITING_GOODS


def _row(asked: Asked, made: Reserved, taken: Taken) -> dict[str, Any]:
    now, found = clock.now(), made.difference
    return {
        "id": made.id,
        "number": made.number,
        "order_id": asked.order_id,
        "return_id": asked.return_id,
        "order_line_id": made.line_id,
        "variant_id": taken.variant_id,
        "sku": made.sku,
        "title": made.title,
        "size": made.size,
        "color": made.color,
        "status": _first_status(made),
        "at_once": made.at_once,
        "days": asked.at_once_days if made.at_once else None,
        "due": 0,
        "currency": asked.currency,
        "value": made.value,
        "price": found.price,
        "list_price": max(found.price, taken.price),
        "to_pay": found.to_pay,
        "tax_rate": taken.tax_rate,
        "reserved": True,
        "reserved_until": now + RESERVED,
        "moved": 0,
        "moved_tax": 0,
        "carrier": "",
        "tracking": "",
        "owed": 0,
        "owed_tax": 0,
        "created_at": now,
        "changed_at": now,
    }
