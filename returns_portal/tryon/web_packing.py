"""The packing table: what to pack, the slip with the label, and what has left."""

from functools import partial
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.exchanges.pages.slip import printed
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.loyalty.packing import proposals
from returns_portal.shop.queries import current
from returns_portal.tryon import shipping
from returns_portal.tryon.picking import number_of, picks
from returns_portal.tryon.queries import trial_for
from returns_portal.tryon.slip import slip_content
from returns_portal.web import flash, form, formats, page, redirect, requires_staff, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]

TABLE: Final = "/station/packing"
_MAX_TEXT: Final = 100

packers = [requires_staff("warehouse", "support")]


@get(TABLE, guards=packers)
async def packing_page(request: AnyRequest, db: Db, actor: By, code: FromQuery[str] = "") -> Response[Any]:
    """What waits to be packed and to be sent, the oldest first; one parcel alone where its code was scanned."""
    formats.zone.set(site(request).shop.timezone)
    number = await number_of(db, code[:_MAX_TEXT]) if code else None
    found = await picks(db, actor, number=number) if number or not code else []
    if code and not found:
        flash(request, _("There is nothing to pack for {code}: look at the list.", code=code[:_MAX_TEXT]), "bad")
        return redirect(TABLE)
    return page(
        request,
        "tryon/packing.html",
        todo=[pick for pick in found if not (pick.packed or pick.sent)],
        left=[pick for pick in found if pick.sent],
        packed=[pick for pick in found if pick.packed],
        one=number is not None,
        surprises=await proposals(db, actor),
        here=f"{TABLE}?code={number}" if number else TABLE,
    )


@get(f"{TABLE}/{{number:str}}/slip.pdf", guards=packers)
async def slip(request: AnyRequest, number: Number) -> Response[bytes]:
    """The slip that goes into the parcel, with the label for what goes back."""
    async with asking(request) as (db, actor):
        content = await slip_content(db, actor, number, shop=await current(db), settings=site(request).settings)
    return await printed(request, content)


@post(f"{TABLE}/{{number:str}}/packed", guards=packers)
async def pack(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The parcel is packed; the next scan is the carrier's label on it."""
    done = _("{number} is packed. Scan the carrier's label, and it is sent.", number=number)
    return await attempt(request, db, shipping.pack, actor, number, done=done, back=f"{TABLE}?code={number}")


@post(f"{TABLE}/{{number:str}}/shipped", guards=packers)
async def ship(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The parcel leaves."""
    sent = await form(request)
    carrier, tracking = sent.text("carrier", limit=_MAX_TEXT), sent.text("tracking", limit=_MAX_TEXT)
    trial = await trial_for(db, actor, number)
    leave = partial(shipping.ship, carrier=carrier, tracking=tracking)
    done = _("{number} is on its way to {name}, who is told.", number=trial.number, name=trial.name)
    back = f"{TABLE}?code={trial.number}" if sent.get("more") else TABLE
    return await attempt(request, db, leave, actor, trial.number, done=done, back=back)


routes: list[Any] = [packing_page, slip, pack, ship]
