"""May this be sent back? A list of small rules, each a function; the first that refuses gives the sentence."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.i18n import mark

STATUTORY_DAYS = 14
"""Directive 2011/83/EU, Art. 9(1): a shop's longer window never shortens it."""

REFUND_DAYS = 14
"""Art. 13(1): the trader reimburses within 14 days of being informed."""


class Line(msgspec.Struct, frozen=True):
    """An order line as the rules need it."""

    line_id: UUID
    quantity: int
    requested: int
    """Units in returns that are not cancelled."""


class OrderFacts(msgspec.Struct, frozen=True):
    """What the rules ask of an order."""

    cancelled_at: datetime | None
    delivered_at: datetime | None
    paid: bool = True
    """Whether anything was paid yet: what is settled before would be settled at nothing."""


class Policy(msgspec.Struct, frozen=True):
    """The shop's promises."""

    return_days: int
    timezone: str


class Refusal(msgspec.Struct, frozen=True):
    """Why not: a machine code, and a sentence (a message id with places) for people."""

    code: str
    sentence: str
    values: dict[str, object] = {}


def window_ends(delivered_at: datetime | None, policy: Policy) -> date | None:
    """The last day, in the shop's zone, on which a return can be filed; None while delivery is not known.

    The day of receipt is not counted (Regulation 1182/71, Art. 3(1)), so the day with the window's number is
    the last one, and it counts whole.
    """
    if delivered_at is None:
        return None
    received = delivered_at.astimezone(ZoneInfo(policy.timezone)).date()
    return received + timedelta(days=max(policy.return_days, STATUTORY_DAYS))


def refund_deadline(stated_at: datetime, zone: str) -> datetime:
    """When the money is due at the latest: 14 days after the customer's statement, at the same hour.

    Days are those of the shop's zone (Regulation 1182/71, Art. 3(2)): 14 times 24 hours from a late evening would end
    on the 15th day where the clocks go forward in between.
    """
    return (stated_at.astimezone(ZoneInfo(zone)) + timedelta(days=REFUND_DAYS)).astimezone(UTC)


def _not_cancelled(order: OrderFacts, _line: Line, _policy: Policy, _now: datetime) -> Refusal | None:
    if order.cancelled_at is not None:
        return Refusal("order_cancelled", mark("This order was cancelled, so there is nothing to send back."))
    return None


def _paid(order: OrderFacts, _line: Line, _policy: Policy, _now: datetime) -> Refusal | None:
    if not order.paid:
        return Refusal("not_paid", mark("We know of no payment for this order, so there is nothing to pay back."))
    return None


def _not_yet_requested(_order: OrderFacts, line: Line, _policy: Policy, _now: datetime) -> Refusal | None:
    if line.requested >= line.quantity:
        return Refusal("already_returned", mark("Already on its way back."))
    return None


def _within_window(order: OrderFacts, _line: Line, policy: Policy, now: datetime) -> Refusal | None:
    last = window_ends(order.delivered_at, policy)
    if last is not None and now.astimezone(ZoneInfo(policy.timezone)).date() > last:
        return Refusal("window_closed", mark("The time for returning this order ended on {day}."), {"day": last})
    return None


Rule = Callable[[OrderFacts, Line, Policy, datetime], Refusal | None]

RULES: Sequence[Rule] = (_not_cancelled, _paid, _not_yet_requested, _within_window)


def refusal(order: OrderFacts, line: Line, policy: Policy, now: datetime) -> Refusal | None:
    """Why the line cannot be returned; None when it can."""
    for rule in RULES:
        refused = rule(order, line, policy, now)
        if refused is not None:
            return refused
    return None
