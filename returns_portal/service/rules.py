"""What is decided about questions without asking anybody. Pure."""

from datetime import datetime
from typing import Final, Literal

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.shop.hours import Schedule

MAX_BODY: Final = 5000
MAX_NAME: Final = 120
SUBJECT_LENGTH: Final = 80
Pressure = Literal["good", "wait", "bad"]
_NEAR: Final = 3600
"""Seconds of service before the end of its time in which a question is urgent."""


def subject_of(body: str) -> str:
    """What a thread is called whose asker gave it no name: how it begins."""
    line = " ".join(body.split())
    if len(line) <= SUBJECT_LENGTH:
        return line
    head = line[: SUBJECT_LENGTH - 1]
    return f"{head.rpartition(' ')[0] or head}…"


def check_body(body: str, *, field: str = "body", most: int = MAX_BODY) -> str:
    """A message without the gaps around it.

    Raises:
        InvalidError: it says nothing, or too much.
    """
    text = body.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidError(mark("Please write something first."), field=field)
    if len(text) > most:
        raise InvalidError(mark("This is longer than {limit} characters."), field=field, limit=most)
    return text


def due(schedule: Schedule, asked_at: datetime, goal_minutes: int) -> datetime:
    """Until when a question should be answered by the shop's aim."""
    return schedule.after(asked_at, goal_minutes * 60)


def pressure(schedule: Schedule, due_at: datetime, now: datetime) -> Pressure:
    """How a question stands against its time: `bad` when that is over, `wait` when little service is left."""
    if now >= due_at:
        return "bad"
    return "wait" if schedule.business_seconds(now, due_at) <= _NEAR else "good"


def check_promise(until: datetime, now: datetime) -> None:
    """Refuse a promise that cannot be kept, or is none.

    Raises:
        InvalidError: it is over already, or further away than a quarter of a year.
    """
    if until <= now:
        raise InvalidError(mark("This moment is over already. Give one that is still to come."), field="until")
    if (until - now).days > 92:  # noqa: PLR2004 - a quarter of a year
        raise InvalidError(mark("Nobody should have to wait that long. Give an earlier day."), field="until")
