"""The files of closed months: written once each, by whoever comes first, and never again."""

import csv
import io
import tempfile
from decimal import Decimal
from typing import IO, Any, Final
from uuid import UUID

import msgspec
import psycopg

from returns_portal.db import Begin, run
from returns_portal.finance.files import keep
from returns_portal.finance.journal import in_closed, journal_listing, movements_listing
from returns_portal.finance.listing import Listing, copied, reading
from returns_portal.finance.models import ClosedFileKind
from returns_portal.finance.spreadsheets import MEDIA_TYPE, write_rows
from returns_portal.i18n import _
from returns_portal.money import exponent

_MEDIA_TYPES: Final = {
    ClosedFileKind.REFUNDS_CSV: "text/csv; charset=utf-8",
    ClosedFileKind.REFUNDS_XLSX: MEDIA_TYPE,
    ClosedFileKind.JOURNAL_CSV: "text/csv; charset=utf-8",
}
_PERIOD: Final = "SELECT id, month, zone FROM closed_period WHERE id = :id"
_WRITTEN: Final = "SELECT kind FROM closed_file WHERE period_id = :id"
_ADD: Final = (
    "INSERT INTO closed_file (period_id, kind, file_id, sums) VALUES (:id, :kind, :file_id, CAST(:sums AS jsonb))"
)


async def write_closed(begin: Begin, period_id: UUID, *, livemode: bool) -> None:
    """Write the files of a closed month that are not there yet; begun anew after a crash.

    Args:
        begin: opens transactions.
        period_id: the month.
        livemode: whether money moves, for what no refund caused.
    """
    async with begin() as db:
        [period] = await run(db, _PERIOD, id=period_id)
        written = {row.kind for row in await run(db, _WRITTEN, id=period_id)}
    for kind in ClosedFileKind:
        if kind not in written:
            with tempfile.TemporaryFile() as file:
                async with reading(begin) as driver:
                    rows = await _write(driver, period, kind, file, livemode=livemode)
                await _keep(begin, period, kind, file, rows)


async def _write(
    driver: psycopg.AsyncConnection[Any],
    period: Any,  # noqa: ANN401 - a row
    kind: ClosedFileKind,
    file: IO[bytes],
    *,
    livemode: bool,
) -> int:
    """Write one of them; how many rows it has."""
    members = in_closed(period.id)
    if kind is ClosedFileKind.REFUNDS_XLSX:
        head = [_("Closed month {month}", month=f"{period.month:%Y-%m}")]
        return await write_rows(driver, movements_listing(members), file, (period.zone, head))
    refunds = kind is ClosedFileKind.REFUNDS_CSV
    listing = movements_listing(members) if refunds else journal_listing(members, period.zone, livemode=livemode)
    async for chunk in copied(driver, listing):
        file.write(chunk)
    return await _count(driver, listing)


async def _count(driver: psycopg.AsyncConnection[Any], listing: Listing) -> int:
    query, values = listing.count()
    [(count,)] = await (await driver.execute(query, values)).fetchall()
    return int(count)


async def _keep(
    begin: Begin,
    period: Any,  # noqa: ANN401 - a row
    kind: ClosedFileKind,
    file: IO[bytes],
    rows: int,
) -> None:
    async with begin() as db:
        # Two that write at once: the second finds what the first has kept.
        await run(db, "SELECT id FROM closed_period WHERE id = :id FOR UPDATE", id=period.id)
        if kind in {row.kind for row in await run(db, _WRITTEN, id=period.id)}:
            return
        stem, _dot, suffix = kind.partition(".")
        name = f"{stem}-{period.month:%Y-%m}.{suffix}"
        file_id = await keep(db, file, name=name, media_type=_MEDIA_TYPES[kind], rows=rows)
        sums = msgspec.json.encode(come_to(file)).decode() if kind is ClosedFileKind.REFUNDS_CSV else None
        await run(db, _ADD, id=period.id, kind=kind.value, file_id=file_id, sums=sums)


def come_to(file: IO[bytes]) -> list[dict[str, Any]]:
    """What the refunds and reversals in a file come to by currency, in minor units: to be held against the books."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    found: dict[str, dict[str, Any]] = {}
    for row in csv.DictReader(text):
        currency = row["currency"]
        sums = found.setdefault(
            currency, {"currency": currency, "refunds": 0, "refunded": 0, "reversals": 0, "reversed": 0}
        )
        minor = int(Decimal(row["gross"]).scaleb(exponent(currency)))
        if row["movement"] == "refund":
            sums["refunds"] += 1
            sums["refunded"] += minor
        else:
            sums["reversals"] += 1
            sums["reversed"] -= minor
    text.detach()
    return list(found.values())
