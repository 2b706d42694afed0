"""The portal's own CSV of products: UTF-8, commas, one row for each variant, the product's columns on its first row.

Prices are decimal numbers with tax in the currency beside them (`79.90`). Columns, required ones with an asterisk:

The product: handle* (small letters, digits, dashes; on every row), title*, kind (shoe, clothing or other; guessed from
the title when empty), brand, supplier (from whom the shop gets it; customers never see that), description, size_system
(eu, uk, us, alpha or own; guessed when empty), size_group (men, women, kids or unisex; guessed when empty), tax_rate
(percent in the prices, such as 20), listed (yes or no), tags (a comma between two).

A variant, on each row: sku*, size, color, price*, currency*, ean, stock, weight_grams.

What is empty stays as it was; for a new product it is empty, guessed, or listed. Variants that are not in the file are
no longer offered.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from returns_portal.catalog.checks import MAX_VARIANTS
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.rules import group_in_words, guess_kind
from returns_portal.csvfiles import Group, Layout, Row, amount, count, currency, text, yes_or_no
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

LAYOUT: Final = Layout(
    key="handle",
    most=MAX_VARIANTS,
    required=frozenset({"handle", "title", "sku", "price", "currency"}),
)

_PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
Word = TypeVar("Word", bound=StrEnum)


def read(group: Group) -> ProductInput:
    """Make a product of its rows.

    Raises:
        InvalidError: it cannot be read; names the column at fault.
    """
    head = group.head
    title = text(head, "title")
    if not title:
        raise InvalidError(mark("The first row of this product is missing: its rows do not stand together."))
    return ProductInput(
        handle=group.key,
        title=title,
        kind=_word(head, "kind", ProductKind) or guess_kind(title),
        brand=text(head, "brand") or None,
        supplier=text(head, "supplier") or None,
        description=head.get("description", "").strip() or None,
        size_system=_word(head, "size_system", SizeSystem),
        size_group=_word(head, "size_group", SizeGroup) or group_in_words(title),
        tax_rate=_rate(head),
        listed=yes_or_no(head, "listed"),
        tags=[tag.strip() for tag in text(head, "tags").split(",") if tag.strip()] or None,
        variants=[_variant(row) for row in group.rows],
    )


def _variant(row: Row) -> VariantInput:
    code = currency(row, "currency")
    if not text(row, "price"):
        raise InvalidError(mark("This is needed."), field="price")
    return VariantInput(
        sku=text(row, "sku"),
        size=text(row, "size"),
        color=text(row, "color"),
        price=amount(row, "price", code),
        currency=code,
        ean=text(row, "ean") or None,
        stock=count(row, "stock") if text(row, "stock") else None,
        weight_grams=count(row, "weight_grams") if text(row, "weight_grams") else None,
    )


def _word(row: Row, column: str, words: type[Word]) -> Word | None:
    cell = text(row, column).lower()
    if not cell:
        return None
    if cell not in list(words):
        raise InvalidError(mark("{cell} is none of: {words}."), field=column, cell=repr(cell), words=", ".join(words))
    return words(cell)


def _rate(row: Row) -> int | None:
    cell = text(row, "tax_rate").removesuffix("%").strip()
    if not cell:
        return None
    if not _PERCENT.fullmatch(cell):
        raise InvalidError(mark("{cell} is not a percentage."), field="tax_rate", cell=repr(cell))
    return int(Decimal(cell) * 100)
