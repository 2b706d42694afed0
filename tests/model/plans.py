"""What the model thinks goes back: for which units, of which payment, and where to."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.model.arithmetic import largest_remainder, runs
from tests.model.things import Line, Order, Parcel, Payment, RefusedError, Run


class Leg(NamedTuple):
    """What goes back of one payment."""

    payment: Payment
    to: str
    amount: int
    bonus: int
    tax: int
    shipping: int


class Plan(NamedTuple):
    """What a release pays for, and by which legs."""

    runs: list[Run]
    legs: list[Leg]

    @property
    def total(self) -> int:
        return sum(leg.amount for leg in self.legs)


class Claim(NamedTuple):
    """So many units that nothing was paid for yet, for what they cost or for a part of it."""

    line: Line
    quantity: int
    part: int | None = None


def free(order: Order, line: Line) -> list[int]:
    """The units of a line that nothing was paid for."""
    paid = {unit for run in order.paid_for if run.line is line for unit in run.units}
    return [unit for unit in range(line.ordered) if unit not in paid]


def owed(order: Order, payment: Payment) -> int:
    """What is left of a payment, when everything that is planned, or failed and still owed, has gone back."""
    planned = sum(each.amount for each in order.refunds if each.payment is payment and each.status != "canceled")
    return max(0, payment.amount - payment.before - payment.lost - planned)


def left_of(order: Order) -> int:
    return sum(owed(order, payment) for payment in order.payments)


class Dues(NamedTuple):
    """What a count or a decision pays: units for the first time, and the rest of those that were paid in part."""

    claims: list[Claim]
    rests: list[Run]


def plan(order: Order, dues: Dues, *, to: str, bonus: int) -> Plan:
    """What claims are worth; delivery comes with the unit that completes the order; no more than what is left."""
    release = object()
    paid = [run for claim in dues.claims for run in _claimed(order, claim, release)]
    paid += dues.rests
    units = sum(len(run.units) for run in paid) + sum(len(run.units) for run in order.paid_for)
    everything = units == sum(line.ordered for line in order.lines)
    if paid and everything and order.shipping and not shipping_paid(order):
        paid.append(Run(release, None, None, [], order.shipping, order.shipping_tax))
    left, kept = left_of(order), []
    for run in paid:
        amount = min(run.amount, left)
        run.tax = run.tax * amount // run.amount if run.amount else 0
        run.amount, left = amount, left - amount
        if run.amount or run.units or run.line is None:
            kept.append(run)
    shares = _shared(order, order.payments, sum(run.amount for run in kept))
    return Plan(kept, _legs(order, kept, shares, to, bonus))


def shipping_paid(order: Order) -> bool:
    return any(run.line is None for run in order.paid_for)


def plan_gesture(order: Order, amount: int, *, to: str, shipping: bool) -> Plan:
    """A gift within what is left: card money first, then money from elsewhere, points last."""
    if shipping:
        if shipping_paid(order) or not order.shipping:
            raise RefusedError("no_shipping")
        amount = order.shipping
    if amount < 1:
        raise RefusedError("nothing")
    if amount > left_of(order):
        raise RefusedError("more_than_left")
    rest, shares = amount, dict.fromkeys(order.payments, 0)
    for tender in ("stripe", "external", "points"):
        those = [payment for payment in order.payments if payment.tender == tender]
        part = min(rest, sum(owed(order, payment) for payment in those))
        shares |= dict(zip(those, _shared(order, those, part), strict=True))
        rest -= part
    paid = [Run(object(), None, None, [], amount, order.shipping_tax)] if shipping else []
    return Plan(paid, _legs(order, paid, [shares[payment] for payment in order.payments], to, 0))


def _claimed(order: Order, claim: Claim, release: object) -> list[Run]:
    units = free(order, claim.line)[: claim.quantity]
    if not units:
        return []
    line, part = claim.line, claim.part
    prices = [line.prices[unit] for unit in units]
    if part is not None and len(units) < claim.quantity:
        part = part * len(units) // claim.quantity
    amounts = dict(zip(units, prices if part is None else largest_remainder(part, prices), strict=True))
    taxes = {unit: line.taxes[unit] * amounts[unit] // (line.prices[unit] or 1) for unit in units}
    return [
        Run(release, None, line, run, sum(amounts[unit] for unit in run), sum(taxes[unit] for unit in run))
        for run in runs(units)
    ]


def _shared(order: Order, payments: Sequence[Payment], amount: int) -> list[int]:
    """All that ever went back of these payments is in proportion to what came in, as far as each has something left."""
    if not amount:
        return [0] * len(payments)
    left = [owed(order, payment) for payment in payments]
    gone = [
        payment.before
        + payment.lost
        + sum(each.amount for each in order.refunds if each.payment is payment and each.status != "canceled")
        for payment in payments
    ]
    wished = largest_remainder(sum(gone) + amount, [payment.amount for payment in payments])
    shares = [min(most, max(0, wish - had)) for most, wish, had in zip(left, wished, gone, strict=True)]
    for place, most in enumerate(left):
        shares[place] = min(most, max(0, shares[place] + amount - sum(shares)))
    return shares


def _legs(order: Order, paid: Sequence[Run], shares: Sequence[int], to: str, bonus: int) -> list[Leg]:
    taxes = largest_remainder(sum(run.tax for run in paid), shares)
    delivery = largest_remainder(sum(run.amount for run in paid if run.line is None), shares)
    return [
        Leg(payment, where, share, _bonus(payment, where, share, bonus), tax, shipping)
        for payment, share, tax, shipping in zip(order.payments, shares, taxes, delivery, strict=True)
        if share
        for where in [_way_back(payment, to)]
    ]


def _way_back(payment: Payment, to: str) -> str:
    """Points come back as points, whatever is wanted; money as it came, or as points where that is wanted."""
    if payment.tender == "points" or to == "points":
        return "points"
    return "original" if payment.tender == "stripe" else "transfer"


def _bonus(payment: Payment, where: str, amount: int, percent: int) -> int:
    """On card money that is taken as points, and on nothing else."""
    return amount * percent // 100 if payment.tender == "stripe" and where == "points" else 0


class Paid(NamedTuple):
    """What was paid for units of a line by a count and those that it corrects."""

    units: list[int]
    amount: int
    tax: int


def paid_by(parcel: Parcel, line: Line) -> Paid:
    chain = parcel.chain
    those = [run for run in parcel.ret.order.paid_for if run.parcel in chain and run.line is line]
    units = sorted(unit for run in those for unit in run.units)
    return Paid(units, sum(run.amount for run in those), sum(run.tax for run in those))


def due(
    parcel: Parcel, paid: Paid, line: Line, before: Sequence[tuple[int, int | None]], now: tuple[int, int | None]
) -> Dues:
    """What is still to be paid when `now` is owed after `before`, each so many units in full or for a part.

    What was paid stands for what is owed first. Money that was paid is not pulled back: less than that is nothing.
    """
    units = [*paid.units, *free(parcel.ret.order, line)]
    earlier, owed_before = 0, 0
    for quantity, part in before:
        owed_before += _worth(line, units[earlier : earlier + quantity]) if part is None else part
        earlier += quantity
    mine = units[earlier : earlier + now[0]]
    wanted = _worth(line, mine)
    if now[1] is not None:
        if len(mine) == now[0] and now[1] > wanted:
            raise RefusedError("more_than_paid")
        wanted = min(now[1] * len(mine) // now[0], wanted)
    still = max(0, wanted - max(0, paid.amount - owed_before))
    again = [unit for unit in mine if unit in paid.units]
    fresh = free(parcel.ret.order, line)[: len(mine) - len(again)]
    claims: list[Claim] = []
    if fresh:
        worth = _worth(line, fresh)
        claims = [Claim(line, len(fresh), still if still < worth else None)]
        still -= min(still, worth)
    if still and again:
        return Dues(claims, [Run(None, None, line, [], still, _rest_of_tax(line, paid, still))])
    return Dues(claims, [])


def _rest_of_tax(line: Line, paid: Paid, more: int) -> int:
    """With what was paid before it holds the tax in all of that, in proportion."""
    tax = sum(line.taxes[unit] for unit in paid.units)
    return tax * (paid.amount + more) // _worth(line, paid.units) - paid.tax


def _worth(line: Line, units: Sequence[int]) -> int:
    return sum(line.prices[unit] for unit in units)
