"""Stripe's own form for the difference, on the page of the exchange."""

from returns_portal.errors import DomainError
from returns_portal.exchanges.paying import client_secret
from returns_portal.exchanges.queries import ChargeView
from returns_portal.payments.gateway import GatewayError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon.pages.element import SCRIPT, Element
from returns_portal.web import Site


async def element_of(here: Site, charge: ChargeView, number: str) -> Element | None:
    """The form for a payment that waits for the customer; None where there can be none just now."""
    settings = here.settings
    if not settings.stripe_publishable_key:
        return None
    try:
        async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
            secret = await client_secret(here.begin, gateway, charge.id)
    except (DomainError, GatewayError):
        return None
    return Element(
        script=SCRIPT,
        publishable_key=settings.stripe_publishable_key,
        client_secret=secret,
        kind="payment",
        back=f"{settings.public_url}/exchanges/{number}/confirmed",
    )
