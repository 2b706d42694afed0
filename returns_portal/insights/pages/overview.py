"""Where the weak points are at a glance: the sums, the months, what stands out, and what changed."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.finance.filters import today
from returns_portal.i18n import _
from returns_portal.insights.changing import DAYS, changed, spans
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import SHARES, Group, Measure, added
from returns_portal.insights.pages.asked import PAGE, AnyRequest, Asked, days_of, staff, tabs
from returns_portal.insights.pages.period import Period
from returns_portal.insights.pages.tables import table_of
from returns_portal.insights.pages.words import group_words, measure_words, share_words
from returns_portal.insights.queries import tables
from returns_portal.insights.standing import Change, Found, Stands, standings, weakest
from returns_portal.shop.queries import current
from returns_portal.web import page
from returns_portal.web.formats import number

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
M = Measure

_FIGURES: Final = (M.SOLD, M.SHIPPED, M.RETURNED, M.CLAIMED, M.CAME_DAMAGED)
_SEARCHED: Final = tuple(dimension for dimension in Dimension if dimension is not Dimension.MONTH)
_TOLD: Final = 8
"""So many sentences are read; the tables have the rest."""
_GOOD: Final = frozenset({M.CAME_RESELLABLE})
"""Of this, more is better."""
_BAD: Final = tuple(measure for measure in SHARES if measure not in _GOOD)


class Finding(msgspec.Struct, frozen=True):
    """A sentence, and the rows behind it."""

    text: str
    href: str


@get(PAGE, guards=staff)
async def overview_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What goes wrong, seen from afar."""
    zone = (await current(db)).timezone
    asked = days_of(request, zone)
    found = await tables(db, actor, asked.period.span)
    months = found[Dimension.MONTH]
    recent = spans(clock.now(), zone)[0].start.astimezone(ZoneInfo(zone)).date()
    changes = await changed(db, actor, clock.now(), zone)
    return page(
        request,
        "insights/overview.html",
        status=asked.status,
        here="",
        tabs=tabs(asked.query),
        asked=asked,
        path_here=PAGE,
        presets=[(preset, f"{PAGE}?{preset.query}") for preset in asked.presets],
        figures=_figures(added(months), asked),
        months=table_of(Dimension.MONTH, M.RETURNED, months, asked),
        query=asked.period.query(measure=M.RETURNED.value),
        weak=[_weak(one, asked) for one in weakest({each: found[each] for each in _SEARCHED}, _BAD)[:_TOLD]],
        changes=[_change(one, Period(recent, today(zone), zone)) for one in changes[:_TOLD]],
        days=DAYS,
    )


def _figures(whole: Group, asked: Asked) -> list[dict[str, str]]:
    """The sums, each with the way to its rows."""
    made = []
    for measure in _FIGURES:
        told = standings([whole], measure) if measure in SHARES else []
        made.append(
            {
                "text": measure_words(measure),
                "value": number(whole[measure]),
                "note": share_words(told[0]) if told else "",
                "href": f"{PAGE}/month/rows?{asked.period.query(measure=measure.value)}" if whole[measure] else "",
            }
        )
    return made


def _weak(found: Found, asked: Asked) -> Finding:
    one = found.standing
    text = _(
        "{name}: {measure} {share}, more than the rest.",
        name=group_words(found.dimension, one.group),
        measure=measure_words(one.measure),
        share=share_words(one),
    )
    query = asked.period.query(measure=one.measure.value, key=one.group.key)
    return Finding(text, f"{PAGE}/{found.dimension.value}/rows?{query}")


def _change(change: Change, recent: Period) -> Finding:
    one, more = change.now, change.now.stands is Stands.MORE
    words = {
        "name": group_words(change.dimension, one.group),
        "measure": measure_words(one.measure),
        "share": share_words(one),
        "earlier": share_words(change.before),
    }
    text = (
        _("More: {name}, {measure} {share}; before, {earlier}.", **words)
        if more
        else _("Less: {name}, {measure} {share}; before, {earlier}.", **words)
    )
    query = recent.query(measure=one.measure.value, key=one.group.key)
    return Finding(text, f"{PAGE}/{change.dimension.value}/rows?{query}")


routes: list[Any] = [overview_page]
