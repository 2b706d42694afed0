"""What stands behind a number: the lines, returns, claims, check-ins or questions that it was counted of."""

from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.insights.lines import ASKED, CLAIMED, COUNTED, LINES, RETURNED, Dimension
from returns_portal.insights.measures import CLAIMS, CONDITIONS, REASONS, Measure
from returns_portal.insights.queries import READERS, Span, prepare
from returns_portal.insights.reading import themes

MOST: Final = 50_000
"""Rows of one look."""
M = Measure


class Row(msgspec.Struct, frozen=True):
    """One thing that was counted. Who bought it stands where it leads to, not here."""

    kind: str
    """order, return, claim or question."""
    id: str
    """By which its page is found."""
    number: str
    """By which people know it; empty where it has none."""
    order_number: str
    title: str
    size: str
    color: str
    quantity: int
    note: str
    """What was said, or how it looked."""
    at: datetime


_HEAD: Final = "o.number AS order_number, l.title, l.size, l.color"
_ORDERED: Final = "JOIN order_line l ON l.id = line.id JOIN orders o ON o.id = l.order_id"
_OF_ORDERS: Final = f"""
    SELECT 'order' AS kind, o.number AS id, o.number, {_HEAD},
           CASE WHEN :by_shipped THEN line.shipped ELSE line.sold END AS quantity, '' AS note, o.placed_at AS at
    FROM line {_ORDERED} WHERE NOT :by_shipped OR line.shipped > 0
"""  # noqa: S608 - the parts are our own text, here and below
_OF_RETURNS: Final = f"""
    SELECT 'return' AS kind, every.rma AS id, every.rma AS number, {_HEAD}, every.quantity, every.reason AS note,
           every.at, every.faulty
    FROM ({RETURNED}) AS every JOIN line USING (id) {_ORDERED} WHERE line.shipped > 0
"""  # noqa: S608
_OF_CLAIMS: Final = f"""
    SELECT 'claim' AS kind, CAST(every.claim_id AS text) AS id, '' AS number, {_HEAD}, every.quantity,
           every.kind AS note, every.at
    FROM ({CLAIMED}) AS every JOIN line USING (id) {_ORDERED}
    WHERE line.shipped > 0 AND (CAST(:kind AS text) IS NULL OR every.kind = :kind)
"""  # noqa: S608
_OF_CHECK_INS: Final = f"""
    SELECT 'return' AS kind, every.rma AS id, every.rma AS number, {_HEAD}, every.quantity,
           every.condition AS note, every.at
    FROM ({COUNTED}) AS every JOIN line USING (id) {_ORDERED}
    WHERE line.shipped > 0 AND (CAST(:kind AS text) IS NULL OR every.condition = :kind)
"""  # noqa: S608
_OF_CHECK_INS_THERE: Final = f"{_OF_CHECK_INS} AND (CAST(:key AS text) IS NULL OR every.counted_in = :key)"


@cache
def _statement(dimension: Dimension, part: str) -> str:
    return _of_lines(f"SELECT * FROM ({LINES}) AS every WHERE CAST(:key AS text) IS NULL OR {dimension} = :key", part)  # noqa: S608


def _of_lines(lines: str, part: str) -> str:
    return f"WITH line AS MATERIALIZED ({lines}) {part} ORDER BY at DESC, id LIMIT :limit"


@cache
def _check_ins(dimension: Dimension) -> str:
    """By warehouse, the one that counted a unit is asked for, whichever had sent it."""
    if dimension is Dimension.WAREHOUSE:
        return _of_lines(LINES, _OF_CHECK_INS_THERE)
    return _statement(dimension, _OF_CHECK_INS)


@cache
def _questions(dimension: Dimension) -> str:
    return f"""
        WITH line AS MATERIALIZED ({LINES})
        SELECT DISTINCT ON (every.at, q.id) 'question' AS kind, CAST(q.id AS text) AS id, q.number,
               coalesce(o.number, '') AS order_number, coalesce(p.title, '') AS title, '' AS size, '' AS color,
               1 AS quantity, '' AS note, every.at
        FROM ({ASKED}) AS every JOIN question q ON q.id = every.id LEFT JOIN orders o ON o.id = q.order_id
        LEFT JOIN product p ON p.handle = q.product AND q.product <> ''
        WHERE every.{dimension} = :key OR CAST(:key AS text) IS NULL ORDER BY every.at DESC, q.id LIMIT :limit
    """  # noqa: S608


async def rows(
    db: AsyncConnection, actor: Actor, dimension: Dimension, span: Span, measure: Measure, key: str | None
) -> list[Row]:
    """What a number was counted of, the latest first; of every group where no key is given.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
        InvalidError: they are more than `MOST` (`too_many`): a part of them would not add up to the number.
    """
    actor.require(*READERS)
    await prepare(db)
    values: dict[str, Any] = {**span.values(), "key": key, "limit": MOST + 1}
    if measure in {M.SOLD, M.SHIPPED}:
        found = await run(db, _statement(dimension, _OF_ORDERS), **values, by_shipped=measure is M.SHIPPED)
    elif measure in {M.RETURNED, *REASONS}:
        found = await run(db, _statement(dimension, _OF_RETURNS), **values)
    elif measure is M.ASKED:
        found = await run(db, _questions(dimension), **values)
    elif measure in {M.CLAIMED, *CLAIMS}:
        kind = CLAIMS[measure].value if measure in CLAIMS else None
        found = await run(db, _statement(dimension, _OF_CLAIMS), **values, kind=kind)
    else:
        kind = CONDITIONS[measure].value if measure in CONDITIONS else None
        found = await run(db, _check_ins(dimension), **values, kind=kind)
    if len(found) > MOST:
        raise InvalidError(mark("These are more than {most} rows. Choose fewer days."), code="too_many", most=MOST)
    if measure in REASONS:
        found = [row for row in found if _is_about(row, measure)]
    return [Row(**{name: getattr(row, name) for name in Row.__struct_fields__}) for row in found]


def _is_about(row: Any, measure: Measure) -> bool:  # noqa: ANN401 - a row
    return REASONS[measure] in themes(row.note, faulty=row.faulty)
