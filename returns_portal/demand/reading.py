"""Other shops from a CSV file: all of its lines, or none, so that a file that was put right is simply sent again."""

import csv
import io
from datetime import date
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import csvfiles
from returns_portal.actor import Actor
from returns_portal.csvfiles import Row
from returns_portal.demand.places import PlaceInput, add_place
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

MAX_BYTES: Final = 1_000_000
MAX_LINES: Final = 2000
COLUMNS: Final = ("product", "size", "color", "shop", "url", "price", "currency", "seen_on")
_NEEDED: Final = frozenset(COLUMNS) - {"size", "color"}


class Wrong(msgspec.Struct, frozen=True):
    """A line that cannot be taken, and why."""

    line: int
    error: InvalidError


def rows_of(content: bytes) -> list[tuple[int, Row]]:
    """The lines of a file by their number; the first has the names of the columns.

    Raises:
        InvalidError: it is no such file, or too long.
    """
    if not content:
        raise InvalidError(mark("Please choose a file, one that is not empty."), field="file")
    if len(content) > MAX_BYTES:
        raise InvalidError(mark("The file has more than {most} lines."), field="file", most=MAX_LINES)
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        # Numbered as an editor shows them: empty lines between are left out, and counted.
        lines = [(reader.line_num, row) for row in reader if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise InvalidError(mark("This is no CSV file in UTF-8."), field="file") from None
    head, rest = ([name.strip().lower() for name in lines[0][1]], lines[1:]) if lines else ([], [])
    if missing := sorted(_NEEDED - set(head)):
        raise InvalidError(mark("The file lacks the columns {columns}."), field="file", columns=", ".join(missing))
    if len(rest) > MAX_LINES:
        raise InvalidError(mark("The file has more than {most} lines."), field="file", most=MAX_LINES)
    return [(number, dict(zip(head, cells, strict=False))) for number, cells in rest]


async def take_all(
    db: AsyncConnection, actor: Actor, rows: list[tuple[int, Row]], today: date
) -> tuple[int, list[Wrong]]:
    """Put every line on the list: how many were, and what is wrong. Where anything is, the caller takes it all back.

    Raises:
        ForbiddenError: the actor does not keep the list.
    """
    wrong = []
    for line, row in rows:
        try:
            await add_place(db, actor, _place(row), today)
        except InvalidError as error:
            wrong.append(Wrong(line, error))
    return len(rows) - len(wrong), wrong


def _place(row: Row) -> PlaceInput:
    currency = csvfiles.currency(row, "currency")
    try:
        seen_on = date.fromisoformat(csvfiles.text(row, "seen_on"))
    except ValueError:
        raise InvalidError(mark("Give a day as YYYY-MM-DD."), field="seen_on") from None
    price = csvfiles.amount(row, "price", currency)
    if price <= 0:
        raise InvalidError(mark("Give an amount in {currency}, such as 12.50."), field="price", currency=currency)
    named = {name: csvfiles.text(row, name) for name in ("product", "size", "color", "shop", "url")}
    return PlaceInput(**named, price=price, currency=currency, seen_on=seen_on)
