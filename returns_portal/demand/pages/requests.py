"""The list of what people look for, as support reads it: what is open first, the longest waiting before the others."""

from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.demand.listing import SHOWS, Show, Which, list_requests
from returns_portal.demand.pages.months import months_of
from returns_portal.demand.pages.staff import QUEUE, row_of, support
from returns_portal.demand.pages.words import for_templates
from returns_portal.i18n import mark, translate
from returns_portal.shop.queries import current
from returns_portal.web import page, page_after

AnyRequest = Request[Any, Any, State]
PAGE: Final = 50
_SHOWN: Final[dict[Show, str]] = {
    "open": mark("open"),
    "answered": mark("answered"),
    "waiting": mark("who wait to be told"),
    "returned": mark("who came back"),
    "all": mark("all"),
}
_NARROWING: Final = ("product", "what", "size", "color", "currency")


@get(QUEUE, guards=support)
async def queue(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """What is open, the longest waiting first; or what a number of the report counts."""
    asked = request.query_params
    shown: Show = next((name for name in SHOWS if name == asked.get("show", "")), "open")
    narrowed = {name: asked[name] for name in (*_NARROWING, "from", "to") if name in asked}
    months = months_of(request, (await current(db)).timezone) if {"from", "to"} & set(asked) else None
    which = Which(
        show=shown,
        **{name: asked.get(name) for name in _NARROWING},
        start=months.start if months else None,
        end=months.end if months else None,
    )
    found = await list_requests(db, actor, which, after=page_after(request), limit=PAGE + 1)
    after = str(found[PAGE - 1].id) if found[PAGE:] else ""
    here = {"show": shown, **narrowed}
    return page(
        request,
        "demand/requests.html",
        rows=[row_of(each) for each in found[:PAGE]],
        shows=[(name, translate(text)) for name, text in _SHOWN.items()],
        shown=shown,
        narrowed=narrowed,
        narrowing=", ".join(text for text in narrowed.values() if text),
        next_href=f"{QUEUE}?{urlencode(here | {'after': after})}" if after else "",
        first_href=f"{QUEUE}?{urlencode(here)}" if "after" in asked else "",
        **for_templates(),
    )


routes: list[Any] = [queue]
