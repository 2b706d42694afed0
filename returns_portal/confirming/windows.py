"""When a courier comes: from one moment to another. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

FURTHEST: Final = timedelta(days=14)
LONGEST: Final = timedelta(hours=24)
MOST_HOURS: Final = 12
_LASTS: Final = timedelta(hours=1)
"""How wide the window is where somebody says only in how many hours."""
_STEP: Final = 5
"""Minutes to which such a window is rounded: nobody comes at 14:07."""


class Window(msgspec.Struct, frozen=True):
    """From when to when. Where only the day is known, it is `timed` no further, and ends with that day."""

    begins_at: datetime
    ends_at: datetime
    timed: bool = True


def in_hours(hours: int, now: datetime) -> Window:
    """The window of a courier who comes in so many hours.

    Raises:
        InvalidError: it is no number of hours that anybody could announce.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidError(mark("Give 1 to {most} hours, or the times."), field="hours", most=MOST_HOURS)
    begins = (now + timedelta(hours=hours)).replace(second=0, microsecond=0)
    begins -= timedelta(minutes=begins.minute % _STEP)
    return Window(begins, begins + _LASTS)


def check(window: Window, now: datetime) -> None:
    """Refuse a window that nobody can wait in.

    Raises:
        InvalidError: it is over (`too_late`), begins after it ends, is longer than a day, or more than two weeks away.
    """
    if window.ends_at <= window.begins_at:
        raise InvalidError(mark("The window has to end after it begins."), field="ends")
    if window.ends_at <= now:
        raise InvalidError(
            mark("This time is over already, so nobody was told of it. Give one that is still to come."),
            field="ends",
            code="too_late",
        )
    if window.ends_at - window.begins_at > LONGEST:
        raise InvalidError(mark("Nobody waits for longer than a day. Give a shorter window."), field="ends")
    if window.begins_at - now > FURTHEST:
        raise InvalidError(mark("That is more than two weeks away. Give an earlier day."), field="begins")
