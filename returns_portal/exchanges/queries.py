"""Loaders of exchanges. Each takes the actor; what is not theirs does not exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.exchanges.models import (
    LIVE,
    OPEN_CHARGES,
    ChargeKind,
    ChargeStatus,
    EndReason,
    ExchangeStatus,
    Outcome,
)
from returns_portal.i18n import mark
from returns_portal.ids import parse_exchange_number
from returns_portal.returns.whose import ADDRESS, EMAIL, LOCALE, NAME, WITH_GIFT


class ChargeView(msgspec.Struct, frozen=True):
    """A try to pay a difference, or to have a price held."""

    id: UUID
    kind: ChargeKind
    status: ChargeStatus
    currency: str
    amount: int
    to_capture: int
    capture_before: datetime | None
    unattended: bool
    customer: str | None
    payment_method: str | None
    reference: str | None
    failure: str
    attempts: int
    submitted_at: datetime | None


class ExchangeView(msgspec.Struct, frozen=True):
    """An exchange with all that its pages, e-mails and rules need; amounts in minor units of `currency`."""

    id: UUID
    number: str
    order_id: UUID
    order_number: str
    email: str
    name: str
    locale: str
    address: dict[str, str]
    return_id: UUID
    gift_id: UUID | None
    """Set where the receiver of a gift exchanges it: it is theirs, and sent to them."""
    rma: str
    order_line_id: UUID
    from_title: str
    from_size: str
    from_color: str
    variant_id: UUID
    sku: str
    title: str
    size: str
    color: str
    status: ExchangeStatus
    currency: str
    value: int
    price: int
    list_price: int
    to_pay: int
    tax_rate: int
    reserved_until: datetime
    at_once: bool
    days: int | None
    return_by: datetime | None
    reminded_at: datetime | None
    outcome: Outcome | None
    due: int
    covered_at: datetime | None
    arrived_at: datetime | None
    unit: int | None
    moved: int
    moved_tax: int
    payment_id: UUID | None
    paid_at: datetime | None
    sent_at: datetime | None
    carrier: str
    tracking: str
    replacement_line_id: UUID | None
    end_reason: EndReason | None
    ended_at: datetime | None
    owed: int
    owed_tax: int
    created_at: datetime
    charge: ChargeView | None
    """The last try of the customer's, or with their card."""
    hold: ChargeView | None
    """What a bank holds for it, or what is being taken of that."""

    @property
    def told_number(self) -> str:
        """The order's number for whoever the exchange is for: empty for the receiver of a gift."""
        return "" if self.gift_id else self.order_number

    @property
    def is_lent(self) -> bool:
        """Whether it was sent before the goods are back, and how that comes out is open."""
        return self.at_once and self.status is ExchangeStatus.SENT and self.outcome is None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be sent, or to be paid for by goods."""
        return self.status in LIVE or self.is_lent

    @property
    def awaits_goods(self) -> bool:
        """Whether goods that are still to come are to pay for it."""
        return self.is_open and self.arrived_at is None

    @property
    def back(self) -> int:
        """What goes back of the unit, because the replacement costs less."""
        return max(0, self.value - self.price)


_COLUMNS: Final = ", ".join(
    name
    for name in ExchangeView.__struct_fields__
    if name not in {"order_number", "email", "name", "locale", "address", "gift_id", "rma", "charge", "hold"}
    and name not in {"from_title", "from_size", "from_color"}
)
_CHARGE: Final = f"""
    (SELECT json_build_object({", ".join(f"'{name}', c.{name}" for name in ChargeView.__struct_fields__)})
     FROM exchange_charge c WHERE c.exchange_id = e.id {{}} ORDER BY c.created_at DESC, c.id DESC LIMIT 1)
"""  # noqa: S608 - names of our own columns
_HOLD: Final = _CHARGE.format("AND c.status IN ('held', 'capturing')")
_VIEW: Final = f"""
    SELECT {", ".join(f"e.{name}" for name in _COLUMNS.split(", "))}, o.number AS order_number,
           {EMAIL} AS email, {NAME} AS name, {LOCALE} AS locale, {ADDRESS} AS address, r.gift_id, r.rma,
           l.title AS from_title, l.size AS from_size, l.color AS from_color,
           {_CHARGE.format("")} AS charge, {_HOLD} AS hold
    FROM exchange e JOIN orders o ON o.id = e.order_id JOIN returns r ON r.id = e.return_id {WITH_GIFT}
    JOIN order_line l ON l.id = e.order_line_id
