"""Which orders need a call, and why. Pure: the shop's choices and what is known of the order decide."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec

from returns_portal.confirming.models import Reason
from returns_portal.confirming.places import fits_postcode, lacks_number
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.shop.confirming import Confirming

_SHORTEST: Final = 6
_LONGEST: Final = 15
"""Digits of a telephone number: ITU-T E.164 has at most fifteen, and no national number is below six."""
_LATEST_AGAIN: Final = timedelta(days=14)
"""After so long nobody waits for a call about an order."""


class Facts(msgspec.Struct, frozen=True):
    """What is known of an order that is about to be judged. `value` is in minor units of `currency`."""

    known_customer: bool
    """Whether the address has ordered before, and not called that order off."""
    value: int
    currency: str
    address: dict[str, str]
    phone: str


def reasons_to_call(facts: Facts, choices: Confirming) -> list[Reason]:
    """Why somebody should call, by the rules that the shop has switched on; empty where nobody needs to."""
    found = []
    if choices.call_new_customers and not facts.known_customer:
        found.append(Reason.NEW_CUSTOMER)
    if facts.currency in choices.call_from and facts.value >= choices.call_from[facts.currency]:
        found.append(Reason.LARGE)
    if choices.call_unclear_addresses:
        found += _unclear(facts)
    return found


UNCLEAR: Final = (Reason.NO_NUMBER, Reason.POSTCODE, Reason.NO_PHONE, Reason.BAD_PHONE)
"""What the shop's system can put right by itself."""


def _unclear(facts: Facts) -> list[Reason]:
    address = facts.address
    found = [Reason.NO_NUMBER] if lacks_number(address) else []
    if not fits_postcode(address.get("postal_code", ""), address.get("country", "")):
        found.append(Reason.POSTCODE)
    if not facts.phone.strip():
        found.append(Reason.NO_PHONE)
    elif not is_phone(facts.phone):
        found.append(Reason.BAD_PHONE)
    return found


def still_to_call(before: Collection[Reason], facts: Facts) -> list[Reason]:
    """Why an order that has changed still needs its call.

    What was unclear is looked at anew. Who is new stays new, and what was large stays large: a sum that changes is the
    shop's own doing. What was clear when the order came in is not asked about because of a change.
    """
    unclear = _unclear(facts) if any(reason in UNCLEAR for reason in before) else []
    return [reason for reason in before if reason not in UNCLEAR] + unclear


def is_phone(text: str) -> bool:
    """Whether a text can be a telephone number: digits and what stands between them, not all the same."""
    digits = re.sub(r"[\s().\-/]", "", text).removeprefix("+")
    plain = re.fullmatch(rf"[0-9]{{{_SHORTEST},{_LONGEST}}}", digits, re.ASCII)
    return plain is not None and len(set(digits)) > 1


def check_again(again_at: datetime | None, now: datetime) -> None:
    """Refuse a time for another try that makes no sense.

    Raises:
        InvalidError: it is over already, or too far away.
    """
    if again_at is None:
        return
    if again_at <= now:
        raise InvalidError(mark("This moment is over already. Give one that is still to come."), field="again_at")
    if again_at - now > _LATEST_AGAIN:
        raise InvalidError(mark("That is more than two weeks away. Give an earlier day."), field="again_at")
