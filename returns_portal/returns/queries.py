"""Loaders of returns. Each takes the actor; what is not theirs does not exist."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.ids import parse_rma
from returns_portal.orders.models import FinancialStatus
from returns_portal.questions import Question
from returns_portal.returns.rules import Line, OrderFacts, Policy, refusal


class OrderLineState(msgspec.Struct, frozen=True):
    """A line of an order with how much of it is in returns."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    shipped: int
    requested: int
    """Units in returns that are not cancelled, or more, where more of it was settled."""
    unit_paid: list[int]


class OrderState(msgspec.Struct, frozen=True):
    """An order as filing needs it."""

    id: UUID
    number: str
    email: str
    name: str
    locale: str
    currency: str
    placed_at: datetime
    delivered_at: datetime | None
    cancelled_at: datetime | None
    financial_status: str
    fulfillment_status: str
    lines: list[OrderLineState]


UNPAID: Final = frozenset({FinancialStatus.PENDING, FinancialStatus.AUTHORIZED, FinancialStatus.VOIDED})


def facts_of(order: OrderState) -> OrderFacts:
    """What the rules ask of an order."""
    return OrderFacts(order.cancelled_at, order.delivered_at, order.financial_status not in UNPAID)


_LOCK = "SELECT id FROM orders WHERE number = :number FOR UPDATE"
# More may have come, and have been settled, than was announced. Refunds stand above returns and are not imported here;
# what they have settled is only counted.
_REQUESTED = """greatest(
            (SELECT coalesce(sum(a.quantity), 0) FROM return_line a JOIN returns r ON r.id = a.return_id
             WHERE a.order_line_id = l.id AND r.status <> 'cancelled'),
            (SELECT coalesce(sum(s.quantity), 0) FROM refund_line s
             WHERE s.order_line_id = l.id AND s.voided_at IS NULL))"""
_STATE = f"""
    SELECT o.id, o.number, o.email, o.name, o.locale, o.currency, o.placed_at, o.delivered_at, o.cancelled_at,
           o.financial_status, o.fulfillment_status,
           (SELECT json_agg(json_build_object(
                'line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', l.quantity, 'shipped', l.shipped, 'unit_paid', l.unit_paid, 'requested', {_REQUESTED}
            ) ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id) AS lines
    FROM orders o WHERE o.number = :number
"""  # noqa: S608 - the interpolated text is our own


async def order_state(db: AsyncConnection, actor: Actor, number: str, *, lock: bool = False) -> OrderState:
    """An order with what can still be asked of it; with `lock` its row is held until the transaction ends.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    # Locked by a statement of its own: one that waited for the lock would see the lines' sums as they were before.
    if lock:
        await run(db, _LOCK, number=number)
    rows = await run(db, _STATE, number=number)
    if not rows or not actor.sees_order(rows[0].id):
        raise NotFoundError("There is no such order.", code="order_not_found")
    values = rows[0]._asdict()
    values["lines"] = msgspec.convert(values["lines"] or [], list[OrderLineState])
    return OrderState(**values)


# For the page of a return, which only links to the one that looks closer.
_OPEN = f"""
    SELECT o.id AS order_id, o.cancelled_at, o.delivered_at, o.financial_status, EXISTS (
        SELECT FROM order_line l WHERE l.order_id = o.id AND l.quantity > {_REQUESTED}) AS units_left
    FROM orders o WHERE o.id = :order_id
"""  # noqa: S608 - the interpolated text is our own


class Rest(msgspec.Struct, frozen=True):
    """What decides whether anything else of an order can be sent back."""

    order_id: UUID
    cancelled_at: datetime | None
    delivered_at: datetime | None
    financial_status: str
    units_left: bool


def rest_of(order_id: UUID) -> Question[Rest]:
    """What is left of an order, one row; the caller has shown that the order is the actor's."""
    return Question(_OPEN, {"order_id": order_id}, Rest)


def something_left(rest: Rest, policy: Policy) -> bool:
    """Whether units of an order can still be sent back."""
    facts = OrderFacts(rest.cancelled_at, rest.delivered_at, rest.financial_status not in UNPAID)
    unit = Line(rest.order_id, 1, 0 if rest.units_left else 1)
    return refusal(facts, unit, policy, clock.now()) is None


class ReturnLineView(msgspec.Struct, frozen=True):
    """A line of a return: what was announced, and what was counted of it so far."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    reason: str
    received: int
    condition: str | None
    """The condition of what came, the worst where units differ; None while nothing came."""
    unit_paid: list[int]


class ReturnView(msgspec.Struct, frozen=True):
    """A return as the faces show it."""

    id: UUID
    rma: str
    order_id: UUID
    order_number: str
    email: str
    name: str
    locale: str
    currency: str
    address: dict[str, str]
    status: str
    refund_to: str
    bonus_percent: int
    filed_by: str
    has_bank_account: bool
    refund_deadline: datetime
    created_at: datetime
    cancelled_at: datetime | None
    lines: list[ReturnLineView]
    label_code: str
    of_trial: bool
    """Whether its order is a trial."""
    label_status: str = ""
    """Of the first parcel's label; empty where there is none."""
    label_carrier: str = ""
    label_tracking: str = ""
    label_qr: str = ""
    """What is named or shown where the parcel is handed in, in place of a printed label."""
    first_scan_at: datetime | None = None
    brought_at: datetime | None = None
    """When the carrier brought the parcel."""
    expected_on: date | None = None
    parcels: int = 1
    """How many parcels labels were made for."""


