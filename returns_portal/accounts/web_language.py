"""Choosing a language, on any page."""

from datetime import timedelta
from typing import Any, Final

from litestar import Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.languages import choose_language
from returns_portal.actor import Actor
from returns_portal.web import form, local_path, redirect
from returns_portal.web.language import LANGUAGE_COOKIE
from returns_portal.web.signing import cookie

_LASTS: Final = timedelta(days=365)
_MAX_PATH: Final = 2000


@post("/language", status_code=303, onlookers=True)
async def choose(
    request: Request[Any, Any, State], db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Redirect:
    """Speak another language from here on, in e-mails about the order as well; an unknown one changes nothing."""
    sent = await form(request)
    answer = redirect(local_path(sent.text("back", limit=_MAX_PATH), otherwise="/"))
    chosen = sent.text("language", limit=20)
    if chosen in i18n.available():
        await choose_language(db, actor, chosen)
        answer.set_cookie(cookie(LANGUAGE_COOKIE, chosen, lasting=_LASTS))
    return answer


routes: list[Any] = [choose]
