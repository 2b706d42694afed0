"""The page on which a customer chooses what goes back and where the money goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.i18n import _, ngettext
from returns_portal.payments.models import Tender
from returns_portal.payments.queries import of_order
from returns_portal.refunds.models import Kind
from returns_portal.refunds.queries import RefundView, balance_of, refunds_of_order
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan, plan
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.route import Step, refund_step
from returns_portal.returns.pages.words import (
    Amount,
    item_words,
    planned_amounts,
    points,
    said,
    total_words,
    where_words,
)
from returns_portal.returns.queries import (
    OrderLineState,
    OrderState,
    ReturnView,
    facts_of,
    returns_of_order,
)
from returns_portal.returns.rules import Line, OrderFacts, Policy, refusal, window_ends
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

MOST_IN_A_LIST: Final = 20
"""Up to so many units, the number is picked from a list; beyond, it is typed."""

_DESTINATIONS: Final = {Tender.STRIPE: "original", Tender.EXTERNAL: "transfer", Tender.POINTS: "points"}


class Wish(msgspec.Struct, frozen=True):
    """What the customer has chosen so far; units by line."""

    units: Mapping[UUID, int] = {}
    refund_to: RefundTo = RefundTo.ORIGINAL
    reason: str = ""
    bank_account: str = ""


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

    @property
    def listed(self) -> bool:
        """Whether its number is picked from a list."""
        return self.left <= MOST_IN_A_LIST


class Option(msgspec.Struct, frozen=True):
    """A place where the money can go, with what would go there."""

    value: str
    amounts: list[Amount]
    bonus: str
    notes: list[str]


class SumRow(msgspec.Struct, frozen=True):
    """One line of how the total comes about."""

    text: str
    value: str
    quiet: bool = False


class ChoosePage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    order: OrderState
    lead: str
    closed: str
    """Why nothing at all can be chosen; empty when something can."""
    lines: list[LineChoice]
    options: list[Option]
    rows: list[SumRow]
    total: str
    asks_account: bool
    returns: list[ReturnView]
    gestures: list[tuple[RefundView, Step]]
    """What the shop gives back without goods, and where each of it stands."""
    wish: Wish


async def choose_page(
    db: AsyncConnection, actor: Actor, shop: ShopInfo, order: OrderState, wish: Wish | None
) -> ChoosePage:
    """Put the page together; without a wish, the only thing that can be chosen is chosen already."""
    balance = await balance_of(db, order.id)
    policy = Policy(shop.return_days, shop.timezone)
    filed = await returns_of_order(db, actor, order.id)
    wish = wish or _first_wish(order, balance, policy)
    lines = _lines(order, balance, policy, wish)
    closed = _closed(order, balance, lines)
    cards = {payment.id: payment.card_last4 for payment in await of_order(db, order.id)}
    plans = _plans(balance, lines, shop.bonus_percent)
    chosen = plans[wish.refund_to]
    return ChoosePage(
        order=order,
        lead="" if closed else _lead(order, policy),
        closed=closed,
        lines=lines,
        options=_options(balance, plans, cards, shop),
        rows=_rows(order, chosen),
        total=total_words(chosen.legs, chosen.currency) if chosen.lines else "",
        asks_account=_pays_from_outside(balance),
        returns=filed,
        gestures=[
            (refund, refund_step(refund))
            for refund in await refunds_of_order(db, actor, order.id)
            if refund.kind == Kind.GOODWILL
        ],
        wish=wish,
    )


def _first_wish(order: OrderState, balance: OrderBalance, policy: Policy) -> Wish:
    """What is chosen before anybody chose: the one thing that can be, where there is but one."""
    can_be = [line for line in _lines(order, balance, policy, Wish()) if not line.refused]
    return Wish({UUID(can_be[0].id): 1} if len(can_be) == 1 and can_be[0].left == 1 else {})


def _lines(order: OrderState, balance: OrderBalance, policy: Policy, wish: Wish) -> list[LineChoice]:
    free = {line.line_id: line.free for line in balance.lines}
    facts, now = facts_of(order), clock.now()
    return [
        _line(line, order.currency, free[line.line_id], _refused(facts, line, policy, now), wish)
        for line in order.lines
    ]


def _refused(facts: OrderFacts, line: OrderLineState, policy: Policy, now: datetime) -> str:
    found = refusal(facts, Line(line.line_id, line.quantity, line.requested), policy, now)
    return said(found.sentence, found.values) if found else ""


def _line(line: OrderLineState, currency: str, free: Sequence[int], refused: str, wish: Wish) -> LineChoice:
    # More than was announced may have come and been paid for: what is left is the smaller of the two.
    left = min(line.quantity - line.requested, len(free))
    if not refused and left < 1:
        refused = _("Already refunded.")
    wanted = 0 if refused else wish.units.get(line.line_id, 0)
    price = formats.money(line.unit_paid[free[0] if free else 0], currency)
    size = _("Size {size}", size=line.size) if line.size else ""
    return LineChoice(
        id=str(line.line_id),
        title=line.title,
        details=", ".join(part for part in (size, line.color) if part),
        price=_("{price} each", price=price) if line.quantity > 1 else price,
        left=left,
        refused=refused,
        chosen=wanted > 0,
        quantity=min(max(wanted, 1), max(left, 1)),
    )


def _plans(balance: OrderBalance, lines: Sequence[LineChoice], bonus_percent: int) -> dict[RefundTo, RefundPlan]:
    """What the choice is worth, by the very rules that will pay it, for either place."""
    claims = [Claim(UUID(line.id), line.quantity) for line in lines if line.chosen]
    return {to: plan(balance, claims, refund_to=to, bonus_percent=bonus_percent) for to in RefundTo}


def _options(
    balance: OrderBalance, plans: Mapping[RefundTo, RefundPlan], cards: dict[UUID, str], shop: ShopInfo
) -> list[Option]:
    options = [_original(balance, plans[RefundTo.ORIGINAL], cards)]
    if any(tender.left and tender.tender is not Tender.POINTS for tender in balance.tenders):
        options.append(_points(balance, plans[RefundTo.POINTS], shop.bonus_percent, shop.points_months))
    return options


def _original(balance: OrderBalance, planned: RefundPlan, cards: dict[UUID, str]) -> Option:
    amounts = planned_amounts(planned.legs, planned.currency, cards) or [
        Amount("", where_words(_DESTINATIONS[tender.tender], cards.get(tender.payment_id, "")))
        for tender in balance.tenders
        if tender.left
    ]
    note = _("2–3 days after it arrives")
    if _pays_from_outside(balance):
        note = _("2–3 days after it arrives, once we know your account number")
    return Option(RefundTo.ORIGINAL, amounts, "", [note])


def _points(balance: OrderBalance, planned: RefundPlan, percent: int, months: int) -> Option:
    bonus = percent > 0 and any(tender.tender is Tender.STRIPE and tender.left for tender in balance.tenders)
    notes = [_("as soon as the parcel is checked in")]
    if months:
        notes.append(ngettext("good for {n} month", "good for {n} months", months))
    if planned.bonus:
        base, extra = formats.number(planned.total), formats.number(planned.bonus)
        notes.insert(0, _("{amount}, and a bonus of {bonus}", amount=base, bonus=extra))
    amount = points(planned.total + planned.bonus) if planned.legs else ""
    return Option(
        RefundTo.POINTS,
        [Amount(amount, _("as points for your next order"))],
        _("+{percent} %", percent=percent) if bonus else "",
        notes,
    )


def _rows(order: OrderState, planned: RefundPlan) -> list[SumRow]:
    """How the total comes about: each item, the delivery that comes back with the last of them, the postage."""
    rows = []
    for line in order.lines:
        parts = [part for part in planned.lines if part.line_id == line.line_id]
        if parts:
            words = item_words(line.title, line.size, line.color, sum(part.quantity for part in parts))
            rows.append(SumRow(words, formats.money(sum(part.amount for part in parts), planned.currency)))
    if not rows:
        return []
    if planned.shipping:
        rows.append(SumRow(_("What you paid for delivery"), formats.money(planned.shipping, planned.currency)))
    if planned.bonus:
        rows.append(SumRow(_("Bonus on top"), points(planned.bonus)))
    rows.append(SumRow(_("Return postage"), _("paid by us"), quiet=True))
    return rows


def _lead(order: OrderState, policy: Policy) -> str:
    last = window_ends(order.delivered_at, policy)
    if order.delivered_at is None or last is None:
        return _("Order {number}. No reason needed.", number=order.number)
    return _(
        "Order {number}, delivered on {day}. You have until {last}. No reason needed.",
        number=order.number,
        day=formats.format_date(order.delivered_at, "day"),
        last=formats.format_date(last),
    )


def _closed(order: OrderState, balance: OrderBalance, lines: Sequence[LineChoice]) -> str:
    reasons = {line.refused for line in lines}
    if "" not in reasons:
        all_back = order.cancelled_at is None and all(line.requested >= line.quantity for line in order.lines)
        if all_back:
            return _("Everything in this order is on its way back to us, or has come back.")
        return reasons.pop() if len(reasons) == 1 else _("Nothing in this order can be sent back any more.")
    if not any(tender.captured for tender in balance.tenders):
        return _("We know of no payment for this order, so there is nothing to pay back.")
    if not any(tender.left for tender in balance.tenders):
        return _("Everything that was paid for this order has gone back already.")
    return ""


def _pays_from_outside(balance: OrderBalance) -> bool:
    return any(tender.tender is Tender.EXTERNAL and tender.left for tender in balance.tenders)