_COUNTED = """
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
    WHERE p.return_id = r.id AND p.undone_at IS NULL AND i.order_line_id = l.id AND i.acceptance <> 'surplus'
"""
_RETURN = f"""
    SELECT r.id, r.rma, r.order_id, o.number AS order_number, o.email, o.name, o.locale, o.currency, o.address,
           r.status, r.refund_to, r.bonus_percent, r.filed_by, r.bank_account IS NOT NULL AS has_bank_account,
           r.refund_deadline, r.created_at, r.cancelled_at, o.source = 'trial' AS of_trial,
           (SELECT json_agg(json_build_object(
                'line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', coalesce(a.quantity, 0), 'reason', coalesce(a.reason, ''), 'unit_paid', l.unit_paid,
                'received', coalesce((SELECT sum(i.quantity) {_COUNTED}), 0),
                'condition', (SELECT i.condition {_COUNTED} ORDER BY array_position(
                    ARRAY['wrong_item', 'damaged', 'worn', 'resellable', 'not_shipped'], i.condition) LIMIT 1)
            ) ORDER BY l.position) FROM order_line l LEFT JOIN return_line a ON a.order_line_id = l.id
              AND a.return_id = r.id
            WHERE l.order_id = r.order_id AND (a.id IS NOT NULL OR EXISTS (SELECT 1 {_COUNTED}))) AS lines,
           b.code AS label_code, coalesce(b.status, '') AS label_status, coalesce(b.carrier, '') AS label_carrier,
           coalesce(b.tracking, '') AS label_tracking, coalesce(b.qr, '') AS label_qr, b.first_scan_at,
           b.delivered_at AS brought_at, b.expected_on,
           coalesce((SELECT max(number) FROM label WHERE return_id = r.id), 1) AS parcels
    FROM returns r JOIN orders o ON o.id = r.order_id LEFT JOIN LATERAL (
        SELECT code, status, carrier, tracking, qr, first_scan_at, delivered_at, expected_on FROM label
        WHERE return_id = r.id ORDER BY number, status <> 'voided' DESC, created_at DESC LIMIT 1) AS b ON true
"""  # noqa: S608 - the parts are our own text


_BY_RMA = f"{_RETURN} WHERE r.rma = :rma"


def _view(row: Any) -> ReturnView:  # noqa: ANN401 - a row of text SQL has no type
    values = row._asdict()
    values["lines"] = msgspec.convert(values["lines"] or [], list[ReturnLineView])
    values["label_code"] = values["label_code"] or values["rma"]
    return ReturnView(**values)


async def return_for(db: AsyncConnection, actor: Actor, rma: str) -> ReturnView:
    """One return by its number, as people and scanners write it.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    number = parse_rma(rma)
    rows = await run(db, _BY_RMA, rma=number) if number else []
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError("There is no such return.", code="return_not_found")
    return _view(rows[0])


async def returns_numbered(db: AsyncConnection, actor: Actor, rmas: Sequence[str]) -> dict[str, ReturnView]:
    """Those of many returns that there are and that the actor may see, by their numbers as `parse_rma` gives them."""
    rows = await run(db, f"{_RETURN} WHERE r.rma = ANY(:rmas)", rmas=list(rmas))
    return {row.rma: _view(row) for row in rows if actor.sees_order(row.order_id)}


async def returns_of_order(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[ReturnView]:
    """The returns of an order that the actor may see, newest first."""
    if not actor.sees_order(order_id):
        return []
    rows = await run(db, f"{_RETURN} WHERE r.order_id = :id ORDER BY r.id DESC", id=order_id)
    return [_view(row) for row in rows]


async def list_returns(
    db: AsyncConnection,
    actor: Actor,
    *,
    status: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[ReturnView]:
    """Returns newest first, after the one where the last page ended.

    Raises:
        ForbiddenError: the actor may not see all returns.
    """
    actor.require("returns:read", "support", "finance", "warehouse")
    conditions = ["true"]
    values: dict[str, object] = {"limit": limit}
    if status is not None:
        conditions.append("r.status = :status")
        values["status"] = status
    if before is not None:
        conditions.append("r.id < :before")
        values["before"] = before
    where = " AND ".join(conditions)
    rows = await run(db, f"{_RETURN} WHERE {where} ORDER BY r.id DESC LIMIT :limit", **values)
    return [_view(row) for row in rows]
