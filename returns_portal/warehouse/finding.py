"""Finding a return (or the order of a parcel for which none was filed) without its label, and who did what last."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import email_key, order_number
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.warehouse.codes import eans

MOST: Final = 20
_FEWEST_LETTERS: Final = 3


class FoundReturn(msgspec.Struct, frozen=True):
    """A return, as far as the dock needs to tell it from others."""

    rma: str
    status: str
    order_number: str
    name: str
    created_at: datetime
    items: str


_NUMBER = "o.number IN (CAST(:words AS text), upper(CAST(:words AS text)))"
_FIND = """
    SELECT r.rma, r.status, o.number AS order_number, o.name, r.created_at,
           (SELECT coalesce(string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                ORDER BY l.position), '') FROM return_line a JOIN order_line l ON l.id = a.order_line_id
            WHERE a.return_id = r.id) AS items
    FROM returns r JOIN orders o ON o.id = r.order_id WHERE {condition} ORDER BY r.id DESC LIMIT :most
"""


async def find_returns(db: AsyncConnection, actor: Actor, words: str) -> list[FoundReturn]:
    """Returns by order number, by e-mail, or (those on their way only) by an article's EAN or the customer's name.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("warehouse", "support")
    words = words.strip()
    if "@" in words:
        return await _find(db, "o.email_key = :words", email_key(words))
    number = order_number(words)
    found = await _find(db, _NUMBER, number)
    if found or len(words) < _FEWEST_LETTERS:
        return found
    if articles := eans(words):
        return await _find(db, _HOLDS, articles)
    # Bounded by the returns on their way, which an index lists; all customers of years are not searched.
    return await _find(db, "r.status = 'filed' AND position(lower(:words) IN lower(o.name)) > 0", words)


_HOLDS = """
    r.status = 'filed' AND EXISTS (
        SELECT FROM variant v JOIN order_line l ON l.sku = v.sku JOIN return_line a ON a.order_line_id = l.id
        WHERE v.ean = ANY(:words) AND a.return_id = r.id)
"""


class FoundOrder(msgspec.Struct, frozen=True):
    """An order of which something may have come back without a return."""

    number: str
    name: str
    placed_at: datetime
    items: str


_ORDERS = """
    SELECT o.number, o.name, o.placed_at,
           (SELECT coalesce(string_agg(concat_ws(', ', l.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                ORDER BY l.position), '') FROM order_line l WHERE l.order_id = o.id) AS items
    FROM orders o WHERE {condition} ORDER BY o.placed_at DESC LIMIT :most
"""


async def find_orders(db: AsyncConnection, actor: Actor, words: str) -> list[FoundOrder]:
    """Orders by number or e-mail: the customer of a parcel may never have filed a return.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("warehouse", "support")
    words = words.strip()
    condition, value = ("o.email_key = :words", email_key(words)) if "@" in words else (_NUMBER, order_number(words))
    rows = await run(db, _ORDERS.format(condition=condition), words=value, most=MOST)
    return [FoundOrder(**row._asdict()) for row in rows]


async def _find(db: AsyncConnection, condition: str, words: str | list[str]) -> list[FoundReturn]:
    rows = await db.execute(text(_FIND.format(condition=condition)), {"words": words, "most": MOST})
    return [FoundReturn(**row._mapping) for row in rows]


class InBox(msgspec.Struct, frozen=True):
    """A return that travels in the same parcel as another; `codes` are its articles' own numbers, and EANs."""

    rma: str
    waits: bool
    items: str
    codes: list[str]


_IN_BOX: Final = """
    SELECT r.rma, r.status = 'filed' AS waits,
           coalesce(string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
               ORDER BY l.position), '') AS items,
           coalesce(array_agg(l.sku) FILTER (WHERE l.sku <> ''), '{}')
               || coalesce(array_agg(v.ean) FILTER (WHERE v.ean <> ''), '{}') AS codes
    FROM returns r LEFT JOIN return_line a ON a.return_id = r.id LEFT JOIN order_line l ON l.id = a.order_line_id
    LEFT JOIN variant v ON v.sku = l.sku AND l.sku <> ''
    WHERE r.rma = ANY(:rmas) GROUP BY r.id ORDER BY r.id
"""


async def in_same_parcel(db: AsyncConnection, actor: Actor, rmas: list[str]) -> list[InBox]:
    """The returns of these numbers, which another one's view named as being in its parcel.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", "warehouse", "support")
    return [InBox(**row._asdict()) for row in await run(db, _IN_BOX, rmas=rmas)] if rmas else []


class LastCheckIn(msgspec.Struct, frozen=True):
    """The parcel that somebody checked in last."""

    id: UUID
    rma: str
    checked_in_at: datetime


async def last_check_in(db: AsyncConnection, actor: Actor, since: datetime) -> LastCheckIn | None:
    """What the actor checked in last since a moment, if it was not undone.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("warehouse", "support")
    rows = await run(db, _LAST, since=since, me=actor.label)
    return LastCheckIn(*rows[0]) if rows else None


# Every opening of a parcel asks this: the one row is found by the index, before its return is looked up.
_LAST: Final = """
    WITH mine AS MATERIALIZED (
        SELECT id, return_id, checked_in_at FROM parcel
        WHERE checked_in_by = :me AND undone_at IS NULL AND coalesce(counted_at, checked_in_at) >= :since
        ORDER BY coalesce(counted_at, checked_in_at) DESC LIMIT 1)
    SELECT p.id, r.rma, p.checked_in_at FROM mine p JOIN returns r ON r.id = p.return_id
"""
