"""Shopify's orders export, as shops download it.

Facts of the format: one row for each line item, the order's own columns on its first row; amounts with two decimals
in every currency, also in those without minor units; `Lineitem discount` is of the whole line, `Discount Amount` of
the order; whether prices include the tax is told by the totals alone; a tip is a line of its own, which the subtotal
leaves out, and duties have a column; zip codes and telephone numbers may begin with
an apostrophe, which keeps spreadsheets from reading them as numbers; a line's name ends in its variant.
https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders
"""

import re
from fractions import Fraction
from itertools import product
from typing import Final, NamedTuple

from msgspec.structs import replace

from returns_portal.csvfiles import Group, Layout, Row, amount, count, currency, moment, text
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import allocate
from returns_portal.orders.checks import MAX_LINES
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender

LAYOUT: Final = Layout(
    key="Name",
    most=MAX_LINES,
    head="Total",
    required=frozenset({
        "Name", "Email", "Financial Status", "Fulfillment Status", "Currency", "Subtotal", "Shipping", "Taxes", "Total",
        "Discount Amount", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku",
        "Shipping Name", "Shipping Address1", "Shipping City", "Shipping Zip", "Shipping Country", "Cancelled at",
        "Payment Method", "Refunded Amount",
    }),
)  # fmt: skip

_CARDS: Final = {"stripe", "shopify payments", "shopify_payments", "bogus", "bogus gateway"}
"""Means that charge cards; the last are Shopify's own test of one."""
_WITHOUT_MONEY: Final = {FinancialStatus.PENDING, FinancialStatus.AUTHORIZED, FinancialStatus.VOIDED}
_SIZE: Final = re.compile(
    r"[0-9]{1,3}([.,][0-9]{1,2}|½| ?1/2)?( ?[-/–] ?[0-9]{1,3})?"
    r"|([0-9]{1,2}|X{0,5})(S|L)|M|(EU|UK|US) ?[0-9.]{1,4}|one[ -]?size|OS",
    re.IGNORECASE,
)
_PERCENT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")


class Article(NamedTuple):
    """What a line's name says."""

    title: str
    size: str
    color: str


def is_card(method: str) -> bool:
    """Whether a means of payment charges a card through a gateway that this portal could stand in for."""
    return method.lower() in _CARDS


def read(order: Group, *, livemode: bool) -> OrderInput:
    """Make an order of its rows.

    With a live key, the reference of a PaymentIntent makes a Stripe payment, to be verified with Stripe; it cannot
    be one of the sandbox's, so there the payment is external, with the reference kept beside it.

    Raises:
        InvalidError: it cannot be read, or its amounts do not add up; names the column or field at fault.
    """
    head = order.head
    if not text(head, "Total"):
        raise InvalidError(mark("The first row of this order is missing: its rows do not stand together."))
    code = currency(head, "Currency")
    tips = [row for row in order.rows if _is_tip(row)]
    goods = [row for row in order.rows if not _is_tip(row)]
    lines = [_line(row, text(head, "Fulfillment Status"), code) for row in goods]
    sums = _sums(head, code, sum(line.net for line in lines), sum(_line(row, "", code).net for row in tips))
    lines, shipping = _with_tax(head, goods, lines, sums)
    status = _financial_status(head)
    placed = moment(head, "Created at")
    if placed is None:
        raise InvalidError(mark("This is needed."), field="Created at")
    return OrderInput(
        number=order.key,
        email=text(head, "Email"),
        name=text(head, "Shipping Name") or text(head, "Billing Name"),
        phone=_apostrophe(text(head, "Shipping Phone") or text(head, "Phone") or text(head, "Billing Phone")),
        currency=code,
        placed_at=placed,
        shipped_at=moment(head, "Fulfilled at"),
        cancelled_at=moment(head, "Cancelled at"),
        shipping_address=_address(head, "Shipping" if text(head, "Shipping Country") else "Billing"),
        lines=lines,
        order_discount=sums.order_discount,
        shipping=shipping,
        extras=sums.extras,
        tax_included=sums.tax_included,
        financial_status=status,
        payments=_payments(head, code, sums.total, status, livemode),
    )


def article(name: str) -> Article:
    """Take a line's name apart: `Derby "Oxford" Leather - 40 / Sand / Stone` is title, size and colour.

    The first option is the size unless only the last looks like one. A name that ends in one option which is no
    size is a title as a whole, since titles have dashes too.
    """
    title, dash, variant = name.rpartition(" - ")
    first, slash, rest = variant.partition(" / ")
    if not dash or not (slash or _SIZE.fullmatch(variant)):
        return Article(name, "", "")
    other, _slash, last = variant.rpartition(" / ")
    if slash and _SIZE.fullmatch(last) and not _SIZE.fullmatch(first):
        return Article(title, last, other)
    return Article(title, first, rest)


class _Sums(NamedTuple):
    """What the order's own columns come to, in minor units."""

    order_discount: int
    shipping: int
    shipping_discount: int
    tax: int
    extras: int
    tax_included: bool
    total: int


def _is_tip(row: Row) -> bool:
    """Whether a row is a tip rather than an item: Shopify names it so, and it is neither stocked, shipped nor taxed."""
    return (
        text(row, "Lineitem name").lower() == "tip"
        and not text(row, "Lineitem sku")
        and text(row, "Lineitem requires shipping") != "true"
        and text(row, "Lineitem taxable") != "true"
    )


