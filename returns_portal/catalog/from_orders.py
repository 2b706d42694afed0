"""Products made of what was ordered: for a shop that has orders here and no file of its products.

What they make is not listed: an order tells neither how many are in stock nor whether it is still sold.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.checks import MAX_COLOR, MAX_SIZE
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.queries import ProductView, product_for
from returns_portal.catalog.rules import group_in_words, guess_kind, handle_of
from returns_portal.db import run
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.i18n import mark, translate

# Orders stand above and are not imported here; their tables are only read. The newest line tells of each article, in
# each currency in which it was sold.
_ARTICLES: Final = """
    SELECT DISTINCT ON (l.sku, o.currency) l.sku, l.title, l.size, l.color, l.unit_price, l.tax, l.quantity, o.currency,
           o.tax_included
    FROM order_line l JOIN orders o ON o.id = l.order_id
    WHERE l.sku <> '' AND o.source <> 'trial' AND NOT EXISTS (SELECT FROM variant v WHERE v.sku = l.sku)
    ORDER BY l.sku, o.currency, o.placed_at DESC, l.id DESC
"""
_SAME: Final = mark("Another article of this product has the same size and colour.")
_OTHER_CURRENCY: Final = mark("The others of this product are priced in {currency}.")
_NAMELESS: Final = mark("Its title makes no name for an address.")


class LeftOut(msgspec.Struct, frozen=True):
    """An article of which no variant was made, and why."""

    sku: str
    reason: str


class Made(msgspec.Struct):
    """How many products were made or got more variants, and what was left out."""

    created: int = 0
    updated: int = 0
    variants: int = 0
    left_out: list[LeftOut] = msgspec.field(default_factory=list)


async def products_from_orders(db: AsyncConnection, actor: Actor) -> Made:
    """Make products of the articles that orders name and no product has; again makes nothing new.

    Raises:
        ForbiddenError: the actor may not.
    """
    actor.require("products:write", "support")
    made = Made()
    rows = sorted(await run(db, _ARTICLES), key=lambda row: handle_of(row.title))
    for handle, articles in groupby(rows, key=lambda row: handle_of(row.title)):
        await _make(db, actor, handle, list(articles), made)
    return made


async def _make(db: AsyncConnection, actor: Actor, handle: str, articles: Sequence[Any], made: Made) -> None:
    if not handle:
        made.left_out += [LeftOut(sku, translate(_NAMELESS)) for sku in sorted({row.sku for row in articles})]
        return
    stored = await _stored(db, actor, handle)
    kept = [_as_it_is(variant) for variant in stored.variants] if stored else []
    added = _fitting(kept, articles, made)
    if not added:
        return
    title = stored.title if stored else articles[0].title
    product = ProductInput(
        handle=handle,
        title=title,
        kind=stored.kind if stored else guess_kind(title),
        size_group=None if stored else group_in_words(title),
        tax_rate=None if stored else _tax_rate(articles[0]),
        # What is listed stays so: only a stock of nothing is added to it.
        listed=None if stored else False,
        variants=[*kept, *added],
    )
    try:
        async with db.begin_nested():
            outcome = (await put_product(db, actor, product)).outcome
    except DomainError as error:
        made.left_out += [LeftOut(variant.sku, translate(error.sentence, **error.values)) for variant in added]
        return
    made.variants += len(added)
    made.created += outcome == "created"
    made.updated += outcome == "updated"


async def _stored(db: AsyncConnection, actor: Actor, handle: str) -> ProductView | None:
    try:
        return await product_for(db, actor, handle)
    except NotFoundError:
        return None


def _fitting(kept: Sequence[VariantInput], articles: Sequence[Any], made: Made) -> list[VariantInput]:
    """The articles that can be variants beside those that are kept, priced in the currency that most of them have."""
    currency = kept[0].currency if kept else Counter(row.currency for row in articles).most_common(1)[0][0]
    fitting = [row for row in articles if row.currency == currency]
    strangers = sorted({row.sku for row in articles} - {row.sku for row in fitting})
    made.left_out += [LeftOut(sku, translate(_OTHER_CURRENCY, currency=currency)) for sku in strangers]
    looks = {(variant.size, variant.color) for variant in kept}
    added: list[VariantInput] = []
    for row in fitting:
        look = (row.size[:MAX_SIZE].strip(), row.color[:MAX_COLOR].strip())
        if look in looks:
            made.left_out.append(LeftOut(row.sku, translate(_SAME)))
        else:
            looks.add(look)
            added.append(
                VariantInput(sku=row.sku, size=look[0], color=look[1], price=_price(row), currency=row.currency)
            )
    return added


def _as_it_is(variant: Any) -> VariantInput:  # noqa: ANN401 - a VariantView, whose fields are those of the input
    return VariantInput(**{name: getattr(variant, name) for name in VariantInput.__struct_fields__})


def _price(row: Any) -> int:  # noqa: ANN401 - a row
    """What one costs with tax, before any discount."""
    price: int = row.unit_price
    return price if row.tax_included else price + row.tax // row.quantity


_TENTH: Final = 10


def _tax_rate(row: Any) -> int:  # noqa: ANN401 - a row
    """The tax in the price in hundredths of a percent, to a tenth of a percent: finer, it is the cents that speak."""
    gross = row.unit_price * row.quantity + (0 if row.tax_included else row.tax)
    net = gross - row.tax
    return round(row.tax * 10_000 / net / _TENTH) * _TENTH if 0 < row.tax < net else 0
