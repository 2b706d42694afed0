"""The label as a file, what a customer can do about it, and where carriers tell of parcels."""

import hashlib
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.carriers.easypost_news import SIGNATURE, signed_news
from returns_portal.carriers.gateway import ForgedNewsError
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import _, translate
from returns_portal.labels import inbox, web_carriers, web_drop_off, web_pickup, web_runs, web_staff
from returns_portal.labels.actions import again, another
from returns_portal.labels.content import Size
from returns_portal.labels.queries import carriers_pdf, label_content
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.shop.queries import current
from returns_portal.web import flash, redirect, site
from returns_portal.web.forms import Form, form
from returns_portal.web.transaction import asking

_PLAIN = "text/plain; charset=utf-8"
EASYPOST_PATH = "/webhooks/easypost"


@get("/returns/{rma:str}/label.pdf", include_in_schema=False)
async def label_pdf(
    request: Request[Any, Any, State],
    rma: FromPath[str],
    size: FromQuery[Size] = "4x6",
    parcel: FromQuery[int] = 1,
) -> Response[bytes]:
    """The label of the customer's own return (of any return for staff), for the paper at hand.

    A carrier's own label is as the carrier made it, whatever the paper.
    """
    async with asking(request) as (db, actor):
        pdf = await carriers_pdf(db, actor, rma, number=parcel)
        content = None
        if pdf is None:
            sandbox = not site(request).settings.livemode
            content = await label_content(db, actor, rma, shop=await current(db), sandbox=sandbox, number=parcel)
    if content is not None:
        labels: LabelRenderer = request.app.state.labels
        pdf = await labels.render(content, size)
    name = f"{content.code}-{size}" if content else f"{rma}-{parcel}"
    return Response(
        pdf or b"",
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            # The label names people and their addresses.
            "Cache-Control": "no-store",
        },
    )


@post("/returns/{rma:str}/labels", status_code=200, include_in_schema=False)
async def more_labels(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Redirect:
    """The label anew where it is not valid any more, or a label for one more parcel; a double click gets one."""
    if actor.kind == "staff":
        actor.require("support", "warehouse")
    sent = await form(request)
    try:
        async with db.begin_nested():
            renewed = sent.get("wanted") == "again"
            number = await again(db, actor, rma) if renewed else await _another_once(db, actor, rma, sent)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, _("Here is the label for parcel {number}.", number=number))
    return redirect(f"/returns/{rma}")


async def _another_once(db: AsyncConnection, actor: Actor, rma: str, sent: Form) -> int:
    """A label for one more parcel, unless this very form was sent before: then the parcel of back then."""

    async def work() -> tuple[int, object]:
        return 303, {"number": await another(db, actor, rma)}

    token = sent.text("token", limit=64)
    key = hashlib.sha256(f"{token}\n{rma}\nlabel".encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return int(answer["number"])  # type: ignore[index]  # the answer that `work` gave


@post(EASYPOST_PATH, status_code=200, include_in_schema=False)
async def easypost_event(request: Request[Any, Any, State], begin: NamedDependency[Begin]) -> Response[str]:
    """Take an event of EasyPost in: verified over the very bytes, stored once, acknowledged when that is committed.

    Raises:
        NotFoundError: no secret is set, so that nobody has anything to tell here.
    """
    secret = site(request).settings.easypost_webhook_secret
    if secret is None:
        raise NotFoundError("There is nothing here.")
    body = await request.body()
    try:
        news = signed_news(body, request.headers.get(SIGNATURE, ""), secret.get_secret_value())
    except ForgedNewsError:
        return Response("This was not signed by EasyPost.", status_code=400, media_type=_PLAIN)
    async with begin() as db:
        stored = await inbox.store(db, "easypost", news, body)
    return Response("Stored." if stored else "Known already.", media_type=_PLAIN)


hooks: list[Any] = [easypost_event]
routes: list[Any] = [
    label_pdf,
    more_labels,
    *web_drop_off.routes,
    *web_pickup.routes,
    *web_staff.routes,
    *web_runs.routes,
    *web_carriers.routes,
]
