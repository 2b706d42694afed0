"""The refund report of few and of many refunds: rows a second, and the memory that it takes."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import make_url

from returns_portal.db import create_engine
from returns_portal.prepare import prepare
from tests.bench.exporter import DAY, Exported
from tests.bench.servers import BenchError, Server
from tests.bench.table import Row
from tests.finance.seed import stories

_FEW: Final = 10_000
_MANY: Final = 1_000_000
_RUNS: Final = {_FEW: 3, _MANY: 1}
_FLAT_MIB: Final = 8.0
"""So much may differ between two runs of the same, by how the allocator asks for its arenas."""
_LEAST: Final = 0.5
"""Of the rate at which the driver copies the same rows without anything being done to them."""
_TABLES: Final = ("orders", "order_line", "payment", "returns", "parcel", "parcel_item", "refund_line", "refund")
"""What the report reads of the stories."""
_INDEXES: Final = "UPDATE pg_index SET indisready = :ready WHERE indrelid = ANY(CAST(:tables AS regclass[]))"
"""An index that is not ready is not written to."""


def run(server: Server) -> list[Row]:
    """Measure."""
    prepare(server.create("bench_export"))
    asyncio.run(_seed(server.superuser_url("bench_export")))
    url = make_url(server.url).set(database="bench_export").render_as_string(hide_password=False)
    rows: list[Row] = []
    peaks: dict[int, float] = {}
    for refunds, runs in _RUNS.items():
        ours, beside = [], []
        for _ in range(runs):
            ours.append(_export(url, "report", refunds))
            beside.append(_export(url, "copy", refunds))
        peaks[refunds] = max(each.peak_mib for each in ours)
        rates = [refunds * runs / sum(each.seconds for each in side) for side in (ours, beside)]
        rows.append(Row(f"rows/s, {refunds:,} refunds as CSV", rates[0], rates[1], "COPY, unprocessed", least=_LEAST))
    flat = round(peaks[_FEW] + _FLAT_MIB, 1)
    rows.append(Row(f"MiB at most, {_MANY:,} refunds", peaks[_MANY], peaks[_FEW], f"{_FEW:,} refunds", at_most=flat))
    return rows


async def _seed(url: str) -> None:
    """Write the refunds: a day of the report holds the few, all days together the many."""
    engine = create_engine(url, size=1)
    try:
        async with engine.begin() as db:
            # What is written is whole by construction; proving it row by row would take longer than the bench, and so
            # would keeping every index up to date, instead of making each once in the end.
            await db.execute(text("SET LOCAL session_replication_role = replica"))
            await db.execute(text("SET LOCAL statement_timeout = 0"))
            await db.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
            await db.execute(text(_INDEXES), {"ready": False, "tables": [*_TABLES]})
            await stories(db, 0, _MANY - 1, start=DAY, step=timedelta(days=1) / _FEW, tables=_TABLES)
            await db.execute(text(_INDEXES), {"ready": True, "tables": [*_TABLES]})
            for table in _TABLES:
                await db.execute(text(f"REINDEX TABLE {table}"))
        async with engine.connect() as db:
            await (await db.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
    finally:
        await engine.dispose()


def _export(url: str, way: Literal["report", "copy"], refunds: int) -> Exported:
    days = refunds // _FEW
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.exporter", url, way, str(days)], stdout=subprocess.PIPE, check=True
    )
    exported = msgspec.json.decode(done.stdout, type=Exported)
    if exported.rows != refunds:
        raise BenchError(f"{exported.rows} rows of {refunds} were exported.")
    return exported
