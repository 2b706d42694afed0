"""The portal's own CSV of orders: UTF-8, commas, one row for each line, the order's columns on its first row.

Amounts are decimal numbers in the order's currency (`79.90`, or `13184` of JPY); `…_discount` and `…_tax` of a line
are of the whole line; times have their zone (`2026-10-05T00:41:00+02:00`). Columns, required ones with an asterisk:

The order: number*, email*, name*, phone, locale, currency*, placed_at*, shipped_at, delivered_at, cancelled_at,
fulfilled (yes or no), financial_status (as in the JSON API; paid when empty), tax_included* (yes or no),
order_discount, shipping_price, shipping_discount, shipping_tax, shipping_standard_price, extras (duties and tips).

Its address: address_name (the order's when empty), address_line1*, address_line2, address_city*, address_region,
address_postal_code, address_country* (ISO 3166-1 alpha-2).

A line, on each row: line_sku*, line_title*, line_size, line_color, line_quantity*, line_unit_price*, line_discount,
line_tax, line_shipped (how many have left the shop).

A payment, on as many rows of the order as it has payments, also on rows without a line: payment_tender (stripe,
points or external), payment_amount, payment_reference, payment_method, payment_refunded_before.
"""

from typing import Final

from returns_portal.csvfiles import Group, Layout, Row, amount, count, currency, moment, text, yes_or_no
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.orders.checks import MAX_LINES
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender

LAYOUT: Final = Layout(
    key="number",
    most=MAX_LINES,
    head="currency",
    required=frozenset({
        "number", "email", "name", "currency", "placed_at", "tax_included", "address_line1", "address_city",
        "address_country", "line_sku", "line_title", "line_quantity", "line_unit_price",
    }),
)  # fmt: skip


def read(order: Group) -> OrderInput:
    """Make an order of its rows.

    Raises:
        InvalidError: it cannot be read; names the column at fault.
    """
    head = order.head
    if not text(head, "currency"):
        raise InvalidError(mark("The first row of this order is missing: its rows do not stand together."))
    code = currency(head, "currency")
    placed, included = moment(head, "placed_at"), yes_or_no(head, "tax_included")
    if placed is None or included is None:
        raise InvalidError(mark("This is needed."), field="placed_at" if placed is None else "tax_included")
    status = text(head, "financial_status")
    if status and status not in list(FinancialStatus):
        raise InvalidError(mark("{status} is not a payment status."), field="financial_status", status=repr(status))
    return OrderInput(
        number=order.key,
        email=text(head, "email"),
        name=text(head, "name"),
        phone=text(head, "phone"),
        locale=text(head, "locale"),
        currency=code,
        placed_at=placed,
        shipped_at=moment(head, "shipped_at"),
        delivered_at=moment(head, "delivered_at"),
        cancelled_at=moment(head, "cancelled_at"),
        fulfilled=yes_or_no(head, "fulfilled"),
        financial_status=FinancialStatus(status) if status else None,
        tax_included=included,
        shipping_address=_address(head),
        lines=[_line(row, code) for row in order.rows if text(row, "line_quantity") or text(row, "line_title")],
        order_discount=amount(head, "order_discount", code),
        shipping=ShippingInput(
            price=amount(head, "shipping_price", code),
            discount=amount(head, "shipping_discount", code),
            tax=amount(head, "shipping_tax", code),
            standard_price=amount(head, "shipping_standard_price", code)
            if text(head, "shipping_standard_price")
            else None,
        ),
        extras=amount(head, "extras", code),
        payments=[_payment(row, code) for row in order.rows if text(row, "payment_tender")],
    )


def _address(head: Row) -> AddressInput:
    return AddressInput(
        name=text(head, "address_name") or text(head, "name"),
        line1=text(head, "address_line1"),
        line2=text(head, "address_line2"),
        city=text(head, "address_city"),
        region=text(head, "address_region"),
        postal_code=text(head, "address_postal_code"),
        country=text(head, "address_country"),
    )


def _line(row: Row, code: str) -> LineInput:
    return LineInput(
        sku=text(row, "line_sku"),
        title=text(row, "line_title"),
        size=text(row, "line_size"),
        color=text(row, "line_color"),
        quantity=count(row, "line_quantity"),
        unit_price=amount(row, "line_unit_price", code),
        discount=amount(row, "line_discount", code),
        tax=amount(row, "line_tax", code),
        shipped=count(row, "line_shipped") if text(row, "line_shipped") else None,
    )


def _payment(row: Row, code: str) -> PaymentInput:
    tender = text(row, "payment_tender")
    if tender not in list(Tender):
        raise InvalidError(mark("{tender} is not a tender."), field="payment_tender", tender=repr(tender))
    return PaymentInput(
        tender=Tender(tender),
        amount=amount(row, "payment_amount", code),
        reference=text(row, "payment_reference") or None,
        method=text(row, "payment_method"),
        refunded_before=amount(row, "payment_refunded_before", code),
    )
