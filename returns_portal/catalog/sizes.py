"""What a size is in another system, which sizes stand next to it, and which system a shop means."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.size_labels import Label, letters, plain, read
from returns_portal.catalog.size_tables import Table, table_for

SYSTEMS: Final = (SizeSystem.EU, SizeSystem.UK, SizeSystem.US, SizeSystem.ALPHA)
"""Those between which sizes can be converted, in the order in which pages show them."""
_FIRST_JUNIOR: Final = 6
"""A child's shoe below this size without a letter is taken for a junior's, who is older: babies try nothing on."""


class Sizing(NamedTuple):
    """How the sizes of a product are meant."""

    kind: ProductKind
    group: SizeGroup
    system: SizeSystem


def convert(size: str, sizing: Sizing, to: SizeSystem) -> str | None:
    """What a size of a product is called in another system; None where nobody can tell.

    What goes with two sizes of the other system names both: `36–38`.
    """
    table = table_for(sizing.kind, sizing.group)
    if table is None or to not in table.columns:
        return None
    column = table.columns[to]
    found = [number for row in _rows(size, sizing) if (number := column[row]) is not None]
    if not found:
        return None
    first, last = _written(table, to, found[0]), _written(table, to, found[-1])
    return first if first == last else f"{first}–{last}"


def fits(wanted: str, size: str, sizing: Sizing) -> bool:
    """Whether a product's size is the one that somebody looks for.

    What is wanted may name its system (`UK 8`) and is then converted, and so are letters. A number alone is looked for
    among the product's own numbers, and as an EU size where it can be one.
    """
    label = read(wanted)
    if label is None:
        return wanted.casefold() == size.casefold()
    if label.system in {None, sizing.system} and _same(label, read(size)):
        return True
    system = SizeSystem.ALPHA if label.sort == "letters" else label.system
    if system is None:
        if label.low < _LEAST_EU.get(sizing.kind, label.low + 1):
            return False
        system = SizeSystem.EU
    return not set(_rows(wanted, Sizing(sizing.kind, sizing.group, system))).isdisjoint(_rows(size, sizing))


def _same(wanted: Label, own: Label | None) -> bool:
    if own is None or (wanted.sort, wanted.leg or own.leg) != (own.sort, own.leg):
        return False
    return own.low - _NEAR <= wanted.middle <= own.high + _NEAR


_NEAR: Final = 0.02
"""`42.33` is meant for `42 1/3`."""


@lru_cache(8192)
def _rows(size: str, sizing: Sizing) -> range:
    """The rows of the table that a size stands for; empty where it stands for none."""
    table, label = table_for(sizing.kind, sizing.group), read(size)
    if table is None or label is None or label.sort == "waist":
        return range(0)
    system = SizeSystem.ALPHA if label.sort == "letters" else label.system or sizing.system
    column = table.columns.get(system)
    if column is None or (system == SizeSystem.ALPHA and label.sort != "letters"):
        return range(0)
    ends = _ends(table, system, label)
    found = [row for end in ends for row in _nearest(column, end)]
    return range(min(found), max(found) + 1) if found else range(0)


def _ends(table: Table, system: SizeSystem, label: Label) -> tuple[float, float]:
    if system in table.years:
        # "3-4 years" is made for the child until its next birthday.
        return label.high, label.high
    return _counted(table, system, label, label.low), _counted(table, system, label, label.high)


def _counted(table: Table, system: SizeSystem, label: Label, number: float) -> float:
    """A child's shoe begins anew at 1 after 13 1/2; the table counts on."""
    if not table.child or system == SizeSystem.EU:
        return number
    junior = label.mark == "Y" or (label.mark != "C" and number < _FIRST_JUNIOR)
    return number + table.child if junior else number


def _nearest(column: Sequence[float | None], number: float) -> list[int]:
    """The rows that come nearest to a number: two where it stands between them, none where it is off the table."""
    values = [value for value in column if value is not None]
    step = min(b - a for a, b in pairwise(values) if b > a)
    if not values[0] - step / 2 <= number <= values[-1] + step / 2:
        return []
    least = min(abs(value - number) for value in values)
    return [row for row, value in enumerate(column) if value is not None and abs(value - number) == least]


def _written(table: Table, system: SizeSystem, number: float) -> str:
    if system == SizeSystem.ALPHA:
        return letters(int(number))
    if table.child and system != SizeSystem.EU:
        # 13 1/2 is the last of the children's, and 14 would be the first of the juniors'.
        return f"{plain(number)}C" if number < table.child + 1 else f"{plain(number - table.child)}Y"
    if system in table.years and system == SizeSystem.UK:
        return f"{plain(number - 1)}-{plain(number)}Y"
    return plain(number)


