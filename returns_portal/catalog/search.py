"""Looking for products: by words, by kind, and by a size in any system."""

from collections.abc import Sequence
from itertools import product as combinations
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.checks import MAX_SIZE
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.queries import EVERYTHING, VIEW, ProductView, as_view
from returns_portal.catalog.rules import words_of
from returns_portal.catalog.sizes import Sizing, fits
from returns_portal.db import run
from returns_portal.texts import fit

PAGE: Final = 24
MAX_QUERY: Final = 100
_MAX_WORDS: Final = 8
_LAST: Final = "\U0010ffff"
"""No text that begins with a prefix comes after the prefix with this."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody looks for. Empty fields leave everything open."""

    words: str = ""
    """Beginnings of words of title and brand, or the beginning of an SKU."""
    kind: ProductKind | None = None
    size: str = ""
    """Such as `42`, `UK 8` or `M`."""
    unlisted: bool = False
    """Whether what is not listed is shown, too."""

    @property
    def is_open(self) -> bool:
        """Whether everything is wanted."""
        return not (self.words or self.kind or self.size)


class Found(msgspec.Struct, frozen=True):
    """A page of what was found, by title; `after` asks for the following one."""

    products: list[ProductView]
    after: UUID | None


def a_wish(words: str, kind: str, size: str) -> Wish:
    """A wish as it was typed; what cannot be one is left out, as search fields do."""
    known = ProductKind(kind) if kind in list(ProductKind) else None
    return Wish(words=_typed(words, MAX_QUERY), kind=known, size=_typed(size, MAX_SIZE))


def an_id(text: str) -> UUID | None:
    """The id that an address names; None where it names none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _typed(text: str, limit: int) -> str:
    return " ".join(text.split())[:limit] if fit(" ".join(text.split())) else ""


async def search(
    db: AsyncConnection, actor: Actor, wish: Wish, *, after: UUID | None = None, limit: int = PAGE
) -> Found:
    """Products by title, with what is offered of them.

    Raises:
        ForbiddenError: a customer asks for what is not listed.
    """
    if wish.unlisted:
        actor.require(*EVERYTHING)
    conditions = ["true" if wish.unlisted else "p.listed"]
    values: dict[str, Any] = {"limit": limit + 1}
    if wish.words:
        condition, more = _by_words(wish.words)
        conditions.append(condition)
        values |= more
    if wish.kind:
        conditions.append("p.kind = :kind")
        values["kind"] = wish.kind.value
    if wish.size:
        conditions.append(_OF_SIZE)
        values |= await _of_size(db, wish.size, wish.kind)
    if after is not None:
        conditions.append("(p.title, p.id) > (SELECT title, id FROM product WHERE id = :after)")
        values["after"] = after
    rows = await run(db, f"{VIEW} WHERE {' AND '.join(conditions)} ORDER BY p.title, p.id LIMIT :limit", **values)
    shown = rows[:limit]
    return Found([as_view(row) for row in shown], shown[-1].id if len(rows) > limit else None)


# The two ways of finding are parts of one list of ids, so that each goes by its own index; and it is an array, because
# the database expects far more of a search than it finds, and would read all products to join them.
_BY_SKU: Final = "SELECT product_id FROM variant WHERE lower(sku) ~>=~ :from_sku AND lower(sku) ~<~ :to_sku"
_BY_WORDS: Final = "SELECT id FROM product WHERE to_tsvector('simple', words) @@ to_tsquery('simple', :words)"


def _by_words(text: str) -> tuple[str, dict[str, str]]:
    prefix = text.lower()
    values = {"from_sku": prefix, "to_sku": prefix + _LAST}
    words = words_of(text)[:_MAX_WORDS]
    if not words:
        return f"p.id = ANY(ARRAY({_BY_SKU}))", values
    # Letters and digits alone, so that nothing in them means anything to the parser of queries.
    values["words"] = " & ".join(f"'{word}':*" for word in words)
    return f"p.id = ANY(ARRAY({_BY_SKU} UNION {_BY_WORDS}))", values


# Which sizes there are at all: from one to the next by the index, however many variants have each.
_SIZES: Final = """
    WITH RECURSIVE found AS (
        (SELECT size FROM variant WHERE archived_at IS NULL ORDER BY size LIMIT 1)
        UNION ALL
        SELECT (SELECT v.size FROM variant v WHERE v.archived_at IS NULL AND v.size > f.size ORDER BY v.size LIMIT 1)
        FROM found f WHERE f.size IS NOT NULL)
    SELECT size FROM found WHERE size IS NOT NULL
"""
_OF_SIZE: Final = """
    p.id IN (
        SELECT v.product_id FROM variant v JOIN product q ON q.id = v.product_id
        JOIN unnest(CAST(:sizes AS text[]), CAST(:kinds AS text[]), CAST(:groups AS text[]), CAST(:systems AS text[]))
            AS w(size, kind, size_group, size_system)
            ON w.size = v.size AND w.kind = q.kind AND w.size_group = q.size_group AND w.size_system = q.size_system
        WHERE v.archived_at IS NULL AND v.size = ANY(:any_size))
"""


async def _of_size(db: AsyncConnection, wanted: str, kind: ProductKind | None) -> dict[str, list[str]]:
    """Which sizes of which products are the one that is wanted, by how the products are sized."""
    sizes = [row.size for row in await run(db, _SIZES)]
    fitting = _fitting(wanted, sizes, [kind] if kind else list(ProductKind))
    return {
        "sizes": [size for size, _sizing in fitting],
        "kinds": [sizing.kind.value for _size, sizing in fitting],
        "groups": [sizing.group.value for _size, sizing in fitting],
        "systems": [sizing.system.value for _size, sizing in fitting],
        "any_size": sorted({size for size, _sizing in fitting}),
    }


def _fitting(wanted: str, sizes: Sequence[str], kinds: Sequence[ProductKind]) -> list[tuple[str, Sizing]]:
    sizings = [Sizing(*each) for each in combinations(kinds, SizeGroup, SizeSystem)]
    return [(size, sizing) for size in sizes for sizing in sizings if fits(wanted, size, sizing)]
