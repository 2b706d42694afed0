"""What an order must satisfy to be taken.

`checked` is the one gate: what passes it is possible, and in one normal form, so that the same order reads the same.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Final, NamedTuple

from babel import Locale, UnknownLocaleError
from msgspec.structs import replace

from returns_portal.accounts.rules import is_email, order_number
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import is_currency
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.texts import one_line

MAX_AMOUNT: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8259, section 6)."""
MAX_QUANTITY: Final = 999
MAX_LINES: Final = 500
MAX_PAYMENTS: Final = 20
_YEARS: Final = range(1990, 2200)
_LOCALES: Final = {"UA": "uk", "BG": "bg", "RU": "ru", "DE": "de", "AT": "de", "CH": "de"}
_NOT_COUNTRIES: Final = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
_UNPAID: Final = {FinancialStatus.PENDING, FinancialStatus.AUTHORIZED, FinancialStatus.VOIDED}
_NOT_IN_EMAIL: Final = frozenset('<>,;:"()[]\\')
"""What is legal only within quotes, which no customer's address has, and could make two addresses of one."""


def checked(order: OrderInput) -> OrderInput:
    """The order in its normal form: texts trimmed, times in UTC, counts and statuses filled in.

    Raises:
        InvalidError: it cannot be so; names the field at fault.
    """
    _check_counts(order)
    address = _checked_address(order.shipping_address)
    order = replace(
        order,
        number=_number(order.number),
        email=_email(order.email),
        name=one_line(order.name, "name", 200),
        phone=one_line(order.phone, "phone", 50, required=False),
        locale=_locale(order.locale, address.country),
        currency=_currency(order.currency),
        placed_at=_moment(order.placed_at, "placed_at"),
        **{name: _maybe_moment(order, name) for name in ("delivered_at", "shipped_at", "cancelled_at")},
        shipping_address=address,
        lines=[_checked_line(line, f"lines[{i}]", order.tax_included) for i, line in enumerate(order.lines)],
        shipping=_checked_shipping(order.shipping, order.tax_included),
        # A payment of nothing says nothing: an order that cost nothing has no payments.
        payments=[_checked_payment(p, f"payments[{i}]") for i, p in enumerate(order.payments) if p.amount != 0],
    )
    _check_total(order)
    return _with_shipped(_with_status(order))


def _check_counts(order: OrderInput) -> None:
    if not 1 <= len(order.lines) <= MAX_LINES:
        raise InvalidError(mark("An order has between 1 and {most} lines."), field="lines", most=MAX_LINES)
    if len(order.payments) > MAX_PAYMENTS:
        raise InvalidError(mark("An order has at most {most} payments."), field="payments", most=MAX_PAYMENTS)


def _check_total(order: OrderInput) -> None:
    _amount(order.order_discount, "order_discount")
    _amount(order.extras, "extras")
    if order.order_discount > order.goods:
        raise InvalidError(mark("The discount is more than the goods cost."), field="order_discount")
    if order.total > MAX_AMOUNT:
        raise InvalidError(mark("The order's total is too large."), field="lines")


def _with_status(order: OrderInput) -> OrderInput:
    status = order.financial_status or FinancialStatus.PAID
    paid = sum(payment.amount for payment in order.payments)
    if status in _UNPAID:
        possible = paid == 0
    elif status == FinancialStatus.PARTIALLY_PAID:
        possible = paid < order.total
    else:
        possible = paid == order.total
    if not possible:
        raise InvalidError(
            mark("The payments come to {paid}, but the order is {status} and its total is {total} (minor units)."),
            code="payments_do_not_sum",
            field="payments",
            paid=paid,
            total=order.total,
            status=status.value,
        )
    references = [payment.reference for payment in order.payments if payment.reference]
    if len(set(references)) != len(references):
        raise InvalidError(mark("Two payments have the same reference."), field="payments")
    return replace(order, financial_status=status)


def _with_shipped(order: OrderInput) -> OrderInput:
    gone = order.shipped_at is not None or order.delivered_at is not None
    if order.fulfilled is False and order.delivered_at is not None:
        raise InvalidError(mark("An order that was delivered has left the shop."), field="fulfilled")
    default = gone if order.fulfilled is None else order.fulfilled
    lines = [
        replace(line, shipped=(line.quantity if default else 0) if line.shipped is None else line.shipped)
        for line in order.lines
    ]
    return replace(order, lines=lines, fulfilled=all(line.shipped == line.quantity for line in lines))


