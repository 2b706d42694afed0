"""Loaders of calls. Each takes the actor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.confirming.models import CallState, Outcome, Reason
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark

Shown = Literal["now", "later", "over"]
SHOWN: Final[tuple[Shown, ...]] = get_args(Shown)


class TryView(msgspec.Struct, frozen=True):
    """One try to call."""

    outcome: Outcome
    note: str
    staff_id: UUID | None
    name: str
    """Who called; empty where the order itself made the call needless."""
    at: datetime


class CallView(msgspec.Struct, frozen=True):
    """A call with what whoever calls has to know. `value` is in minor units of `currency`."""

    id: UUID
    order_id: UUID
    order_number: str
    name: str
    email: str
    phone: str
    locale: str
    address: dict[str, str]
    currency: str
    value: int
    placed_at: datetime
    items: list[str]
    """Each as `2 × title, size, colour`."""
    reasons: list[Reason]
    state: CallState
    outcome: Outcome | None
    taken_by: UUID | None
    taken_name: str
    taken_at: datetime | None
    again_at: datetime | None
    created_at: datetime
    changed_at: datetime
    tries: list[TryView]


VALUE: Final = "coalesce((SELECT t.max_charge FROM trial t WHERE t.order_id = o.id), o.total)"
"""What an order `o` is worth, in minor units: a trial, the most that it can cost."""
_VIEW: Final = f"""
    SELECT c.id, c.order_id, o.number AS order_number, o.name, o.email, o.phone, o.locale, o.address, o.currency,
           {VALUE} AS value, o.placed_at, c.reasons, c.state, c.outcome, c.taken_by,
           coalesce(split_part(s.name, ' ', 1), '') AS taken_name, c.taken_at, c.again_at, c.created_at, c.changed_at,
           (SELECT coalesce(json_agg(concat(l.quantity, ' × ', concat_ws(', ', l.title, nullif(l.size, ''),
                nullif(l.color, ''))) ORDER BY l.position), '[]') FROM order_line l WHERE l.order_id = o.id) AS items,
           (SELECT coalesce(json_agg(json_build_object('outcome', y.outcome, 'note', y.note, 'staff_id', y.staff_id,
                'name', coalesce(split_part(w.name, ' ', 1), ''), 'at', y.at) ORDER BY y.id), '[]')
            FROM order_call_try y LEFT JOIN staff w ON w.id = y.staff_id WHERE y.call_id = c.id) AS tries
    FROM order_call c JOIN orders o ON o.id = c.order_id LEFT JOIN staff s ON s.id = c.taken_by
"""  # noqa: S608 - the interpolated text is our own


def _views(rows: Sequence[Any]) -> list[CallView]:
    return [msgspec.convert(row._asdict(), CallView) for row in rows]


async def call_for(db: AsyncConnection, actor: Actor, call_id: UUID) -> CallView:
    """One call.

    Raises:
        ForbiddenError: the actor calls nobody.
        NotFoundError: there is none of this id.
    """
    actor.require("support")
    rows = await run(db, f"{_VIEW} WHERE c.id = :id", id=call_id)
    if not rows:
        raise NotFoundError(mark("There is no such call."), code="call_not_found")
    return _views(rows)[0]


async def call_of_order(db: AsyncConnection, actor: Actor, number: str) -> CallView:
    """The call about an order, for programs.

    Raises:
        ForbiddenError: the actor reads no orders.
        NotFoundError: there is no such order, or it needs no call.
    """
    actor.require("orders:read")
    rows = await run(db, f"{_VIEW} WHERE o.number = :number", number=number)
    if not rows:
        raise NotFoundError(mark("There is no call about an order of this number."), code="call_not_found")
    return _views(rows)[0]


_LISTS: Final[dict[Shown, tuple[str, str]]] = {
    "now": ("c.state = 'waiting' AND (c.again_at IS NULL OR c.again_at <= :now) AND c.id > :after", "c.id"),
    "later": ("c.state = 'waiting' AND c.again_at > :now AND c.id > :after", "c.id"),
    "over": ("c.state = 'over' AND c.id < :after", "c.id DESC"),
}
_FIRST: Final = {"now": UUID(int=0), "later": UUID(int=0), "over": UUID(int=2**128 - 1)}


async def list_calls(
    db: AsyncConnection, actor: Actor, shown: Shown, *, after: UUID | None, limit: int
) -> list[CallView]:
    """Calls for the staff: those to make now or later, the oldest order first; those that are over, the newest first.

    Raises:
        ForbiddenError: the actor calls nobody.
    """
    actor.require("support")
    which, order = _LISTS[shown]
    values: dict[str, Any] = {"after": after or _FIRST[shown], "limit": limit}
    if shown != "over":
        values["now"] = clock.now()
    return _views(await run(db, f"{_VIEW} WHERE {which} ORDER BY {order} LIMIT :limit", **values))


async def calls_for_program(
    db: AsyncConnection, actor: Actor, *, waiting: bool | None, before: UUID | None, limit: int
) -> list[CallView]:
    """Calls, the newest first.

    Raises:
        ForbiddenError: the actor reads no orders.
    """
    actor.require("orders:read")
    query = f"{_VIEW} WHERE c.id < :before AND c.state = ANY(:states) ORDER BY c.id DESC LIMIT :limit"
    states = [one.value for one in CallState if waiting is None or (one is CallState.WAITING) is waiting]
    return _views(await run(db, query, before=before or _FIRST["over"], states=states, limit=limit))


_COUNT: Final = """
    SELECT count(*) AS count FROM order_call WHERE state = 'waiting' AND (again_at IS NULL OR again_at <= :now)
"""


async def waiting_now(db: AsyncConnection) -> int:
    """How many customers are to be called now."""
    [row] = await run(db, _COUNT, now=clock.now())
    count: int = row.count
    return count
