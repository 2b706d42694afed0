"""A shop with boots to try, and customers who try them, one verb a line."""

from collections.abc import Sequence
from typing import Any, Final

from returns_portal import clock
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.tryon import deciding, placing, shipping
from returns_portal.tryon.models import Decision
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.queries import TrialView, trial_for
from tests.portal import API, Portal

PRICE: Final = 18_900
SIZES: Final = ("40", "41", "42", "43")
TERMS: Final = "You pay for what you keep, and for what you say nothing of."
MARIA: Final = "maria@example.com"
ADDRESS: Final = {
    "name": "Мария Георгиева",
    "line1": "бул. Витоша 89",
    "line2": "",
    "city": "София",
    "region": "",
    "postal_code": "1463",
    "country": "BG",
}


async def boots(portal: Portal, *, stock: int = 10, **changes: Any) -> list[str]:  # noqa: ANN401 - a product's fields
    """Have Chelsea boots in four sizes; their SKUs."""
    variants = [
        VariantInput(sku=f"boot-{size}", size=size, color="Black", price=PRICE, currency="EUR", stock=stock)
        for size in SIZES
    ]
    values = {"handle": "boot", "title": "Chelsea boot", "kind": ProductKind.SHOE, "variants": variants} | changes
    product = ProductInput(**values)
    async with portal.begin() as db:
        await put_product(db, API, product)
    return [variant.sku for variant in product.variants]


async def place(portal: Portal, skus: Sequence[str], **changes: Any) -> TrialView:  # noqa: ANN401 - fields of a trial
    """Order these to try."""
    values: dict[str, Any] = {
        "email": MARIA,
        "name": "Мария Георгиева",
        "shipping_address": ADDRESS,
        "items": [Wanted(sku) for sku in skus],
        "payment_method": "pm_card_visa",
        "terms": TERMS,
        "silence_keeps": True,
    } | changes
    async with portal.begin() as db:
        return await placing.place(db, API, portal.settings, TrialInput(**values))


async def seen(portal: Portal, trial: TrialView) -> TrialView:
    """The trial as it stands."""
    async with portal.begin() as db:
        return await trial_for(db, API, trial.number)


async def shipped(portal: Portal, trial: TrialView, *, tracking: str = "") -> TrialView:
    """Send it."""
    async with portal.begin() as db:
        return await shipping.ship(db, API, trial.number, carrier="Econt", tracking=tracking)


async def delivered(portal: Portal, trial: TrialView, **when: Any) -> TrialView:  # noqa: ANN401 - of `deliver`
    """It arrives."""

    async with portal.begin() as db:
        moment = when.pop("at", None) or clock.now()
        return await shipping.deliver(db, API, trial.number, moment, **when)


async def decided(portal: Portal, trial: TrialView, *decisions: Decision) -> TrialView:
    """Say of each item in turn what becomes of it."""
    wanted = {item.id: decision for item, decision in zip(trial.items, decisions, strict=False)}
    async with portal.begin() as db:
        return await deciding.decide(db, API, trial.number, wanted)
