"""The pages of those who look for what is not in stock: saying so, what is known of it, and ending it."""

import hashlib
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.arrivals import access_key
from returns_portal.accounts.idempotency import once
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import email_key
from returns_portal.actor import Actor
from returns_portal.catalog.queries import ProductView, product_for
from returns_portal.demand import asking
from returns_portal.demand.asking import Asked, InStockError
from returns_portal.demand.links import request_of, request_path
from returns_portal.demand.models import Source
from returns_portal.demand.pages.missing import form_facts
from returns_portal.demand.places import places_for
from returns_portal.demand.queries import named_to, own_request
from returns_portal.demand.rules import MAX_WHAT, MAX_WORDS
from returns_portal.demand.words import named, wanted
from returns_portal.errors import InvalidError, NotFoundError, TooManyError
from returns_portal.i18n import _, mark, translate
from returns_portal.web import Form, client_network, flash, form, page, redirect, site
from returns_portal.web.transaction import asking as transaction_of

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

FORM: Final = "/wanted"
_TOKEN: Final = 64
"""Characters of what tells a form from another."""
_NOINDEX: Final = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


@get(FORM)
async def new_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What somebody looks for: of a product of ours, or anything. Other shops that have it stand above the form."""
    asked = request.query_params
    known = {name: asked.get(name, "") for name in ("product", "size", "color", "from", "what")}
    return await _form(request, db, actor, Form({name: [text] for name, text in known.items() if text}), {})


async def _form(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: Form, errors: Errors, status: int = 200
) -> Response[Any]:
    product = await _product(db, actor, typed.get("product", ""))
    places = await places_for(db, product.id, typed.get("size", ""), typed.get("color", "")) if product else []
    return page(
        request,
        "demand/new.html",
        status=status,
        product=product,
        places=named(site(request).settings, places),
        typed=typed,
        errors=errors,
        longest=MAX_WORDS,
        longest_what=MAX_WHAT,
        **form_facts(typed.get("token", "")),
    )


async def _product(db: AsyncConnection, actor: Actor, handle: str) -> ProductView | None:
    """The product that somebody came from; whoever came from nowhere names it in words."""
    try:
        return await product_for(db, actor, handle) if handle else None
    except NotFoundError:
        return None


@post(FORM, status_code=200, onlookers=True)
async def ask_page(request: AnyRequest) -> Response[Any]:
    """Keep it, and show what is known of it; what is in stock after all is shown instead."""
    here, sent = site(request), await form(request)
    try:
        await hit(here.begin, *_limits(request, sent.get("email", "")))
        async with transaction_of(request) as (db, actor):
            request_id = await _ask_once(request, db, actor, sent)
    except InStockError as there:
        flash(request, translate(there.sentence, **there.values))
        query = {name: text for name, text in (("color", there.color), ("size", there.size)) if text}
        return redirect(f"/shop/{there.handle}{'?' + urlencode(query) if query else ''}")
    except (InvalidError, TooManyError) as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        async with transaction_of(request) as (db, actor):
            return await _form(request, db, actor, sent, errors, error.status)
    return redirect(request_path(here.settings, request_id))


def _limits(request: AnyRequest, email: str) -> tuple[Limit, ...]:
    """Each request with an address writes an e-mail there, and anybody can type anybody's."""
    key = access_key(site(request))
    limits = [
        Limit(bucket(key, "wanted:client", client_network(request.scope)), times=20, seconds=3600),
        Limit(bucket(key, "wanted:all"), times=1000, seconds=3600),
    ]
    if email:
        limits.append(Limit(bucket(key, "wanted:email", email_key(email)), times=5, seconds=3600))
    return tuple(limits)


async def _ask_once(request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form) -> UUID:
    """Keep it, unless this very form was sent before: then it is the one of back then. Its id."""
    product = await _product(db, actor, sent.get("product", ""))
    asked = Asked(
        source=Source.EXCHANGE if sent.get("from", "") == "exchange" else Source.PRODUCT,
        locale=i18n.current(),
        product=product.handle if product else "",
        what=sent.get("what", ""),
        size=sent.get("size", ""),
        color=sent.get("color", ""),
        words=sent.get("words", ""),
        email=sent.get("email", ""),
        consent=form_facts()["consent"],
    )

    async def work() -> tuple[int, object]:
        return 303, {"id": str(await asking.ask(db, actor, site(request).settings, asked))}

    return await _kept_once(db, actor, sent, asked, work)


async def _kept_once(db: AsyncConnection, actor: Actor, sent: Form, asked: Asked, work: Any) -> UUID:  # noqa: ANN401 - a call
    """The id that `work` gives, or gave when this very form was sent before."""
    token = sent.text("token", limit=_TOKEN)
    key = hashlib.sha256(f"wanted\n{token}\n{asked}".encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return UUID(answer["id"])  # type: ignore[index]  # the answer that `work` gave


@get("/wanted/thanks/{token:str}")
async def thanks(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """What is known of what somebody asked for: other shops at once, and whether they will hear of it."""
    del actor  # Asked for so that the page's header knows who is there.
    found = request_of(site(request).settings, token)
    if found is None:
        flash(request, _("This page is not there any more. What you asked for is kept."), "wait")
        return redirect(FORM)
    asked, shown = await own_request(db, found), await named_to(db, found)
    answer = page(
        request,
        "demand/thanks.html",
        asked=asked,
        topic=wanted(asked.what, asked.size, asked.color),
        places=named(site(request).settings, [place for _id, place in shown], [referral for referral, _at in shown]),
    )
    answer.headers.update(_NOINDEX)
    return answer


@get("/wanted/end/{token:str}")
async def end_page(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Ask once. It changes nothing: programs that look for harm follow every link."""
    del actor
    asked = await own_request(db, _ending(request, token))
    answer = page(
        request,
        "demand/end.html",
        topic=wanted(asked.what, asked.size, asked.color),
        ended=not asked.email,
        token=token,
    )
    answer.headers.update(_NOINDEX)
    return answer


@post("/wanted/end/{token:str}", status_code=200, onlookers=True)
async def end(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Write no more about it."""
    await asking.end(db, actor, _ending(request, token))
    flash(request, _("It is ended, and we have deleted your address here. We write no more about it."))
    return redirect(f"/wanted/end/{token}")


def _ending(request: AnyRequest, token: str) -> UUID:
    found = request_of(site(request).settings, token, ends=True)
    if found is None:
        raise NotFoundError(mark("This link is not one of ours. Perhaps a part of it is missing."))
    return found


routes: list[Any] = [new_page, ask_page, thanks, end_page, end]
