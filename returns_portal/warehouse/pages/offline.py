"""Working without the network: the worker that keeps the station's page, and where queued parcels land."""

import hashlib
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, mark
from returns_portal.refunds import actions as refunds
from returns_portal.returns.queries import ReturnView
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.found import keep
from returns_portal.warehouse.landing import CALLER, Queued, counted_at, counts_of, fingerprint, kept_items
from returns_portal.warehouse.pages import station as pages
from returns_portal.warehouse.pages.where import counted_in
from returns_portal.warehouse.queries import lines_to_scan
from returns_portal.web import Form, form, requires_staff, site

AnyRequest = Request[Any, Any, State]

workers = [requires_staff("warehouse", "support")]
_MAX_ENTRY: Final = 1_000_000
_WORKER: Final = "station-worker.js"
# Its scope is the station's page and what lies below: without this it would be the latter alone.
_WORKER_HEADERS: Final = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/station"}


class Landed(msgspec.Struct, frozen=True):
    """What became of a queued parcel: checked in under a return's number, or kept without a name."""

    outcome: Literal["checked_in", "kept"]
    id: str
    rma: str
    words: str


@get("/station/worker.js", sync_to_thread=False)
def worker(request: AnyRequest) -> Response[bytes]:
    """The service worker, which must lie where it works; everybody may read it, as any other script."""
    found = site(request).assets.find(_WORKER)
    return Response(found.content, media_type=found.media_type, headers=_WORKER_HEADERS)


@post("/station/offline", guards=workers, status_code=200)
async def land(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Take a parcel in that was counted without the network."""
    sent = await form(request)
    try:
        queued = msgspec.json.decode(sent.text("entry", limit=_MAX_ENTRY), type=Queued)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InvalidError(mark("This is no parcel that a station has queued."), field="entry") from error
    if not queued.items and not queued.empty:
        raise InvalidError(mark("Nothing is counted yet. If the parcel is empty, say so."), code="nothing_counted")

    async def work() -> tuple[int, object]:
        warehouse = await counted_in(request, db, sent)
        around = Circumstances(note=queued.note, came_at=counted_at(sent.get("queued", "")), warehouse=warehouse)
        return 200, await _land(request, db, actor, queued, around)

    _status, answer, _repeated = await once(db, CALLER, f"queued:{queued.id}", fingerprint(queued), work)
    return Response(answer)


async def _land(
    request: AnyRequest, db: AsyncConnection, actor: Actor, queued: Queued, around: Circumstances
) -> Landed:
    view = await pages.find(db, actor, (queued.code, queued.typed))
    if view is None:
        return await _kept(
            db, actor, queued, around.came_at, "", _("Nobody knows this code: it is kept as a parcel without a name.")
        )
    try:
        async with db.begin_nested():
            checked = await _check_in(request, db, actor, view, queued, around)
    except ConflictError:
        words = _(
            "A parcel of this return was counted already. What you counted is kept beside it, without a name: if it was"
            " another parcel, name it as this return’s; if it was the same, compare the two."
        )
        return await _kept(db, actor, queued, around.came_at, view.rma, words)
    return Landed("checked_in", str(checked), view.rma, _("Checked in."))


async def _check_in(
    request: AnyRequest, db: AsyncConnection, actor: Actor, view: ReturnView, queued: Queued, around: Circumstances
) -> UUID:
    counts = counts_of(queued.items, await lines_to_scan(db, view.order_id))
    released = await refunds.receive(db, actor, site(request).settings, view.rma, counts, around=around)
    return released.check_in_id


async def _kept(
    db: AsyncConnection, actor: Actor, queued: Queued, came_at: datetime | None, rma: str, words: str
) -> Landed:
    found_id = await keep(
        db,
        actor,
        shelf=_("at the station"),
        description=" · ".join(part for part in (_("Counted without the network"), rma, queued.note) if part),
        codes=[queued.code, *(item.code for item in queued.items)],
        counts=kept_items(queued.items),
        came_at=came_at,
    )
    return Landed("kept", str(found_id), rma, words)


async def note_queued(db: AsyncConnection, actor: Actor, return_id: UUID, sent: Form) -> None:
    """Keep what a station counted and sent later, where somebody else had counted the parcel meanwhile.

    It is kept once, however often it is sent: the token of the count is the key.
    """
    if not sent.get("queued"):
        return
    counted = {name: value for name, value in sent.items() if name.startswith("count-") and value not in {"", "0"}}
    key = hashlib.sha256(sent.text("token", limit=64).encode()).hexdigest()

    async def work() -> tuple[int, object]:
        await history.record(db, actor, ("return", return_id, "counted_twice", {"counts": counted}))
        return 200, {}

    await once(db, CALLER, f"twice:{key}", b"", work)


routes: list[Any] = [worker, land]
