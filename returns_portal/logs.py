"""Structured logs: one JSON object a line on standard error, without personal data.

Exceptions are logged by type, SQLSTATE and place in the code, never by their message: messages of drivers and
parsers quote the values that went wrong, which may be somebody's name or address.
"""

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is served in this context; empty outside of requests."""

_FRAMES = 12


def configure(level: str = "info") -> None:
    """Send the logs of this process, ours and those of libraries, to standard error as JSON lines."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _stamp, _explain, _encode],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    # Libraries tell at INFO what our own lines tell better.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def places(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last: `file:line function`, without any value."""
    return _frames(error.__traceback__)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-3:])


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as fields of a log line: its type, its causes' types, its SQLSTATE, and its places."""
    kinds: list[str] = []
    link: BaseException | None = error
    state = ""
    while link is not None and len(kinds) < _FRAMES:
        kinds.append(type(link).__qualname__)
        state = state or str(getattr(link, "sqlstate", None) or "")
        link = link.__cause__ or link.__context__
    fields: dict[str, Any] = {"error": kinds[0], "places": places(error)}
    if len(kinds) > 1:
        fields["causes"] = kinds[1:]
    if state:
        fields["sqlstate"] = state
    return fields


def _stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["at"] = datetime.now(UTC)
    if current := request_id.get():
        event.setdefault("request", current)
    return event


def _explain(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event.update(describe(error))
    return event


def _encode(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


class _JsonFormatter(logging.Formatter):
    """Lines of the standard library's logging, in the same shape."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "event": str(record.msg),
            "logger": record.name,
            "level": record.levelname.lower(),
            "at": datetime.fromtimestamp(record.created, UTC),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields |= describe(record.exc_info[1])
        return msgspec.json.encode(fields, enc_hook=str).decode()
