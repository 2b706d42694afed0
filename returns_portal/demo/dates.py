"""When the demo's orders were placed: the newest of its file always yesterday, so that all of them can come back.

The orders keep their sequence and their distances. Which day that was is read from an order that is there already, so
that a load that was interrupted yesterday goes on with the same dates today.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run

NEWEST: Final = datetime.fromisoformat("2026-11-10T17:07:00+02:00")
"""When the newest order of the file was placed, by the file."""
_FIRST: Final = ("1001", datetime.fromisoformat("2026-10-05T00:41:00+02:00"))
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+\d{4}")
_FORMAT: Final = "%Y-%m-%d %H:%M:%S %z"


async def loading_day(db: AsyncConnection) -> datetime:
    """The midnight that ends the day of the newest order, in the file's zone: the day on which the demo was loaded."""
    number, placed = _FIRST
    rows = await run(db, "SELECT placed_at FROM orders WHERE number = :number", number=number)
    if rows:
        days = timedelta(days=round((rows[0].placed_at - placed) / timedelta(days=1)))
        return _midnight(NEWEST + days) + timedelta(days=1)
    return _midnight(clock.now().astimezone(NEWEST.tzinfo))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def moved(text: str, day: datetime) -> str:
    """The text of the file with all its moments moved by whole days, so that the newest order is of the day before.

    What was sent later than that was sent at midnight: nothing of the file lies in the future.
    """
    by = day - timedelta(days=1) - _midnight(NEWEST)

    def change(found: re.Match[str]) -> str:
        return min(datetime.fromisoformat(found[0].replace(" +", "+")) + by, day).strftime(_FORMAT)

    return _MOMENT.sub(change, text)


@contextmanager
def moved_file(path: Path, day: datetime) -> Iterator[Path]:
    """A copy of the file for as long as it is read, its moments moved."""
    with TemporaryDirectory(prefix="returns-portal-demo-") as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(moved(path.read_bytes().decode(), day).encode())
        yield copy
