"""Units that were sold in a period, grouped and counted by the database."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.insights.lines import ASKED, CLAIMED, COUNTED, LINES, RETURNED, Dimension
from returns_portal.insights.measures import BASES, CLAIMS, CONDITIONS, Group, Measure
from returns_portal.insights.reading import themes

READERS: Final = ("finance", "support")
"""Who sees where the weak points are; an admin sees everything."""


class Span(msgspec.Struct, frozen=True):
    """Which orders are counted: those placed from one moment until before another, as things stood at `seen`."""

    start: datetime
    end: datetime
    seen: datetime
    zone: str
    """The shop's, by which months begin."""

    def values(self) -> dict[str, object]:
        """What statements are run with."""
        return msgspec.structs.asdict(self)


def _kinds(column: str, kinds: dict[Measure, str]) -> str:
    return ", ".join(
        # LEAST leaves NULL out: what there is none of would become all of it.
        f"least(coalesce(sum(quantity) FILTER (WHERE {column} = '{kind}'), 0), max(shipped)) AS {measure}"
        for measure, kind in kinds.items()
    )


_CLAIMS: Final = _kinds("kind", {measure: kind.value for measure, kind in CLAIMS.items()})
_CONDITIONS: Final = _kinds("condition", {measure: kind.value for measure, kind in CONDITIONS.items()})


_LOOKED_AT: Final = ("checked", *CONDITIONS)
"""What is told of the warehouse that counted it, not of the one that had sent it."""
_NAMES: Final = ("sold", "shipped", "returned", "claimed", *CLAIMS, *_LOOKED_AT)
_KEYS: Final = ", ".join(Dimension)


def _columns(told: Callable[[str, str], str]) -> str:
    """Units, purchases and squares; `told` says what is told of a sum, by what it is a sum of."""
    units = [(name, f"CAST(coalesce(sum({name}), 0) AS bigint)", name) for name in _NAMES]
    purchases = [(f"some_{name}", f"count(*) FILTER (WHERE {name} > 0)", name) for name in _NAMES]
    squares = [(f"squares_{base}", f"CAST(coalesce(sum({base} * {base}), 0) AS bigint)", base) for base in BASES]
    return ", ".join(f"{told(value, of)} AS {column}" for column, value, of in (*units, *purchases, *squares))


def _of_lines(value: str, of: str) -> str:
    return f"CASE WHEN grouping(warehouse) = 0 THEN 0 ELSE {value} END" if of in _LOOKED_AT else value


def _of_counters(value: str, of: str) -> str:
    return value if of in _LOOKED_AT else "CAST(0 AS bigint)"


_SETS: Final = ", ".join(f"({dimension})" for dimension in Dimension)
_PLACE: Final = f"CAST(grouping({_KEYS}) AS int) AS place"
"""Which of the keys a row is grouped by: all bits are set but its own, the last key has the lowest."""
_BY_PLACE: Final = {
    (1 << len(Dimension)) - 1 - (1 << bit): dimension for bit, dimension in enumerate(reversed(Dimension))
}

_OF_WAREHOUSES: Final = next(place for place, dimension in _BY_PLACE.items() if dimension is Dimension.WAREHOUSE)
_COUNTED_IN: Final = ", ".join("counted_in" if each is Dimension.WAREHOUSE else "NULL" for each in Dimension)
_LOOKS: Final = f"least(sum(quantity), max(shipped)) AS checked, {_CONDITIONS}"

