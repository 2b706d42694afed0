"""The dock over JSON."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.replies import answer_once
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.labels.arrivals import ArrivalPage, page_of_arrivals
from returns_portal.refunds import actions as refunds
from returns_portal.refunds.shapes import PreviewOut, preview_out
from returns_portal.shop.queries import current
from returns_portal.shop.warehouses import MAX_NAME, name_of
from returns_portal.texts import WITHOUT_NUL
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.models import Acceptance, Condition, Disposition
from returns_portal.warehouse.queries import rma_for_code
from returns_portal.warehouse.restock import open_events, take
from returns_portal.warehouse.rules import Counted
from returns_portal.web.site import site


class CountIn(msgspec.Struct, forbid_unknown_fields=True):
    """So many units of a line, found in this condition."""

    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=0, le=999)]
    condition: Literal["resellable", "worn", "damaged", "wrong_item"]


class CorrectionIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a parcel really held."""

    lines: Annotated[list[CountIn], msgspec.Meta(max_length=500)]
    note: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=1000)] = ""


class CheckInIn(msgspec.Struct, forbid_unknown_fields=True):
    """A parcel: the code on it (RMA or tracking number), which of its return's parcels it is, and what it held."""

    code: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=128)]
    lines: Annotated[list[CountIn], msgspec.Meta(max_length=500)]
    parcel: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1
    note: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=1000)] = ""
    more_to_come: bool = False
    """Whether the customer sends more parcels of this return: then nothing counts as missing yet."""
    warehouse: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=MAX_NAME)] | None = None
    """In which of the shop's warehouses it was counted; its only one need not be said."""


class RestockOut(msgspec.Struct, frozen=True):
    """Units that can be sold again, or (below zero) no longer can; `clean_restock` has to be cleaned first."""

    id: UUID
    sku: str
    ean: str
    quantity: int
    disposition: Literal["restock", "clean_restock"]
    rma: str
    at: datetime


class RestockPage(msgspec.Struct, frozen=True):
    """Changes of stock that were not confirmed, the oldest first; more wait where `more` says so."""

    events: list[RestockOut]
    more: bool


class TakenIn(msgspec.Struct, forbid_unknown_fields=True):
    """The changes that the shop system has."""

    ids: Annotated[list[UUID], msgspec.Meta(max_length=1000)]


class TakenOut(msgspec.Struct, frozen=True):
    """How many of them were not confirmed before."""

    taken: int


class CountOut(msgspec.Struct, frozen=True):
    """What was recorded: units, their condition, and whether they are accepted, waiting or surplus."""

    line_id: UUID | None
    quantity: int
    condition: Condition
    acceptance: Acceptance


class CheckInOut(msgspec.Struct, frozen=True):
    """What was received, and what it releases; until `due_at` it can be undone."""

    id: UUID
    rma: str
    parcel: int
    received: list[CountOut]
    releases: PreviewOut
    refund_ids: list[UUID]
    due_at: datetime


class UndoneOut(msgspec.Struct, frozen=True):
    """A check-in that was taken back."""

    id: UUID
    rma: str
    status: str = "undone"


def _out(released: refunds.Released) -> CheckInOut:
    return CheckInOut(
        id=released.check_in_id,
        rma=released.rma,
        parcel=released.number,
        received=[CountOut(item.line_id, item.quantity, item.condition, item.acceptance) for item in released.items],
        releases=preview_out(released.plan),
        refund_ids=released.refund_ids,
        due_at=released.due_at,
    )


def _counts(lines: list[CountIn]) -> list[Counted]:
    return [Counted(line.line_id, line.quantity, Condition(line.condition)) for line in lines]


@post("/check-ins", summary="Check a parcel in", status_code=201)
async def check_in(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[CheckInIn],
) -> Response[CheckInOut]:
    """Close a parcel with what was counted in it, and release the refund. Scope `check-ins:write`.

    A repeat answers 409 `already_checked_in` with what was counted, or, under the same `Idempotency-Key`, the same
    answer again.
    """
    actor.require("check-ins:write")

    async def work() -> tuple[int, CheckInOut]:
        rma = await rma_for_code(db, actor, data.code)
        warehouse = None if data.warehouse is None else name_of(data.warehouse)
        released = await refunds.receive(
            db,
            actor,
            site(request).settings,
            rma,
            _counts(data.lines),
            number=data.parcel,
            around=Circumstances(note=data.note, more_to_come=data.more_to_come, warehouse=warehouse),
        )
        return 201, _out(released)

    return await answer_once(request, db, actor, work)


@post("/check-ins/{check_in_id:uuid}/undo", summary="Undo a check-in", status_code=200)
async def undo(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    check_in_id: FromPath[UUID],
) -> Response[UndoneOut]:
    """Take a check-in back until its refund is due; afterwards 409 `refund_due`. Scope `check-ins:write`."""
    actor.require("check-ins:write")

    async def work() -> tuple[int, UndoneOut]:
        return 200, UndoneOut(check_in_id, await refunds.undo(db, actor, check_in_id))

    return await answer_once(request, db, actor, work)


@post("/check-ins/{check_in_id:uuid}/correction", summary="Correct a check-in", status_code=201)
async def correction(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    check_in_id: FromPath[UUID],
    data: JSONBody[CorrectionIn],
) -> Response[CheckInOut]:
    """Correct a count whose refund is already due: more is released, less becomes a case for finance."""
    actor.require("check-ins:write")

    async def work() -> tuple[int, CheckInOut]:
        corrected = await refunds.correct(
            db, actor, site(request).settings, check_in_id, _counts(data.lines), data.note
        )
        return 201, _out(corrected)

    return await answer_once(request, db, actor, work)


_MOST_EVENTS = 500
_MOST_ARRIVALS = 200
Day = Annotated[date | None, QueryParameter(name="day", description="A day of the shop's zone; by default today.")]


@get("/arrivals", summary="What is expected")
async def expected(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    day: Day = None,
    cursor: Annotated[str | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter()] = 50,
) -> ArrivalPage:
    """Parcels that are expected on a day; those of today with what is late. Scope `check-ins:write`."""
    actor.require("check-ins:write")
    if not 1 <= limit <= _MOST_ARRIVALS:
        raise InvalidError("A page has 1 to {most} items.", field="limit", most=_MOST_ARRIVALS)
    today = clock.now().astimezone(ZoneInfo((await current(db)).timezone)).date()
    return await page_of_arrivals(db, actor, day or today, cursor, limit)


@get("/restock-events", summary="Changes of stock")
async def restock_events(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]) -> RestockPage:
    """Changes of stock that no shop system has confirmed yet. Scope `restock:read`."""
    actor.require("restock:read")
    found = await open_events(db, actor, limit=_MOST_EVENTS + 1)
    events = [
        RestockOut(
            each.id,
            each.sku,
            each.ean,
            each.quantity,
            "restock" if each.disposition == Disposition.RESTOCK else "clean_restock",
            each.rma,
            each.at,
        )
        for each in found[:_MOST_EVENTS]
    ]
    return RestockPage(events, len(found) > _MOST_EVENTS)


@post("/restock-events/taken", summary="Confirm changes of stock", status_code=200)
async def restock_taken(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], data: JSONBody[TakenIn]
) -> TakenOut:
    """Say which changes the shop system has; again, nothing changes. Scope `restock:write`."""
    actor.require("restock:write")
    return TakenOut(await take(db, actor, data.ids))


routes: list[Any] = [check_in, undo, correction, expected, restock_events, restock_taken]
