"""What the ways of coming in share: the code that a browser was asked for, and the session that it had before."""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import Cookie, State
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts import actions
from returns_portal.accounts.rules import CODE_LASTS
from returns_portal.web import Site, site
from returns_portal.web.signing import CSRF_COOKIE, SESSION_COOKIE, cookie, derive, seal, unseal

AnyRequest = Request[Any, Any, State]

ACCESS_COOKIE: Final = "__Host-access"
"""Carries the challenge, and where to go on, to the form that asks for the code, sealed; neither e-mail nor number is
in it."""
CODE_MINUTES: Final = int(CODE_LASTS.total_seconds() // 60)


def access_key(here: Site) -> bytes:
    """What codes, and limits on asking for them, are keyed with."""
    return derive(here.secret, "access")


def asking_cookie(here: Site, challenge: bytes, target: str) -> Cookie:
    """What the browser brings along with the code."""
    return cookie(ACCESS_COOKIE, seal(access_key(here), [challenge, target], lasting=CODE_LASTS), lasting=CODE_LASTS)


def asked_for(request: AnyRequest) -> tuple[bytes, str] | None:
    """The challenge that was set, and where to go on; None where nobody asked, or too long ago."""
    match unseal(access_key(site(request)), request.cookies.get(ACCESS_COOKIE, "")):
        case [bytes(challenge), str(target)]:
            return challenge, target
    return None


async def leave_session(request: AnyRequest, db: AsyncConnection) -> None:
    """End whatever session the browser had: a new one never continues an old one."""
    if token := request.cookies.get(SESSION_COOKIE):
        await actions.end_session(db, token)


def browser_of(request: AnyRequest) -> str:
    """What only this browser sends along: its token against foreign forms, without which no form of it is taken."""
    return request.cookies.get(CSRF_COOKIE, "")