# Each line with what became of it first, so that no unit is counted twice, and then the sums of all groups at once.
_COUNTED: Final = f"""
    WITH line AS MATERIALIZED ({LINES}),
    returned AS (
        SELECT id, least(sum(quantity), max(shipped)) AS returned
        FROM ({RETURNED}) AS every JOIN line USING (id) GROUP BY id),
    claimed AS (
        SELECT id, least(sum(quantity), max(shipped)) AS claimed, {_CLAIMS}
        FROM ({CLAIMED}) AS every JOIN line USING (id) GROUP BY id),
    counted AS (
        SELECT id, {_LOOKS} FROM ({COUNTED}) AS every JOIN line USING (id) GROUP BY id),
    counted_there AS (
        SELECT id, counted_in, {_LOOKS} FROM ({COUNTED}) AS every JOIN line USING (id) GROUP BY id, counted_in)
    SELECT {_PLACE}, {_KEYS}, max(title) AS title, {_columns(_of_lines)}, CAST(0 AS bigint) AS asked
    FROM line LEFT JOIN returned USING (id) LEFT JOIN claimed USING (id) LEFT JOIN counted USING (id)
    GROUP BY GROUPING SETS ({_SETS})
    UNION ALL
    SELECT {_OF_WAREHOUSES}, {_COUNTED_IN}, NULL, {_columns(_of_counters)}, 0
    FROM counted_there GROUP BY counted_in
    UNION ALL
    SELECT {_PLACE}, {_KEYS}, max(title), {", ".join("0" * (2 * len(_NAMES) + len(BASES)))}, count(DISTINCT id)
    FROM ({ASKED}) AS every GROUP BY GROUPING SETS ({_SETS})
"""  # noqa: S608 - the parts are our own text
# What was said of each line, alike words together: reading them is not the database's.
_SAID: Final = f"""
    WITH line AS MATERIALIZED ({LINES})
    SELECT id, shipped, {_KEYS}, reason, faulty, CAST(sum(quantity) AS bigint) AS quantity
    FROM ({RETURNED}) AS every JOIN line USING (id) WHERE reason <> '' OR faulty
    GROUP BY id, shipped, {_KEYS}, reason, faulty
"""  # noqa: S608 - as above


async def prepare(db: AsyncConnection) -> None:
    """Have what follows in this transaction planned for the period that is asked for, and without nested loops.

    Nothing is known beforehand of how many lines a period has: taken for few, they would be looked through once for
    each return, and ten thousand orders take a minute rather than a fifth of a second.
    """
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")
    await run(db, "SET LOCAL enable_nestloop = off")


Tables = dict[Dimension, list[Group]]


async def tables(db: AsyncConnection, actor: Actor, span: Span) -> Tables:
    """Every group of every dimension with all that is counted of it; those of which most was sold first.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    actor.require(*READERS)
    await prepare(db)
    found: dict[tuple[Dimension, str], Group] = {}
    for row in await run(db, _COUNTED, **span.values()):
        dimension = _BY_PLACE[row.place]
        key = getattr(row, dimension)
        # A question about no size in particular.
        if key is None:
            continue
        name = row.title if dimension is Dimension.PRODUCT else key
        _add(found.setdefault((dimension, key), Group(key, name, {}, {}, {})), row)
    for place, (units, purchases) in _said(await run(db, _SAID, **span.values())).items():
        # What was imported between the two statements may have put goods under a name that the first did not see.
        if (group := found.get(place)) is not None:
            group.counts.update(units)
            group.purchases.update(purchases)
    of_each: Tables = {dimension: [] for dimension in Dimension}
    for (dimension, _key), group in found.items():
        of_each[dimension].append(group)
    for several in of_each.values():
        several.sort(key=lambda group: (-group[Measure.SOLD], group.name, group.key))
    return of_each


def _add(group: Group, row: Any) -> None:  # noqa: ANN401 - a row
    """What the database counted of a group; one row is of its lines, another of its questions."""
    known = row._asdict()
    for name in _NAMES:
        group.counts[Measure(name)] = group[Measure(name)] + int(known[name])
        group.purchases[Measure(name)] = group.purchases.get(Measure(name), 0) + known[f"some_{name}"]
    for base in BASES:
        group.squares[base] = group.squares.get(base, 0) + known[f"squares_{base}"]
    group.counts[Measure.ASKED] = group[Measure.ASKED] + row.asked


async def groups(db: AsyncConnection, actor: Actor, dimension: Dimension, span: Span) -> list[Group]:
    """Those of one dimension.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    return (await tables(db, actor, span))[dimension]


def _said(rows: list[Any]) -> dict[tuple[Dimension, str], tuple[Counter[Measure], Counter[Measure]]]:
    """How many units of each group are said to be what, of how many purchases; never more of one than were sent."""
    lines: dict[UUID, Any] = {}
    of_lines: dict[UUID, Counter[Measure]] = defaultdict(Counter)
    for row in rows:
        lines[row.id] = row
        for theme in themes(row.reason, faulty=row.faulty):
            of_lines[row.id][Measure(theme.value)] += row.quantity
    found: dict[tuple[Dimension, str], tuple[Counter[Measure], Counter[Measure]]] = {}
    for line_id, counts in of_lines.items():
        line = lines[line_id]
        for dimension in Dimension:
            units, purchases = found.setdefault((dimension, getattr(line, dimension)), (Counter(), Counter()))
            for measure, count in counts.items():
                units[measure] += min(count, line.shipped)
                purchases[measure] += line.shipped > 0
    return found
