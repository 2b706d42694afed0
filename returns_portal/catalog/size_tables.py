"""Which sizes of the systems go with one another. A row is one size of a foot or a body.

Shoes: an EU size counts Paris points of 2/3 cm of the last's length, an English one barleycorns of 1/3 inch from
25 on (a child's from 12 on), an American one from 24 on (women's from 22 1/2, children's from 11 2/3); ISO 19407 puts
the three side by side. The rows below are the English half sizes and the EU half sizes nearest to them; the tests hold
each row against these definitions. American shoes for all are sized as men's.

Clothing: the letters are those of EN 13402-3, table of letter codes (women by bust, S is 82 to 90 cm; men by chest,
S is 86 to 94 cm). An EU size of women goes by bust in steps of 4 cm from 84 cm in size 36 (of 6 cm from 104 cm on), one
of men is half the chest in cm; the English and American numbers beside them are those that European shops print.
Children's are the body's height in steps of 6 cm (EN 13402-3), and years of age in the United Kingdom and the USA.

Makers differ from one another by half a size and more: what stands here proposes, and never decides what is sent.
"""

from typing import Final, NamedTuple

from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem

EU, UK, US, ALPHA = SizeSystem.EU, SizeSystem.UK, SizeSystem.US, SizeSystem.ALPHA

Column = tuple[float | None, ...]


class Table(NamedTuple):
    """Sizes side by side. Numbers grow from row to row; letters are ranks, and stay the same over two rows."""

    columns: dict[SizeSystem, Column]
    child: int = 0
    """How many sizes a child's shoe has before it begins anew at 1; 0 where sizes are counted on."""
    years: frozenset[SizeSystem] = frozenset()
    """Systems whose numbers are years of age."""


def _adults(american: float) -> Table:
    english = tuple(size / 2 for size in range(5, 30))
    return Table({EU: _EU_SHOES, UK: english, US: tuple(size + american for size in english)})


_EU_SHOES: Final[Column] = (
    35, 35.5, 36, 37, 37.5, 38, 39, 39.5, 40, 40.5, 41, 42, 42.5, 43, 44, 44.5, 45, 46, 46.5, 47, 47.5, 48, 49, 49.5,
    50,
)  # fmt: skip
_MENS_SHOES: Final = _adults(1)
_WOMENS_SHOES: Final = _adults(2.5)
_KIDS_SHOES: Final = Table(
    {
        EU: tuple(range(16, 39)),
        UK: (0.5, 1.5, 2, 3, 3.5, 4.5, 5.5, 6, 7, 7.5, 8.5, 9.5, 10, 11, 11.5, 12.5, 13, 14, 15, 15.5, 16.5, 17, 18),
        US: (1, 1.5, 2.5, 3.5, 4, 5, 5.5, 6.5, 7, 8, 9, 9.5, 10.5, 11, 12, 12.5, 13.5, 14.5, 15, 16, 16.5, 17.5, 18.5),
    },
    child=13,
)

_WOMENS_CLOTHING: Final = Table(
    {
        EU: tuple(range(32, 56, 2)),
        UK: tuple(range(4, 28, 2)),
        US: tuple(range(0, 24, 2)),
        ALPHA: (-2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3, 3),
    }
)
_MENS_CLOTHING: Final = Table(
    {
        EU: tuple(range(40, 68, 2)),
        UK: tuple(range(30, 58, 2)),
        US: tuple(range(30, 58, 2)),
        ALPHA: (-2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4),
    }
)
_KIDS_CLOTHING: Final = Table(
    {
        EU: tuple(range(92, 182, 6)),
        UK: tuple(range(2, 17)),
        US: (2, 3, 4, 5, 6, 7, 8, None, 10, None, 12, None, 14, None, 16),
    },
    years=frozenset({UK, US}),
)

_TABLES: Final = {
    (ProductKind.SHOE, SizeGroup.MEN): _MENS_SHOES,
    (ProductKind.SHOE, SizeGroup.UNISEX): _MENS_SHOES,
    (ProductKind.SHOE, SizeGroup.WOMEN): _WOMENS_SHOES,
    (ProductKind.SHOE, SizeGroup.KIDS): _KIDS_SHOES,
    (ProductKind.CLOTHING, SizeGroup.MEN): _MENS_CLOTHING,
    (ProductKind.CLOTHING, SizeGroup.UNISEX): _MENS_CLOTHING,
    (ProductKind.CLOTHING, SizeGroup.WOMEN): _WOMENS_CLOTHING,
    (ProductKind.CLOTHING, SizeGroup.KIDS): _KIDS_CLOTHING,
}


def table_for(kind: ProductKind, group: SizeGroup) -> Table | None:
    """The table for a kind of thing and those who wear it; None for what has no common sizes."""
    return _TABLES.get((kind, group))
