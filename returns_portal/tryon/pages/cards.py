"""Test cards as people type them, in a portal in which no money moves.

The number becomes the name that Stripe gives to the test card (docs.stripe.com/testing); neither it nor anything else
that was typed goes any further. With live keys no card is ever typed here: Stripe's own form takes it.
"""

import re
from typing import Final

from returns_portal import clock
from returns_portal.i18n import _
from returns_portal.payments.sandbox.cards import BY_NUMBER
from returns_portal.web import Form

FIELDS: Final = ("card_number", "card_month", "card_year", "card_cvc")
"""What never comes back into a page."""
_CENTURY: Final = 2000
_MONTHS: Final = 12


def payment_method(sent: Form) -> tuple[str, dict[str, str]]:
    """Stripe's name for the test card that was typed, and what is wrong with it, by field."""
    number = re.sub(r"[\s-]", "", sent.get("card_number", ""))
    card = BY_NUMBER.get(number)
    errors = _expiry_errors(sent)
    if card is None:
        errors["card_number"] = _("No money moves here, so only test cards are taken, such as 4242 4242 4242 4242.")
    if not re.fullmatch(r"[0-9]{3,4}", sent.get("card_cvc", "")):
        errors["card_cvc"] = _("Please give the three or four digits from the card.")
    return (f"pm_card_{card.name}" if card else ""), errors


def _expiry_errors(sent: Form) -> dict[str, str]:
    month, year = sent.get("card_month", ""), sent.get("card_year", "")
    if not (re.fullmatch(r"[0-9]{1,2}", month) and 1 <= int(month) <= _MONTHS):
        return {"card_month": _("Please give the month as a number, such as 08.")}
    if not re.fullmatch(r"(?:20)?[0-9]{2}", year):
        return {"card_year": _("Please give the year, such as 2030.")}
    today = clock.now().date()
    if (_CENTURY + int(year) % 100, int(month)) < (today.year, today.month):
        return {"card_year": _("This card has expired.")}
    return {}
