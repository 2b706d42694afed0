"""What an exchange costs or brings, and which of them a count of goods fulfils. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from returns_portal.exchanges.models import ExchangeStatus
from returns_portal.payments.amounts import chargeable

LEAST_LEFT: Final = timedelta(days=2)
"""Whoever pays is given at least so long from then on for the goods to come."""


class Returned(msgspec.Struct, frozen=True):
    """A unit that is to come back: what was paid for it, and its price in the catalogue, where it is known there.

    `product_id` is the catalogue's product; None where the catalogue does not know the article.
    """

    paid: int
    product_id: UUID | None = None
    list_price: int | None = None


class Difference(msgspec.Struct, frozen=True):
    """What a replacement costs the customer beside the unit that comes back, in minor units.

    At most one of `to_pay` and `back` is more than nothing.
    """

    price: int
    """What the replacement costs."""
    to_pay: int = 0
    back: int = 0


def difference(returned: Returned, product_id: UUID, list_price: int, currency: str) -> Difference:
    """What exchanging a unit for a variant at this price in the catalogue costs, or brings back.

    Another size or colour of the same product costs what was paid, more or less by what the catalogue's prices differ:
    whoever bought it reduced does not pay the reduction for another size. Anything else costs its price. A difference
    that no card can pay, because it is too small, is the shop's.
    """
    same = returned.product_id == product_id and returned.list_price is not None
    price = max(0, returned.paid + list_price - (returned.list_price or 0)) if same else list_price
    more = price - returned.paid
    if more <= 0:
        return Difference(price, back=-more)
    if chargeable(more, currency) != more:
        return Difference(returned.paid)
    return Difference(price, to_pay=more)


class Unit(msgspec.Struct, frozen=True):
    """One exchange of a line, as the counts of its goods see it."""

    id: UUID
    status: ExchangeStatus
    arrived: bool


class Counted(msgspec.Struct, frozen=True):
    """What stands as counted of one announced line: units accepted in full, and units that were decided otherwise."""

    announced: int
    accepted: int = 0
    refused: int = 0


class Moves(msgspec.Struct, frozen=True):
    """Which exchanges of a line have their goods now, have them no more, or will never have them."""

    arrived: list[UUID] = []
    gone: list[UUID] = []
    over: list[UUID] = []


def moves(units: Sequence[Unit], counted: Counted) -> Moves:
    """Bring the exchanges of a line, the oldest first, up to what was counted of it. Again, it changes nothing.

    What comes first is exchanged, and what comes beyond that is refunded. What was sent stays sent.
    """
    open_units = [unit for unit in units if unit.status != ExchangeStatus.ENDED]
    here = [unit for unit in open_units if unit.arrived]
    awaited = [unit for unit in open_units if not unit.arrived]
    more = counted.accepted - len(here)
    if more < 0:
        undone = [unit for unit in reversed(here) if unit.status != ExchangeStatus.SENT]
        return Moves(gone=[unit.id for unit in undone[:-more]])
    came, left = awaited[:more], awaited[more:]
    still_to_come = max(0, counted.announced - counted.accepted - counted.refused)
    never = left[still_to_come:] if counted.refused else []
    return Moves(arrived=[unit.id for unit in came], over=[unit.id for unit in never])
