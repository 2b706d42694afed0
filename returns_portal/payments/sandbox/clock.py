"""The sandbox's clock: real time, moved forward as far as a control has asked for.

One process serves one account, so there is one clock. How far it was moved is kept in the store.
"""

import time
from datetime import UTC, date, datetime


class _Moved:
    seconds = 0.0


def set_ahead(seconds: float) -> None:
    """Let the clock run so many seconds ahead of real time."""
    _Moved.seconds = seconds


def ahead() -> float:
    """Return how many seconds the clock runs ahead of real time."""
    return _Moved.seconds


def moment() -> float:
    """Return the time in Unix seconds, with fractions."""
    return time.time() + _Moved.seconds


def now() -> int:
    """Return the time in Unix seconds, as the API counts it."""
    return int(moment())


def today() -> date:
    """Return the day in UTC."""
    return datetime.fromtimestamp(moment(), UTC).date()
