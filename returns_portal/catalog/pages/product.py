"""The page of a product: its pictures, the choice of colour and size, and the sizes beside the one that was chosen."""

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from returns_portal.catalog.models import SizeGroup, SizeSystem
from returns_portal.catalog.pages.shelf import SHOP, price_of
from returns_portal.catalog.queries import PictureView, ProductView, VariantView
from returns_portal.catalog.size_labels import read
from returns_portal.catalog.sizes import SYSTEMS, convert, fits, in_order, neighbours
from returns_portal.i18n import _, ngettext
from returns_portal.web.formats import money


class Choice(msgspec.Struct, frozen=True):
    """A colour or a size to choose."""

    name: str
    href: str
    state: Literal["chosen", "free", "out"]


class Tick(msgspec.Struct, frozen=True):
    """A size that can go into the basket."""

    sku: str
    size: str
    note: str
    price: str
    chosen: bool
    out: bool


class Column(msgspec.Struct, frozen=True):
    """A size system in the table of sizes."""

    title: str
    cells: list[str]


class Missing(msgspec.Struct, frozen=True):
    """A size and a colour that somebody looks at and that is not there; empty where they chose none."""

    size: str
    color: str


class ProductPage(msgspec.Struct, frozen=True):
    """Everything that the page says."""

    product: ProductView
    price: str
    paragraphs: list[str]
    pictures: list[PictureView]
    colours: list[Choice]
    sizes: list[Choice]
    asked: str
    """The size that was asked for and is not among those of the product; else empty."""
    ticks: list[Tick]
    tried: bool
    """Whether there is a size beside the chosen one to try, too."""
    sold_out: bool
    missing: Missing | None
    columns: list[Column]
    group: str


def product_page(product: ProductView, color: str, size: str) -> ProductPage:
    """The page with this colour and size chosen; what is not there is not chosen."""
    colours = list(dict.fromkeys(variant.color for variant in product.variants))
    shown = color if color in colours else _first_colour(product, colours)
    offered = [variant for variant in product.variants if variant.color == shown]
    chosen = _chosen(product, offered, size)
    ticks = _ticks(offered, chosen)
    return ProductPage(
        product=product,
        price=money(chosen.price, chosen.currency) if chosen else price_of(offered),
        paragraphs=[paragraph for paragraph in product.description.split("\n\n") if paragraph],
        pictures=_pictures(product, shown),
        colours=_colours(product, colours, shown, size) if len(colours) > 1 or colours[:1] != [""] else [],
        sizes=_sizes(product, offered, chosen),
        asked=size if size and chosen is None else "",
        ticks=ticks,
        tried=len(ticks) > 1,
        sold_out=not any(variant.stock for variant in product.variants),
        missing=_missing(product, chosen, shown, size),
        columns=_columns(product),
        group=_group(product.size_group),
    )


def _missing(product: ProductView, chosen: VariantView | None, color: str, size: str) -> Missing | None:
    if chosen is not None:
        return None if chosen.stock else Missing(chosen.size, chosen.color)
    if size:
        return Missing(size, color)
    return None if any(variant.stock for variant in product.variants) else Missing("", "")


def _first_colour(product: ProductView, colours: Sequence[str]) -> str:
    """The first colour of which there is anything; else the first."""
    in_stock = (variant.color for variant in product.variants if variant.stock)
    return next(in_stock, colours[0] if colours else "")


def _chosen(product: ProductView, offered: Sequence[VariantView], size: str) -> VariantView | None:
    if len(offered) == 1:
        return offered[0]
    if not size:
        return None
    same = [variant for variant in offered if variant.size == size]
    fitting = same or [variant for variant in offered if fits(size, variant.size, product.sizing)]
    return fitting[0] if fitting else None


def _address(product: ProductView, color: str, size: str) -> str:
    query = {name: value for name, value in (("color", color), ("size", size)) if value}
    return f"{SHOP}/{product.handle}{'?' + urlencode(query) if query else ''}"


def _colours(product: ProductView, colours: Sequence[str], shown: str, size: str) -> list[Choice]:
    in_stock = {variant.color for variant in product.variants if variant.stock}
    return [
        Choice(
            colour or _("As shown"),
            _address(product, colour, size),
            "chosen" if colour == shown else "free" if colour in in_stock else "out",
        )
        for colour in colours
    ]


def _sizes(product: ProductView, offered: Sequence[VariantView], chosen: VariantView | None) -> list[Choice]:
    by_size = {variant.size: variant for variant in offered}
    if list(by_size) in ([""], []):
        return []
    return [
        Choice(
            size or _("One size"),
            _address(product, by_size[size].color, size) + "#try",
            "chosen" if by_size[size] is chosen else "free" if by_size[size].stock else "out",
        )
        for size in in_order(by_size)
    ]


def _ticks(offered: Sequence[VariantView], chosen: VariantView | None) -> list[Tick]:
    """The chosen size, and those beside it: these are not ticked beforehand, since nobody asked for them yet."""
    if chosen is None:
        return []
    by_size = {variant.size: variant for variant in offered}
    beside = [by_size[size] for size in neighbours(chosen.size, by_size)]
    order = in_order([chosen.size, *(variant.size for variant in beside)])
    here = order.index(chosen.size)
    return [
        Tick(
            sku=variant.sku,
            size=variant.size or _("One size"),
            note=_note(variant, order.index(variant.size) - here),
            price=money(variant.price, variant.currency),
            chosen=variant is chosen and variant.stock > 0,
            out=variant.stock == 0,
        )
        for variant in (chosen, *beside)
    ]


def _note(variant: VariantView, steps: int) -> str:
    told = []
    if steps and read(variant.size) is not None:
        told.append(_("the next smaller") if steps < 0 else _("the next larger"))
    if not variant.stock:
        told.append(_("out of stock"))
    elif variant.stock <= _FEW:
        told.append(ngettext("the last one", "only {n} left", variant.stock))
    return ", ".join(told)


_FEW: Final = 3
"""From so few on, the page says how many are left."""


def _pictures(product: ProductView, color: str) -> list[PictureView]:
    """Those of the colour, then those of all; those of another colour only where there are no others."""
    of_colour = [picture for picture in product.pictures if color and picture.color == color]
    of_all = [picture for picture in product.pictures if not picture.color]
    return [*of_colour, *of_all] or product.pictures


def _columns(product: ProductView) -> list[Column]:
    """The product's sizes in every system, where there is more than one to tell."""
    sizes = in_order(variant.size for variant in product.variants if variant.size)
    columns = []
    for system in SYSTEMS:
        cells = [
            size if system == product.size_system else convert(size, product.sizing, system) or "" for size in sizes
        ]
        if any(cells):
            columns.append(Column(_system(system), [cell or "–" for cell in cells]))
    return columns if len(columns) > 1 else []


def _system(system: SizeSystem) -> str:
    return _("Letters") if system == SizeSystem.ALPHA else system.value.upper()


def _group(group: SizeGroup) -> str:
    return {
        SizeGroup.MEN: _("Men's sizes"),
        SizeGroup.WOMEN: _("Women's sizes"),
        SizeGroup.KIDS: _("Children's sizes"),
        SizeGroup.UNISEX: _("Sizes"),
    }[group]
