"""How questions are answered, for those who plan who is there: figures, the week by the hour, the rows behind."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from babel import numbers
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.finance.filters import day_begins, next_day, parse_day, today
from returns_portal.i18n import _, mark, translate
from returns_portal.service.measuring import Case, Figure, Measured, came_between, cases_between, measured
from returns_portal.service.pace import duration, pace, public_line
from returns_portal.service.pages.words import for_templates
from returns_portal.service.queries import Waiting, waiting_now
from returns_portal.service.topical import Share, Topical, by_topic, summed
from returns_portal.shop.actions import update_shop
from returns_portal.shop.presence import weekdays
from returns_portal.shop.queries import current
from returns_portal.web import flash, form, formats, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = "/staff/service"
_DAYS: Final = 30
_MOST_DAYS: Final = 366
_SHADES: Final = 5
_COLUMNS: Final = (
    "number", "source", "state", "opened_at", "first_reply_at", "closed_at", "first_reply_seconds",
    "first_reply_service_seconds", "resolution_seconds", "resolution_service_seconds", "topic", "was_closed",
    "reopened", "helped",
)  # fmt: skip
support = [requires_staff("support")]


def _period(request: AnyRequest, zone: str) -> tuple[date, date]:
    """The days that are asked for: without any, the last thirty.

    Raises:
        InvalidError: one is no day, the first is after the last, or they are more than a year.
    """
    last = parse_day(asked, "to") if (asked := request.query_params.get("to", "")) else today(zone)
    first = last - timedelta(days=_DAYS - 1)
    if asked := request.query_params.get("from", ""):
        first = parse_day(asked, "from")
    if first > last:
        raise InvalidError(mark("The first day is after the last."), field="from")
    if (last - first).days >= _MOST_DAYS:
        raise InvalidError(mark("Give at most {days} days."), field="from", days=_MOST_DAYS)
    return first, last


def _moments(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    return day_begins(first, zone), day_begins(next_day(last), zone)


@get(PAGE, guards=support)
async def service_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What is measured of the questions that were asked in some days; who waits now is said beside it."""
    zone, errors = (await current(db)).timezone, {}
    try:
        first, last = _period(request, zone)
        cases = await cases_between(db, actor, *_moments(first, last, zone))
    except InvalidError as error:
        errors[error.field or ""] = translate(error.sentence, **error.values)
        # Today alone, which nobody has too many of.
        first = last = today(zone)
        cases = await cases_between(db, actor, *_moments(first, last, zone))
    start, end = _moments(first, last, zone)
    counted = await asyncio.to_thread(measured, cases)
    topics = await asyncio.to_thread(lambda: [*by_topic(cases), summed(None, cases)])
    typed = {name: request.query_params.get(name, day.isoformat()) for name, day in (("from", first), ("to", last))}
    return page(
        request,
        "service/measured.html",
        status=422 if errors else 200,
        typed=typed,
        errors=errors,
        first=first.isoformat(),
        last=last.isoformat(),
        asked=counted.asked,
        now=_waiting(await waiting_now(db)),
        rows=_rows(counted),
        topics=[_topical(one) for one in topics[:-1]],
        all_topics=_topical(topics[-1]),
        public_line=public_line(await pace(db)),
        hours=[f"{hour}" for hour in range(24)],
        week=_shaded(await came_between(db, actor, start, end, zone)),
    )


def _waiting(waiting: Waiting) -> list[dict[str, str]]:
    """Who waits now, whatever days are asked for."""
    late = duration((clock.now() - waiting.oldest).total_seconds()) if waiting.oldest else _("nobody waits")
    kind = "wait" if waiting.count else "good"
    return [
        {"text": _("Wait for an answer now"), "value": formats.number(waiting.count), "note": "", "kind": kind},
        {"text": _("The longest of them"), "value": late, "note": "", "kind": kind},
    ]


def _rows(counted: Measured) -> list[tuple[str, str, str, str, str]]:
    """What is measured, in which hours, of how many, the median, nine of ten."""
    first, whole = _("First answer of a person"), _("Until it was closed")
    calendar, service = _("all hours"), _("hours of service")
    return [
        (first, calendar, *_said(counted.first_calendar)),
        (first, service, *_said(counted.first_service)),
        (whole, calendar, *_said(counted.whole_calendar)),
        (whole, service, *_said(counted.whole_service)),
    ]


def _topical(one: Topical) -> tuple[str, str, str, str, str]:
    """What it is about, how many, half answered within, opened again, helped: no share without what it is of."""
    name = for_templates()["topic_words"][one.topic] if one.topic else _("Not said yet")
    count, median, _p90 = _said(one.first)
    if one.first.count:
        median = _("{time}, of {count} answered", time=median, count=count)
    return name, formats.number(one.asked), median, _share(one.reopened), _share(one.helped)


def _share(share: Share) -> str:
    if not share.of:
        return "–"
    percent = numbers.format_percent(share.count / share.of, locale=i18n.formatting_locale(i18n.current()))
    values = {"count": formats.number(share.count), "all": formats.number(share.of), "share": percent}
    return _("{count} of {all} ({share})", **values)


def _said(figure: Figure) -> tuple[str, str, str]:
    median = "–" if figure.median is None else duration(figure.median)
    p90 = "–" if figure.p90 is None else duration(figure.p90)
    return formats.number(figure.count), median, p90


def _shaded(week: Sequence[Sequence[int]]) -> list[tuple[str, list[tuple[int, int]]]]:
    """Each day with its hours: how many, and how dark that is, from 0 for none to 5 for the most."""
    most = max(max(day) for day in week)
    return [
        (name, [(count, -(-count * _SHADES // most) if most else 0) for count in day])
        for name, day in zip(weekdays(), week, strict=True)
    ]


@get(f"{PAGE}.csv", guards=support)
async def service_csv(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The questions that the page counts, one a row; moments in UTC, and nothing of people."""
    zone = (await current(db)).timezone
    first, last = _period(request, zone)
    cases = await cases_between(db, actor, *_moments(first, last, zone))
    return Response(
        await asyncio.to_thread(_written, cases),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="questions-{first}-{last}.csv"'},
    )


def _written(cases: Sequence[Case]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for case in cases:
        moments = (case.opened_at, case.first_reply_at, case.closed_at)
        told = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "" for moment in moments]
        times = (*(case.first_seconds or ("", "")), *(case.whole_seconds or ("", "")))
        ends = (case.topic or "", _flag(case.was_closed), _flag(case.reopened), _flag(case.helped))
        writer.writerow([case.number, case.source, case.state, *told, *times, *ends])
    return written.getvalue()


def _flag(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


@post(f"{PAGE}/public", guards=[requires_staff("admin")], status_code=200)
async def say_in_public(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Say on every page how soon questions are answered, or no longer."""
    shows = (await form(request)).get("shows") == "yes"
    await update_shop(db, actor, shows_pace=shows)
    flash(request, _("Every page says so within a few seconds.") if shows else _("No page says it any more."))
    return redirect(PAGE)


routes: list[Any] = [service_page, service_csv, say_in_public]
