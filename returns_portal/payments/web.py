"""Where the gateway delivers its events. No person and no browser comes here: the signature alone lets in."""

from typing import Any

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency

from returns_portal.db import Begin
from returns_portal.errors import NotFoundError
from returns_portal.payments import inbox
from returns_portal.payments.gateway import ForgedError
from returns_portal.payments.inbox_endpoint import PATH, signing_secret
from returns_portal.payments.models import FoundBy
from returns_portal.payments.stripe import signed_news
from returns_portal.vault import Vault
from returns_portal.web import site

_PLAIN = "text/plain; charset=utf-8"


@post(PATH, status_code=200, include_in_schema=False)
async def stripe_event(request: Request[Any, Any, State], begin: NamedDependency[Begin]) -> Response[str]:
    """Take an event in: verified over the very bytes, stored once, and acknowledged only when that is committed.

    Raises:
        NotFoundError: no endpoint was set up, so that nobody has anything to tell here.
    """
    here = site(request)
    body = await request.body()
    async with begin() as db:
        secret = await signing_secret(db, here.settings, Vault(here.secret.decode()))
        if secret is None:
            raise NotFoundError("There is nothing here.")
        try:
            news = signed_news(body, request.headers.get("stripe-signature", ""), secret)
        except ForgedError:
            return Response(
                "This was not signed by Stripe within the last five minutes.", status_code=400, media_type=_PLAIN
            )
        stored = await inbox.store(db, news, FoundBy.WEBHOOK)
    return Response("Stored." if stored else "Known already.", media_type=_PLAIN)


routes: list[Any] = [stripe_event]
