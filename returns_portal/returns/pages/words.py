"""Words for amounts and where they go, shared by the page that promises them and the page that follows them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

from returns_portal.errors import DomainError
from returns_portal.i18n import _, ngettext
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import LAW, Verdict
from returns_portal.refunds.models import Destination
from returns_portal.refunds.rules import PlannedLeg, RefundPlan
from returns_portal.web import formats

BANK_DAYS: Final = 10
"""Business days until a bank shows a card refund at the latest (Stripe: 5 to 10)."""
_WEEKEND: Final = 5


class Amount(msgspec.Struct, frozen=True):
    """How much, and where it goes, in words."""

    amount: str
    where: str


def points(count: int) -> str:
    """So many points."""
    return ngettext("{count} point", "{count} points", count, count=formats.number(count))


def item_words(title: str, size: str, color: str, quantity: int = 1) -> str:
    """An item in one line: `2 × Trail Runner GTX, 42, Navy`."""
    text = ", ".join(part for part in (title, size, color) if part)
    return text if quantity == 1 else _("{quantity} × {item}", quantity=quantity, item=text)


def where_words(destination: str, last4: str) -> str:
    """Where an amount goes back to."""
    if destination == Destination.POINTS:
        return _("to your points account")
    if destination == Destination.TRANSFER:
        return _("to your bank account")
    if last4:
        return _("back to your card ending {last4}", last4=last4)
    return _("back to the card you paid with")


def leg_words(destination: str, amount: int, bonus: int, currency: str) -> str:
    """How much of something: money, or points with the bonus in them."""
    return points(amount + bonus) if destination == Destination.POINTS else formats.money(amount, currency)


def planned_amounts(legs: Sequence[PlannedLeg], currency: str, cards: dict[UUID, str]) -> list[Amount]:
    """The parts of a planned refund; `cards` are the last digits by payment."""
    return [
        Amount(
            leg_words(leg.destination, leg.amount, leg.bonus, currency),
            where_words(leg.destination, cards.get(leg.payment_id, "")),
        )
        for leg in legs
    ]


def total_words(legs: Sequence[PlannedLeg], currency: str) -> str:
    """All that goes back, money and points side by side, since they are not the same thing."""
    money = sum(leg.amount for leg in legs if leg.destination is not Destination.POINTS)
    credit = sum(leg.amount + leg.bonus for leg in legs if leg.destination is Destination.POINTS)
    parts = ([formats.money(money, currency)] if money or not credit else []) + ([points(credit)] if credit else [])
    return " + ".join(parts)


def postage_words(verdict: Verdict, planned: RefundPlan) -> str:
    """Who pays for sending goods back where that is not simply the shop, and the rule that says so."""
    by = verdict.because["postage"]
    if verdict.keep_it and planned.lines:
        return _("You keep these items: nothing has to be sent. ({rule})", rule=by.rule)
    if by.law:
        return _("You pay no postage: {law}.", law=_(LAW[by.law]))
    if verdict.postage is Postage.OWN_LABEL:
        text = _("You send it with a label of your own, at your expense.")
    elif verdict.postage is Postage.CUSTOMER:
        fee = formats.money(verdict.fee, planned.currency)
        text = _("Postage of {fee} is taken from your refund, as was said when you ordered.", fee=fee)
        if planned.lines and not planned.fee:
            text = _("Postage would be {fee}; for so small an amount we pay it.", fee=fee)
    else:
        return ""
    return _("{sentence} ({rule})", sentence=text, rule=by.rule) if by.rule else text


_NEAR: Final = 6
"""Up to so many days away, a weekday says which day is meant."""


def when(day: date) -> str:
    """When something was or will be, as people say it: `today`, `on Tuesday`, `on 17 November`.

    It stands in a sentence in place of an adverb, in whatever case the language wants that.
    """
    today = formats.today()
    away = (day - today).days
    near = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}
    if away in near:
        return near[away]
    if abs(away) <= _NEAR:
        return _on_weekday(day.weekday())
    return _("on {day}", day=formats.format_date(day, "date" if day.year == today.year else "long"))


def _on_weekday(weekday: int) -> str:
    names = (
        _("on Monday"),
        _("on Tuesday"),
        _("on Wednesday"),
        _("on Thursday"),
        _("on Friday"),
        _("on Saturday"),
        _("on Sunday"),
    )
    return names[weekday]


def business_days_after(day: date, count: int) -> date:
    """The day so many business days later; bank holidays differ by country and are not known here."""
    while count:
        day += timedelta(days=1)
        if day.weekday() < _WEEKEND:
            count -= 1
    return day


def sentence(error: DomainError) -> str:
    """What an error says, in the reader's language, with days written as people write them."""
    return said(error.sentence, error.values)


def said(text: str, values: dict[str, object]) -> str:
    """A marked sentence with its values."""
    shown = {name: formats.format_date(value) if isinstance(value, date) else value for name, value in values.items()}
    return _(text, **shown)
