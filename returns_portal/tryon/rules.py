"""What may be tried, how its money is made sure of, and when it ends. Pure decisions."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.i18n import mark
from returns_portal.money import exponent
from returns_portal.tryon.models import Strategy

HOLD_DAYS: Final = 7
"""How long a card network keeps an authorisation that the customer began (docs.stripe.com, "Place a hold on a payment
method"); the moment itself is told with each hold (`capture_before`)."""
_MARGIN_DAYS: Final = 2
"""The trial's last day runs until midnight, and a hold is renewed (or charged) a day before it ends: a hold that would
be renewed although the trial is about to be settled is no safe one."""
_HUNDREDTHS: Final = 2


class Policy(msgspec.Struct, frozen=True):
    """What the shop allows; each field is the column's of `TrialPolicy`."""

    offered: bool
    max_items: int
    max_value: int
    open_trials: int
    deposit_percent: int
    trial_days: int
    max_trial_days: int
    extension_days: int
    transit_days: int
    delivery_days: int
    grace_days: int
    silence_keeps: bool
    countries: list[str]
    max_values: dict[str, int] = {}

    def most(self, currency: str) -> int:
        """What a trial may be worth, in minor units: what is said for the currency, else `max_value`."""
        if currency in self.max_values:
            return self.max_values[currency]
        shift = exponent(currency) - _HUNDREDTHS
        return int(self.max_value * 10**shift) if shift >= 0 else self.max_value // int(10**-shift)


class Choice(msgspec.Struct, frozen=True):
    """How the money is made sure of, and why: a code and the days that it was decided by."""

    strategy: Strategy
    reason: dict[str, object]


def choose(trial_days: int, policy: Policy, *, hold_days: int = HOLD_DAYS) -> Choice:
    """A hold where the trial ends safely before the hold does, else a card on file.

    A hold begins at checkout. Until it is settled go by: the way to the customer, the trial, and a
    day for settling. Where the customer prolongs it, the hold is renewed.
    """
    needed = policy.transit_days + trial_days + _MARGIN_DAYS
    days: dict[str, object] = {
        "transit_days": policy.transit_days,
        "trial_days": trial_days,
        "needed_days": needed,
        "hold_days": hold_days,
    }
    if needed <= hold_days:
        return Choice(Strategy.HOLD, {"code": "ends_within_hold", **days})
    return Choice(Strategy.CARD_ON_FILE, {"code": "outlasts_hold", **days})


def trial_ends(delivered_at: datetime, days: int, zone: str) -> datetime:
    """The end of the last day, in the shop's zone: the day of delivery is not counted (Regulation 1182/71, Art. 3)."""
    here = ZoneInfo(zone)
    after = delivered_at.astimezone(here).date() + timedelta(days=days + 1)
    return datetime.combine(after, time.min, here).astimezone(UTC)


class Refusal(msgspec.Struct, frozen=True):
    """Why something cannot be tried: a machine code, and a sentence (a message id with places) for people."""

    code: str
    sentence: str
    values: dict[str, object] = {}


class Wish(msgspec.Struct, frozen=True):
    """What a customer wants to try, as the rules see it. `value` in minor units of `currency`."""

    items: int
    value: int
    currency: str
    country: str
    trial_days: int
    open_trials: int = 0


def refusals(wish: Wish, policy: Policy) -> Sequence[Refusal]:
    """Everything that speaks against it, in words; buying it normally stays possible."""
    found: list[Refusal] = []
    if not policy.offered:
        found.append(Refusal("not_offered", mark("We do not send anything to try at the moment.")))
    if wish.items > policy.max_items:
        sentence = mark("That is too much to try at a time: the basket holds {items}, and the limit is {most}.")
        found.append(Refusal("too_many_items", sentence, {"most": policy.max_items, "items": wish.items}))
    if wish.value > policy.most(wish.currency):
        found.append(Refusal("too_much_value", mark("This is worth more than can be sent to be tried at a time.")))
    if wish.open_trials >= policy.open_trials:
        sentence = mark("Trials that are under way already: {open}. Settle one of them first.")
        found.append(Refusal("too_many_trials", sentence, {"open": wish.open_trials}))
    if policy.countries and wish.country not in policy.countries:
        found.append(Refusal("country", mark("We do not send things to be tried to this country.")))
    if wish.trial_days > policy.max_trial_days:
        sentence = mark("That is too long: the limit in days is {most}.")
        found.append(Refusal("too_many_days", sentence, {"most": policy.max_trial_days}))
    return found


def deposit_of(payable: int, policy: Policy) -> int:
    """What is charged at checkout of what may be charged at all, rounded down."""
    return payable * policy.deposit_percent // 100
