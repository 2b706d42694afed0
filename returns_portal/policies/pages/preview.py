"""What a policy would say of an order today, line by line, each with the rule that says so."""

from collections.abc import Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.i18n import _, ngettext
from returns_portal.policies.content import Content, Postage
from returns_portal.policies.rules import LAW, Because, Verdict
from returns_portal.returns.judging import judged_by
from returns_portal.returns.pages.words import item_words
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import current
from returns_portal.web import formats


class Aspect(msgspec.Struct, frozen=True):
    """One thing that holds for a line, and why."""

    name: str
    value: str
    why: str


class Judged(msgspec.Struct, frozen=True):
    """A line with all that holds for it."""

    item: str
    aspects: list[Aspect]


class Preview(msgspec.Struct, frozen=True):
    """An order, judged."""

    number: str
    lines: list[Judged]


async def preview(db: AsyncConnection, actor: Actor, content: Content, number: str) -> Preview:
    """What this policy would say of an order if it judged it today.

    Raises:
        NotFoundError: there is no such order.
    """
    order = await order_state(db, actor, number)
    judged = await judged_by(db, content, 0, order, (await current(db)).timezone, clock.now())
    lines = [
        Judged(item_words(line.title, line.size, line.color), aspects(judged.verdicts[line.line_id], order.currency))
        for line in order.lines
    ]
    return Preview(order.number, lines)


def aspects(verdict: Verdict, currency: str) -> list[Aspect]:
    """A verdict in words."""
    days = verdict.return_days
    told: list[tuple[str, str, str]] = [
        ("final_sale", _("Can go back"), _("no, final sale") if verdict.final_sale else _("yes")),
        ("return_days", _("Window"), ngettext("{n} day", "{n} days", days)),
        ("outcomes", _("Money goes"), _OUTCOMES["".join(verdict.outcomes)]()),
        ("bonus_percent", _("Bonus"), f"{verdict.bonus_percent} %"),
        ("postage", _("Postage"), _postage(verdict, currency)),
        ("keep_it", _("Keeps the goods"), _("yes") if verdict.keep_it else _("no")),
    ]
    return [Aspect(name, value, why(verdict.because[key])) for key, name, value in told]


_OUTCOMES: dict[str, Callable[[], str]] = {
    "original": lambda: _("back the way it came"),
    "points": lambda: _("to points"),
    "originalpoints": lambda: _("back the way it came, or to points"),
    "pointsoriginal": lambda: _("back the way it came, or to points"),
}


def _postage(verdict: Verdict, currency: str) -> str:
    if verdict.postage is Postage.CUSTOMER:
        return _("the customer pays {fee}", fee=formats.money(verdict.fee, currency))
    return _("a label of the customer's own") if verdict.postage is Postage.OWN_LABEL else _("the shop pays")


def why(by: Because) -> str:
    """The rule that says so, and the law where that stands above it."""
    rule = by.rule or _("in general")
    return _("{rule}; but {law}", rule=rule, law=_(LAW[by.law])) if by.law else rule
