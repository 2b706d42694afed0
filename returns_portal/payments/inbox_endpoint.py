"""The sandbox's endpoint for the portal's inbox, set up by Stripe's own API when the portal starts.

With a Stripe account of the shop's own, its owner sets the endpoint up in Stripe's dashboard and gives its secret as
STRIPE_WEBHOOK_SECRET.
"""

import asyncio
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin, beginner, create_engine, run
from returns_portal.embedded import database_url, home_for, secret_key
from returns_portal.errors import ConflictError
from returns_portal.payments.gateway import GatewayEndpoint, GatewayError
from returns_portal.payments.inbox import EVENTS, SOURCE
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.vault import Vault

log = structlog.get_logger(__name__)

PATH: Final = "/webhooks/stripe"
_MARK: Final = {"made_by": "returns-portal"}
# The sandbox has no dashboard, so that these tell of little but what the portal has just done by itself and knows;
# the rest is found by the sweep. They would cost it as much as the refunds themselves.
_OF_OUR_DOING: Final = frozenset(
    {"refund.created", "charge.refunded"} | {name for name in EVENTS if name.startswith("payment_intent.")}
)
SANDBOX_EVENTS: Final = tuple(name for name in EVENTS if name not in _OF_OUR_DOING)


def register(settings: Settings) -> None:
    """Have the sandbox deliver its events to this portal. Without an answer of it, they are polled for."""
    if not settings.sandbox or settings.stripe_webhook_secret is not None:
        return
    try:
        asyncio.run(_register(settings))
    except GatewayError as error:
        log.warning("inbox.no_endpoint", reason=str(error))


async def _register(settings: Settings) -> None:
    engine = create_engine(database_url(settings), size=1, name="returns-portal endpoint")
    secret = settings.secret_key.get_secret_value() if settings.secret_key else secret_key(home_for(settings))
    try:
        async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
            await ensure(beginner(engine), gateway, Vault(secret), _url(settings))
    finally:
        await engine.dispose()


def _url(settings: Settings) -> str:
    """Where the sandbox, on the same machine, reaches the portal."""
    here = settings.public_url if settings.tls_certificate else f"http://127.0.0.1:{settings.port}"
    return here + PATH


async def ensure(begin: Begin, gateway: StripeGateway, vault: Vault, url: str) -> None:
    """Make the endpoint where there is none of which the secret is known; else bring it up to date.

    An endpoint that was made just before a crash, so that its secret is lost, is deleted.

    Raises:
        GatewayError: the gateway refused, or gave no answer.
    """
    async with begin() as db:
        known = await _readable(db, vault)
    ours = [endpoint for endpoint in await gateway.list_endpoints() if endpoint.metadata.items() >= _MARK.items()]
    for endpoint in ours:
        if endpoint.id != known:
            await gateway.delete_endpoint(endpoint.id)
    if any(endpoint.id == known for endpoint in ours):
        await gateway.change_endpoint(known, url, SANDBOX_EVENTS)
    else:
        made = await gateway.create_endpoint(url, SANDBOX_EVENTS, _MARK)
        async with begin() as db:
            await _keep(db, vault, made, url)


async def _readable(db: AsyncConnection, vault: Vault) -> str:
    """The id of the endpoint whose secret is known and can be read; else nothing."""
    rows = await run(db, "SELECT endpoint_id, secret FROM webhook_endpoint WHERE source = :source", source=SOURCE)
    if not rows:
        return ""
    try:
        vault.open(rows[0].secret)
    except ConflictError:
        return ""
    return str(rows[0].endpoint_id)


async def _keep(db: AsyncConnection, vault: Vault, made: GatewayEndpoint, url: str) -> None:
    await run(
        db,
        "INSERT INTO webhook_endpoint (source, endpoint_id, url, secret) VALUES (:source, :id, :url, :secret)"
        " ON CONFLICT (source) DO UPDATE SET endpoint_id = :id, url = :url, secret = :secret",
        source=SOURCE,
        id=made.id,
        url=url,
        secret=vault.seal(made.secret or ""),
    )


async def signing_secret(db: AsyncConnection, settings: Settings, vault: Vault) -> str | None:
    """The secret that signs the gateway's events; None where no endpoint was set up.

    Raises:
        ConflictError: it was stored under another SECRET_KEY; the next start makes a new one.
    """
    if settings.stripe_webhook_secret is not None:
        return settings.stripe_webhook_secret.get_secret_value()
    if not settings.sandbox:
        return None
    rows = await run(db, "SELECT secret FROM webhook_endpoint WHERE source = :source", source=SOURCE)
    return vault.open(rows[0].secret) if rows else None
