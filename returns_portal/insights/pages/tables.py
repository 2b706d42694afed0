"""A table of groups: what was sold of each, and which share came back, was claimed, or what else is asked for."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.sizes import in_order
from returns_portal.finance.cells import safe
from returns_portal.i18n import _, translate
from returns_portal.insights.changing import DAYS
from returns_portal.insights.chart import Chart, Item, chart
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import CONDITIONS, Group, Measure, added, base_of
from returns_portal.insights.pages.asked import (
    OFFERED,
    PAGE,
    AnyRequest,
    Asked,
    days_of,
    dimension_of,
    measure_of,
    measures,
    staff,
    tabs,
)
from returns_portal.insights.pages.words import (
    DIMENSIONS,
    HEADINGS,
    bounds,
    group_words,
    measure_words,
    percent,
    share_words,
    stands_words,
)
from returns_portal.insights.queries import Span, groups
from returns_portal.insights.standing import Standing, Stands, by_doubt, by_month, standings
from returns_portal.shop.queries import current
from returns_portal.web import page
from returns_portal.web.formats import number

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
M = Measure


class Cell(msgspec.Struct, frozen=True):
    """A number, and the rows behind it; without an address where it is nothing."""

    text: str
    href: str


class Line(msgspec.Struct, frozen=True):
    """One group in words."""

    name: str
    cells: list[Cell]
    share: str
    bounds: str
    stands: str
    strong: bool


class Table(msgspec.Struct, frozen=True):
    """What the page says."""

    heading: str
    headings: list[str]
    lines: list[Line]
    chart: Chart | None
    shop: str
    """The share of the whole shop, in words."""
    measure: str
    asks: bool
    """Whether it is about questions, which are no share of units."""


def arranged(dimension: Dimension, found: list[Standing]) -> list[Standing]:
    """Months in their order, sizes from small to large; others by what stands out, and then by what was sold."""
    if dimension is Dimension.MONTH:
        return sorted(found, key=lambda one: one.group.key)
    if dimension is Dimension.SIZE:
        places = {size: place for place, size in enumerate(in_order(one.group.key for one in found))}
        return sorted(found, key=lambda one: places[one.group.key])
    return by_doubt(found)


def _standings(dimension: Dimension, found: list[Group], measure: Measure, span: Span) -> list[Standing]:
    if dimension is not Dimension.MONTH:
        return standings(found, measure)
    settled = (span.seen - timedelta(days=DAYS)).astimezone(ZoneInfo(span.zone))
    return by_month(found, measure, f"{settled:%Y-%m}")


def table_of(dimension: Dimension, measure: Measure, found: list[Group], asked: Asked) -> Table:
    """The groups by a measure."""
    if measure not in OFFERED:
        measure = M.RETURNED
    asks = measure is M.ASKED
    counted = [M.SOLD, measure] if asks else list(dict.fromkeys((M.SOLD, base_of(measure), measure)))
    if dimension is Dimension.WAREHOUSE and measure in CONDITIONS:
        # What a warehouse counted was sold by any of them.
        counted.remove(M.SOLD)
    shown = (
        _asked_about(found) if asks else arranged(dimension, _standings(dimension, found, measure, asked.period.span))
    )
    whole = added(found)
    return Table(
        heading=translate(DIMENSIONS[dimension]),
        headings=[translate(HEADINGS[dimension]), *(measure_words(each) for each in counted)],
        lines=[_line(dimension, one, counted, asked, asks=asks) for one in shown],
        chart=None if asks or not shown else _drawn(dimension, shown, whole, measure),
        shop="" if asks or not whole[base_of(measure)] else share_words(standings([whole], measure)[0]),
        measure=measure.value,
        asks=asks,
    )


def _asked_about(found: list[Group]) -> list[Standing]:
    """Groups that questions are about, the most first; nothing is told of what stands out."""
    asked = [Standing(group, M.ASKED, 1.0, Stands.UNKNOWN) for group in found if group[M.ASKED]]
    return sorted(asked, key=lambda one: -one.group[M.ASKED])


def _line(dimension: Dimension, one: Standing, counted: Sequence[Measure], asked: Asked, *, asks: bool) -> Line:
    group = one.group
    per_hundred = number(round(100 * group[M.ASKED] / group[M.SOLD], 1)) if asks and group[M.SOLD] else "–"
    return Line(
        name=group_words(dimension, group),
        cells=[Cell(number(group[each]), _rows_of(dimension, group, each, asked)) for each in counted],
        share=per_hundred if asks else percent(one.share),
        bounds="" if asks else bounds(one),
        stands="" if asks else stands_words(one.stands),
        strong=one.stands is Stands.MORE,
    )


def _rows_of(dimension: Dimension, group: Group, measure: Measure, asked: Asked) -> str:
    if not group[measure]:
        return ""
    return f"{PAGE}/{dimension.value}/rows?{asked.period.query(measure=measure.value, key=group.key)}"


def _drawn(dimension: Dimension, shown: Sequence[Standing], whole: Group, measure: Measure) -> Chart:
    items = [
        Item(group_words(dimension, one.group), _value(one), one.share, one.interval, _strong(one)) for one in shown
    ]
    return chart(items, whole[measure] / whole[base_of(measure)])


def _strong(one: Standing) -> bool:
    return one.stands is Stands.MORE


def _value(one: Standing) -> str:
    share = share_words(one)
    return _("{share}, more", share=share) if _strong(one) else share


@get("/insights/{dimension:str}", guards=staff)
async def table_page(request: AnyRequest, db: Db, actor: By, dimension: FromPath[str]) -> Response[Any]:
    """The groups of a dimension by one measure, as a picture and as a table."""
    by, measure = dimension_of(dimension), measure_of(request)
    asked = days_of(request, (await current(db)).timezone)
    shown = table_of(by, measure, await groups(db, actor, by, asked.period.span), asked)
    query = asked.period.query(measure=shown.measure)
    return page(
        request,
        "insights/table.html",
        status=asked.status,
        here=by.value,
        tabs=tabs(query),
        asked=asked,
        table=shown,
        measures=measures(),
        query=query,
        days=DAYS,
        path_here=f"{PAGE}/{by.value}",
        presets=[(preset, f"{PAGE}/{by.value}?{preset.query}&measure={shown.measure}") for preset in asked.presets],
    )


_COUNTS: Final = tuple(M)


@get("/insights/{dimension:str}/table.csv", guards=staff)
async def table_csv(request: AnyRequest, db: Db, actor: By, dimension: FromPath[str]) -> Response[str]:
    """The same as a file, with everything that is counted; shares from 0 to 1, of the measure that is asked for."""
    by, measure = dimension_of(dimension), measure_of(request)
    asked = days_of(request, (await current(db)).timezone)
    found = await groups(db, actor, by, asked.period.span)
    shown = _standings(by, found, measure, asked.period.span) if measure in OFFERED[:-1] else []
    known = {one.group.key: one for one in shown}
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["key", "name", *_COUNTS, "measure", "share", "low", "high", "chance", "stands"])
    for group in found:
        counts = [group[each] for each in _COUNTS]
        writer.writerow([safe(group.key), safe(group.name), *counts, measure.value, *_told(known.get(group.key))])
    return file_answer(written.getvalue(), f"{by.value}-{asked.period.first}-{asked.period.last}")


def _told(one: Standing | None) -> list[str]:
    if one is None:
        return [""] * 5
    return [f"{value:.6f}" for value in (one.share, *one.interval, one.chance)] + [one.stands.value]


def file_answer(text: str, name: str) -> Response[str]:
    """A CSV file as a download."""
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


routes: list[Any] = [table_page, table_csv]
