"""The report of closed months as CSV: not what their refunds have become since, but the rows that their files have."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Final

from returns_portal.db import Begin, run
from returns_portal.finance.files import content
from returns_portal.finance.filters import Basis, Filters
from returns_portal.finance.journal import in_closed, movements_listing
from returns_portal.finance.listing import copied, reading

_MONTHS: Final = """
    SELECT m.id, m.begins, m.ends, k.file_id FROM closed_period m
    LEFT JOIN closed_file k ON k.period_id = m.id AND k.kind = 'refunds.csv'
    WHERE m.begins >= :begins AND m.ends <= :ends ORDER BY m.month
"""


async def closed_months(begin: Begin, filters: Filters) -> Sequence[Any]:
    """The closed months that a report is of, where it is of nothing else and of all that is in them; else none."""
    narrowed = filters.status or filters.destination or filters.currency
    if filters.basis is not Basis.SUCCESS or narrowed:
        return []
    async with begin() as db:
        months = await run(db, _MONTHS, begins=filters.begins, ends=filters.ends)
    whole = months and (months[0].begins, months[-1].ends) == (filters.begins, filters.ends)
    return months if whole else []


async def closed_rows(begin: Begin, months: Sequence[Any]) -> AsyncGenerator[bytes]:
    """The files of closed months one after the other, with one header: that of the last.

    Columns are only ever added behind the others. Where the last month has more of them than an earlier one, which was
    closed by an older version, the rows of that one end in empty cells.
    """
    header = await _header(begin, months[-1])
    yield header
    for month in months:
        own = await _header(begin, month)
        lacking = header.count(b",") - own.count(b",")
        async with aclosing(_file(begin, month)) as chunks:
            rows = _after(chunks, len(own))
            async for chunk in _widened(rows, lacking) if lacking else rows:
                yield chunk


def _file(begin: Begin, month: Any) -> AsyncGenerator[bytes]:  # noqa: ANN401 - a row
    """A month's file; where it is not written yet, what will be in it."""
    return content(begin, month.file_id) if month.file_id else _unwritten(begin, month)


async def _unwritten(begin: Begin, month: Any) -> AsyncGenerator[bytes]:  # noqa: ANN401 - a row
    async with reading(begin) as driver:
        async for chunk in copied(driver, movements_listing(in_closed(month.id))):
            yield chunk


async def _header(begin: Begin, month: Any) -> bytes:  # noqa: ANN401 - a row
    """The first line of a month's file; no name of a column is quoted."""
    async with aclosing(_file(begin, month)) as chunks:
        first = await anext(chunks)
        return first[: first.index(b"\n") + 1]


async def _after(chunks: AsyncIterator[bytes], skipped: int) -> AsyncIterator[bytes]:
    """What comes after the header, which is in the first chunk."""
    async for chunk in chunks:
        yield chunk[skipped:]
        skipped = 0


async def _widened(chunks: AsyncIterator[bytes], cells: int) -> AsyncIterator[bytes]:
    """The same rows with so many empty cells more; a line that ends within quotes is not the end of its row."""
    quoted = False
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        quoted ^= first.count(b'"') % 2 == 1
        widened = bytearray(first)
        for part in others:
            widened += b"\n" if quoted else b"," * cells + b"\n"
            widened += part
            quoted ^= part.count(b'"') % 2 == 1
        yield bytes(widened)
