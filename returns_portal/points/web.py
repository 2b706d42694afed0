"""The customer's page of points, and the statement as a file."""

from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.points.paper import own_paper
from returns_portal.points.renderer import render
from returns_portal.points.sheets import sheets
from returns_portal.points.statement import own_statement
from returns_portal.points.words import change
from returns_portal.shop.queries import current
from returns_portal.web import flash, page, redirect, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]

WORDS: Final = SimpleNamespace(change=change)
"""What templates call, as `words.change(points)`."""


@get("/points")
async def points_page(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    before: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """What the customer has, what expires when, and every movement."""
    if actor.order_id is None or not actor.knows_inbox:
        return _to_the_door(request)
    found = await own_statement(db, actor, before=before)
    return page(
        request,
        "points/show.html",
        balances=sheets(found.balances, (await current(db)).timezone),
        movements=found.movements,
        before=str(found.before) if found.before else "",
        paged=before is not None,
        words=WORDS,
    )


@get("/points/statement.pdf")
async def statement_pdf(request: AnyRequest) -> Response[Any]:
    """The statement on paper."""
    async with asking(request) as (db, actor):
        if actor.order_id is None or not actor.knows_inbox:
            return _to_the_door(request)
        sandbox = not site(request).settings.livemode
        content = await own_paper(db, actor, await current(db), sandbox=sandbox)
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await documents.pool.run(render, content),
        media_type="application/pdf",
        headers={"Content-Disposition": 'inline; filename="points.pdf"', "Cache-Control": "no-store"},
    )


def _to_the_door(request: AnyRequest) -> Response[Any]:
    flash(request, _("Please tell us first which order is yours."), "wait")
    return redirect("/")


routes: list[Any] = [points_page, statement_pdf]
