"""May this be claimed about? Pure, as the rules of returns."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.queries import ClaimedItem, ClaimView
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.returns.queries import OrderLineState, OrderState

CONFORMITY_YEARS: Final = 2
"""For how long the seller answers for goods (Directive (EU) 2019/771, Art. 10(1)); no return window shortens it."""
MAX_WORDS: Final = 2000
MOST_PHOTOS: Final = 8
"""Of one claim."""
MOST_AT_ONCE: Final = 4
"""Photos in one form."""
_LEAP: Final = (2, 29)


class ClaimWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer claims: so many units by line, what is wrong with them, and what would put it right."""

    units: Mapping[UUID, int]
    kind: Kind
    remedy: Remedy
    said: str = ""


def last_day(delivered_at: datetime | None, zone: str) -> date | None:
    """The last day on which something can be claimed, in the shop's zone; None while delivery is not known."""
    if delivered_at is None:
        return None
    day = delivered_at.astimezone(ZoneInfo(zone)).date()
    if (day.month, day.day) == _LEAP:
        day = day.replace(day=28)
    return day.replace(year=day.year + CONFORMITY_YEARS)


def left_of(line: OrderLineState, open_units: int) -> int:
    """How many units of a line left the shop, and nothing is claimed or on its way for; none of what cost nothing."""
    if not any(line.unit_paid):
        return 0
    return max(0, min(line.shipped, line.quantity - line.requested - open_units))


def refuse_late(order: OrderState, zone: str, now: datetime) -> None:
    """Let a claim about an order only be made while the seller answers for its goods.

    Raises:
        ConflictError: the order was cancelled, or the two years are over.
    """
    if order.cancelled_at is not None:
        raise ConflictError(mark("This order was cancelled, so there is nothing to claim."), code="order_cancelled")
    last = last_day(order.delivered_at, zone)
    if last is not None and now.astimezone(ZoneInfo(zone)).date() > last:
        raise ConflictError(
            mark("The two years in which this could be claimed ended on {day}."), code="too_late", day=last
        )


def check(wish: ClaimWish, lines: Sequence[OrderLineState], open_units: Mapping[UUID, int]) -> None:
    """Refuse a wish that cannot be.

    Raises:
        InvalidError: nothing is chosen, or not so much as the order has, or no remedy for what is wrong.
        ConflictError: something of it is claimed, returned or paid back already.
    """
    known = {line.line_id: line for line in lines}
    if not wish.units:
        raise InvalidError(mark("Choose at least one item."), code="nothing_chosen", field="lines")
    if wish.kind is Kind.MISSING and wish.remedy is Remedy.REDUCTION:
        raise InvalidError(
            mark("What did not arrive cannot be kept for less. Choose the money or the item."),
            code="no_such_remedy",
            field="remedy",
        )
    if len(wish.said) > MAX_WORDS:
        raise InvalidError(mark("This is longer than {limit} characters."), field="said", limit=MAX_WORDS)
    for line_id, units in wish.units.items():
        line = known.get(line_id)
        if line is None:
            raise InvalidError(mark("This item is not part of the order."), code="unknown_line", field="lines")
        if not 1 <= units <= line.quantity:
            raise InvalidError(
                mark("Choose how many, at least one and at most {most}."),
                code="bad_quantity",
                field="lines",
                most=line.quantity,
            )
        if units > left_of(line, open_units.get(line_id, 0)):
            raise ConflictError(
                mark("{title}: so many of it cannot be claimed now."),
                code="already_claimed",
                field="lines",
                title=line.title,
            )


def settled_item(claim: ClaimView, lines: Sequence[OrderLineState]) -> ClaimedItem | None:
    """What of a claim is paid for elsewhere, or about to be: in a return, by a gesture; None where nothing is.

    A return may have been filed after the claim.
    """
    known = {line.line_id: line for line in lines}
    for item in claim.items:
        line = known[item.line_id]
        # Missing units of open claims count as asked for; so do this claim's own.
        own = item.quantity if claim.kind is Kind.MISSING else 0
        if item.quantity > line.quantity - line.requested + own:
            return item
    return None
