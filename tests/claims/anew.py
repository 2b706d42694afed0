"""Things that are sent anew, one verb a line."""

from uuid import UUID

from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.claims.models import Kind
from returns_portal.claims.replacements import life
from returns_portal.claims.replacements.queries import ReplacementView, replacement_for, to_send
from tests.claims.things import SHOE, claim, decided
from tests.orders.samples import a_line
from tests.portal import API, Portal

PACKER = Actor(kind="staff", id="iva", grants=frozenset({"warehouse"}))
SHOE_SKU = a_line().sku


async def shelved(portal: Portal, stock: int = 2, *, listed: bool = True, sku: str = SHOE_SKU) -> None:
    """The catalogue knows the shoes, and how many are in stock."""
    variant = VariantInput(sku=sku, size="42", color="Black", price=SHOE, currency="EUR", stock=stock)
    product = ProductInput(
        handle=sku.lower(), title="Shoes", kind=ProductKind.OTHER, variants=[variant], tax_rate=2000, listed=listed
    )
    async with portal.begin() as db:
        await put_product(db, API, product)


async def waiting(portal: Portal) -> list[ReplacementView]:
    """What the packing table shows."""
    async with portal.begin() as db:
        return await to_send(db, PACKER)


async def seen(portal: Portal, number: str) -> ReplacementView:
    async with portal.begin() as db:
        return await replacement_for(db, PACKER, number)


async def set_aside(portal: Portal, units: dict[UUID, int], kind: Kind = Kind.FAULTY) -> tuple[UUID, ReplacementView]:
    """A claim of which a new one is decided to be sent, and that one."""
    claim_id = await claim(portal, units, kind)
    await decided(portal, claim_id, "replacement")
    return claim_id, (await waiting(portal))[-1]


async def sent(portal: Portal, number: str, actor: Actor = PACKER) -> ReplacementView:
    async with portal.begin() as db:
        return await life.send(db, actor, number, carrier="Econt", tracking="EC1")


async def called_off(portal: Portal, number: str, missing: UUID | None = None) -> ReplacementView:
    async with portal.begin() as db:
        return await life.call_off(db, PACKER, number, missing=missing)
