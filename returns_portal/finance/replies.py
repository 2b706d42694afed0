"""Answering a form that does one thing: done or not, the person reads it on the page that they came from."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.errors import DomainError
from returns_portal.i18n import translate
from returns_portal.web import flash, form, local_path, redirect


async def attempt(
    request: Request[Any, Any, State],
    db: AsyncConnection,
    action: Callable[..., Awaitable[object]],
    *arguments: object,
    done: str,
    back: str,
) -> Redirect:
    """Do it, and go back (to the form's own `back`, if it names one); what was refused has changed nothing."""
    target = local_path((await form(request)).get("back", ""), otherwise=back)
    try:
        # A savepoint, because the request goes on and commits: what the action wrote before it was refused must not.
        async with db.begin_nested():
            await action(db, *arguments)
    except DomainError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, done)
    return redirect(target)
