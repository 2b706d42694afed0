"""The page on which a customer chooses what goes back and where the money goes."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.i18n import _, ngettext
from returns_portal.payments.models import Tender
from returns_portal.payments.queries import of_order
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.refunds.exchanges import without
from returns_portal.refunds.models import Kind
from returns_portal.refunds.queries import RefundView, balance_of, refunds_of_order
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan, plan
from returns_portal.returns.judging import Judgement, judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.lines import LineChoice, SumRow, Wish, line_choices, sum_rows
from returns_portal.returns.pages.route import refund_step
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.swaps import Swapping, at_once_words, covered_units, swaps_of, to_pay_words
from returns_portal.returns.pages.words import (
    Amount,
    planned_amounts,
    points,
    postage_words,
    sentence,
    total_words,
    where_words,
)
from returns_portal.returns.periods import PERIODS
from returns_portal.returns.queries import OrderState, ReturnView, facts_of, returns_of_order
from returns_portal.returns.rules import Policy, last_day, returns_over, withdrawal_over
from returns_portal.returns.together import Lead, in_its_parcel, leads_for
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

_DESTINATIONS: Final = {Tender.STRIPE: "original", Tender.EXTERNAL: "transfer", Tender.POINTS: "points"}


class Option(msgspec.Struct, frozen=True):
    """A place where the money can go, with what would go there."""

    value: str
    amounts: list[Amount]
    bonus: str
    notes: list[str]


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
    to_pay: str
    """What is to be paid on top for what is exchanged; empty where that is nothing."""
    exchangeable: bool
    """Whether anything can be had in exchange."""
    unfound: str
    """That what was looked for was not found; empty where it was, or nothing was."""
    gone: str
    """That what was chosen in exchange cannot be had any more; empty where it can."""
    held: str
    """What a card has to hold where what is chosen in exchange is sent at once; empty where it cannot be."""
    held_days: int
    postage: str
    """Who pays for sending it back, and why, where that is not simply the shop."""
    asks_faulty: bool
    """Whether it changes anything that something is faulty."""
    labelled: bool
    """Whether it gets a label: the customer may have to send it with one of their own, or keep it."""
    asks_account: bool
    returns: list[ReturnView]
    withdrawal: str
    """How long the contract can be withdrawn from by law; empty when it cannot be any more."""
    leads: list[Lead]
    """Parcels of the same person's other orders that it can travel in."""
    gestures: list[tuple[RefundView, Step]]
    """What the shop gives back without goods, and where each of it stands."""
    wish: Wish


async def choose_page(
    db: AsyncConnection, actor: Actor, shop: ShopInfo, order: OrderState, wish: Wish | None, in_parcel_of: str = ""
) -> ChoosePage:
    """Put the page together; without a wish, the only thing that can be chosen is chosen already.

    `in_parcel_of` is the parcel from whose page somebody comes, while nothing else is wished.
    """
    balance = await balance_of(db, order.id)
    faulty = frozenset(wish.units) if wish and wish.faulty else frozenset()
    judged = await judgement(db, order, shop.timezone, clock.now(), faulty)
    filed = await returns_of_order(db, actor, order.id)
    leads = await leads_for(db, actor, order.id)
    wish = wish or replace(_first_wish(order, balance, judged), in_parcel_of=in_parcel_of)
    lead = next((each for each in leads if each.rma == wish.in_parcel_of), None)
    wish = wish if lead else replace(wish, in_parcel_of="")
    lines = line_choices(order, balance, judged, wish, clock.now())
    closed = _closed(order, balance, lines)
    cards = {payment.id: payment.card_last4 for payment in await of_order(db, order.id)}
    verdict, problem = _verdict(judged, lines, lead)
    leads = [] if verdict.keep_it else leads
    swapping = await _swapping(db, actor, order, balance, lines, wish, kept=verdict.keep_it)
    lines = [
        replace(line, instead=swapping.groups.get(UUID(line.id), []), fit=swapping.fits.get(UUID(line.id), ""))
        for line in lines
    ]
    picked = swapping.picked({UUID(line.id): line.quantity for line in lines if line.chosen})
    plans = _plans(without(balance, covered_units(picked)), lines, verdict)
    if wish.refund_to not in verdict.outcomes:
        wish = replace(wish, refund_to=RefundTo(verdict.outcomes[0]))
    chosen = plans[wish.refund_to]
    return ChoosePage(
        order=order,
        lead="" if closed else _lead(order, judged.longest),
        closed=closed,
        lines=lines,
        options=_options(balance, plans, cards, shop, verdict),
        rows=sum_rows(order, chosen, verdict, picked),
        postage=problem or ("" if lead and not verdict.keep_it else postage_words(verdict, chosen)),
        asks_faulty=any(each.postage is not Postage.SHOP or each.final_sale for each in judged.verdicts.values())
        or bool(faulty),
        labelled=verdict.postage is not Postage.OWN_LABEL and not verdict.keep_it and (lead is None or bool(problem)),
        leads=leads,
        total=total_words(chosen.legs, chosen.currency) if chosen.lines else "",
        to_pay="" if wish.at_once and judged.exchange_days else to_pay_words(picked, order.currency),
        held=at_once_words(picked, order.currency) if judged.exchange_days else "",
        held_days=judged.exchange_days,
        exchangeable=bool(swapping.groups),
        unfound=_unfound(wish, swapping),
        gone=_gone(lines, swapping),
        asks_account=_pays_from_outside(balance),
        returns=filed,
        withdrawal=_withdrawal(order, judged.longest),
        gestures=[
            (refund, refund_step(refund))
            for refund in await refunds_of_order(db, actor, order.id)
            if refund.kind == Kind.GOODWILL
        ],
        wish=wish,
    )


