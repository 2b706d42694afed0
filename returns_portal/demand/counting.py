"""What was asked for and was not there, where people were sent, and who came back: counted, with the rows behind it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.demand.listing import GROUP

MOST: Final = 50_000
"""Rows of one file."""


class AskedFor(msgspec.Struct, frozen=True):
    """How often one thing was asked for; a thing that is no product of ours has no handle, and goes by its words."""

    handle: str
    what: str
    size: str
    color: str
    asked: int
    open: int
    waiting: int
    came_back: int


class SentTo(msgspec.Struct, frozen=True):
    """How often another shop was named, and how often people went there."""

    shop: str
    named: int
    """In answer to somebody who asked, on a page or by a person."""
    followed: int
    """Of those, by how many."""
    from_product: int
    """How often people went there from a product's page, without asking."""


class Bought(msgspec.Struct, frozen=True):
    """A product of an order whose customer had asked for it so often."""

    order_number: str
    placed_at: datetime
    handle: str
    requests: int
    worth: int
    """What it cost in that order, in minor units, tax in it, before anything was sent back."""
    currency: str


class CameBack(msgspec.Struct, frozen=True):
    """What those ordered of it who had asked for it, in one currency."""

    currency: str
    requests: int
    orders: int
    worth: int
    """In minor units, tax in it, before anything was sent back."""


class Named(msgspec.Struct, frozen=True):
    """One time that another shop was named."""

    id: UUID
    shop: str
    what: str
    size: str
    color: str
    price: int
    currency: str
    shown: str
    shown_at: datetime
    followed_at: datetime | None
    request_id: UUID | None


_ASKED: Final = f"""
    SELECT coalesce(p.handle, '') AS handle, coalesce(p.title, {GROUP}) AS what, r.size, r.color, count(*) AS asked,
           count(*) FILTER (WHERE r.state = 'open') AS open, count(*) FILTER (WHERE r.wish = 'waiting') AS waiting,
           count(r.came_back_order_id) AS came_back
    FROM product_request r LEFT JOIN product p ON p.id = r.product_id
    WHERE r.asked_at >= :start AND r.asked_at < :end
    GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, 2, 3, 4 LIMIT :limit
"""  # noqa: S608 - the interpolated text is our own
_SENT: Final = """
    SELECT e.shop, count(f.request_id) AS named,
           count(f.followed_at) FILTER (WHERE f.request_id IS NOT NULL) AS followed,
           count(*) FILTER (WHERE f.request_id IS NULL) AS from_product
    FROM referral f JOIN elsewhere e ON e.id = f.elsewhere_id WHERE f.shown_at >= :start AND f.shown_at < :end
    GROUP BY e.shop ORDER BY count(*) DESC, e.shop LIMIT :limit
"""
# Who asked twice for one thing has bought it once.
_BOUGHT: Final = """
    SELECT o.number AS order_number, o.placed_at, p.handle, b.requests,
           CAST((SELECT coalesce(sum(unit), 0) FROM order_line l JOIN variant v ON v.sku = l.sku,
               unnest(l.unit_paid) AS unit WHERE l.order_id = o.id AND v.product_id = b.product_id) AS bigint) AS worth,
           o.currency
    FROM (
        SELECT r.came_back_order_id AS order_id, r.product_id, count(*) AS requests FROM product_request r
        WHERE r.asked_at >= :start AND r.asked_at < :end AND r.came_back_order_id IS NOT NULL GROUP BY 1, 2
    ) AS b JOIN orders o ON o.id = b.order_id JOIN product p ON p.id = b.product_id
    ORDER BY o.placed_at, o.number, p.handle LIMIT :limit
"""
_NAMED: Final = """
    SELECT f.id, e.shop, coalesce(r.what, p.title, '') AS what, e.size, e.color, e.price, e.currency, f.shown,
           f.shown_at, f.followed_at, f.request_id
    FROM referral f JOIN elsewhere e ON e.id = f.elsewhere_id LEFT JOIN product p ON p.id = e.product_id
    LEFT JOIN product_request r ON r.id = f.request_id
    WHERE f.shown_at >= :start AND f.shown_at < :end AND (CAST(:shop AS text) = '' OR e.shop = :shop)
    AND CASE CAST(:show AS text) WHEN 'named' THEN f.request_id IS NOT NULL
        WHEN 'followed' THEN f.request_id IS NOT NULL AND f.followed_at IS NOT NULL
        WHEN 'product' THEN f.request_id IS NULL ELSE true END
    ORDER BY f.id DESC LIMIT :limit
"""


def _as(kind: Any, rows: Sequence[Any]) -> Any:  # noqa: ANN401 - a list of the records that are asked for
    return [kind(*row) for row in rows]


async def asked_for(
    db: AsyncConnection, actor: Actor, start: datetime, end: datetime, *, limit: int = MOST
) -> list[AskedFor]:
    """What was asked for between two moments, the most often first.

    Raises:
        ForbiddenError: the actor answers no requests.
    """
    actor.require("support")
    found: list[AskedFor] = _as(AskedFor, await run(db, _ASKED, start=start, end=end, limit=limit))
    return found


async def sent_to(db: AsyncConnection, actor: Actor, start: datetime, end: datetime) -> list[SentTo]:
    """Where people were sent between two moments.

    Raises:
        ForbiddenError: the actor answers no requests.
    """
    actor.require("support")
    found: list[SentTo] = _as(SentTo, await run(db, _SENT, start=start, end=end, limit=MOST))
    return found


async def came_back(db: AsyncConnection, actor: Actor, start: datetime, end: datetime) -> list[CameBack]:
    """What those ordered afterwards who had asked for it between two moments, by currency.

    Raises:
        ForbiddenError: the actor answers no requests.
    """
    actor.require("support")
    bought = sorted(await bought_between(db, actor, start, end), key=lambda each: each.currency)
    return [
        CameBack(
            currency,
            sum(each.requests for each in of_it),
            len({each.order_number for each in of_it}),
            sum(each.worth for each in of_it),
        )
        for currency, group in groupby(bought, key=lambda each: each.currency)
        for of_it in [list(group)]
    ]


async def bought_between(db: AsyncConnection, actor: Actor, start: datetime, end: datetime) -> list[Bought]:
    """Each thing that somebody had asked for between two moments, and ordered afterwards.

    Raises:
        ForbiddenError: the actor answers no requests.
    """
    actor.require("support")
    found: list[Bought] = _as(Bought, await run(db, _BOUGHT, start=start, end=end, limit=MOST))
    return found


async def named_between(
    db: AsyncConnection,
    actor: Actor,
    start: datetime,
    end: datetime,
    *,
    shop: str = "",
    show: str = "",
    limit: int = MOST,
) -> list[Named]:
    """Each time that another shop was named, the newest first; of one shop, and of one kind, where that is asked for.

    Raises:
        ForbiddenError: the actor answers no requests.
    """
    actor.require("support")
    rows = await run(db, _NAMED, start=start, end=end, shop=shop, show=show, limit=limit)
    found: list[Named] = _as(Named, rows)
    return found