"""  # noqa: S608 - names of our own columns
_LOCK: Final = "SELECT o.id FROM orders o JOIN exchange e ON e.order_id = o.id WHERE e.{} = :key FOR UPDATE OF o"
_LOCK_BY_NUMBER: Final = _LOCK.format("number")
_LOCK_BY_ID: Final = _LOCK.format("id")


async def exchange_for(db: AsyncConnection, actor: Actor, number: str, *, lock: bool = False) -> ExchangeView:
    """An exchange by its number, as people give it; with `lock` its order is held until the transaction ends.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
    """
    known = parse_exchange_number(number) or ""
    # Locked by a statement of its own: one that waited for the lock would see what was there before.
    if lock:
        await run(db, _LOCK_BY_NUMBER, key=known)
    rows = await run(db, f"{_VIEW} WHERE e.number = :number", number=known)
    if not rows or not actor.sees_return(rows[0].order_id, rows[0].gift_id):
        raise NotFoundError(mark("There is no such exchange."), code="exchange_not_found")
    return _view(rows[0])


async def exchange_by_id(db: AsyncConnection, exchange_id: UUID, *, lock: bool = False) -> ExchangeView | None:
    """An exchange, for jobs."""
    if lock:
        await run(db, _LOCK_BY_ID, key=exchange_id)
    rows = await run(db, f"{_VIEW} WHERE e.id = :id", id=exchange_id)
    return _view(rows[0]) if rows else None


async def exchanges_of_return(db: AsyncConnection, actor: Actor, return_id: UUID) -> list[ExchangeView]:
    """The exchanges of a return that the actor may see, the oldest first."""
    rows = await run(db, f"{_VIEW} WHERE e.return_id = :id ORDER BY e.id", id=return_id)
    return [_view(row) for row in rows if actor.sees_return(row.order_id, row.gift_id)]


_LISTED: Final = f"""{_VIEW} WHERE (CAST(:statuses AS text[]) IS NULL OR e.status = ANY(CAST(:statuses AS text[])))
    AND (CAST(:before AS uuid) IS NULL OR e.id < :before) ORDER BY e.id DESC LIMIT :limit"""
_TO_SEND: Final = f"""{_VIEW} WHERE e.status = 'to_send'
    ORDER BY coalesce(e.arrived_at, e.changed_at), e.id LIMIT 500"""
_LENT: Final = f"""{_VIEW} WHERE e.at_once AND e.status = 'sent' AND e.covered_at IS NULL
    ORDER BY e.return_by, e.id LIMIT 500"""


async def list_exchanges(
    db: AsyncConnection,
    actor: Actor,
    *,
    statuses: Sequence[ExchangeStatus] | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[ExchangeView]:
    """Exchanges, the newest first, after the one where the last page ended. For staff and keys."""
    actor.require("exchanges:read", "support", "finance", "warehouse")
    wanted = [status.value for status in statuses] if statuses is not None else None
    return [_view(row) for row in await run(db, _LISTED, statuses=wanted, before=before, limit=limit)]


async def to_send(db: AsyncConnection, actor: Actor) -> list[ExchangeView]:
    """What waits to be packed and sent, the longest waiting first. For the warehouse and support."""
    actor.require("exchanges:read", "warehouse", "support")
    return [_view(row) for row in await run(db, _TO_SEND)]


async def lent(db: AsyncConnection, actor: Actor) -> list[ExchangeView]:
    """What was sent before the goods are back and is not paid for, the soonest due first."""
    actor.require("exchanges:read", "support", "finance", "warehouse")
    return [_view(row) for row in await run(db, _LENT)]


_ONE_CHARGE: Final = f"""
    SELECT {", ".join(ChargeView.__struct_fields__)} FROM exchange_charge WHERE id = :id
"""  # noqa: S608 - names of our own columns


async def open_charge(db: AsyncConnection, charge_id: UUID) -> tuple[ExchangeView, ChargeView] | None:
    """A payment or a hold that has not come to its end, behind its order's lock; for jobs."""
    rows = await run(db, "SELECT exchange_id FROM exchange_charge WHERE id = :id", id=charge_id)
    exchange = await exchange_by_id(db, rows[0].exchange_id, lock=True) if rows else None
    if exchange is None:
        return None
    [row] = await run(db, _ONE_CHARGE, id=charge_id)
    found = msgspec.convert(row._asdict(), ChargeView)
    return (exchange, found) if found.status in OPEN_CHARGES else None


def _view(row: object) -> ExchangeView:
    return msgspec.convert(row._asdict(), ExchangeView)  # type: ignore[attr-defined]  # a row is a named tuple
