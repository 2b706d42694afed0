"""What a product must satisfy to be taken. `checked` is the one gate, and brings it into one normal form."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.rules import MAX_HANDLE, article_number, is_handle
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import is_currency
from returns_portal.texts import fit, one_line

MAX_PRICE: Final = 10**11
"""Minor units: a thousand million euros, and three million euros' worth of the smallest dong."""
MAX_TAGS: Final = 100
MAX_VARIANTS: Final = 2048
"""As many as Shopify allows."""
MAX_STOCK: Final = 1_000_000
MAX_WEIGHT: Final = 1_000_000
MAX_TAX_RATE: Final = 10_000
MAX_DESCRIPTION: Final = 20_000
MAX_SIZE: Final = 40
MAX_COLOR: Final = 100


def checked(product: ProductInput) -> ProductInput:
    """The product in its normal form: texts trimmed, currencies in capitals, EANs as scanners give them.

    Raises:
        InvalidError: it cannot be so; names the field at fault.
    """
    if not is_handle(product.handle):
        raise InvalidError(
            mark("A handle has small letters, digits and single dashes, at most {most} of them."),
            field="handle",
            most=MAX_HANDLE,
        )
    if not 1 <= len(product.variants) <= MAX_VARIANTS:
        raise InvalidError(mark("A product has between 1 and {most} variants."), field="variants", most=MAX_VARIANTS)
    if product.tax_rate is not None:
        _within(product.tax_rate, MAX_TAX_RATE, "tax_rate")
    product = replace(
        product,
        title=one_line(product.title, "title", 300),
        brand=None if product.brand is None else one_line(product.brand, "brand", 100, required=False),
        supplier=None if product.supplier is None else one_line(product.supplier, "supplier", 100, required=False),
        description=None if product.description is None else _paragraphs(product.description),
        tags=None if product.tags is None else _tags(product.tags),
        variants=[_checked_variant(variant, f"variants[{i}]") for i, variant in enumerate(product.variants)],
    )
    _check_together(product.variants)
    return product


def _tags(tags: Sequence[str]) -> list[str]:
    """Each once, whatever its letters' size."""
    if len(tags) > MAX_TAGS:
        raise InvalidError(mark("A product has at most {most} tags."), field="tags", most=MAX_TAGS)
    once = {tag.casefold(): tag for tag in (one_line(tag, "tags", 100) for tag in tags)}
    return list(once.values())


def _checked_variant(variant: VariantInput, at: str) -> VariantInput:
    _within(variant.price, MAX_PRICE, f"{at}.price")
    for name, most in (("stock", MAX_STOCK), ("weight_grams", MAX_WEIGHT)):
        if getattr(variant, name) is not None:
            _within(getattr(variant, name), most, f"{at}.{name}")
    currency = variant.currency.strip().upper()
    if not is_currency(currency):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field=f"{at}.currency")
    return replace(
        variant,
        sku=one_line(variant.sku, f"{at}.sku", 128),
        size=one_line(variant.size, f"{at}.size", MAX_SIZE, required=False),
        color=one_line(variant.color, f"{at}.color", MAX_COLOR, required=False),
        currency=currency,
        ean=None if variant.ean is None else _ean(variant.ean, at),
    )


def _check_together(variants: Sequence[VariantInput]) -> None:
    skus: set[str] = set()
    looks: set[tuple[str, str]] = set()
    for i, variant in enumerate(variants):
        if variant.sku in skus:
            raise InvalidError(mark("Two variants have this SKU."), field=f"variants[{i}].sku")
        if (variant.size, variant.color) in looks:
            raise InvalidError(mark("Two variants have the same size and colour."), field=f"variants[{i}].size")
        if variant.currency != variants[0].currency:
            raise InvalidError(
                mark("All variants of a product are priced in one currency."), field=f"variants[{i}].currency"
            )
        skus.add(variant.sku)
        looks.add((variant.size, variant.color))


def _ean(text: str, at: str) -> str:
    try:
        return article_number(text)
    except InvalidError as error:
        raise InvalidError(error.sentence, field=f"{at}.ean") from error


def _paragraphs(text: str) -> str:
    """Several lines: each trimmed, at most one empty between two, nothing that cannot be printed."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    cleaned = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    if len(cleaned) > MAX_DESCRIPTION:
        raise InvalidError(mark("This has more than {limit} characters."), field="description", limit=MAX_DESCRIPTION)
    if not all(fit(line) for line in lines):
        raise InvalidError(mark("This contains characters that cannot be printed."), field="description")
    return cleaned


def _within(value: int, most: int, field: str) -> None:
    if not 0 <= value <= most:
        raise InvalidError(mark("This is a whole number between 0 and {most}."), field=field, most=most)
