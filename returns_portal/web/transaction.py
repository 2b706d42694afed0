"""The transaction of a request, and who asks: the two things that nearly every handler is given.

The asking actor is found out inside the transaction's generator, before it yields. Litestar does not close the
generators of dependencies when another dependency fails, so nothing that can fail may stand beside this one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import UnauthorizedError
from returns_portal.i18n import mark
from returns_portal.web.forms import form_with_file
from returns_portal.web.signing import SESSION_COOKIE
from returns_portal.web.site import ACTOR, ANONYMOUS, Connection, known_actor, notes, site

API_PREFIX: Final = "/api/"
SIGN_IN: Final = "/sign-in"
ONLOOKERS: Final = "onlookers"
"""The option of a route by which it takes forms of those, too, who came by a link that only shows."""


class SignInNeededError(Exception):
    """The page is for staff, and nobody is signed in; `path` is where to go."""

    def __init__(self, path: str) -> None:
        """Keep where to go."""
        super().__init__(path)
        self.path = path


class ConfirmNeededError(Exception):
    """Who came by a link that only shows wants to change something; `fields` is what they typed, to be kept."""

    def __init__(self, path: str, fields: list[tuple[str, str]]) -> None:
        """Keep where the form was going, and what it holds."""
        super().__init__(path)
        self.path = path
        self.fields = fields


async def provide_db(request: Request[Any, Any, State]) -> AsyncIterator[AsyncConnection]:
    """One transaction for the request: committed when the handler is done, before the response starts.

    Whatever the handler raises rolls it back; a commit that fails is the request's failure. A handler that declares
    `reads=True` has no transaction, and can change nothing.

    Raises:
        UnauthorizedError: a call of the API without a valid key.
    """
    here = site(request)
    opened = here.read if request.route_handler.opt.get("reads") else here.begin
    async with opened() as db:
        if ACTOR not in request.scope:
            notes(request.scope)[ACTOR] = await _find_actor(request, db)
        if not is_api(request):
            await here.refresh_shop(db)
        if not request.route_handler.opt.get(ONLOOKERS):
            await refuse_onlookers(request)
        yield db


async def refuse_onlookers(request: Request[Any, Any, State]) -> None:
    """Let nobody change anything who came by a link that only shows an order.

    Every form is refused in this one place but those whose handlers declare `onlookers=True`: they change nothing of
    the order, or ask this themselves once they know.

    Raises:
        ConfirmNeededError: with what was typed, so that it can be sent again once they have proven who they are.
    """
    if request.method in {"GET", "HEAD"} or not known_actor(request).views_only:
        return
    # Files are not kept: they would have to lie somewhere until a stranger comes back, or does not.
    sent, _file = await form_with_file(request, "", beside="")
    raise ConfirmNeededError(request.scope["path"], [(name, value) for name in sent for value in sent.all(name)])


@asynccontextmanager
async def asking(request: Request[Any, Any, State]) -> AsyncIterator[tuple[AsyncConnection, Actor]]:
    """A transaction and who asks, for a handler whose work goes on after it: what takes long must not hold one.

    Such a handler takes neither `db` nor `actor`.

    Raises:
        UnauthorizedError: a call of the API without a valid key.
        ConfirmNeededError: see `refuse_onlookers`.
    """
    async with site(request).begin() as db:
        if ACTOR not in request.scope:
            request.scope[ACTOR] = await _find_actor(request, db)  # type: ignore[typeddict-unknown-key]  # our own
        if not request.route_handler.opt.get(ONLOOKERS):
            await refuse_onlookers(request)
        yield db, known_actor(request)


def provide_actor(request: Request[Any, Any, State], db: NamedDependency[AsyncConnection]) -> Actor:
    """Who asks; found out by the transaction, which therefore comes first."""
    del db
    return known_actor(request)


def provide_begin(request: Request[Any, Any, State]) -> Begin:
    """What opens transactions of their own: for streams, and for what must be kept although the request fails.

    A handler that takes this should not take `db` too: see `accounts.limits.hit`.
    """
    return site(request).begin


def is_api(connection: Connection) -> bool:
    """Whether a program asks, rather than a person with a browser."""
    return connection.scope["path"].startswith(API_PREFIX)


async def _find_actor(connection: Connection, db: AsyncConnection) -> Actor:
    here = site(connection)
    if is_api(connection):
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise UnauthorizedError(mark("Send an API key: `Authorization: Bearer …`."))
        return await here.key_actor(db, token.strip())
    token = connection.cookies.get(SESSION_COOKIE, "")
    return (await here.session_actor(db, token) if token else None) or ANONYMOUS


def requires_staff(*roles: str) -> Guard:
    """A guard: only signed-in staff with one of the roles come in; others are sent to sign in, and back.

    It asks the database in a transaction of its own, because guards run before the request's transaction is opened.
    """

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        if ACTOR not in connection.scope:
            async with site(connection).begin() as db:
                notes(connection.scope)[ACTOR] = await _find_actor(connection, db)
        actor = known_actor(connection)
        if actor.kind != "staff":
            raise SignInNeededError(_sign_in_and_return(connection))
        actor.require(*roles)

    return guard


def _sign_in_and_return(connection: Connection) -> str:
    """Where to sign in, with the way back; a form that was sent cannot be sent again, so its page is not told."""
    if connection.scope.get("method") != "GET":
        return SIGN_IN
    query = connection.scope["query_string"].decode("latin-1")
    back = connection.scope["path"] + (f"?{query}" if query else "")
    return f"{SIGN_IN}?next={quote(back, safe='')}"