def _sums(head: Row, code: str, goods: int, tips: int) -> _Sums:
    """Tell the discounts apart, and whether prices include the tax: by which of them the totals come out."""
    discount, shipping, tax = (amount(head, name, code) for name in ("Discount Amount", "Shipping", "Taxes"))
    total = amount(head, "Total", code)
    subtotal = amount(head, "Subtotal", code) if text(head, "Subtotal") else goods - discount
    on_goods = goods - subtotal
    if not 0 <= on_goods <= discount:
        raise InvalidError(
            mark("The lines and their discounts do not come to the subtotal."), field="Subtotal", code="does_not_add_up"
        )
    # What the discount took off beyond the goods, it took off the shipping, if the total says so; and duties are in the
    # total only where the shop collects them.
    duties = amount(head, "Duties", code)
    for extras, off_shipping, included in product(
        dict.fromkeys((duties + tips, tips)), (0, min(discount - on_goods, shipping)), (True, False)
    ):
        if subtotal + shipping - off_shipping + extras + (0 if included else tax) == total:
            return _Sums(on_goods, shipping, off_shipping, tax, extras, included, total)
    raise InvalidError(
        mark("Subtotal, shipping, tax, duties and tips do not come to the total."),
        field="Total",
        code="does_not_add_up",
    )


def _line(row: Row, order_fulfillment: str, code: str) -> LineInput:
    quantity = count(row, "Lineitem quantity")
    title, size, color = article(text(row, "Lineitem name"))
    fulfillment = text(row, "Lineitem fulfillment status") or order_fulfillment
    return LineInput(
        sku=text(row, "Lineitem sku"),
        title=title,
        size=size,
        color=color,
        quantity=quantity,
        unit_price=amount(row, "Lineitem price", code),
        discount=amount(row, "Lineitem discount", code),
        # How many of a line went out in part is not in the file; those that did not will be missed at check-in.
        shipped=quantity if fulfillment in {"fulfilled", "partial"} else 0,
    )


def _with_tax(head: Row, rows: list[Row], lines: list[LineInput], sums: _Sums) -> tuple[list[LineInput], ShippingInput]:
    """Share the order's tax, the only one in the file, among taxable lines and shipping in proportion to their cost."""
    shares = allocate(sums.order_discount, [line.net for line in lines])
    nets = [line.net - share for line, share in zip(lines, shares, strict=True)]
    taxable = [net if text(row, "Lineitem taxable") != "false" else 0 for net, row in zip(nets, rows, strict=True)]
    shipping = sums.shipping - sums.shipping_discount
    *taxes, on_shipping = allocate(
        sums.tax, [*taxable, shipping if _shipping_is_taxed(head, sum(taxable), shipping, sums) else 0]
    )
    return (
        [replace(line, tax=tax) for line, tax in zip(lines, taxes, strict=True)],
        ShippingInput(price=sums.shipping, discount=sums.shipping_discount, tax=on_shipping),
    )


def _shipping_is_taxed(head: Row, goods: int, shipping: int, sums: _Sums) -> bool:
    """Whether the order's tax is rather that of goods and shipping than that of the goods, by the rates it names.

    Shipping bears tax in the EU, and in many states of the USA it does not.
    """
    if not shipping:
        return False
    names = [text(head, f"Tax {i} Name") for i in range(1, 6)]
    rate = sum((Fraction(found[1]) for name in names if (found := _PERCENT.search(name))), Fraction())
    if not rate:
        return True
    share = rate / (100 + rate) if sums.tax_included else rate / 100
    return abs(sums.tax - (goods + shipping) * share) <= abs(sums.tax - goods * share)


def _financial_status(head: Row) -> FinancialStatus:
    told = text(head, "Financial Status")
    try:
        # An authorisation that ran out is as good as one that was given up.
        return FinancialStatus("voided" if told == "expired" else told)
    except ValueError as error:
        raise InvalidError(
            mark("{status} is not a payment status of Shopify's."), field="Financial Status", status=repr(told)
        ) from error


def _payments(head: Row, code: str, total: int, status: FinancialStatus, livemode: bool) -> list[PaymentInput]:
    if status in _WITHOUT_MONEY:
        return []
    paid = total
    if status == FinancialStatus.PARTIALLY_PAID:
        paid -= amount(head, "Outstanding Balance", code)
    method, reference = text(head, "Payment Method"), text(head, "Payment Reference") or text(head, "Payment ID")
    ours = livemode and is_card(method) and re.fullmatch(r"pi_\w+", reference) is not None
    return [
        PaymentInput(
            tender=Tender.STRIPE if ours else Tender.EXTERNAL,
            amount=paid,
            reference=reference if ours else None,
            method=method,
            imported_reference=reference or None,
            refunded_before=amount(head, "Refunded Amount", code),
        )
    ]


def _address(head: Row, kind: str) -> AddressInput:
    # The company belongs to the address, and a second line is where it is printed.
    second = [text(head, f"{kind} Address2"), text(head, f"{kind} Company")]
    return AddressInput(
        name=text(head, f"{kind} Name"),
        line1=text(head, f"{kind} Address1") or text(head, f"{kind} Street"),
        line2=", ".join(part for part in second if part),
        city=text(head, f"{kind} City"),
        region=text(head, f"{kind} Province"),
        postal_code=_apostrophe(text(head, f"{kind} Zip")),
        country=text(head, f"{kind} Country"),
    )


def _apostrophe(cell: str) -> str:
    return cell.removeprefix("'").strip()
