"""What each unit of an order cost, frozen when the order is taken: pure arithmetic on minor units.

The order's discount is shared among the lines in proportion to what they cost, by largest remainder; within a line
the first k of n units cost `S(k) = paid * k // n`, so that units refunded one by one come to the same as all at
once, and the last one takes the remainder. Units, shipping and extras (duties, tips) sum to the order's total exactly.
Where a card paid in a currency of which Stripe takes only every tenth minor unit, units are cut in those steps.
"""

from itertools import pairwise

import msgspec

from returns_portal.money import allocate
from returns_portal.orders.intake import LineInput, OrderInput, ShippingInput
from returns_portal.payments.amounts import step_of
from returns_portal.payments.models import Tender


class FrozenLine(msgspec.Struct, frozen=True):
    """One line, unit by unit: `unit_paid[i]` with tax in it, the tax in it, and its share of all discounts."""

    unit_discount: list[int]
    unit_tax: list[int]
    unit_paid: list[int]


class FrozenOrder(msgspec.Struct, frozen=True):
    """What was paid for each unit, for shipping, and for neither."""

    lines: list[FrozenLine]
    shipping_paid: int
    shipping_tax: int
    shipping_refundable: int
    """What a full withdrawal gives back: what was paid, up to standard delivery (Directive 2011/83/EU, Art. 13(2))."""
    extras_paid: int
    total: int


def freeze(order: OrderInput) -> FrozenOrder:
    """Split a checked order into what was paid for each of its units and for shipping."""
    step = _step(order)
    whole = step if order.order_discount % step == 0 else 1
    shares = allocate(order.order_discount // whole, [line.net for line in order.lines])
    lines = [
        _freeze_line(line, share * whole, step, order.tax_included)
        for line, share in zip(order.lines, shares, strict=True)
    ]
    shipping = order.shipping
    return FrozenOrder(
        lines=lines,
        shipping_paid=shipping.net + (0 if order.tax_included else shipping.tax),
        shipping_tax=shipping.tax,
        shipping_refundable=_refundable(shipping, order.tax_included),
        extras_paid=order.extras,
        total=order.total,
    )


def slices(total: int, units: int, step: int = 1) -> list[int]:
    """Cut `total` into cumulative slices: the first k of them come to `total * k // units`, in whole steps.

    The last one takes what is left, and what is less than a step with it.
    """
    cuts = [total * k // units // step * step for k in range(units)]
    return [after - before for before, after in pairwise([*cuts, total])]


def _step(order: OrderInput) -> int:
    """Units that are refunded one by one, by card, have to be amounts that Stripe can be told.

    Prices that hold their tax alone: beside steps, tax on top would have to be more for one unit than for its like.
    """
    by_card = any(payment.tender == Tender.STRIPE for payment in order.payments)
    return step_of(order.currency) if by_card and order.tax_included else 1


def _freeze_line(line: LineInput, order_share: int, step: int, tax_included: bool) -> FrozenLine:
    net = line.net - order_share
    if tax_included:
        # A shop may state the included tax as of before the order's discount; it cannot be more than what was paid.
        unit_paid = slices(net, line.quantity, step if net % step == line.unit_price % step == 0 else 1)
        unit_tax = _share_tax(min(line.tax, net), unit_paid, [0] * line.quantity)
        unit_net = unit_paid
    else:
        unit_paid = slices(net + line.tax, line.quantity)
        unit_tax = _share_tax(line.tax, unit_paid, [max(0, paid - line.unit_price) for paid in unit_paid])
        unit_net = [paid - tax for paid, tax in zip(unit_paid, unit_tax, strict=True)]
    return FrozenLine([line.unit_price - net for net in unit_net], unit_tax, unit_paid)


def _share_tax(tax: int, unit_paid: list[int], least: list[int]) -> list[int]:
    """Share a line's tax among its units in proportion to what was paid for them, cumulatively.

    In proportion to the paid slices rather than in slices of its own, so that no unit holds more tax than was paid
    for it, however small the amounts; `least` keeps every unit's price before tax at or below its list price.
    """
    whole = sum(unit_paid)
    shares, paid, given = [], 0, 0
    for unit, floor in zip(unit_paid, least, strict=True):
        paid += unit
        share = max((tax * paid // whole if whole else 0) - given, floor)
        shares.append(share)
        given += share
    return shares


def _refundable(shipping: ShippingInput, tax_included: bool) -> int:
    net = shipping.net if shipping.standard_price is None else min(shipping.net, shipping.standard_price)
    if tax_included:
        return net
    # The tax of the refundable part, rounded down; all of it where all of the shipping is refundable.
    tax = shipping.tax if net == shipping.net else shipping.tax * net // shipping.net
    return net + tax
