"""One order as staff see it: lines, payments, returns, refunds, gestures, and what is left to give back."""

from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.orders.queries import OrderView, order_for
from returns_portal.refunds.approvals import GestureView, gestures_of
from returns_portal.refunds.goodwill import limit_of
from returns_portal.refunds.queries import RefundView, balance_of, refunds_of_order
from returns_portal.refunds.rules import OrderBalance
from returns_portal.returns.queries import UNPAID, ReturnView, order_state, returns_of_order
from returns_portal.service.queries import QuestionView, questions_of_order
from returns_portal.shop.queries import ShopInfo


class Line(msgspec.Struct, frozen=True):
    """A line with how many of its units were paid back, or are being."""

    title: str
    size: str
    color: str
    sku: str
    quantity: int
    refunded: int
    paid: int


class PaymentLeft(msgspec.Struct, frozen=True):
    """A payment with what went or is going back of it, and what is left, in minor units."""

    tender: str
    status: str
    method: str
    amount: int
    refunded: int
    left: int


class OrderStory(msgspec.Struct, frozen=True):
    """An order, told in full."""

    order: OrderView
    lines: list[Line]
    payments: list[PaymentLeft]
    returns: list[ReturnView]
    refunds: list[RefundView]
    gestures: list[GestureView]
    questions: list[QuestionView]
    left: int
    shipping: int
    """What the delivery would give back now; 0 where it was given back, or is not left."""
    paid: bool
    limit: int | None
    """What one person may give back of it without a second one; None where there is no such limit."""


async def order_story(db: AsyncConnection, actor: Actor, number: str, shop: ShopInfo) -> OrderStory:
    """One order, told in full.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: there is no such order.
    """
    actor.require("support", "finance")
    view = await order_for(db, actor, number)
    state = await order_state(db, actor, view.number)
    balance = await balance_of(db, state.id)
    left = sum(tender.left for tender in balance.tenders)
    return OrderStory(
        order=view,
        lines=_lines(view, balance),
        payments=_payments(view, balance),
        returns=await returns_of_order(db, actor, state.id),
        refunds=await refunds_of_order(db, actor, state.id),
        gestures=await gestures_of(db, actor, state.id),
        questions=await questions_of_order(db, actor, state.id),
        left=left,
        shipping=balance.shipping if not balance.shipping_settled and balance.shipping <= left else 0,
        paid=view.financial_status not in UNPAID,
        limit=limit_of(shop, view.currency) if shop.second_person else None,
    )


def _lines(view: OrderView, balance: OrderBalance) -> list[Line]:
    settled: dict[UUID, int] = {line.line_id: len(line.settled) for line in balance.lines}
    return [
        Line(line.title, line.size, line.color, line.sku, line.quantity, settled[line.line_id], line.paid)
        for line in view.lines
    ]


def _payments(view: OrderView, balance: OrderBalance) -> list[PaymentLeft]:
    known = {tender.payment_id: tender for tender in balance.tenders}
    return [
        PaymentLeft(
            payment.tender,
            payment.status,
            payment.method,
            payment.amount,
            known[payment.payment_id].refunded,
            known[payment.payment_id].left,
        )
        for payment in view.payments
    ]