def _checked_line(line: LineInput, at: str, tax_included: bool) -> LineInput:
    if not 1 <= line.quantity <= MAX_QUANTITY:
        raise InvalidError(mark("A quantity is between 1 and {most}."), field=f"{at}.quantity", most=MAX_QUANTITY)
    for name in ("unit_price", "discount", "tax"):
        _amount(getattr(line, name), f"{at}.{name}")
    _amount(line.unit_price * line.quantity, f"{at}.unit_price")
    if line.net < 0:
        raise InvalidError(mark("The discount is more than the line costs."), field=f"{at}.discount")
    if tax_included and line.tax > line.net:
        raise InvalidError(mark("The tax is more than the line costs."), field=f"{at}.tax")
    if line.shipped is not None and not 0 <= line.shipped <= line.quantity:
        raise InvalidError(mark("No more can be shipped than was ordered."), field=f"{at}.shipped")
    return replace(
        line,
        sku=one_line(line.sku, f"{at}.sku", 128, required=False),
        title=one_line(line.title, f"{at}.title", 500),
        size=one_line(line.size, f"{at}.size", 100, required=False),
        color=one_line(line.color, f"{at}.color", 100, required=False),
    )


def _checked_shipping(shipping: ShippingInput, tax_included: bool) -> ShippingInput:
    for name in ("price", "discount", "tax"):
        _amount(getattr(shipping, name), f"shipping.{name}")
    if shipping.standard_price is not None:
        _amount(shipping.standard_price, "shipping.standard_price")
    if shipping.net < 0:
        raise InvalidError(mark("The discount is more than the shipping costs."), field="shipping.discount")
    if tax_included and shipping.tax > shipping.net:
        raise InvalidError(mark("The tax is more than the shipping costs."), field="shipping.tax")
    return shipping


def _checked_payment(payment: PaymentInput, at: str) -> PaymentInput:
    _amount(payment.amount, f"{at}.amount")
    if not 0 <= payment.refunded_before <= payment.amount:
        raise InvalidError(mark("No more can have been refunded than was paid."), field=f"{at}.refunded_before")
    reference = one_line(payment.reference, f"{at}.reference", 255, required=False) or None
    imported = one_line(payment.imported_reference, f"{at}.imported_reference", 255, required=False) or None
    method = one_line(payment.method, f"{at}.method", 100, required=False)
    return replace(payment, reference=reference, imported_reference=imported, method=method)


class _Part(NamedTuple):
    name: str
    limit: int
    required: bool


_ADDRESS: Final = (
    _Part("name", 200, required=True),
    _Part("line1", 200, required=True),
    _Part("line2", 200, required=False),
    _Part("city", 100, required=True),
    _Part("region", 100, required=False),
    # Ireland got postal codes in 2015, and some sixty countries have none.
    _Part("postal_code", 20, required=False),
)


def _checked_address(address: AddressInput) -> AddressInput:
    texts = {
        part.name: one_line(
            getattr(address, part.name), f"shipping_address.{part.name}", part.limit, required=part.required
        )
        for part in _ADDRESS
    }
    country = address.country.strip().upper()
    if country not in _countries():
        raise InvalidError(
            mark("A country is given by its two letters, as in ISO 3166."), field="shipping_address.country"
        )
    return AddressInput(country=country, **texts)


@cache
def _countries() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NOT_COUNTRIES  # noqa: PLR2004 - alpha-2


def _amount(value: int, field: str) -> None:
    if not 0 <= value <= MAX_AMOUNT:
        raise InvalidError(
            mark("An amount is a whole number of minor units between 0 and {most}."), field=field, most=MAX_AMOUNT
        )


def _number(value: str) -> str:
    number = order_number(value)
    if not 1 <= len(number) <= 64 or not number.isprintable():  # noqa: PLR2004 - as the sentence says
        raise InvalidError(mark("An order number has between 1 and 64 printable characters."), field="number")
    # The number stands in addresses, whose parts are put in order on the way here: empty ones and dots are lost.
    if not {"", ".", ".."}.isdisjoint(number.split("/")):
        raise InvalidError(
            mark("An order number has neither a slash at an end, nor two in a row, nor only dots around one."),
            field="number",
        )
    return number


def _email(value: str) -> str:
    email = one_line(value, "email", 254)
    if not is_email(email) or not _NOT_IN_EMAIL.isdisjoint(email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    return email


def _currency(value: str) -> str:
    currency = value.strip().upper()
    if not is_currency(currency):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field="currency")
    return currency


def _locale(value: str | None, country: str) -> str:
    text = one_line(value, "locale", 20, required=False).replace("_", "-")
    if not text:
        return _LOCALES.get(country, "en")
    try:
        Locale.parse(text, sep="-")
    except (ValueError, UnknownLocaleError) as error:
        raise InvalidError(mark("This is not a language tag."), field="locale") from error
    return text


def _moment(value: datetime, field: str) -> datetime:
    if value.tzinfo is None:
        raise InvalidError(mark("A time needs its zone."), field=field)
    if value.year not in _YEARS:
        raise InvalidError(mark("This time is out of all reason."), field=field)
    return value.astimezone(UTC)


def _maybe_moment(order: OrderInput, field: str) -> datetime | None:
    value: datetime | None = getattr(order, field)
    return None if value is None else _moment(value, field)
