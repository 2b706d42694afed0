"""Products for the tests."""

from collections.abc import Sequence
from typing import Any

from returns_portal.actor import Actor
from returns_portal.catalog.actions import Put, put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.db import Begin

SHOP = Actor(kind="api", id="shop", grants=frozenset({"products:read", "products:write"}))
CUSTOMER = Actor(kind="customer")


def a_variant(sku: str = "CB-42", **changes: Any) -> VariantInput:  # noqa: ANN401 - the fields of a variant
    given: dict[str, Any] = {
        "size": sku.rpartition("-")[2],
        "color": "Black",
        "price": 18900,
        "currency": "EUR",
        "stock": 5,
    }
    return VariantInput(sku=sku, **(given | changes))


def a_product(handle: str = "chelsea-boot", **changes: Any) -> ProductInput:  # noqa: ANN401 - the fields of a product
    """Boots in 40 to 43, five of each."""
    given: dict[str, Any] = {
        "title": "Chelsea Boot",
        "kind": ProductKind.SHOE,
        "variants": [a_variant(f"{handle}-{size}") for size in (40, 41, 42, 43)],
    }
    return ProductInput(handle=handle, **(given | changes))


async def put(begin: Begin, *products: ProductInput) -> list[Put]:
    """Take products in, and commit."""
    async with begin() as db:
        return [await put_product(db, SHOP, product) for product in products]


def outcomes(stored: Sequence[Put]) -> list[str]:
    return [each.outcome for each in stored]
