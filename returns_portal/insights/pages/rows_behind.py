"""The rows behind a number, each with the way to its return, claim, question or order."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.pages.words import for_templates as claim_words
from returns_portal.finance.cells import safe
from returns_portal.i18n import _
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import Group, Measure, base_of
from returns_portal.insights.pages.asked import PAGE, AnyRequest, days_of, dimension_of, measure_of, staff, tabs
from returns_portal.insights.pages.tables import file_answer
from returns_portal.insights.pages.words import group_words, measure_words
from returns_portal.insights.queries import Span, groups
from returns_portal.insights.rows import Row, rows
from returns_portal.shop.queries import current
from returns_portal.warehouse.pages.words import condition_words
from returns_portal.web import page

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
SHOWN: Final = 200
_COLUMNS: Final = tuple(Row.__struct_fields__)
M = Measure


class Shown(msgspec.Struct, frozen=True):
    """A row in words."""

    row: Row
    href: str
    text: str
    note: str


@get("/insights/{dimension:str}/rows", guards=staff)
async def rows_page(request: AnyRequest, db: Db, actor: By, dimension: FromPath[str]) -> Response[Any]:
    """What a number was counted of, the latest first."""
    by, measure, key = dimension_of(dimension), measure_of(request), request.query_params.get("key")
    asked = days_of(request, (await current(db)).timezone)
    found = await rows(db, actor, by, asked.period.span, measure, key)
    group = await _group(db, actor, by, asked.period.span, key) if key is not None else None
    units = sum(row.quantity for row in found)
    query = asked.period.query(measure=measure.value, **({} if key is None else {"key": key}))
    back = measure.value if measure not in {M.SOLD, M.SHIPPED, M.CHECKED} else M.RETURNED.value
    return page(
        request,
        "insights/rows.html",
        status=asked.status,
        here=by.value,
        tabs=tabs(asked.query),
        heading=_heading(by, measure, group),
        days=(asked.period.first, asked.period.last),
        back=f"{PAGE}/{by.value}?{asked.period.query(measure=back)}",
        rows=[_shown(row, actor, measure) for row in found[:SHOWN]],
        more=len(found) - SHOWN,
        units=units,
        # A unit that came back twice, or was claimed about twice, is one unit in the tables and has two rows.
        counted=group[measure] if group and measure is not M.ASKED else units,
        file=f"{PAGE}/{by.value}/rows.csv?{query}",
    )


async def _group(db: AsyncConnection, actor: Actor, by: Dimension, span: Span, key: str) -> Group:
    found = await groups(db, actor, by, span)
    return next((group for group in found if group.key == key), Group(key, key, {}))


def _heading(by: Dimension, measure: Measure, group: Group | None) -> str:
    if group is None:
        return measure_words(measure)
    return _("{group}: {measure}", group=group_words(by, group), measure=measure_words(measure))


def _shown(row: Row, actor: Actor, measure: Measure) -> Shown:
    hrefs = {
        "order": f"/staff/orders/{quote(row.id)}",
        "return": f"/returns/{quote(row.id)}",
        "claim": f"/claims/{row.id}",
        # Questions are answered by support alone.
        "question": f"/staff/questions/{row.id}" if actor.has("support") else "",
    }
    text = row.number or (_("Claim") if row.kind == "claim" else row.order_number)
    return Shown(row, hrefs[row.kind], text, _note(row, measure))


def _note(row: Row, measure: Measure) -> str:
    if row.kind == "claim":
        return str(claim_words()["kind_words"][row.note])
    if base_of(measure) is M.CHECKED or measure is M.CHECKED:
        return condition_words(row.note)
    return row.note


@get("/insights/{dimension:str}/rows.csv", guards=staff)
async def rows_csv(request: AnyRequest, db: Db, actor: By, dimension: FromPath[str]) -> Response[str]:
    """The same rows as a file, all of them; moments in UTC, nothing of people but what they say."""
    by, measure, key = dimension_of(dimension), measure_of(request), request.query_params.get("key")
    asked = days_of(request, (await current(db)).timezone)
    found = await rows(db, actor, by, asked.period.span, measure, key)
    name = f"{by.value}-{measure.value}-{asked.period.first}-{asked.period.last}"
    return file_answer(_written(found), name)


def _written(found: Sequence[Row]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in found:
        texts = [safe(getattr(row, name)) for name in _COLUMNS[:7]]
        writer.writerow([*texts, row.quantity, safe(row.note), f"{row.at:%Y-%m-%dT%H:%M:%SZ}"])
    return written.getvalue()


routes: list[Any] = [rows_page, rows_csv]
