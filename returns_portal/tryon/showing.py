"""Answering with the page of a trial, from whichever of its forms."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import State
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.tryon.pages.element import element_of, element_policy
from returns_portal.tryon.pages.show import ShowPage, show_page
from returns_portal.tryon.pages.words import problem_words
from returns_portal.web import formats, page, redirect, site

AnyRequest = Request[Any, Any, State]
Errors = Mapping[str, str]

_LOOK_AGAIN: Final = 3
"""Seconds after which a page that waits for the bank looks again."""


async def read(request: AnyRequest, db: AsyncConnection, actor: Actor, number: str) -> ShowPage:
    """Put the page together, its times in the shop's zone.

    Raises:
        NotFoundError: there is no such trial, or it is not the actor's.
    """
    formats.zone.set(site(request).shop.timezone)
    return await show_page(db, actor, number)


async def answer(
    request: AnyRequest, shown: ShowPage, *, typed: Mapping[str, str] | None = None, errors: Errors | None = None
) -> Response[Any]:
    """Render it; where the customer is to give Stripe a card, with Stripe's own form, and a policy that lets it in."""
    here = site(request)
    element = None
    if not here.settings.sandbox and shown.confirm is not None:
        element = await element_of(here, shown.confirm, shown.view.number)
    found = page(
        request,
        "tryon/show.html",
        status=422 if errors else 200,
        page=shown,
        typed=dict(typed or {}),
        errors=dict(errors or {}),
        problems=problem_words(),
        typed_card=here.settings.sandbox,
        element=element,
    )
    if element is not None:
        found.headers.update(element_policy())
    elif shown.asking and not shown.decidable:
        # Never while something can be typed: looking again would take it away.
        found.headers["Refresh"] = str(_LOOK_AGAIN)
    return found


def back(number: str) -> Redirect:
    """To the page of the trial."""
    return redirect(f"/trials/{quote(number, safe='')}")
