"""Stripe's own form for cards, on the one page that needs it.

Its script comes from Stripe alone, as Stripe's terms and PCI DSS (SAQ A) ask for; the policy lets in what
docs.stripe.com/security/guide names, and nothing else.
"""

from typing import Final

import msgspec

from returns_portal.errors import DomainError
from returns_portal.payments.gateway import GatewayError
from returns_portal.payments.stripe import API_VERSION, StripeGateway
from returns_portal.tryon.authorising import client_secret
from returns_portal.tryon.models import ChargeKind
from returns_portal.tryon.queries import Charge
from returns_portal.web import Site
from returns_portal.web.envelope import POLICY

SCRIPT: Final = f"https://js.stripe.com/{API_VERSION.partition('.')[2]}/stripe.js"
"""Stripe's script of the same release as the API that we speak."""

_POLICY: Final = (
    POLICY.replace("script-src 'self'", "script-src 'self' https://js.stripe.com https://*.js.stripe.com")
    .replace("connect-src 'self'", "connect-src 'self' https://api.stripe.com")
    .replace("img-src 'self' data:", "img-src 'self' data: https://*.stripe.com")
    + "; frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com"
)


class Element(msgspec.Struct, frozen=True):
    """What the page's script needs to show the form."""

    script: str
    publishable_key: str
    client_secret: str
    kind: str
    """`setup` where a card is kept, `payment` where it is held or charged."""
    back: str


async def element_of(here: Site, charge: Charge, number: str) -> Element | None:
    """The form for a charge; None where Stripe does not answer, or the shop has not given its publishable key."""
    settings = here.settings
    if not settings.stripe_publishable_key:
        return None
    try:
        async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
            secret = await client_secret(here.begin, gateway, charge)
    except (DomainError, GatewayError):
        return None
    return Element(
        script=SCRIPT,
        publishable_key=settings.stripe_publishable_key,
        client_secret=secret,
        kind="setup" if charge.kind is ChargeKind.SETUP else "payment",
        back=f"{settings.public_url}/trials/{number}/confirmed",
    )


def element_policy() -> dict[str, str]:
    """The headers of that page: banks open windows of their own, and wallets ask the browser for a payment."""
    return {
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
        "Permissions-Policy": 'camera=(self), microphone=(), geolocation=(), payment=(self "https://js.stripe.com"),'
        " usb=()",
    }
