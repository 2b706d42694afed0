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
from returns_portal.orders.models import FinancialStatus, FulfillmentStatus
from returns_portal.orders.units import (
    CLAIMED,
    GIVEN,
    GIVEN_AWAY,
    OF_GIFT,
    REDUCED,
    REQUESTED,
    REQUESTED_BESIDES,
    worth_of,
)
from returns_portal.questions import Question
from returns_portal.returns.rules import Line, OrderFacts, Policy, refusal
from returns_portal.returns.whose import ADDRESS, EMAIL, LABELLED, LOCALE, NAME, WITH_GIFT


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
    """Units in returns that are not cancelled, or more, where more of it was settled; and those of `claimed`."""
    unit_paid: list[int]
    claimed: int = 0
    """Units that do not come back: paid for after a claim, or said to be missing."""
    given: int = 0
    """Units that the receiver of a gift sends back."""
    of_gift: UUID | None = None
    """The gift whose receiver was sent it in exchange: to whoever gave that, there is no such line."""
    given_away: list[tuple[int, int]] | None = None
    """What of which unit pays for what the receiver of a gift got in exchange."""
    reduced: int = 0
    """By how much the price of its units was reduced after a claim."""

    @property
    def worth(self) -> list[int]:
        """What each unit is still worth to whoever sends it back."""
        return worth_of(self.unit_paid, self.reduced)

    @property
    def as_bought(self) -> "OrderLineState":
        """The line as whoever bought it knows it, who learns nothing of what a gift was exchanged for."""
        paid = list(self.unit_paid)
        for unit, moved in self.given_away or ():
            paid[unit] += moved
        return msgspec.structs.replace(self, unit_paid=paid)


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
    country: str
    """Where it was sent, as ISO 3166 code; empty where that is not known."""
    lines: list[OrderLineState]


class Rest(msgspec.Struct, frozen=True):
    """What decides whether anything else of an order can be sent back."""

    order_id: UUID
    placed_at: datetime
    cancelled_at: datetime | None
    delivered_at: datetime | None
    financial_status: str
    fulfillment_status: str
    country: str
    units_left: bool
    others: bool = False
    """Whether the same person has other orders."""


UNPAID: Final = frozenset({FinancialStatus.PENDING, FinancialStatus.AUTHORIZED, FinancialStatus.VOIDED})


def line_of(line: OrderLineState) -> Line:
    """What the rules ask of a line."""
    return Line(line.line_id, line.quantity, line.requested, line.claimed, line.given)


def facts_of(order: OrderState | Rest) -> OrderFacts:
    """What the rules ask of an order."""
    return OrderFacts(
        order.cancelled_at,
        order.delivered_at,
        order.financial_status not in UNPAID,
        order.country,
        order.fulfillment_status == FulfillmentStatus.PARTIAL,
    )


_LOCK = "SELECT id FROM orders WHERE number = :number FOR UPDATE"
_STATE = f"""
    SELECT o.id, o.number, o.email, o.name, o.locale, o.currency, o.placed_at, o.delivered_at, o.cancelled_at,
           o.financial_status, o.fulfillment_status, coalesce(o.address ->> 'country', '') AS country,
           (SELECT json_agg(json_build_object(
                'line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', l.quantity, 'shipped', l.shipped, 'unit_paid', l.unit_paid, 'reduced', {REDUCED},
                'requested', {REQUESTED_BESIDES}, 'claimed', {CLAIMED}, 'given', {GIVEN},
                'of_gift', {OF_GIFT}, 'given_away', {GIVEN_AWAY}
            ) ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id) AS lines
    FROM orders o WHERE o.number = :number
"""  # noqa: S608 - the interpolated text is our own


async def order_state(
    db: AsyncConnection, actor: Actor, number: str, *, lock: bool = False, besides: UUID | None = None
) -> OrderState:
    """An order with what can still be asked of it; with `lock` its row is held until the transaction ends.

    With `besides` it is as if this return had announced nothing of it. Customers, and programs of the shop, are told
    nothing of what the receiver of a gift got in exchange.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    # Locked by a statement of its own: one that waited for the lock would see the lines' sums as they were before.
    if lock:
        await run(db, _LOCK, number=number)
    rows = await run(db, _STATE, number=number, besides=besides)
    if not rows or not actor.sees_order(rows[0].id):
        raise NotFoundError("There is no such order.", code="order_not_found")
    values = rows[0]._asdict()
    lines = msgspec.convert(values["lines"] or [], list[OrderLineState])
    if actor.kind in {"customer", "api"}:
        lines = [line.as_bought for line in lines if line.of_gift is None]
    return OrderState(**values | {"lines": lines})


# For the page of a return, which only links to the one that looks closer.
_OPEN = f"""
    SELECT o.id AS order_id, o.placed_at, o.cancelled_at, o.delivered_at, o.financial_status, o.fulfillment_status,
        coalesce(o.address ->> 'country', '') AS country, EXISTS (
        SELECT FROM order_line l
        WHERE l.order_id = o.id AND {OF_GIFT} IS NULL AND l.quantity > {REQUESTED}) AS units_left,
        o.email_key <> '' AND EXISTS (
            SELECT FROM orders s WHERE s.email_key = o.email_key AND s.id <> o.id) AS others
    FROM orders o WHERE o.id = :order_id
"""  # noqa: S608 - the interpolated text is our own


def rest_of(order_id: UUID) -> Question[Rest]:
    """What is left of an order, one row; the caller has shown that the order is the actor's."""
    return Question(_OPEN, {"order_id": order_id}, Rest)


