"""What the machine draws: orders of every kind, with the prices of their units by the model's own arithmetic."""

from datetime import datetime
from typing import Final, NamedTuple

from hypothesis import strategies as st

from returns_portal.orders.intake import LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.payments.models import Tender
from tests.model.arithmetic import largest_remainder, unit_prices, unit_taxes
from tests.model.things import Line, Order, Payment
from tests.orders.samples import an_order

CURRENCIES: Final = ("EUR", "JPY", "BHD")
STEP: Final = {"EUR": 1, "JPY": 1, "BHD": 10}
"""What Stripe takes amounts of a currency in multiples of."""
TENDERS: Final = (
    ("stripe",),
    ("stripe",),
    ("stripe",),
    ("stripe", "points"),
    ("stripe", "stripe"),
    ("points", "stripe"),
    ("external",),
    ("stripe", "external"),
    ("points",),
    ("external", "points"),
)
LEAST: Final = 500
"""Less than that cannot be paid by card in any of the currencies."""
CARDS: Final = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail")


class LineWish(NamedTuple):
    """A line; discount and tax are of all its units."""

    quantity: int
    price: int
    discount: int
    tax: int
    shipped: int

    @property
    def net(self) -> int:
        return self.quantity * self.price - self.discount


class Delivery(NamedTuple):
    """What bringing the order costs, before tax where tax comes on top."""

    price: int = 0
    discount: int = 0
    tax: int = 0
    standard_price: int | None = None

    @property
    def net(self) -> int:
        return self.price - self.discount

    @property
    def refundable(self) -> int:
        """What goes back of it at most: what the standard delivery would have cost."""
        return self.net if self.standard_price is None else min(self.net, self.standard_price)


class Wish(NamedTuple):
    """An order."""

    currency: str
    customer: int
    tax_included: bool
    lines: list[LineWish]
    order_discount: int
    shipping: Delivery
    extras: int
    tenders: tuple[str, ...]
    weights: list[int]
    card: str
    before: bool
    """Whether a part of the card payment went back before."""
    from_purse: bool
    """Whether the points are really spent here."""
    delivered: bool


@st.composite
def lines(draw: st.DrawFn, step: int, tax_included: bool) -> LineWish:
    quantity = draw(st.integers(1, 5))
    price = draw(st.sampled_from([0, 3, 333, 999, 2_500, 15_900, 15_900])) * step
    gross = quantity * price // step
    discount = draw(st.sampled_from([*[0] * 4, *[gross // 3] * 3, gross])) * step
    most = (gross * step - discount) // step
    tax = draw(st.sampled_from([0, most // 6, most if tax_included else most // 5])) * step
    return LineWish(quantity, price, discount, tax, draw(st.integers(0, quantity)))


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    currency = draw(st.sampled_from(CURRENCIES))
    step, tax_included = STEP[currency], draw(st.booleans())
    wished = draw(st.lists(lines(step, tax_included), min_size=1, max_size=3))
    goods = sum(line.net for line in wished) // step
    tenders = draw(st.sampled_from(TENDERS))
    return Wish(
        currency=currency,
        customer=draw(st.integers(0, 1)),
        tax_included=tax_included,
        lines=wished,
        order_discount=draw(st.sampled_from([*[0] * 4, *[min(goods, 7)] * 2, *[goods // 4] * 3, goods])) * step,
        shipping=draw(
            st.sampled_from(
                [
                    Delivery(),
                    Delivery(490 * step, tax=80 * step),
                    Delivery(1_290 * step, discount=100 * step, tax=190 * step, standard_price=490 * step),
                    Delivery(490 * step, discount=490 * step),
                ]
            )
        ),
        extras=draw(st.sampled_from([0, 0, 700])) * step,
        tenders=tenders,
        weights=draw(st.lists(st.integers(1, 5), min_size=len(tenders), max_size=len(tenders))),
        card=draw(st.sampled_from(CARDS)),
        before=draw(st.integers(0, 5)) == 0,
        from_purse=draw(st.booleans()),
        delivered=draw(st.integers(0, 3)) > 0,
    )


def expected(wish: Wish, number: str, email: str, now: datetime) -> Order:
    """The order as the model has it: what each unit cost is settled now, and for good."""
    nets = [line.net for line in wish.lines]
    delivery, refundable = _delivery(wish, wish.shipping.net), _delivery(wish, wish.shipping.refundable)
    goods = sum(nets) - wish.order_discount + (0 if wish.tax_included else sum(line.tax for line in wish.lines))
    payments = _payments(wish, goods + delivery + wish.extras)
    by_card = any(payment.tender == "stripe" for payment in payments)
    step = STEP[wish.currency] if by_card and wish.tax_included else 1
    shares = [share * step for share in largest_remainder(wish.order_discount // step, nets)]
    made = [_line(wish, line, line.net - share, step) for line, share in zip(wish.lines, shares, strict=True)]
    return Order(
        number=number,
        email=email,
        currency=wish.currency,
        lines=made,
        payments=payments,
        shipping=refundable,
        shipping_tax=wish.shipping.tax * refundable // delivery if delivery else 0,
        delivered_at=now if wish.delivered else None,
    )


def _line(wish: Wish, line: LineWish, net: int, step: int) -> Line:
    """A line that cost so much without its tax, or with it where tax is included."""
    shipped = line.quantity if wish.delivered else line.shipped
    prices = unit_prices(net if wish.tax_included else net + line.tax, line.quantity, step)
    if wish.tax_included:
        # It may be stated as it was before the discount of the order.
        taxes = unit_taxes(min(line.tax, net), prices, None)
    else:
        taxes = unit_taxes(line.tax, prices, line.price)
    return Line(line.quantity, shipped, prices, taxes)


def _delivery(wish: Wish, net: int) -> int:
    """So much of the delivery, with its tax."""
    if wish.tax_included:
        return net
    return net + (wish.shipping.tax * net // wish.shipping.net if wish.shipping.net else wish.shipping.tax)


def _payments(wish: Wish, total: int) -> list[Payment]:
    step = STEP[wish.currency]
    amounts = [share * step for share in largest_remainder(total // step, wish.weights)]
    made = []
    for wished, amount in zip(wish.tenders, amounts, strict=True):
        tender = "external" if wished == "stripe" and amount < LEAST else wished
        card = wish.card if tender == "stripe" else ""
        before = amount // step // 4 * step if wish.before and card == "pm_card_visa" else 0
        if amount:
            made.append(Payment(tender, amount, before, card))
    return made


def handed_in(wish: Wish, order: Order, now: datetime) -> OrderInput:
    """The order as it is handed in."""
    return an_order(
        number=order.number,
        email=order.email,
        currency=wish.currency,
        placed_at=now,
        delivered_at=order.delivered_at,
        fulfilled=None if wish.delivered else False,
        tax_included=wish.tax_included,
        lines=[
            LineInput(
                sku=f"S{place}",
                title="Derby",
                quantity=line.quantity,
                unit_price=line.price,
                discount=line.discount,
                tax=line.tax,
                shipped=line.quantity if wish.delivered else line.shipped,
            )
            for place, line in enumerate(wish.lines)
        ],
        order_discount=wish.order_discount,
        shipping=ShippingInput(**wish.shipping._asdict()),
        extras=wish.extras,
        payments=[
            PaymentInput(
                tender=Tender(payment.tender),
                amount=payment.amount,
                reference=payment.reference or None,
                refunded_before=payment.before,
            )
            for payment in order.payments
        ],
    )
