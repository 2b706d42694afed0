"""The customer's page of points, the codes by which they are spent, and the statement as a file."""

import hashlib
import secrets
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, translate
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.points.codes import make_code, open_codes, take_back
from returns_portal.points.paper import own_paper
from returns_portal.points.renderer import render
from returns_portal.points.sheets import sheets
from returns_portal.points.statement import own_statement
from returns_portal.points.words import change
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, site
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
    """What the customer has, what expires when, every movement, and the codes by which points are spent."""
    if not actor.has_purse:
        return _to_the_door(request)
    return await _points(request, db, actor, before=before)


async def _points(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    *,
    before: UUID | None = None,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    found = await own_statement(db, actor, before=before)
    return page(
        request,
        "points/show.html",
        status=422 if errors else 200,
        balances=sheets(found.balances, (await current(db)).timezone),
        movements=found.movements,
        before=str(found.before) if found.before else "",
        paged=before is not None,
        words=WORDS,
        codes=await open_codes(db, actor),
        spendable=[balance for balance in found.balances if balance.points > 0],
        token=secrets.token_urlsafe(16),
        typed=typed or {},
        errors=errors or {},
    )


@post("/points/codes", status_code=200)
async def new_code(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Set points aside under a code; a double click makes one."""
    if not actor.has_purse:
        return _to_the_door(request)
    sent = await form(request)
    try:
        async with db.begin_nested():
            code = await _code_once(db, actor, sent)
    except (ConflictError, InvalidError) as error:
        said = translate(error.sentence, **error.values)
        return await _points(request, db, actor, typed=sent, errors={"amount": said})
    flash(request, _("Your code is {code}. Type it at our checkout.", code=code))
    return redirect("/points")


async def _code_once(db: AsyncConnection, actor: Actor, sent: Form) -> str:
    """A code, unless this very form was sent before: then the code of back then."""
    currency, amount = sent.text("currency", limit=3), sent.number("amount")

    async def work() -> tuple[int, object]:
        return 303, {"code": await make_code(db, actor, currency, amount)}

    token = sent.text("token", limit=64)
    key = hashlib.sha256(f"{token}\n{currency}\n{amount}\ncode".encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return str(answer["code"])  # type: ignore[index]  # the answer that `work` gave


@post("/points/codes/{redemption_id:uuid}/return", status_code=200)
async def return_code(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    redemption_id: FromPath[UUID],
) -> Response[Any]:
    """Take the points of a code back; again, that changes nothing."""
    if not actor.has_purse:
        return _to_the_door(request)
    try:
        async with db.begin_nested():
            await take_back(db, actor, redemption_id)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, _("The code does not count any more, and its points are yours to spend again."))
    return redirect("/points")


@get("/points/statement.pdf")
async def statement_pdf(request: AnyRequest) -> Response[Any]:
    """The statement on paper."""
    async with asking(request) as (db, actor):
        if not actor.has_purse:
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


routes: list[Any] = [points_page, new_code, return_code, statement_pdf]
