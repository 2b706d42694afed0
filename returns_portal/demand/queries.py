"""Loaders of requests. The staff sees all; whoever made one sees it by the link that was made for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.demand.models import Source, State, Wish
from returns_portal.demand.places import PlaceView
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark


class RequestView(msgspec.Struct, frozen=True):
    """What somebody asked for, as the faces show it."""

    id: UUID
    product_id: UUID | None
    handle: str
    """Empty where it is no product of ours."""
    what: str
    size: str
    color: str
    words: str
    email: str
    locale: str
    source: Source
    question_id: UUID | None
    question_number: str
    asked_at: datetime
    state: State
    answered_at: datetime | None
    answerer: str
    answer: str
    wish: Wish
    told_at: datetime | None
    order_number: str
    """Of the order with which they came back; empty where they did not."""


VIEW: Final = """
    SELECT r.id, r.product_id, coalesce(p.handle, '') AS handle, r.what, r.size, r.color, r.words, r.email, r.locale,
           r.source, r.question_id, coalesce(q.number, '') AS question_number, r.asked_at, r.state, r.answered_at,
           coalesce(s.name, '') AS answerer, r.answer, r.wish, r.told_at, coalesce(o.number, '') AS order_number
    FROM product_request r LEFT JOIN product p ON p.id = r.product_id LEFT JOIN question q ON q.id = r.question_id
    LEFT JOIN staff s ON s.id = r.answered_by LEFT JOIN orders o ON o.id = r.came_back_order_id
"""
_BY_ID: Final = f"{VIEW} WHERE r.id = :id"
_OF_QUESTION: Final = f"{VIEW} WHERE r.question_id = :id ORDER BY r.id"


def as_views(rows: Sequence[Any]) -> list[RequestView]:
    """The records of rows of the view."""
    return [msgspec.convert(row._asdict(), RequestView) for row in rows]


def no_request() -> NotFoundError:
    """What is said of a request that is not there, or not for the actor."""
    return NotFoundError(mark("There is no such request."), code="request_not_found")


async def request_for(db: AsyncConnection, actor: Actor, request_id: UUID, *, lock: bool = False) -> RequestView:
    """One request, for the staff; with `lock` nobody else answers it until the transaction ends.

    Raises:
        NotFoundError: there is none, or the actor answers none.
    """
    if not actor.has("support"):
        raise no_request()
    if lock:
        await run(db, "SELECT id FROM product_request WHERE id = :id FOR UPDATE", id=request_id)
    return await own_request(db, request_id)


async def own_request(db: AsyncConnection, request_id: UUID) -> RequestView:
    """One request for whoever made it: the caller has shown that they have its link.

    Raises:
        NotFoundError: there is none.
    """
    rows = await run(db, _BY_ID, id=request_id)
    if not rows:
        raise no_request()
    return as_views(rows)[0]


async def requests_of_question(db: AsyncConnection, actor: Actor, question_id: UUID) -> list[RequestView]:
    """What was asked for in a thread, for the staff, who has been shown the thread.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    return as_views(await run(db, _OF_QUESTION, id=question_id))


_NAMED: Final = """
    SELECT f.id AS referral_id, e.id, e.product_id, coalesce(p.handle, '') AS handle,
           coalesce(p.title, '') AS title, e.size, e.color, e.shop, e.url, e.price, e.currency, e.seen_on
    FROM referral f JOIN elsewhere e ON e.id = f.elsewhere_id LEFT JOIN product p ON p.id = e.product_id
    WHERE f.request_id = :id AND e.removed_at IS NULL AND NOT EXISTS (
        SELECT FROM referral b WHERE b.request_id = f.request_id AND b.elsewhere_id = f.elsewhere_id AND b.id < f.id)
    ORDER BY f.id
"""


async def named_to(db: AsyncConnection, request_id: UUID) -> list[tuple[UUID, PlaceView]]:
    """The other shops that were named in answer to a request and are listed still, each once, with its referral."""
    return [(row[0], PlaceView(*row[1:])) for row in await run(db, _NAMED, id=request_id)]
