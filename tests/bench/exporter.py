"""One export in a process of its own, which tells how long it took and how much memory."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from returns_portal.db import Begin, beginner, create_engine
from returns_portal.finance.exports import stream_refunds
from returns_portal.finance.filters import Filters
from returns_portal.finance.listing import reading

DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The first day of the report, in the shop's zone, which is UTC here."""


_COPY: Final = """
    COPY (
        SELECT f.id, r.rma, o.number, o.placed_at, f.kind, f.reason, f.status, f.destination, f.currency, f.amount,
               f.tax, f.amount - f.tax AS net, f.shipping, f.bonus, f.requested_at, f.created_at, f.submitted_at,
               f.settled_at, g.decided_by, p.tender, p.reference, p.imported_reference, f.gateway_id,
               f.gateway_reference, f.failure_reason, d.gateway_id, b.charge, b.id, b.payout_id, b.arrives, n.document,
               i.skus, i.quantity, a.conditions, f.livemode
        FROM refund f JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id
        JOIN payment p ON p.id = f.payment_id LEFT JOIN goodwill g ON g.id = f.release_id
        LEFT JOIN dispute d ON d.payment_id = f.payment_id
        LEFT JOIN LATERAL (
            SELECT y.charge, y.id, y.payout_id, t.arrives FROM gateway_line y LEFT JOIN payout t ON t.id = y.payout_id
            WHERE y.source = f.gateway_id AND y.category = 'refund' LIMIT 1) AS b ON true
        LEFT JOIN credit_note n ON n.refund_id = f.id AND n.attempt = f.attempt AND n.kind = 'credit_note'
        CROSS JOIN LATERAL (
            SELECT sum(c.quantity) AS quantity, string_agg(l.sku, ' ') AS skus
            FROM refund_line c JOIN order_line l ON l.id = c.order_line_id WHERE c.release_id = f.release_id) AS i
        CROSS JOIN LATERAL (
            SELECT string_agg(condition, ' ') AS conditions FROM parcel_item WHERE parcel_id = f.parcel_id) AS a
        WHERE f.settled_at >= %(begins)s AND f.settled_at < %(ends)s AND f.status = 'succeeded'
        ORDER BY f.settled_at DESC, f.id DESC
    ) TO STDOUT (FORMAT csv, HEADER)
"""
"""The columns of the report as the tables hold them: amounts in minor units, times and texts as they are."""


class Exported(msgspec.Struct, frozen=True):
    """What came of it; memory is resident, in MiB above what the process held before."""

    seconds: float
    rows: int
    peak_mib: float


async def _main(url: str, way: str, days: int) -> Exported:
    engine = create_engine(url, size=1)
    begin = beginner(engine)
    export = stream_refunds if way == "report" else _copied
    try:
        before = DAY.date() - timedelta(days=1)
        async for _ in export(begin, Filters(first=before, last=before, zone="UTC")):
            pass  # An empty day: what is loaded and prepared only once is there from now on.
        held = _memory("VmRSS")
        last = DAY.date() + timedelta(days=days - 1)
        lines, began = 0, time.perf_counter()
        async for chunk in export(begin, Filters(first=DAY.date(), last=last, zone="UTC")):
            lines += chunk.count(b"\n")
        return Exported(time.perf_counter() - began, lines - 1, max(0.0, _memory("VmHWM") - held))
    finally:
        await engine.dispose()


async def _copied(begin: Begin, filters: Filters) -> AsyncIterator[bytes]:
    """The same rows and columns, unprocessed, in the chunks in which the driver gives them."""
    values = {"begins": filters.begins, "ends": filters.ends}
    async with reading(begin) as driver, driver.cursor() as cursor, cursor.copy(_COPY, values) as copy:
        async for row in copy:
            yield bytes(row)


def _memory(name: str) -> float:
    """A figure of this process's memory, in MiB (Linux, which the embedded database needs as well)."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc does not tell {name}")
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
