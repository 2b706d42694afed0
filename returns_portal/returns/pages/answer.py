"""The page of a return as an answer: to somebody who asks for it, and to a form on it that cannot be taken."""

import secrets
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.returns.door import speak_local
from returns_portal.returns.pages.show import show_page
from returns_portal.returns.pages.wishes import Errors
from returns_portal.web import Form, page


async def show_answer(
    request: Request[Any, Any, State],
    db: AsyncConnection,
    actor: Actor,
    rma: str,
    *,
    typed: Form | None = None,
    errors: Errors | None = None,
) -> Response[Any]:
    """The page; with what was typed, and what was wrong with it."""
    speak_local(request)
    return page(
        request,
        "returns/show.html",
        status=422 if errors else 200,
        page=await show_page(db, actor, rma),
        token=secrets.token_urlsafe(16),
        typed=typed or {},
        errors=errors or {},
    )
