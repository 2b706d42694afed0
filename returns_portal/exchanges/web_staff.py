"""The pages of exchanges for the warehouse, support and finance: what is to be sent, and all that there were."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.replacements.queries import to_send as anew_to_send
from returns_portal.errors import ConflictError
from returns_portal.exchanges import ending, sending
from returns_portal.exchanges.models import EndReason, ExchangeStatus
from returns_portal.exchanges.pages.slip import printed, slip_of
from returns_portal.exchanges.pages.words import card_word, status_word
from returns_portal.exchanges.queries import exchange_for, lent, list_exchanges, to_send
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark, speaking
from returns_portal.ids import parse_exchange_number, parse_replacement_number
from returns_portal.loyalty.packing import proposals
from returns_portal.shop.queries import current
from returns_portal.web import flash, form, formats, page, redirect, requires_staff, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]

TABLE: Final = "/station/exchanges"
LIST: Final = "/staff/exchanges"
_MAX_TEXT: Final = 100
_PAGE: Final = 50

packers = [requires_staff("warehouse", "support")]
readers = [requires_staff("warehouse", "support", "finance")]


@get(TABLE, guards=packers)
async def table(request: AnyRequest, db: Db, actor: By, code: FromQuery[str] = "") -> Response[Any]:
    """What is to be packed and sent, the longest waiting first; one alone where its slip was scanned.

    What is sent anew comes before what is sent in exchange: its customer has waited for it since they ordered.
    """
    formats.zone.set(site(request).shop.timezone)
    found, anew = await to_send(db, actor), await anew_to_send(db, actor)
    if code:
        number = parse_exchange_number(code[:_MAX_TEXT]) or parse_replacement_number(code[:_MAX_TEXT])
        found = [each for each in found if each.number == number]
        anew = [each for each in anew if each.number == number]
        if not found and not anew:
            flash(request, _("There is nothing to send for {code}: look at the list.", code=code[:_MAX_TEXT]), "bad")
            return redirect(TABLE)
    return page(
        request,
        "exchanges/to_send.html",
        todo=found,
        anew=anew,
        one=bool(code),
        surprises=await proposals(db, actor),
        here=str(request.url.path),
    )


@get(f"{TABLE}/{{number:str}}/slip.pdf", guards=packers)
async def slip(request: AnyRequest, number: Number) -> Response[bytes]:
    """The slip that goes into the parcel."""
    async with asking(request) as (db, actor):
        exchange = await exchange_for(db, actor, number)
        shop = await current(db)
    if exchange.status not in {ExchangeStatus.TO_SEND, ExchangeStatus.SENT}:
        raise ConflictError(mark("This exchange is not to be sent, so there is no slip for it."), code="wrong_status")
    with speaking(exchange.locale):
        content = slip_of(exchange, shop, site(request).settings)
    return await printed(request, content)


@post(f"{TABLE}/{{number:str}}/sent", guards=packers)
async def send(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The parcel leaves."""
    sent = await form(request)
    carrier, tracking = sent.text("carrier", limit=_MAX_TEXT), sent.text("tracking", limit=_MAX_TEXT)
    exchange = await exchange_for(db, actor, number)
    leave = partial(sending.send, carrier=carrier, tracking=tracking)
    done = _("{number} is on its way to {name}, who is told.", number=exchange.number, name=exchange.name)
    return await attempt(request, db, leave, actor, exchange.number, done=done, back=TABLE)


@post(f"{TABLE}/{{number:str}}/missing", guards=packers)
async def missing(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The piece that was set aside is not there, or is faulty: the customer is told, and gets the money."""
    give_up = partial(ending.call_off, reason=EndReason.SOLD_OUT)
    done = _("{number} has ended. The customer is told, and the money goes back.", number=number)
    return await attempt(request, db, give_up, actor, number, done=done, back=TABLE)


@get(LIST, guards=readers)
async def all_exchanges(
    request: AnyRequest, db: Db, actor: By, status: FromQuery[str] = "", after: FromQuery[UUID | None] = None
) -> Response[Any]:
    """All of them, the newest first, with what each cost or brought back."""
    formats.zone.set(site(request).shop.timezone)
    chosen = ExchangeStatus(status) if status in list(ExchangeStatus) else None
    wanted = [chosen] if chosen else None
    found = await list_exchanges(db, actor, statuses=wanted, before=after, limit=_PAGE + 1)
    return page(
        request,
        "exchanges/staff_list.html",
        lent=[(each, card_word(each)) for each in await lent(db, actor)] if after is None and chosen is None else [],
        exchanges=[(each, status_word(each.status)) for each in found[:_PAGE]],
        after=found[_PAGE - 1].id if len(found) > _PAGE else "",
        paged=after is not None,
        chosen=chosen or "",
        statuses=[(each.value, status_word(each).text) for each in ExchangeStatus],
    )


routes: list[Any] = [table, slip, send, missing, all_exchanges]
