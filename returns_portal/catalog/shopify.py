"""Shopify's product export, as shops download it, with the columns of before and after 2025.

Facts of the format: one row for each variant, the product's own columns and the names of its options on its first row;
rows that only name a picture; `Default Title` where there is one variant; prices without a currency; no stock at all
where a shop has several locations, and a stock that means nothing where it is not tracked; a barcode may begin with an
apostrophe, which keeps spreadsheets from reading it as a number.
https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from returns_portal.catalog.checks import MAX_STOCK, MAX_VARIANTS
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.markup import plain_text
from returns_portal.catalog.models import ProductKind, SizeGroup
from returns_portal.catalog.rules import article_number, group_in_words, guess_kind, handle_of, is_handle
from returns_portal.catalog.size_labels import read as read_size
from returns_portal.csvfiles import Group, Layout, Row, amount, text
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

_NEW_NAMES: Final = {
    "URL handle": "Handle", "Description": "Body (HTML)", "Product category": "Product Category",
    "Published on online store": "Published", "SKU": "Variant SKU", "Barcode": "Variant Barcode",
    "Variant Barcodes": "Variant Barcode", "Price": "Variant Price", "Inventory tracker": "Variant Inventory Tracker",
    "Inventory quantity": "Variant Inventory Qty", "Continue selling when out of stock": "Variant Inventory Policy",
    "Weight value (grams)": "Variant Grams", "Product image URL": "Image Src", "Variant image URL": "Variant Image",
    "Gift card": "Gift Card", "Google Shopping / Age group": "Google Shopping / Age Group",
    **{f"Option{i} {name}": f"Option{i} {name.title()}" for i in (1, 2, 3) for name in ("name", "value")},
}  # fmt: skip
LAYOUT: Final = Layout(
    key="Handle",
    # A product has a row for each variant, and some for its other pictures.
    most=2 * MAX_VARIANTS,
    required=frozenset({"Handle", "Title", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price"}),
    aliases=_NEW_NAMES,
)

UNTRACKED: Final = 999
"""The stock of what a shop does not count, or sells although there is none."""
_SIZE: Final = re.compile(
    r"size|gr[öo](ß|ss)e|розмір|размер|номер|taille|talla|taglia|maat|rozmiar|storlek|größe", re.IGNORECASE
)
_COLOR: Final = re.compile(r"colou?r|farbe|колір|цвят|цвет|couleur|colore|kleur|kolor|färg", re.IGNORECASE)
_WHOLE: Final = re.compile(r"-?[0-9]{1,9}(\.0+)?")
_GRAMS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
_ALONE: Final = "Default Title"


class Read(NamedTuple):
    """A product of the file, and what of it was left behind."""

    product: ProductInput
    pictures: int = 0
    """How many pictures the file names. They are not fetched."""
    barcodes: int = 0
    """How many barcodes are no EAN."""


def read(group: Group, currency: str) -> Read:
    """Make a product of its rows, with prices in the currency.

    Raises:
        InvalidError: it cannot be read; names the column at fault.
    """
    head = group.head
    if not text(head, "Title"):
        raise InvalidError(mark("The first row of this product is missing: its rows do not stand together."))
    handle = group.key if is_handle(group.key) else handle_of(group.key) or handle_of(text(head, "Title"))
    rows = [row for row in group.rows if text(row, "Variant Price") or text(row, "Option1 Value")]
    options = _options(head, rows)
    variants = [_variant(row, handle, options, currency) for row in rows]
    title, kind = text(head, "Title"), _kind(head)
    return Read(
        ProductInput(
            handle=handle,
            title=title,
            kind=kind,
            brand=text(head, "Vendor"),
            description=plain_text(head.get("Body (HTML)", "")),
            size_group=_group(head),
            listed=_listed(head),
            tags=[tag.strip() for tag in text(head, "Tags").split(",") if tag.strip()] if "Tags" in head else None,
            variants=variants,
        ),
        pictures=len({row["Image Src"] for row in group.rows if row.get("Image Src", "").strip()}),
        barcodes=sum(
            1 for row, variant in zip(rows, variants, strict=True) if text(row, "Variant Barcode") and not variant.ean
        ),
    )


class _Options(NamedTuple):
    """In which columns size and colour stand; what is neither is told with the colour."""

    size: str
    others: Sequence[str]

    def of(self, row: Row) -> tuple[str, str]:
        told = [value for column in self.others if (value := text(row, column)) and value != _ALONE]
        return (text(row, self.size) if self.size else ""), " / ".join(told)


def _options(head: Row, rows: Sequence[Row]) -> _Options:
    columns = {f"Option{i} Value": text(head, f"Option{i} Name") for i in (1, 2, 3)}
    size = next((column for column, name in columns.items() if _SIZE.search(name)), "")
    if not size:
        size = next((column for column, name in columns.items() if name and _reads_as_sizes(rows, column)), "")
    others = sorted(columns.keys() - {size}, key=lambda column: (not _COLOR.search(columns[column]), column))
    return _Options(size, others)


def _reads_as_sizes(rows: Sequence[Row], column: str) -> bool:
    values = [text(row, column) for row in rows]
    return bool(values) and all(read_size(value) is not None for value in values)


def _variant(row: Row, handle: str, options: _Options, currency: str) -> VariantInput:
    size, color = options.of(row)
    if not text(row, "Variant Price"):
        raise InvalidError(mark("This is needed."), field="Variant Price")
    parts = [part for part in (handle_of(size), handle_of(color)) if part]
    return VariantInput(
        # Shopify does not ask for a SKU, and here everything is found by it.
        sku=text(row, "Variant SKU").removeprefix("'") or "-".join([handle, *parts]),
        size=size,
        color=color,
        price=amount(row, "Variant Price", currency),
        currency=currency,
        ean=_ean(row),
        stock=_stock(row),
        weight_grams=_grams(row),
    )


def _ean(row: Row) -> str:
    """The barcode where it is an EAN; shops write other things there, too."""
    try:
        return article_number(text(row, "Variant Barcode"))
    except InvalidError:
        return ""


def _stock(row: Row) -> int | None:
    """How many there are; None where the file does not say, as of shops with several locations."""
    if "Variant Inventory Tracker" in row and not text(row, "Variant Inventory Tracker"):
        return UNTRACKED
    if text(row, "Variant Inventory Policy").lower() in {"continue", "true"}:
        return UNTRACKED
    cell = text(row, "Variant Inventory Qty")
    if not cell:
        return None
    if not _WHOLE.fullmatch(cell):
        raise InvalidError(mark("{cell} is not a number of things."), field="Variant Inventory Qty", cell=repr(cell))
    # What was sold although there was none is counted below zero.
    return min(max(0, int(float(cell))), MAX_STOCK)


def _grams(row: Row) -> int | None:
    cell = text(row, "Variant Grams")
    return round(float(cell)) if _GRAMS.fullmatch(cell) else None


def _kind(head: Row) -> ProductKind:
    """By the most exact word that the shop uses for it: the end of its category, its type, its title."""
    category = text(head, "Product Category").rpartition(">")[2]
    kinds = [guess_kind(words) for words in (category, text(head, "Type"), text(head, "Title"))]
    return next((kind for kind in kinds if kind != ProductKind.OTHER), ProductKind.OTHER)


_GENDERS: Final[Mapping[str, SizeGroup]] = {
    "male": SizeGroup.MEN, "female": SizeGroup.WOMEN, "unisex": SizeGroup.UNISEX,
}  # fmt: skip


def _group(head: Row) -> SizeGroup | None:
    age = text(head, "Google Shopping / Age Group").lower()
    if age and age != "adult":
        return SizeGroup.KIDS
    gender = _GENDERS.get(text(head, "Google Shopping / Gender").lower())
    return gender or group_in_words(" ".join(text(head, name) for name in ("Title", "Type", "Tags")))


def _listed(head: Row) -> bool:
    """Only what is active and published is shown, and no vouchers: they are nothing to try on."""
    active = text(head, "Status").lower() in {"", "active"}
    hidden = text(head, "Published").lower() == "false" or text(head, "Gift Card").lower() == "true"
    return active and not hidden
