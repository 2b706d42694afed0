"""What goes back and where to, promised or under way, and the other way that it could still go."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.exchanges.models import ExchangeStatus
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.i18n import _
from returns_portal.payments.queries import of_order
from returns_portal.refunds.exchanges import covered_by, without
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.refunds.queries import RefundView, balance_of
from returns_portal.refunds.rules import Claim, plan
from returns_portal.returns.judging import judgement
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.pages.words import Amount, leg_words, planned_amounts, where_words
from returns_portal.returns.queries import ReturnView, order_state


class OtherWay(msgspec.Struct, frozen=True):
    """The way that the money could go instead, as long as no refund has started."""

    to: RefundTo
    amounts: list[Amount]
    """What it would be, where that is known already."""
    bonus: str


class Promise(msgspec.Struct, frozen=True):
    """What goes back and where to."""

    amounts: list[Amount]
    promised: bool
    """Whether it is what will be refunded when everything comes back, not what is being refunded."""
    outside: bool
    """Whether some of it goes by bank transfer, for which an account number is needed or may still be changed."""
    other: OtherWay | None


def only_exchanged(view: ReturnView, exchanges: Sequence[ExchangeView]) -> bool:
    """Whether every unit of a return pays for something else in full, so that no money goes back for it."""
    stand = [each for each in exchanges if each.status is not ExchangeStatus.ENDED and not each.back]
    units = Counter(each.order_line_id for each in stand)
    return bool(stand) and all(line.quantity <= units[line.line_id] for line in view.lines)


async def promise_of(
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    refunds: Sequence[RefundView],
    timezone: str,
    exchanges: Sequence[ExchangeView] = (),
) -> Promise:
    """What is promised of a return that is filed; of any other, what its refunds pay.

    To the receiver of a gift nothing is said of its price before its value is theirs, and it has but one way.
    """
    if view.status == ReturnStatus.FILED and view.gift_id is None:
        return await _promised(db, actor, view, timezone, exchanges)
    waiting = (RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER)
    return Promise(
        amounts=[
            Amount(
                leg_words(refund.destination, refund.amount, refund.bonus, refund.currency),
                where_words(refund.destination, refund.card_last4),
            )
            for refund in refunds
        ],
        promised=False,
        outside=any(refund.destination == Destination.TRANSFER and refund.status in waiting for refund in refunds),
        other=None if only_exchanged(view, exchanges) else await _still_other(db, actor, view, refunds, timezone),
    )


async def _still_other(
    db: AsyncConnection, actor: Actor, view: ReturnView, refunds: Sequence[RefundView], timezone: str
) -> OtherWay | None:
    """The other way for a return that is here, until the first of its refunds starts."""
    started = any(refund.status != RefundStatus.PLANNED for refund in refunds)
    only_points = all(refund.destination == Destination.POINTS for refund in refunds)
    nothing_else = view.refund_to != RefundTo.POINTS and refunds and only_points
    if view.status != ReturnStatus.RECEIVED or started or nothing_else:
        return None
    return await _other(db, actor, view, [], timezone)


async def _other(
    db: AsyncConnection, actor: Actor, view: ReturnView, amounts: list[Amount], timezone: str
) -> OtherWay | None:
    """Points are the customer's own choice; a trial's money goes where its charge came from.

    Nothing is offered that the policy of the order's day did not offer on the day of filing.
    """
    to = RefundTo.ORIGINAL if view.refund_to == RefundTo.POINTS else RefundTo.POINTS
    if view.of_trial or view.gift_id is not None or (to is RefundTo.POINTS and actor.kind != "customer"):
        return None
    order = await order_state(db, actor, view.order_number)
    judged = await judgement(db, order, timezone, view.created_at, view.faulty)
    if to not in judged.of(line.line_id for line in view.lines if line.quantity).outcomes:
        return None
    bonus = _("+{percent} %", percent=view.bonus_percent) if to is RefundTo.POINTS and view.bonus_percent else ""
    return OtherWay(to, amounts, bonus)


async def _promised(
    db: AsyncConnection, actor: Actor, view: ReturnView, timezone: str, exchanges: Sequence[ExchangeView]
) -> Promise:
    """What goes back when everything that was announced comes back in order, in this way and in the other."""
    balance = without(await balance_of(db, view.order_id), covered_by(exchanges))
    free = {line.line_id: len(line.free) for line in balance.lines}
    # Another parcel may have held more than was announced, and some of these units with it.
    units = {line.line_id: min(line.quantity, free[line.line_id]) for line in view.lines}
    claims = [Claim(line_id, count) for line_id, count in units.items() if count]
    cards = {payment.id: payment.card_last4 for payment in await of_order(db, view.order_id)}
    fee = balance.fees.get(view.id, 0)
    plans = {to: plan(balance, claims, refund_to=to, bonus_percent=view.bonus_percent, fee=fee) for to in RefundTo}
    amounts = {to: planned_amounts(planned.legs, planned.currency, cards) for to, planned in plans.items()}
    chosen = RefundTo(view.refund_to)
    other = RefundTo.ORIGINAL if chosen is RefundTo.POINTS else RefundTo.POINTS
    # Where everything was paid with points there is but one way.
    differs = plans[chosen].legs != plans[other].legs
    return Promise(
        amounts=amounts[chosen],
        promised=True,
        outside=any(leg.destination is Destination.TRANSFER for leg in plans[chosen].legs),
        other=await _other(db, actor, view, amounts[other], timezone) if differs else None,
    )
