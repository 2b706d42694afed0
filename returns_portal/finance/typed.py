"""Amounts as people type them."""

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import to_minor
from returns_portal.web import Form


def typed_amount(sent: Form, field: str, currency: str) -> int:
    """What was typed in major units, as minor units of the currency.

    Raises:
        InvalidError: it is no amount of this currency.
    """
    typed = sent.text(field, limit=20)
    try:
        # Half of the shop's world writes 12,50.
        amount = to_minor(typed.replace(",", ".") if "." not in typed else typed, currency)
    except ValueError:
        amount = -1
    if amount < 0:
        raise InvalidError(mark("Give an amount in {currency}, such as 12.50."), field=field, currency=currency)
    return amount