def _verdict(judged: Judgement, lines: Sequence[LineChoice], lead: Lead | None) -> tuple[Verdict, str]:
    """What holds for the choice, and why it cannot travel in the parcel that was chosen; empty where it can."""
    verdict = judged.of(UUID(line.id) for line in lines if line.chosen)
    try:
        return in_its_parcel(verdict, lead), ""
    except ConflictError as error:
        return verdict, sentence(error)


async def _swapping(
    db: AsyncConnection,
    actor: Actor,
    order: OrderState,
    balance: OrderBalance,
    lines: Sequence[LineChoice],
    wish: Wish,
    *,
    kept: bool,
) -> Swapping:
    """What can be had in exchange: nothing, where the customer keeps what is chosen and gets its money."""
    can_be = set() if kept else {UUID(line.id) for line in lines if not line.refused}
    return await swaps_of(db, actor, order, balance, can_be, wish)


def _unfound(wish: Wish, swapping: Swapping) -> str:
    if not wish.find or swapping.finds():
        return ""
    return _("We have nothing in stock that is called so. Try another word, or ask us.")


def _gone(lines: Sequence[LineChoice], swapping: Swapping) -> str:
    titles = [line.title for line in lines if line.chosen and UUID(line.id) in swapping.gone]
    if not titles:
        return ""
    return _(
        "What you chose instead of {title} cannot be had any more. Choose something else, or your money back.",
        title=", ".join(titles),
    )


def _first_wish(order: OrderState, balance: OrderBalance, judged: Judgement) -> Wish:
    """What is chosen before anybody chose: the one thing that can be, where there is but one."""
    can_be = [line for line in line_choices(order, balance, judged, Wish(), clock.now()) if not line.refused]
    return Wish({UUID(can_be[0].id): 1} if len(can_be) == 1 and can_be[0].left == 1 else {})


def _plans(balance: OrderBalance, lines: Sequence[LineChoice], verdict: Verdict) -> dict[RefundTo, RefundPlan]:
    """What the choice is worth, by the very rules that will pay it, for either place."""
    claims = [Claim(UUID(line.id), line.quantity) for line in lines if line.chosen]
    return {
        to: plan(balance, claims, refund_to=to, bonus_percent=verdict.bonus_percent, fee=verdict.fee) for to in RefundTo
    }


def _options(
    balance: OrderBalance,
    plans: Mapping[RefundTo, RefundPlan],
    cards: dict[UUID, str],
    shop: ShopInfo,
    verdict: Verdict,
) -> list[Option]:
    options = []
    if RefundTo.ORIGINAL in verdict.outcomes:
        options.append(_original(balance, plans[RefundTo.ORIGINAL], cards, kept=verdict.keep_it))
    differs = any(tender.left and tender.tender is not Tender.POINTS for tender in balance.tenders)
    if RefundTo.POINTS in verdict.outcomes and (differs or not options):
        options.append(_points(balance, plans[RefundTo.POINTS], verdict, shop.points_months))
    return options


def _original(balance: OrderBalance, planned: RefundPlan, cards: dict[UUID, str], *, kept: bool) -> Option:
    amounts = planned_amounts(planned.legs, planned.currency, cards) or [
        Amount("", where_words(_DESTINATIONS[tender.tender], cards.get(tender.payment_id, "")))
        for tender in balance.tenders
        if tender.left
    ]
    note = _("within 2–3 days") if kept else _("2–3 days after it arrives")
    if _pays_from_outside(balance):
        note = _("2–3 days after it arrives, once we know your account number")
    return Option(RefundTo.ORIGINAL, amounts, "", [note])


def _points(balance: OrderBalance, planned: RefundPlan, verdict: Verdict, months: int) -> Option:
    percent = verdict.bonus_percent
    bonus = percent > 0 and any(tender.tender is Tender.STRIPE and tender.left for tender in balance.tenders)
    notes = [_("at once") if verdict.keep_it else _("as soon as the parcel is checked in")]
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


def _lead(order: OrderState, policy: Policy) -> str:
    last = last_day(returns_over(facts_of(order), policy), policy)
    # A replacement that was sent is taken to be delivered some days later: until then that is a guess, and not told.
    if order.delivered_at is None or order.delivered_at > clock.now() or last is None:
        return _("Order {number}. No reason needed.", number=order.number)
    return _(
        "Order {number}, delivered on {day}. You have until {last}. No reason needed.",
        number=order.number,
        day=formats.format_date(order.delivered_at, "day"),
        last=formats.format_date(last),
    )


def _withdrawal(order: OrderState, policy: Policy) -> str:
    """The right beside the shop's window (Directive 2011/83/EU, Art. 11a): shown while the period runs."""
    over = withdrawal_over(facts_of(order), policy)
    if order.country not in PERIODS or order.cancelled_at is not None or (over is not None and clock.now() >= over):
        return ""
    last = last_day(over, policy)
    if last is None:
        return _("By law you can withdraw from this purchase, without giving a reason.")
    return _(
        "By law you can withdraw from this purchase until {day}, without giving a reason.",
        day=formats.format_date(last),
    )


def _closed(order: OrderState, balance: OrderBalance, lines: Sequence[LineChoice]) -> str:
    reasons = {line.refused for line in lines}
    if "" not in reasons:
        all_back = order.cancelled_at is None and all(
            line.requested >= line.quantity and not line.claimed and not line.given for line in order.lines
        )
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
