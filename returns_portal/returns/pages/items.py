"""The page on which a customer changes what a return announces."""

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.exchanges.queries import ExchangeView, exchanges_of_return
from returns_portal.payments.queries import of_order
from returns_portal.policies.content import Postage
from returns_portal.refunds.exchanges import covered_by, without
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import Claim, plan
from returns_portal.returns.changing import travelling
from returns_portal.returns.judging import judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.lines import LineChoice, SumRow, Wish, line_choices, sum_rows
from returns_portal.returns.pages.swaps import Picked
from returns_portal.returns.pages.words import Amount, item_words, planned_amounts, postage_words
from returns_portal.returns.queries import OrderState, ReturnView
from returns_portal.shop.queries import ShopInfo


class ItemsPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: ReturnView
    lines: list[LineChoice]
    rows: list[SumRow]
    amounts: list[Amount]
    """What goes back for this choice, and where to."""
    postage: str
    """Who pays for sending it back, and why, where that is not simply the shop."""


async def items_page(
    db: AsyncConnection,
    shop: ShopInfo,
    view: ReturnView,
    order: OrderState,
    units: dict[UUID, int] | None = None,
) -> ItemsPage:
    """Put the page together; without a choice, what was announced is chosen.

    `order` is as if this return had announced nothing of it.
    """
    if units is None:
        units = {line.line_id: line.quantity for line in view.lines if line.quantity}
    live = [each for each in await exchanges_of_return(db, SYSTEM, view.id) if each.is_open]
    balance = without(await balance_of(db, order.id), covered_by(live))
    # The window is that of the day of the first statement, as it is when the change is made.
    judged = await judgement(db, order, shop.timezone, view.created_at, view.faulty)
    lines = line_choices(order, balance, judged, Wish(units), view.created_at)
    claims = [Claim(UUID(line.id), line.quantity) for line in lines if line.chosen]
    verdict = travelling(judged.of(claim.line_id for claim in claims), Postage(view.postage), view.postage_fee)
    planned = plan(
        balance,
        claims,
        refund_to=RefundTo(view.refund_to),
        bonus_percent=verdict.bonus_percent,
        fee=verdict.fee,
    )
    cards = {payment.id: payment.card_last4 for payment in await of_order(db, order.id)}
    return ItemsPage(
        view,
        lines,
        sum_rows(order, planned, verdict, [_picked(each) for each in live]),
        planned_amounts(planned.legs, planned.currency, cards),
        postage_words(verdict, planned),
    )


def _picked(each: ExchangeView) -> Picked:
    """What is had in exchange already, as a row of the sum."""
    covered = min(each.value, each.price - each.to_pay)
    return Picked(
        each.order_line_id, item_words(each.title, each.size, each.color, 1), 1, covered, each.to_pay, each.price
    )
