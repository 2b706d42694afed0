"""A product as it is handed in, by the JSON API, a file, or from imported orders. Prices are whole minor units."""

from collections.abc import Sequence

import msgspec

from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem


class VariantInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product in one size and colour. What is left out stays as it was, and is nothing for a new one."""

    sku: str
    price: int
    """With tax, in minor units of `currency`."""
    currency: str
    """ISO 4217; the same for all variants of a product."""
    size: str = ""
    color: str = ""
    ean: str | None = None
    stock: int | None = None
    weight_grams: int | None = None


class ProductInput(msgspec.Struct, frozen=True, kw_only=True):
    """A whole product: variants that are not in it are no longer offered.

    What is left out (null) stays as it was; for a new product it is empty, guessed from kind and sizes, or listed.
    """

    handle: str
    title: str
    kind: ProductKind
    variants: Sequence[VariantInput]
    brand: str | None = None
    supplier: str | None = None
    """From whom the shop gets it; customers never see that."""
    description: str | None = None
    size_system: SizeSystem | None = None
    size_group: SizeGroup | None = None
    tax_rate: int | None = None
    """The tax in the prices, in hundredths of a percent: 1900 is 19 %."""
    listed: bool | None = None
    tags: Sequence[str] | None = None
    """Words by which the shop groups its goods; policies can speak of them."""
