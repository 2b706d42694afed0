"""Opening hours as people type them, and as they are shown to be changed. Pure."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.shop.hours import DAY, MOST_DAYS, Channel, ChannelName, Hours, Spans

NAMES: Final[tuple[ChannelName, ...]] = ("phone", "written")
_TIME: Final = r"(\d{1,2})(?:[:.](\d{2}))?"
_SPAN: Final = re.compile(rf"\s*{_TIME}\s*[-–—]\s*{_TIME}\s*")
_DAY: Final = r"(\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4})"
_DAYS: Final = re.compile(rf"{_DAY}(?:\s*[-–—]\s*{_DAY})?(?:\s+(.*))?")
_HOUR: Final = 60


def read(sent: Mapping[str, str], before: Hours) -> Hours:
    """The hours that a form says; what it does not ask for stays.

    Raises:
        InvalidError: something cannot be read; its `field` is that of the form.
    """
    channels: dict[str, Any] = {
        name: msgspec.structs.replace(
            getattr(before, name),
            week=tuple(_spans(sent.get(f"{name}-{weekday}", ""), f"{name}-{weekday}") for weekday in range(7)),
            extra={
                day: _spans(times, f"{name}-extra")
                for day, times in _days(sent.get(f"{name}-extra", ""), f"{name}-extra").items()
            },
        )
        for name in NAMES
    }
    goal = sent.get("goal", "").strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,4}(\.\d{1,2})?", goal):
        raise InvalidError(mark("Give a number of hours, such as 8."), field="goal")
    return Hours(closed=_days(sent.get("closed", ""), "closed"), goal_minutes=round(float(goal) * _HOUR), **channels)


def shown(hours: Hours) -> dict[str, str]:
    """The fields of the form, as they stand."""
    fields = {"closed": _listed(hours.closed), "goal": f"{hours.goal_minutes / _HOUR:g}"}
    for name in NAMES:
        channel: Channel = getattr(hours, name)
        fields |= {f"{name}-{weekday}": times(spans) for weekday, spans in enumerate(channel.week)}
        fields[f"{name}-extra"] = _listed({day: times(spans) for day, spans in channel.extra.items()})
    return fields


def times(spans: Spans) -> str:
    """Times of a day as people write them: `9:00–12:30, 13:30–18:00`."""
    return ", ".join(f"{_clock(opens)}–{_clock(closes)}" for opens, closes in spans)


def _clock(minute: int) -> str:
    hour, rest = divmod(minute if minute <= DAY else minute - DAY, _HOUR)
    return f"{hour}:{rest:02}"


def _listed(days: Mapping[date, str]) -> str:
    return "\n".join(f"{day.isoformat()} {text}".rstrip() for day, text in sorted(days.items()))


def _spans(text: str, field: str) -> Spans:
    found = []
    for part in filter(str.strip, re.split(r"[,;]", text)):
        match = _SPAN.fullmatch(part)
        if not match:
            raise InvalidError(
                mark("Give times such as 9:00–18:00, several with commas between them; nothing where it is closed."),
                field=field,
            )
        opens, closes = (_minute(match[place], match[place + 1], field) for place in (1, 3))
        # What ends before it begins ends on the day after.
        found.append((opens, closes if closes > opens else closes + DAY))
    return tuple(found)


def _minute(hour: str, minute: str | None, field: str) -> int:
    found = int(hour) * _HOUR + int(minute or 0)
    if int(minute or 0) >= _HOUR or found > DAY:
        raise InvalidError(mark("A day has the times from 0:00 to 24:00."), field=field)
    return found


def _days(text: str, field: str) -> dict[date, str]:
    """Days, one a line or from one to another, each with what stands beside it."""
    found: dict[date, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _DAYS.fullmatch(line)
        first = _day(match[1]) if match else None
        last = _day(match[2]) if match and match[2] else first
        if not match or first is None or last is None or not 0 <= (last - first).days <= MOST_DAYS:
            raise InvalidError(
                mark("“{line}” begins with no day. Give one a line, such as 2026-12-24 or 24.12.2026."),
                field=field,
                line=line[:40],
            )
        for offset in range((last - first).days + 1):
            found[first + timedelta(days=offset)] = (match[3] or "").strip()
    return found


def _day(text: str) -> date | None:
    parts = text.split("-") if "-" in text else text.split(".")[::-1]
    try:
        return date(*map(int, parts))
    except ValueError:
        return None