def neighbours(size: str, sizes: Iterable[str]) -> list[str]:
    """The next smaller and the next larger of the sizes that a product has, as it writes them.

    The size itself need not be among them. Sizes that cannot be read as sizes stand in the shop's own order.
    """
    known = list(dict.fromkeys(sizes))
    place = _placing([size, *known])
    here = place(size)
    if here is None:
        return _beside(size, known)
    others = [(there, other) for other in known if (there := place(other)) is not None and there[0] == here[0]]
    below = max((entry for entry in others if entry[0] < here), default=None)
    above = min((entry for entry in others if entry[0] > here), default=None)
    return [entry[1] for entry in (below, above) if entry is not None]


def larger(size: str, than: str, sizes: Iterable[str]) -> bool | None:
    """Whether a size is larger than another of the same product, whose sizes these are.

    None where they are equal, or where nobody can tell: letters beside numbers, trousers of another length.
    """
    place = _placing([size, than, *sizes])
    here, there = place(size), place(than)
    if here is None or there is None or here[0] != there[0] or here[1] == there[1]:
        return None
    return here[1] > there[1]


def in_order(sizes: Iterable[str]) -> list[str]:
    """Sizes from small to large; those that cannot be read keep the shop's order, after the others."""
    known = list(dict.fromkeys(sizes))
    place = _placing(known)
    ranked = {size: place(size) for size in known}
    return sorted(known, key=lambda size: (ranked[size] is None, ranked[size] or ("", 0.0)))


_Thing = TypeVar("_Thing")


def arranged(things: Iterable[_Thing], of: Callable[[_Thing], tuple[str, str]]) -> list[_Thing]:
    """Things in the order of their products as they first stand there, and of each product from small to large.

    `of` says product and size of a thing.
    """
    groups: dict[str, list[_Thing]] = {}
    for thing in things:
        groups.setdefault(of(thing)[0], []).append(thing)
    found = []
    for group in groups.values():
        places = {size: place for place, size in enumerate(in_order(of(thing)[1] for thing in group))}
        found += sorted(group, key=lambda thing, places=places: places[of(thing)[1]])  # type: ignore[misc]  # bound early
    return found


_Place = tuple[str, float]
"""With whom a size can be compared, and where it stands among them."""


def _placing(sizes: Sequence[str]) -> Callable[[str], _Place | None]:
    labels = {size: read(size) for size in sizes}
    # `32/32` and `34/30` are waist and length of trousers, and then `30/32` beside them is, too.
    trousers = any(label is not None and "/" in size and _falls(size) for size, label in labels.items())

    def place(size: str) -> _Place | None:
        label = labels[size]
        if label is None:
            return None
        if label.sort == "waist":
            return f"waist {label.leg}", label.low
        if trousers and label.high != label.low:
            return f"waist {label.high:g}", label.low
        if trousers and "/" in size:
            return f"waist {label.low:g}", label.low
        years = 100 if label.mark == "Y" else 0
        return label.sort, label.middle + years

    return place


def _falls(size: str) -> bool:
    first, _slash, second = size.partition("/")
    return first.strip().isdigit() and second.strip().isdigit() and int(second) <= int(first)


def _beside(size: str, known: list[str]) -> list[str]:
    if size not in known:
        return []
    at = known.index(size)
    return [*known[max(0, at - 1) : at], *known[at + 1 : at + 2]]


def guess_system(kind: ProductKind, sizes: Iterable[str]) -> SizeSystem:
    """Which system a shop means, as far as its sizes tell; a number that could be English or American tells nothing."""
    labels = [label for size in sizes if (label := read(size)) is not None]
    if not labels or any(label.sort == "waist" for label in labels):
        return SizeSystem.OWN
    if all(label.sort == "letters" for label in labels):
        return SizeSystem.ALPHA if kind != ProductKind.OTHER else SizeSystem.OWN
    named = {label.system for label in labels if label.system}
    if len(named) == 1:
        return named.pop()
    numbers = [label.low for label in labels if label.sort == "number"]
    least = _LEAST_EU.get(kind)
    return SizeSystem.EU if least and all(least <= number for number in numbers) else SizeSystem.OWN


_LEAST_EU: Final = {ProductKind.SHOE: 16, ProductKind.CLOTHING: 30}
"""From here on, a number is an EU size: no shoe is English 16, and no dress English 30."""
_TALLER_THAN: Final = {ProductKind.SHOE: (0, 34), ProductKind.CLOTHING: (72, 999)}
"""EU sizes that only children have: shoes up to 34, and clothing by the body's height."""
_WOMENS: Final = range(30, 44)
"""EU sizes of clothing that only women have."""


def guess_group(sizing: Sizing, sizes: Iterable[str]) -> SizeGroup:
    """For whom a product is cut, as far as its sizes tell; `sizing.group` where they do not."""
    numbers = [label.low for size in sizes if (label := read(size)) is not None and label.sort == "number"]
    if not numbers or sizing.system != SizeSystem.EU or sizing.kind == ProductKind.OTHER:
        return sizing.group
    low, high = _TALLER_THAN[sizing.kind]
    if all(low <= number <= high for number in numbers):
        return SizeGroup.KIDS
    if sizing.kind == ProductKind.CLOTHING and any(number in _WOMENS for number in numbers):
        return SizeGroup.WOMEN
    return sizing.group
