"""The basket: kept in the browser as what was chosen, priced anew each time that it is looked at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import Cookie, State
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.catalog.sizes import arranged
from returns_portal.db import run
from returns_portal.i18n import _, ngettext, translate
from returns_portal.shop.queries import ShopInfo
from returns_portal.tryon.models import Mode
from returns_portal.tryon.pages.terms import Offer
from returns_portal.tryon.pages.words import details, last_day
from returns_portal.tryon.rules import Policy, Wish, refusals, trial_ends
from returns_portal.web import formats, site
from returns_portal.web.signing import cookie, derive, forget, seal, unseal

BASKET_COOKIE: Final = "__Host-basket"
MOST: Final = 50
"""Units in a basket."""
_LASTS: Final = timedelta(days=30)
_ROOM: Final = 3800
"""Characters: a browser keeps 4096 bytes of a cookie, its name and its attributes among them (RFC 6265, 6.1)."""

Entry = tuple[str, int]
"""An SKU, and how many of it."""


class Row(msgspec.Struct, frozen=True):
    """One line of the basket; `problem` says why it cannot be ordered like this."""

    sku: str
    handle: str
    title: str
    details: str
    price: str
    quantity: int
    stock: int
    problem: str
    picture: UUID | None
    """A picture of it in its colour, or in all."""

    @property
    def choices(self) -> range:
        """How many of it may be chosen."""
        return range(1, max(1, min(self.stock, MOST)) + 1)


class BasketPage(msgspec.Struct, frozen=True):
    """Everything that the page shows; amounts in words."""

    rows: list[Row]
    entries: list[Entry]
    offer: Offer
    today: str
    """What is charged today; empty for nothing."""
    most: str
    begins: datetime
    """When the trial is expected to begin."""
    ends: str
    """The last day of it, as expected."""
    days: int
    refused: list[str]
    """Why it cannot be tried; it can still be bought."""
    blocked: str
    """Why it can neither be tried nor bought."""


AnyRequest = Request[Any, Any, State]


def entries_of(request: AnyRequest) -> list[Entry]:
    """What the browser keeps; nothing where it keeps nothing that we have written."""
    found = unseal(derive(site(request).secret, "basket"), request.cookies.get(BASKET_COOKIE, ""))
    return [(str(sku), int(count)) for sku, count in found] if isinstance(found, list) else []


def basket_cookie(request: AnyRequest, entries: Sequence[Entry]) -> Cookie | None:
    """What makes the browser keep it; None where it is more than a browser keeps."""
    if not entries:
        return forget(BASKET_COOKIE)
    sealed = seal(derive(site(request).secret, "basket"), list(entries), lasting=_LASTS)
    return cookie(BASKET_COOKIE, sealed, lasting=_LASTS) if len(sealed) <= _ROOM else None


def with_added(entries: Sequence[Entry], skus: Sequence[str]) -> list[Entry]:
    """The basket with one of each; what is in it already stays as it is, so that a second click adds nothing."""
    known = {sku for sku, _count in entries}
    return [*entries, *((sku, 1) for sku in dict.fromkeys(skus) if sku not in known)]


def with_changed(entries: Sequence[Entry], sku: str, count: int) -> list[Entry]:
    """The basket with so many of an item; none takes it out."""
    return [(known, count if known == sku else before) for known, before in entries if known != sku or count]


def units(entries: Sequence[Entry]) -> int:
    """How many things are in it."""
    return sum(count for _sku, count in entries)


_VARIANTS: Final = """
    SELECT v.sku, p.handle, p.title, v.size, v.color, v.price, v.currency,
           CASE WHEN v.archived_at IS NULL AND p.listed THEN v.stock ELSE 0 END AS stock,
           (SELECT i.id FROM product_picture i WHERE i.product_id = p.id AND i.color IN (v.color, '')
            ORDER BY i.color = '', i.position, i.id LIMIT 1) AS picture
    FROM variant v JOIN product p ON p.id = v.product_id WHERE v.sku = ANY(:skus)
"""


async def known_skus(db: AsyncConnection, skus: Sequence[str]) -> set[str]:
    """Which of these are things that the shop offers."""
    return {row.sku for row in await run(db, _VARIANTS, skus=list(skus))}


async def basket_page(
    db: AsyncConnection, entries: Sequence[Entry], rules: Policy, shop: ShopInfo, *, mode: Mode = Mode.TRIAL
) -> BasketPage:
    """Put the page together. What the shop does not know any more falls out of the basket."""
    found = {row.sku: row for row in await run(db, _VARIANTS, skus=[sku for sku, _count in entries])}
    kept = arranged(
        [(sku, count) for sku, count in entries if sku in found],
        lambda entry: (found[entry[0]].handle, found[entry[0]].size),
    )
    total = sum(found[sku].price * count for sku, count in kept)
    currencies = {found[sku].currency for sku, _count in kept}
    offer = Offer(mode, total, min(currencies, default="EUR"))
    begins = clock.now() + timedelta(days=rules.transit_days)
    rows = [_row(found[sku], count) for sku, count in kept]
    ends = last_day(trial_ends(begins, rules.trial_days, shop.timezone), shop.timezone)
    today = offer.today(rules)
    return BasketPage(
        rows=rows,
        entries=kept,
        offer=offer,
        today=formats.money(today, offer.currency) if today else "",
        most=formats.money(total, offer.currency),
        begins=begins,
        ends=formats.format_date(ends, "day"),
        days=rules.trial_days,
        refused=_refused(kept, offer, rules),
        blocked=_blocked(rows, currencies),
    )


def _row(variant: Any, count: int) -> Row:  # noqa: ANN401 - a row
    problem = ""
    if not variant.stock:
        problem = _("Sold out. Take it out of the basket, or choose another size.")
    elif variant.stock < count:
        problem = ngettext("Only {n} is left.", "Only {n} are left.", variant.stock)
    return Row(
        sku=variant.sku,
        handle=variant.handle,
        title=variant.title,
        details=details(variant.size, variant.color),
        price=formats.money(variant.price * count, variant.currency),
        quantity=count,
        stock=variant.stock,
        problem=problem,
        picture=variant.picture,
    )


def _refused(entries: Sequence[Entry], offer: Offer, rules: Policy) -> list[str]:
    """The shop's limits, as far as they can be known before anybody has said who they are and where they live."""
    anywhere = next(iter(rules.countries), "")
    wish = Wish(units(entries), offer.total, offer.currency, anywhere, rules.trial_days)
    return [translate(found.sentence, **found.values) for found in refusals(wish, rules)]


def _blocked(rows: Sequence[Row], currencies: set[str]) -> str:
    if len(currencies) > 1:
        return _("These items are priced in different currencies. Please order them one after the other.")
    if any(row.problem for row in rows):
        return _("Something in the basket cannot be had like this. Change it, and you can go on.")
    return ""
