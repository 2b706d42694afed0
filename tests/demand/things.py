"""What tests of demand begin with: boots that are out of stock in 43, and other shops that have them."""

from datetime import date
from typing import Any
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.demand.places import PlaceInput, add_place
from tests.catalog.shelves import SHOP, a_product, a_variant
from tests.portal import Portal
from tests.webclient import add_staff

SUPPORT = Actor(kind="staff", id="olga", grants=frozenset({"support"}))
STRANGER = Actor(kind="customer")
LINK = "https://kestrel.example/boots?size=43"
SIZES = (41, 42, 43)


async def stock(portal: Portal, handle: str = "boot", **pieces: int) -> None:
    """Boots with so many pieces by size (`s43=1`); of sizes that are not named, 43 has none and others have five."""
    variants = [a_variant(f"{handle}-{size}", stock=pieces.get(f"s{size}", 0 if size == 43 else 5)) for size in SIZES]
    async with portal.begin() as db:
        await put_product(db, SHOP, a_product(handle, title="Chelsea <Boot>", variants=variants))


def a_place(**changes: Any) -> PlaceInput:  # noqa: ANN401 - the fields of a place
    given: dict[str, Any] = {
        "product": "boot",
        "size": "43",
        "shop": "Kestrel & Sons",
        "url": LINK,
        "price": 17990,
        "currency": "EUR",
        "seen_on": clock.now().date(),
    }
    return PlaceInput(**(given | changes))


async def place(portal: Portal, **changes: Any) -> UUID:  # noqa: ANN401 - the fields of a place
    async with portal.begin() as db:
        return await add_place(db, SUPPORT, a_place(**changes), today())


def today() -> date:
    return clock.now().date()


async def hire(portal: Portal, email: str = "olga@example.com") -> Actor:
    async with portal.begin() as db:
        staff_id = await add_staff(db, email, "support")
    return Actor(kind="staff", id=str(staff_id), grants=frozenset({"support"}), name="Mira")


async def one(portal: Portal, query: str, **values: object) -> Any:  # noqa: ANN401 - a row
    [row] = await portal.rows(query, **values)
    return row
