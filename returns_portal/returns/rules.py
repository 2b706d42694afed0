"""May this be sent back? A list of small rules, each a function; the first that refuses gives the sentence."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.i18n import mark
from returns_portal.returns.periods import PERIODS, last_received, period_over

STATUTORY_DAYS = 14
"""Directive 2011/83/EU, Art. 9(1): a shop's longer window never shortens it."""

REFUND_DAYS = 14
"""Art. 13(1): the trader reimburses within 14 days of being informed."""


class Line(msgspec.Struct, frozen=True):
    """An order line as the rules need it."""

    line_id: UUID
    quantity: int
    requested: int
    """Units in returns that are not cancelled, and those of `claimed`."""
    claimed: int = 0
    """Units that do not come back: paid for after a claim, or said to be missing."""
    given: int = 0
    """Units that the receiver of a gift sends back, of which whoever gave it learns nothing."""


class OrderFacts(msgspec.Struct, frozen=True):
    """What the rules ask of an order."""

    cancelled_at: datetime | None
    delivered_at: datetime | None
    paid: bool = True
    """Whether anything was paid yet: what is settled before would be settled at nothing."""
    country: str = ""
    """Where the consumer is; the law of the country gives them a period of withdrawal, or none."""
    awaits_more: bool = False
    """Whether another parcel is to come: what was received so far was then not the last good."""


class Policy(msgspec.Struct, frozen=True):
    """What the shop promises for a line."""

    return_days: int
    timezone: str
    final_sale: str = ""
    """The name of the rule by which nothing of a line goes back; empty for what can."""


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


def withdrawal_over(order: OrderFacts, policy: Policy) -> datetime | None:
    """The first moment at which the law gives no withdrawal any more; None where it never comes.

    Where the law of the country gives none at all, the shop's window is all that the consumer has.
    """
    if order.country not in PERIODS:
        last = None if order.awaits_more else window_ends(order.delivered_at, policy)
        return None if last is None else _day_over(last, policy.timezone)
    received = last_received([order.delivered_at, None] if order.awaits_more else [order.delivered_at])
    return period_over(order.country, received, policy.timezone)


def returns_over(order: OrderFacts, policy: Policy) -> datetime | None:
    """The first moment at which nothing can be returned any more: of the shop's window and the law's, the later."""
    last, by_law = window_ends(order.delivered_at, policy), withdrawal_over(order, policy)
    if last is None or by_law is None:
        return None
    return max(_day_over(last, policy.timezone), by_law)


def last_day(over: datetime | None, policy: Policy) -> date | None:
    """The day, in the shop's zone, in which a time ends that is over at a moment."""
    return over and (over - timedelta(microseconds=1)).astimezone(ZoneInfo(policy.timezone)).date()


def _day_over(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


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
    if line.claimed and line.requested >= line.quantity:
        return Refusal("claimed", mark("You told us of a problem with this item. It is settled there."))
    if line.given and line.requested >= line.quantity:
        return Refusal("not_returnable", mark("This item can no longer be sent back."))
    if line.requested >= line.quantity:
        return Refusal("already_returned", mark("Already on its way back."))
    return None


def _not_final_sale(_order: OrderFacts, _line: Line, policy: Policy, _now: datetime) -> Refusal | None:
    if policy.final_sale:
        sentence = mark("Final sale ({rule}): this item cannot be sent back.")
        return Refusal("final_sale", sentence, {"rule": policy.final_sale})
    return None


def _within_window(order: OrderFacts, _line: Line, policy: Policy, now: datetime) -> Refusal | None:
    over = returns_over(order, policy)
    if over is None or now < over:
        return None
    sentence = mark("The time for returning this order ended on {day}.")
    return Refusal("window_closed", sentence, {"day": last_day(over, policy)})


Rule = Callable[[OrderFacts, Line, Policy, datetime], Refusal | None]

RULES: Sequence[Rule] = (_not_cancelled, _paid, _not_yet_requested, _not_final_sale, _within_window)


def refusal(order: OrderFacts, line: Line, policy: Policy, now: datetime) -> Refusal | None:
    """Why the line cannot be returned; None when it can."""
    for rule in RULES:
        refused = rule(order, line, policy, now)
        if refused is not None:
            return refused
    return None
