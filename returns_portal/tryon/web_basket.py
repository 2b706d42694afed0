"""The basket: what somebody would like to try, what it may cost, and whether the shop sends it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, ngettext
from returns_portal.shop.queries import current
from returns_portal.tryon.pages.basket import (
    MOST,
    Entry,
    basket_cookie,
    basket_page,
    entries_of,
    known_skus,
    units,
    with_added,
    with_changed,
)
from returns_portal.tryon.queries import policy
from returns_portal.web import flash, form, formats, page, redirect, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]

BASKET = "/basket"


@get(BASKET)
async def show_basket(request: AnyRequest, db: Db, actor: NamedDependency[Actor]) -> Response[Any]:
    """What is in the basket, and what it comes to."""
    del actor  # Asked for so that the page's header knows who is there.
    formats.zone.set(site(request).shop.timezone)
    shown = await basket_page(db, entries_of(request), await policy(db), await current(db))
    return page(request, "tryon/basket.html", basket=shown)


@post(BASKET, status_code=200, onlookers=True)
async def add(request: AnyRequest, db: Db) -> Response[Any]:
    """Put one of each chosen variant into it."""
    skus = (await form(request)).all("sku")
    known = await known_skus(db, skus[:MOST])
    chosen = [sku for sku in skus if sku in known]
    if not chosen:
        flash(request, _("Choose at least one size, and it goes into the basket."), "wait")
        return redirect(BASKET)
    before = entries_of(request)
    after = with_added(before, chosen)
    added = len(after) - len(before)
    said = ngettext("{n} item is in the basket now.", "{n} items are in the basket now.", added)
    return _kept(request, after, said if added else _("This was in the basket already."))


@post("/basket/items", status_code=200)
async def change(request: AnyRequest) -> Response[Any]:
    """Change how many there are of an item, or take it out."""
    sent = await form(request)
    try:
        count = 0 if sent.get("remove") else sent.number("quantity", default=1)
    except InvalidError:
        count = 1
    after = with_changed(entries_of(request), sent.get("sku", ""), min(count, MOST))
    return _kept(request, after, _("The basket is changed.") if count else _("Taken out of the basket."))


def _kept(request: AnyRequest, entries: list[Entry], said: str) -> Redirect:
    """Back to the basket, with what the browser is to keep from now on."""
    answer = redirect(BASKET)
    cookie = basket_cookie(request, entries) if units(entries) <= MOST else None
    if cookie is None:
        flash(request, _("No more than {most} items fit into the basket. It is as it was.", most=MOST), "bad")
    else:
        flash(request, said)
        answer.set_cookie(cookie)
    return answer


routes: list[Any] = [show_basket, add, change]
