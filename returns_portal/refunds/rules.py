"""How much goes back, to where. Pure: the preview that a person sees and the refund that runs are this one code.

What was paid is frozen per unit (`orders.models.OrderLine`). A release pays for units that were not paid for before,
so that any sequence of partial returns sums to what was paid for what came back, to the minor unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.money import allocate
from returns_portal.payments.models import Tender
from returns_portal.refunds.models import Destination
from returns_portal.returns.models import RefundTo


class LineBalance(msgspec.Struct, frozen=True):
    """One order line: what each unit cost, tax in it, and which units were settled already (paid for or decided).

    Where a price was reduced since (`orders.units.worth_of`), a unit cost that much less.
    """

    line_id: UUID
    unit_paid: tuple[int, ...]
    unit_tax: tuple[int, ...]
    settled: frozenset[int] = frozenset()

    @property
    def free(self) -> list[int]:
        """The units that nothing was paid for yet, in order."""
        return [unit for unit in range(len(self.unit_paid)) if unit not in self.settled]


class TenderBalance(msgspec.Struct, frozen=True):
    """One payment: what came in, and what went or is going back (earlier refunds before the import included)."""

    payment_id: UUID
    tender: Tender
    captured: int
    refunded: int = 0
    known: bool = True
    """Whether it is known to be there: a payment may still be being made (sandbox) or looked up."""

    @property
    def left(self) -> int:
        """What can still go back."""
        return max(0, self.captured - self.refunded)


class OrderBalance(msgspec.Struct, frozen=True):
    """Everything that decides a refund of an order, in minor units of its currency."""

    currency: str
    lines: tuple[LineBalance, ...]
    tenders: tuple[TenderBalance, ...]
    shipping: int = 0
    """What goes back of outbound shipping when the whole order does: up to the price of standard delivery."""
    shipping_tax: int = 0
    """The tax in `shipping`."""
    shipping_settled: bool = False
    fees: Mapping[UUID, int] = {}
    """What is still to be kept for the postage of returns, by return."""
    exchanging: bool = False
    """Whether something is still to be sent in exchange for what came back, so that the order is not withdrawn from."""
    given: bool = False
    """Whether the receiver of a gift sends something back: that is no withdrawal of whoever bought it, who would learn
    of it by the refund of the delivery."""


class Claim(msgspec.Struct, frozen=True):
    """So many more units of a line are to be paid for; in full, or (a decision) with `amount` for all of them."""

    line_id: UUID
    quantity: int
    amount: int | None = None


class Rest(msgspec.Struct, frozen=True):
    """What is still owed for the unit `unit` of a line, which was paid for in part before."""

    line_id: UUID
    unit: int
    amount: int
    tax: int


class PlannedLine(msgspec.Struct, frozen=True):
    """A run of units that this release pays for; shipping where `line_id` is None.

    A run of no units pays more for the unit `first_unit`, which was paid for in part before.
    """

    line_id: UUID | None
    first_unit: int
    quantity: int
    amount: int
    tax: int


class PlannedLeg(msgspec.Struct, frozen=True):
    """What goes back of one payment, and where to. `bonus` are points on top of `amount`."""

    payment_id: UUID
    destination: Destination
    amount: int
    bonus: int
    tax: int
    shipping: int
    fee: int = 0
    """What is kept of it for the postage of the return, beside `amount`."""
    fee_tax: int = 0


class RefundPlan(msgspec.Struct, frozen=True):
    """A refund before it moves anything: the lines say what for, the legs where to.

    The lines sum to `total` and `fee`, the legs to `total`.
    """

    currency: str
    lines: tuple[PlannedLine, ...]
    legs: tuple[PlannedLeg, ...]

    @property
    def total(self) -> int:
        """All that goes back, without the bonus."""
        return sum(leg.amount for leg in self.legs)

    @property
    def bonus(self) -> int:
        """Points on top."""
        return sum(leg.bonus for leg in self.legs)

    @property
    def fee(self) -> int:
        """What is kept for the postage of the return."""
        return sum(leg.fee for leg in self.legs)

    @property
    def shipping(self) -> int:
        """The outbound shipping in the total."""
        return sum(line.amount for line in self.lines if line.line_id is None)


def plan(
    balance: OrderBalance,
    claims: Iterable[Claim],
    *,
    refund_to: RefundTo,
    bonus_percent: int,
    rests: Iterable[Rest] = (),
    fee: int = 0,
) -> RefundPlan:
    """Decide what the claims, and the rests of earlier ones, are worth and which payment each part goes back to.

    Outbound shipping goes back with the unit that completes the withdrawal from the order (Directive 2011/83/EU,
    Art. 13(1)). The total never exceeds what is left of the payments.

    The `fee` for the return's postage is kept as a whole, and only where the goods that are paid for are worth more:
    never of the outbound shipping, and never so that nothing is paid back. Else a later refund keeps it, or none does.

    Raises:
        InvalidError: a claim is for more units than are left, or for more than they cost.
    """
    lines = [line for claim in claims for line in _claimed(balance, claim)]
    lines += [PlannedLine(rest.line_id, rest.unit, 0, rest.amount, rest.tax) for rest in rests]
    if lines and _completes(balance, lines) and balance.shipping and not balance.shipping_settled:
        lines.append(PlannedLine(None, 0, 0, balance.shipping, balance.shipping_tax))
    lines = _capped(lines, sum(tender.left for tender in balance.tenders))
    goods = sum(line.amount for line in lines if line.line_id is not None)
    kept = fee if goods > fee else 0
    shares = share_among_tenders(balance.tenders, sum(line.amount for line in lines) - kept)
    return shared_out(balance, lines, shares, refund_to, bonus_percent, fee=kept)


def shared_out(
    balance: OrderBalance,
    lines: Sequence[PlannedLine],
    shares: Sequence[int],
    refund_to: RefundTo,
    bonus_percent: int,
    *,
    fee: int = 0,
) -> RefundPlan:
    """The plan of these lines, of which each payment gives its share, and of whose goods a fee is kept."""
    fee_tax = _tax_in(fee, lines)
    taxes = allocate(sum(line.tax for line in lines) - fee_tax, shares)
    fees = allocate(fee, shares)
    fee_taxes = allocate(fee_tax, fees)
    shippings = allocate(sum(line.amount for line in lines if line.line_id is None), shares)
    legs = tuple(
        _leg(tender, PlannedLeg(tender.payment_id, Destination.POINTS, share, 0, *parts), refund_to, bonus_percent)
        for tender, share, *parts in zip(balance.tenders, shares, taxes, shippings, fees, fee_taxes, strict=True)
        if share
    )
    return RefundPlan(balance.currency, tuple(lines), legs)


def _tax_in(fee: int, lines: Sequence[PlannedLine]) -> int:
    """The tax in a fee that is kept of the price of goods: it goes with them, at their rate."""
    goods = [line for line in lines if line.line_id is not None]
    worth = sum(line.amount for line in goods)
    return sum(line.tax for line in goods) * fee // worth if worth else 0


def within(balance: OrderBalance, claims: Iterable[Claim]) -> list[Claim]:
    """The claims lowered to what nothing was paid for yet: a correction may have left units paid that did not come."""
    free = {line.line_id: len(line.free) for line in balance.lines}
    lowered = []
    for claim in claims:
        units = min(claim.quantity, free.get(claim.line_id, 0))
        amount = claim.amount * units // claim.quantity if claim.amount is not None else None
        if units:
            lowered.append(Claim(claim.line_id, units, amount))
    return lowered


def _claimed(balance: OrderBalance, claim: Claim) -> list[PlannedLine]:
    """The units that a claim takes, as runs, each with its amount and tax."""
    line = next((line for line in balance.lines if line.line_id == claim.line_id), None)
    if line is None or claim.quantity < 1 or claim.quantity > len(line.free):
        raise InvalidError("There are not so many of this item left to refund.", code="not_refundable", field="lines")
    units = line.free[: claim.quantity]
    worth = [line.unit_paid[unit] for unit in units]
    if claim.amount is not None:
        if not 0 <= claim.amount <= sum(worth):
            raise InvalidError("More cannot be refunded than was paid.", code="more_than_paid", field="amount")
        paid = allocate(claim.amount, worth)
    else:
        paid = worth
    taxes = [
        line.unit_tax[unit] * amount // full if full else 0
        for unit, amount, full in zip(units, paid, worth, strict=True)
    ]
    return _runs(line.line_id, units, paid, taxes)


def _runs(line_id: UUID, units: Sequence[int], paid: Sequence[int], taxes: Sequence[int]) -> list[PlannedLine]:
    """Join neighbouring units into one planned line each."""
    runs: list[PlannedLine] = []
    for unit, amount, tax in zip(units, paid, taxes, strict=True):
        if runs and runs[-1].first_unit + runs[-1].quantity == unit:
            last = runs.pop()
            runs.append(PlannedLine(line_id, last.first_unit, last.quantity + 1, last.amount + amount, last.tax + tax))
        else:
            runs.append(PlannedLine(line_id, unit, 1, amount, tax))
    return runs


def _completes(balance: OrderBalance, lines: Sequence[PlannedLine]) -> bool:
    """Whether with these lines every unit of the order has come back from its buyer, and none is exchanged."""
    if balance.exchanging or balance.given:
        return False
    units = sum(len(line.unit_paid) for line in balance.lines)
    settled = sum(len(line.settled) for line in balance.lines)
    return settled + sum(line.quantity for line in lines) == units


def _capped(lines: Sequence[PlannedLine], left: int) -> list[PlannedLine]:
    """Lower the last lines until the sum is no more than what is left of the payments.

    It binds only where something was refunded before the order was taken in, or was never paid.
    """
    capped: list[PlannedLine] = []
    for line in lines:
        amount = min(line.amount, left)
        left -= amount
        tax = line.tax * amount // line.amount if line.amount else 0
        if amount or line.quantity or line.line_id is None:
            capped.append(PlannedLine(line.line_id, line.first_unit, line.quantity, amount, tax))
    return capped


def share_among_tenders(tenders: Sequence[TenderBalance], amount: int) -> list[int]:
    """Split an amount over the payments so that all that ever went back is in proportion to what came in.

    Cumulative, so that one by one equals all at once; each share stays within what is left of its payment.

    Raises:
        ValueError: the amount is more than what is left of all payments together.
    """
    left = [tender.left for tender in tenders]
    if amount > sum(left):
        raise ValueError("more than what is left of the payments")
    if not amount:
        return [0] * len(tenders)
    gone = sum(tender.refunded for tender in tenders)
    goal = allocate(gone + amount, [tender.captured for tender in tenders])
    shares = [
        min(limit, max(0, wanted - tender.refunded)) for limit, wanted, tender in zip(left, goal, tenders, strict=True)
    ]
    # What clamping took from one payment, another has room for: the sum of the limits was checked above.
    for index in range(len(shares)):
        missing = amount - sum(shares)
        shares[index] = min(left[index], max(0, shares[index] + missing))
    return shares


def destination_of(tender: Tender, refund_to: RefundTo) -> Destination:
    """Where what goes back of a payment goes. Points come back as points: there is no path from points to money."""
    if tender is Tender.POINTS or refund_to is RefundTo.POINTS:
        return Destination.POINTS
    return Destination.CARD if tender is Tender.STRIPE else Destination.TRANSFER


def bonus_on(amount: int, tender: Tender, refund_to: RefundTo, bonus_percent: int) -> int:
    """The points on top, for card money alone: a bonus on points coming back would make returning a pump."""
    return amount * bonus_percent // 100 if refund_to is RefundTo.POINTS and tender is Tender.STRIPE else 0


def _leg(tender: TenderBalance, as_points: PlannedLeg, refund_to: RefundTo, bonus_percent: int) -> PlannedLeg:
    """Where one payment's part goes."""
    return msgspec.structs.replace(
        as_points,
        destination=destination_of(tender.tender, refund_to),
        bonus=bonus_on(as_points.amount, tender.tender, refund_to, bonus_percent),
    )
