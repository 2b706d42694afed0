"""What is put into a parcel beside what was ordered: two buttons at the packing table, and the card to print."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.loyalty import packing
from returns_portal.loyalty.card import card_content
from returns_portal.loyalty.card_renderer import render
from returns_portal.web import requires_staff
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

_BASE: Final = "/station/surprises/{surprise_id:uuid}"
_TABLE: Final = "/station/packing"
packers = [requires_staff("warehouse", "support")]


@post(f"{_BASE}/in", guards=packers)
async def put_in(request: AnyRequest, db: Db, actor: By, surprise_id: FromPath[UUID]) -> Redirect:
    """It is in the parcel."""
    done = _("Noted: it is in the parcel.")
    return await attempt(request, db, packing.put_in, actor, surprise_id, done=done, back=_TABLE)


@post(f"{_BASE}/out", guards=packers)
async def leave_out(request: AnyRequest, db: Db, actor: By, surprise_id: FromPath[UUID]) -> Redirect:
    """Not this time."""
    done = _("Noted: not this time.")
    return await attempt(request, db, packing.leave_out, actor, surprise_id, done=done, back=_TABLE)


@get(f"{_BASE}/card.pdf", guards=packers)
async def card(request: AnyRequest, surprise_id: FromPath[UUID]) -> Response[bytes]:
    """The card that goes into the parcel."""
    async with asking(request) as (db, actor):
        content = await card_content(db, actor, surprise_id)
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await documents.pool.run(render, content),
        media_type="application/pdf",
        # It names people.
        headers={"Content-Disposition": 'inline; filename="card.pdf"', "Cache-Control": "no-store"},
    )


routes: list[Any] = [put_in, leave_out, card]
