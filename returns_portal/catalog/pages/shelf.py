"""The storefront's list: what was found, as cards."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from returns_portal.catalog.models import ProductKind
from returns_portal.catalog.queries import PictureView, ProductView, VariantView
from returns_portal.catalog.search import Found, Wish
from returns_portal.catalog.sizes import fits, in_order
from returns_portal.i18n import _, ngettext
from returns_portal.web.formats import money

SHOP: Final = "/shop"


class Card(msgspec.Struct, frozen=True):
    """A product in the list."""

    href: str
    title: str
    brand: str
    price: str
    details: str
    picture: PictureView | None
    handle: str
    out: str
    """Why it cannot be ordered now (in the size that is looked for); empty where it can."""


class Shelf(msgspec.Struct, frozen=True):
    """The list, and what was looked for."""

    cards: list[Card]
    typed: Mapping[str, str]
    kinds: list[tuple[str, str]]
    searched: bool
    next_href: str
    first_href: str


def shelf(found: Found, wish: Wish, *, paged: bool) -> Shelf:
    """Put what was found onto the shelf."""
    typed = {"q": wish.words, "size": wish.size, "kind": wish.kind.value if wish.kind else ""}
    asked = {name: value for name, value in typed.items() if value}
    return Shelf(
        cards=[_card(product, wish.size) for product in found.products],
        typed=typed,
        kinds=kinds(),
        searched=not wish.is_open,
        next_href=f"{SHOP}?{urlencode(asked | {'after': str(found.after)})}" if found.after else "",
        first_href=address(SHOP, asked) if paged else "",
    )


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with a query, where there is one."""
    return f"{path}?{urlencode(query)}" if query else path


def kinds() -> list[tuple[str, str]]:
    """What can be chosen as a kind."""
    words = {ProductKind.SHOE: _("Shoes"), ProductKind.CLOTHING: _("Clothing"), ProductKind.OTHER: _("Other things")}
    return [("", _("Everything")), *((kind.value, word) for kind, word in words.items())]


def _card(product: ProductView, wanted: str) -> Card:
    fitting = [v for v in product.variants if fits(wanted, v.size, product.sizing)] if wanted else product.variants
    query = {"size": fitting[0].size} if wanted and fitting else {}
    return Card(
        href=address(f"{SHOP}/{product.handle}", query),
        title=product.title,
        brand=product.brand,
        price=price_of(product.variants),
        details=_details(product),
        picture=product.pictures[0] if product.pictures else None,
        handle=product.handle,
        out=_out(product, fitting if wanted else None),
    )


def price_of(variants: Sequence[VariantView]) -> str:
    """What something costs: `79.90`, or `from 79.90` where the variants differ."""
    if not variants:
        return ""
    prices = {variant.price for variant in variants}
    least = money(min(prices), variants[0].currency)
    return least if len(prices) == 1 else _("from {amount}", amount=least)


def _details(product: ProductView) -> str:
    sizes = in_order(variant.size for variant in product.variants if variant.size)
    colours = {variant.color for variant in product.variants}
    told = []
    if len(sizes) > 1:
        told.append(_("{first} to {last}", first=sizes[0], last=sizes[-1]))
    elif sizes:
        told.append(sizes[0])
    if len(colours) > 1:
        told.append(ngettext("{n} colour", "{n} colours", len(colours)))
    return ", ".join(told)


def _out(product: ProductView, fitting: Sequence[VariantView] | None) -> str:
    if not any(variant.stock for variant in product.variants):
        return _("Out of stock")
    if fitting is not None and not any(variant.stock for variant in fitting):
        return _("Out of stock in this size")
    return ""
