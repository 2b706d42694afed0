"""Packing what is sent anew: its slip, that it has left, that it is missing. It waits beside exchanges."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.replacements import life
from returns_portal.claims.replacements.models import ReplacementStatus
from returns_portal.claims.replacements.queries import ReplacementView, replacement_for
from returns_portal.errors import ConflictError, DomainError, InvalidError
from returns_portal.exchanges.pages.slip import printed
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark, speaking
from returns_portal.returns.pages.words import sentence
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.tryon.slip import SlipContent, SlipItem
from returns_portal.web import flash, form, redirect, requires_staff, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]

TABLE: Final = "/station/exchanges"
_HERE: Final = "/station/replacements"
_MAX_TEXT: Final = 100

packers = [requires_staff("warehouse", "support")]


@get(f"{_HERE}/{{number:str}}/slip.pdf", guards=packers)
async def slip(request: AnyRequest, number: Number) -> Response[bytes]:
    """The slip that goes into the parcel."""
    async with asking(request) as (db, actor):
        found = await replacement_for(db, actor, number)
        shop = await current(db)
    if found.status is ReplacementStatus.ENDED:
        raise ConflictError(mark("This is not to be sent any more, so there is no slip for it."), code="wrong_status")
    with speaking(found.locale):
        content = slip_of(found, shop, site(request).settings)
    return await printed(request, content)


def slip_of(found: ReplacementView, shop: ShopInfo, settings: Settings) -> SlipContent:
    """What the slip says: no price, since nothing is paid, and no label, since nothing is expected back."""
    return SlipContent(
        locale=found.locale,
        number=found.number,
        url=f"{settings.public_url}/claims/{found.claim_id}",
        name=found.name,
        items=[
            SlipItem(piece.title, piece.size, piece.color, price="")
            for piece in found.pieces
            for _unit in range(piece.quantity)
        ],
        shop_name=shop.name,
        contact=f"{shop.phone} · {shop.email}",
        sandbox=not settings.livemode,
        anew=True,
    )


@post(f"{_HERE}/{{number:str}}/sent", guards=packers)
async def send(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The parcel leaves; or it must not, since the item is in a return by now."""
    sent = await form(request)
    told = {name: sent.text(name, limit=_MAX_TEXT) for name in ("carrier", "tracking")}
    try:
        # A savepoint, because the request goes on and commits: what was written before it was refused must not.
        async with db.begin_nested():
            found = await life.send(db, actor, number, **told)
    except DomainError as error:
        flash(request, sentence(error), "bad")
        return redirect(TABLE)
    if found.status is ReplacementStatus.SENT:
        flash(request, _("{number} is on its way to {name}, who is told.", number=found.number, name=found.name))
    else:
        flash(
            request,
            _("Do not send {number}: the item is in a return or paid back by now. Put it back.", number=found.number),
            "bad",
        )
    return redirect(TABLE)


@post(f"{_HERE}/{{number:str}}/missing", guards=packers)
async def missing(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """A piece that was set aside is not there, or is faulty: the customer is told, and the claim decided anew."""
    line_id = _line((await form(request)).get("line", ""))

    async def give_up(db: AsyncConnection) -> None:
        await life.call_off(db, actor, number, missing=line_id)

    done = _("{number} is not sent. The customer is told, and support decides anew.", number=number)
    return await attempt(request, db, give_up, done=done, back=TABLE)


@post(f"{_HERE}/{{number:str}}/cancellation", guards=packers)
async def call_off(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The shop decides otherwise before it is sent."""

    async def stop(db: AsyncConnection) -> None:
        await life.call_off(db, actor, number)

    done = _("{number} is not sent. The customer is told, and you can decide anew.", number=number)
    return await attempt(request, db, stop, done=done, back=TABLE)


def _line(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidError(mark("This item is not part of it."), code="unknown_line", field="line") from error


routes: list[Any] = [slip, send, missing, call_off]
