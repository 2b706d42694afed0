"""The one clock. Code asks it; tests set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta()
_fixed: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    if _fixed is not None:
        return _fixed
    return datetime.now(UTC) + _offset


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Hold the clock of this process at one moment (tests, previews).

    Raises:
        ValueError: the moment has no time zone.
    """
    global _fixed  # noqa: PLW0603 - one clock for the process is the point of this module
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    before, _fixed = _fixed, moment.astimezone(UTC)
    try:
        yield
    finally:
        _fixed = before


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Let the clock of this process run ahead (or behind) by so much."""
    global _offset  # noqa: PLW0603 - as above
    before, _offset = _offset, _offset + by
    try:
        yield
    finally:
        _offset = before


def minutes_ago(minutes: int) -> datetime:
    """The moment so many minutes before now."""
    return now() - timedelta(minutes=minutes)
