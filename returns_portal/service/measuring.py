"""How questions are answered, counted: the first answer of a person, the end, and when in the week they come.

What a machine sent stops no clock, nor does a promise. Those who are not answered are in no median, so that they are
always said beside it. Hours of service are those that were set when a question was asked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.service.models import Source, State, Topic
from returns_portal.shop.hours import Schedule

MOST: Final = 50_000
"""Questions of one look."""
HOURS: Final = 24


class Case(msgspec.Struct, frozen=True):
    """One question, as it is counted."""

    number: str
    source: Source
    state: State
    opened_at: datetime
    first_reply_at: datetime | None
    closed_at: datetime | None
    schedule: Schedule
    topic: Topic | None
    was_closed: bool
    """Whether it was closed at some time, also where it is open again."""
    reopened: bool
    """Whether its customer wrote again when it was closed."""
    helped: bool | None

    @property
    def first_seconds(self) -> tuple[int, int] | None:
        """Until a person answered first: of the calendar, and of service; None where nobody has."""
        return _between(self, self.first_reply_at)

    @property
    def whole_seconds(self) -> tuple[int, int] | None:
        """Until it was closed, likewise; None where it is not."""
        return _between(self, self.closed_at)


def _between(case: Case, end: datetime | None) -> tuple[int, int] | None:
    if end is None:
        return None
    return int((end - case.opened_at).total_seconds()), case.schedule.business_seconds(case.opened_at, end)


class Figure(msgspec.Struct, frozen=True):
    """Of how many, the median and what nine of ten stay within, in seconds; None of nothing."""

    count: int
    median: int | None
    p90: int | None


class Measured(msgspec.Struct, frozen=True):
    """What is known of the questions of a period."""

    asked: int
    unanswered: int
    first_calendar: Figure
    first_service: Figure
    whole_calendar: Figure
    whole_service: Figure


def measured(cases: Sequence[Case]) -> Measured:
    """Count them. It takes a while for many, so that the caller does it aside from the event loop."""
    first = [times for case in cases if (times := case.first_seconds)]
    whole = [times for case in cases if (times := case.whole_seconds)]
    return Measured(
        asked=len(cases),
        unanswered=len(cases) - len(first),
        first_calendar=figure(times[0] for times in first),
        first_service=figure(times[1] for times in first),
        whole_calendar=figure(times[0] for times in whole),
        whole_service=figure(times[1] for times in whole),
    )


def figure(seconds: Iterable[int]) -> Figure:
    """How many times there are, their median, and what nine of ten stay within."""
    values = sorted(seconds)
    return Figure(len(values), percentile(values, 50), percentile(values, 90))


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest of sorted values that so many per cent of them do not exceed: a time that somebody really waited."""
    return values[-(-len(values) * percent // 100) - 1] if values else None


_CASES: Final = """
    SELECT q.number, q.source, q.state, q.opened_at, q.first_reply_at, q.closed_at, q.schedule, q.topic, t.helped,
           told.closed AS was_closed, told.reopened
    FROM question q LEFT JOIN question_rating t ON t.question_id = q.id
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(h.action = 'closed'), false) AS closed,
               coalesce(bool_or(h.action = 'reopened'), false) AS reopened
        FROM history h WHERE h.subject_id = q.id
    ) told
    WHERE q.opened_at >= :start AND q.opened_at < :end ORDER BY q.opened_at, q.id LIMIT :limit
"""


async def cases_between(db: AsyncConnection, actor: Actor, start: datetime, end: datetime) -> list[Case]:
    """The questions that were asked between two moments: all of them, since figures of a part would be wrong.

    Raises:
        ForbiddenError: the actor answers no questions.
        InvalidError: they are more than `MOST` (`too_many`).
    """
    actor.require("support")
    rows = await run(db, _CASES, start=start, end=end, limit=MOST + 1)
    if len(rows) > MOST:
        raise InvalidError(
            mark("These are more than {most} questions. Give fewer days."), field="from", code="too_many", most=MOST
        )
    return [msgspec.convert(row._asdict(), Case) for row in rows]


_CAME: Final = """
    SELECT CAST(extract(isodow FROM at AT TIME ZONE :zone) AS int) AS day,
           CAST(extract(hour FROM at AT TIME ZONE :zone) AS int) AS hour, count(*) AS count
    FROM question_message WHERE kind = 'customer' AND at >= :start AND at < :end GROUP BY 1, 2
"""


async def came_between(db: AsyncConnection, actor: Actor, start: datetime, end: datetime, zone: str) -> list[list[int]]:
    """How many messages of customers came in each hour of each day of the week, Monday first, by the zone's clock.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    week = [[0] * HOURS for _day in range(7)]
    for row in await run(db, _CAME, start=start, end=end, zone=zone):
        week[row.day - 1][row.hour] = row.count
    return week
