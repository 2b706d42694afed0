"""Units that were sold in a period, grouped and counted by the database."""

from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.insights.lines import CLAIMED, COUNTED, RETURNED, Dimension, asked, lines
from returns_portal.insights.measures import CLAIMS, CONDITIONS, Group, Measure
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
_SUMS: Final = ", ".join(
    f"CAST(coalesce(sum({name}), 0) AS bigint) AS {name}"
    for name in ("sold", "shipped", "returned", "claimed", *CLAIMS, "checked", *CONDITIONS)
)


@cache
def _counting(dimension: Dimension) -> str:
    """Each line with what became of it first, so that no unit is counted twice, and then the sums of its group."""
    return f"""
        WITH line AS MATERIALIZED ({lines(dimension)}),
        returned AS (
            SELECT id, least(sum(quantity), max(shipped)) AS returned
            FROM ({RETURNED}) AS every JOIN line USING (id) GROUP BY id),
        claimed AS (
            SELECT id, least(sum(quantity), max(shipped)) AS claimed, {_CLAIMS}
            FROM ({CLAIMED}) AS every JOIN line USING (id) GROUP BY id),
        counted AS (
            SELECT id, least(sum(quantity), max(shipped)) AS checked, {_CONDITIONS}
            FROM ({COUNTED}) AS every JOIN line USING (id) GROUP BY id),
        grouped AS (
            SELECT key, max(name) AS name, {_SUMS}
            FROM line LEFT JOIN returned USING (id) LEFT JOIN claimed USING (id) LEFT JOIN counted USING (id)
            GROUP BY key),
        question_of AS (
            SELECT key, max(name) AS name, count(DISTINCT id) AS asked FROM ({asked(dimension)}) AS every GROUP BY key)
        SELECT key, coalesce(grouped.name, question_of.name) AS name, {_coalesced()}, coalesce(asked, 0) AS asked
        FROM grouped FULL JOIN question_of USING (key)
    """  # noqa: S608 - the parts are our own text


def _coalesced() -> str:
    names = ("sold", "shipped", "returned", "claimed", *CLAIMS, "checked", *CONDITIONS)
    return ", ".join(f"coalesce({name}, 0) AS {name}" for name in names)


@cache
def _reasons(dimension: Dimension) -> str:
    """What was said of each line, alike words together: reading them is not the database's."""
    return f"""
        WITH line AS MATERIALIZED ({lines(dimension)})
        SELECT id, key, shipped, reason, faulty, CAST(sum(quantity) AS bigint) AS quantity
        FROM ({RETURNED}) AS every JOIN line USING (id) WHERE reason <> '' OR faulty
        GROUP BY id, key, shipped, reason, faulty
    """  # noqa: S608 - as above


async def custom_plans(db: AsyncConnection) -> None:
    """Plan what follows in this transaction for the period that is asked for: a week and ten years want other plans."""
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")


async def groups(db: AsyncConnection, actor: Actor, dimension: Dimension, span: Span) -> list[Group]:
    """Every group of a dimension with all that is counted of it; those of which most was sold first.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    actor.require(*READERS)
    await custom_plans(db)
    said = _said(await run(db, _reasons(dimension), **span.values()))
    found = []
    for row in await run(db, _counting(dimension), **span.values()):
        known = row._asdict()
        key, name = known.pop("key"), known.pop("name")
        counts = {Measure(measure): int(count) for measure, count in known.items()}
        found.append(Group(key, name or key, counts | said.get(key, {})))
    return sorted(found, key=lambda group: (-group[Measure.SOLD], group.name, group.key))


def _said(rows: list[Any]) -> dict[str, dict[Measure, int]]:
    """How many units of each group are said to be what; of a line never more than were sent."""
    of_lines: dict[tuple[Any, str, int], dict[Measure, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for theme in themes(row.reason, faulty=row.faulty):
            of_lines[row.id, row.key, row.shipped][Measure(theme.value)] += row.quantity
    found: dict[str, dict[Measure, int]] = defaultdict(lambda: defaultdict(int))
    for (_line, key, shipped), counts in of_lines.items():
        for measure, count in counts.items():
            found[key][measure] += min(count, shipped)
    return found
