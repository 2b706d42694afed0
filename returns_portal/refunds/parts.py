"""What is still owed for counted units, after what was paid for them: amounts are compared, not units. Pure.

A unit may have been paid for in part, by a decision, before a correction or another decision says that more is owed;
and a count may have been lowered after it was paid in full. What was paid for a parcel (and for the counts that it
corrects) is set against what is owed for it, so that the customer gets what is owed, once, and nothing is pulled back.
"""

from collections.abc import Sequence

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.refunds.rules import Claim, LineBalance, Rest


class Paid(msgspec.Struct, frozen=True):
    """What was paid for units of one line because of one parcel or the counts that it corrects, in minor units."""

    units: tuple[int, ...] = ()
    amount: int = 0
    tax: int = 0


class Owed(msgspec.Struct, frozen=True):
    """So many units of a line are owed: in full, or with `amount` for all of them together."""

    units: int
    amount: int | None = None


class Due(msgspec.Struct, frozen=True):
    """What a release pays for a line: units that nothing was paid for yet, and the rest of one that was."""

    claims: list[Claim] = []
    rests: list[Rest] = []


def due(line: LineBalance, paid: Paid, before: Sequence[Owed], now: Owed) -> Due:
    """What `now` still pays, where `before` was owed already for other units of the parcel, and `paid` was paid.

    Raises:
        InvalidError: a part is more than what its units cost.
    """
    # Units are alike: those that were paid for stand for what is owed first, then those that are still free.
    order = [*sorted(paid.units), *line.free]
    earlier = sum(owed.units for owed in before)
    mine = order[earlier : earlier + now.units]
    owed_before = _worth_of(line, order, before)
    owed_now = _worth(line, mine) if now.amount is None else _part(line, mine, now.units, now.amount)
    return _due(line, paid, mine, max(0, owed_now - max(0, paid.amount - owed_before)))


def _part(line: LineBalance, mine: Sequence[int], units: int, amount: int) -> int:
    """What a part for these units comes to; where other parcels were paid for some of them, for the others alone."""
    if len(mine) == units and amount > _worth(line, mine):
        raise InvalidError("More cannot be refunded than was paid.", code="more_than_paid", field="amount")
    return min(amount * len(mine) // units, _worth(line, mine))


def _worth(line: LineBalance, units: Sequence[int]) -> int:
    return sum(line.unit_paid[unit] for unit in units)


def _worth_of(line: LineBalance, order: Sequence[int], owed: Sequence[Owed]) -> int:
    """What was owed for the units at the head of the order."""
    total = taken = 0
    for each in owed:
        units = order[taken : taken + each.units]
        total += _worth(line, units) if each.amount is None else each.amount
        taken += each.units
    return total


def _due(line: LineBalance, paid: Paid, mine: Sequence[int], left: int) -> Due:
    """Share what is left to pay between units that are paid for the first time and those that were in part."""
    again = [unit for unit in mine if unit in paid.units]
    fresh = line.free[: len(mine) - len(again)]
    claims, rests = [], []
    if fresh:
        worth = _worth(line, fresh)
        claims = [Claim(line.line_id, len(fresh), left if left < worth else None)]
        left -= min(left, worth)
    if left and again:
        rests = [Rest(line.line_id, again[0], left, _tax(line, paid, left))]
    return Due(claims, rests)


def _tax(line: LineBalance, paid: Paid, amount: int) -> int:
    """The tax in what is paid now, so that all payments for these units together hold the tax that they cost with."""
    worth, tax = _worth(line, paid.units), sum(line.unit_tax[unit] for unit in paid.units)
    return max(0, min(tax, tax * (paid.amount + amount) // worth) - paid.tax)