def something_left(rest: Rest, policy: Policy) -> bool:
    """Whether units of an order can still be sent back."""
    facts = facts_of(rest)
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
    faulty: bool = False
    """Whether the customer says that it is faulty, damaged or not what was ordered."""


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
    postage: str
    postage_fee: int
    policy_version: int
    proof_carrier: str
    proof_tracking: str
    proof_at: datetime | None
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
    exchanged: bool = False
    """Whether anything of it is, or was, to be exchanged."""
    first_scan_at: datetime | None = None
    brought_at: datetime | None = None
    """When the carrier brought the parcel."""
    expected_on: date | None = None
    gift_id: UUID | None = None
    """Set where the receiver of a gift sends it back."""
    of_claim: bool = False
    """Whether it was filed for something that was claimed not to be as it should."""
    parcels: int = 1
    """How many parcels labels were made for."""
    in_parcel_of: str = ""
    """The number of the return that leads, where it travels in the parcel of another; the label is that one's."""
    fellows: list[str] = []
    """The numbers of the other returns in the same parcel, the leading one first."""

    @property
    def faulty(self) -> frozenset[UUID]:
        """The lines that the customer says are faulty, damaged or not what was ordered."""
        return frozenset(line.line_id for line in self.lines if line.faulty)


_COUNTED = """
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
    WHERE p.return_id = r.id AND p.undone_at IS NULL AND i.order_line_id = l.id AND i.acceptance <> 'surplus'
"""
_RETURN = f"""
    SELECT r.id, r.rma, r.order_id, r.gift_id, o.number AS order_number, {EMAIL} AS email, {NAME} AS name,
           {LOCALE} AS locale, o.currency, {ADDRESS} AS address, r.status, r.refund_to, r.bonus_percent, r.postage,
           r.postage_fee, r.policy_version, coalesce(lead.proof_carrier, r.proof_carrier) AS proof_carrier,
           coalesce(lead.proof_tracking, r.proof_tracking) AS proof_tracking,
           coalesce(lead.proof_at, r.proof_at) AS proof_at, r.filed_by,
           coalesce(lead.rma, '') AS in_parcel_of,
           ARRAY(SELECT f.rma FROM returns f WHERE (f.id = r.travels_with OR f.travels_with = {LABELLED})
                AND f.id <> r.id AND f.status <> 'cancelled'
                ORDER BY f.travels_with IS NOT NULL, f.id) AS fellows,
           r.bank_account IS NOT NULL AS has_bank_account, r.refund_deadline,
           r.created_at, r.cancelled_at, o.source = 'trial' AS of_trial,
           EXISTS (SELECT FROM item_claim WHERE return_id = r.id) AS of_claim,
           EXISTS (SELECT FROM exchange WHERE return_id = r.id) AS exchanged,
           (SELECT json_agg(json_build_object(
                'line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', coalesce(a.quantity, 0), 'reason', coalesce(a.reason, ''), 'unit_paid', l.unit_paid,
                'faulty', coalesce(a.faulty, false),
                'received', coalesce((SELECT sum(i.quantity) {_COUNTED}), 0),
                'condition', (SELECT i.condition {_COUNTED} ORDER BY array_position(
                    ARRAY['wrong_item', 'damaged', 'worn', 'resellable', 'kept', 'not_shipped'], i.condition) LIMIT 1)
            ) ORDER BY l.position) FROM order_line l LEFT JOIN return_line a ON a.order_line_id = l.id
              AND a.return_id = r.id
            WHERE l.order_id = r.order_id AND (a.id IS NOT NULL OR EXISTS (SELECT 1 {_COUNTED}))) AS lines,
           b.code AS label_code, coalesce(b.status, '') AS label_status, coalesce(b.carrier, '') AS label_carrier,
           coalesce(b.tracking, '') AS label_tracking, coalesce(b.qr, '') AS label_qr, b.first_scan_at,
           b.delivered_at AS brought_at, b.expected_on,
           coalesce((SELECT max(number) FROM label WHERE return_id = {LABELLED}), 1) AS parcels
    FROM returns r JOIN orders o ON o.id = r.order_id {WITH_GIFT} LEFT JOIN returns lead ON lead.id = r.travels_with
    LEFT JOIN LATERAL (
        SELECT code, status, carrier, tracking, qr, first_scan_at, delivered_at, expected_on FROM label
        WHERE return_id = {LABELLED} ORDER BY number, status <> 'voided' DESC, created_at DESC LIMIT 1) AS b ON true
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
    if not rows or not actor.sees_return(rows[0].order_id, rows[0].gift_id):
        raise NotFoundError("There is no such return.", code="return_not_found")
    return _view(rows[0])


async def returns_numbered(db: AsyncConnection, actor: Actor, rmas: Sequence[str]) -> dict[str, ReturnView]:
    """Those of many returns that there are and that the actor may see, by their numbers as `parse_rma` gives them."""
    rows = await run(db, f"{_RETURN} WHERE r.rma = ANY(:rmas)", rmas=list(rmas))
    return {row.rma: _view(row) for row in rows if actor.sees_return(row.order_id, row.gift_id)}


async def returns_of_order(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[ReturnView]:
    """The returns of an order that the actor may see, newest first."""
    if not actor.sees_order(order_id):
        return []
    rows = await run(db, f"{_RETURN} WHERE r.order_id = :id ORDER BY r.id DESC", id=order_id)
    return [_view(row) for row in rows if actor.sees_return(row.order_id, row.gift_id)]


async def returns_of_gift(db: AsyncConnection, actor: Actor) -> list[ReturnView]:
    """What the receiver of a gift, who is the actor, has sent back of it, newest first."""
    if actor.gift_id is None:
        return []
    rows = await run(db, f"{_RETURN} WHERE r.gift_id = :id ORDER BY r.id DESC", id=actor.gift_id)
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
