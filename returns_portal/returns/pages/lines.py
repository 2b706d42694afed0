"""The lines of an order as they are chosen from, and how the sum of what was chosen comes about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from returns_portal.i18n import _
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.refunds.rules import OrderBalance, RefundPlan
from returns_portal.returns.judging import Judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.swaps import Picked, SwapGroup
from returns_portal.returns.pages.words import item_words, points, said
from returns_portal.returns.queries import OrderLineState, OrderState, facts_of, line_of
from returns_portal.returns.rules import OrderFacts, Policy, last_day, refusal, returns_over
from returns_portal.web import formats

MOST_IN_A_LIST: Final = 20
"""Up to so many units, the number is picked from a list; beyond, it is typed."""


class Wish(msgspec.Struct, frozen=True):
    """What the customer has chosen so far; units by line."""

    units: Mapping[UUID, int] = {}
    refund_to: RefundTo = RefundTo.ORIGINAL
    reason: str = ""
    bank_account: str = ""
    faulty: bool = False
    swaps: Mapping[UUID, str] = {}
    """What is wanted instead of money, by line: the SKU of one unit for each unit that goes back."""
    find: str = ""
    """What else somebody looks for in exchange."""
    at_once: bool = False
    """Whether what is had in exchange is to be sent before the goods are back."""
    in_parcel_of: str = ""
    """The number of the return in whose parcel it is to travel; empty for a parcel of its own."""


class LineChoice(msgspec.Struct, frozen=True):
    """One line of the order; `refused` says why it cannot be chosen."""

    id: str
    title: str
    details: str
    price: str
    left: int
    refused: str
    chosen: bool
    quantity: int
    instead: Sequence[SwapGroup] = ()
    """What can be had in exchange."""
    fit: str = ""
    """What is known of how it is cut, for who exchanges it; empty where nothing is."""

    @property
    def listed(self) -> bool:
        """Whether its number is picked from a list."""
        return self.left <= MOST_IN_A_LIST


class SumRow(msgspec.Struct, frozen=True):
    """One line of how the total comes about."""

    text: str
    value: str
    quiet: bool = False


def line_choices(
    order: OrderState, balance: OrderBalance, judged: Judgement, wish: Wish, now: datetime
) -> list[LineChoice]:
    """Each line, with why it cannot be chosen as of this moment, or with what was chosen of it."""
    free = {line.line_id: line.free for line in balance.lines}
    facts = facts_of(order)
    return [
        _line(
            line,
            order.currency,
            free[line.line_id],
            _refused(facts, line, judged.policy(line.line_id), now),
            _sooner(facts, judged, line),
            wish,
        )
        for line in order.lines
    ]


def _sooner(facts: OrderFacts, judged: Judgement, line: OrderLineState) -> str:
    """Until when it can go back, where that is sooner than for others of the order."""
    policy = judged.policy(line.line_id)
    last = last_day(returns_over(facts, policy), policy)
    if last is None or policy.return_days == judged.longest.return_days:
        return ""
    return _("until {day}", day=formats.format_date(last))


def _refused(facts: OrderFacts, line: OrderLineState, policy: Policy, now: datetime) -> str:
    found = refusal(facts, line_of(line), policy, now)
    return said(found.sentence, found.values) if found else ""


def _line(line: OrderLineState, currency: str, free: Sequence[int], refused: str, until: str, wish: Wish) -> LineChoice:
    # More than was announced may have come and been paid for: what is left is the smaller of the two.
    left = min(line.quantity - line.requested, len(free))
    if not refused and left < 1:
        refused = _("Already refunded.")
    wanted = 0 if refused else wish.units.get(line.line_id, 0)
    price = formats.money(line.worth[free[0] if free else 0], currency)
    size = _("Size {size}", size=line.size) if line.size else ""
    return LineChoice(
        id=str(line.line_id),
        title=line.title,
        details=", ".join(part for part in (size, line.color, "" if refused else until) if part),
        price=_("{price} each", price=price) if line.quantity > 1 else price,
        left=left,
        refused=refused,
        chosen=wanted > 0,
        quantity=min(max(wanted, 1), max(left, 1)),
    )


def sum_rows(order: OrderState, planned: RefundPlan, verdict: Verdict, picked: Sequence[Picked] = ()) -> list[SumRow]:
    """How the total comes about: each item, what is had for it, the delivery that comes back too, the postage."""
    rows = []
    for line in order.lines:
        parts = [part for part in planned.lines if part.line_id == line.line_id]
        if parts:
            words = item_words(line.title, line.size, line.color, sum(part.quantity for part in parts))
            covered = sum(each.covered * each.quantity for each in picked if each.line_id == line.line_id)
            rows.append(SumRow(words, formats.money(sum(part.amount for part in parts) + covered, planned.currency)))
    if not rows:
        return []
    rows += [
        SumRow(_("In exchange: {item}", item=each.words), formats.money(-each.covered * each.quantity, order.currency))
        for each in picked
    ]
    if planned.shipping:
        rows.append(SumRow(_("What you paid for delivery"), formats.money(planned.shipping, planned.currency)))
    if planned.bonus:
        rows.append(SumRow(_("Bonus on top"), points(planned.bonus)))
    if verdict.keep_it:
        return rows
    if planned.fee:
        rows.append(SumRow(_("Return postage"), formats.money(-planned.fee, planned.currency)))
    else:
        own = verdict.postage is Postage.OWN_LABEL
        rows.append(SumRow(_("Return postage"), _("paid by you") if own else _("paid by us"), quiet=True))
    return rows
