"""Orders from a Shopify export, beside its cells copied into one table as they are."""

import asyncio
import csv
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from returns_portal.db import beginner, create_engine
from returns_portal.orders.importing import import_orders
from returns_portal.prepare import prepare
from returns_portal.settings import Settings
from tests.bench.servers import BenchError, Server
from tests.bench.table import Row

_FIXTURE: Final = Path(__file__).parents[1] / "fixtures" / "shopify_orders_export.csv"
_ROWS: Final = 100_000
"""Of the file, at least."""
_UNIQUE: Final = ("Name", "Email", "Id", "Payment ID", "Payment Reference", "Payment References")


def run(server: Server) -> list[Row]:
    """Measure."""
    url = server.create("bench_import")
    prepare(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        rows = _write(path)
        beside = _copy(url, path)
        ours = asyncio.run(_import(url, path))
    return [Row(f"rows/s, {_ROWS:,} rows imported", rows / ours, rows / beside, "COPY of its cells")]


def _write(path: Path) -> int:
    """Repeat the sample export with other numbers, customers and payments until the file is long enough."""
    with _FIXTURE.open(encoding="utf-8-sig", newline="") as source:
        head, *sample = csv.reader(source)
    places = [head.index(name) for name in _UNIQUE]
    copies = -(-_ROWS // len(sample))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for copy in range(copies):
            for row in sample:
                cells = list(row)
                for place in places:
                    cells[place] = f"{cells[place]}" and _marked(cells[place], f"x{copy}")
                writer.writerow(cells)
    return copies * len(sample)


def _marked(cell: str, mark: str) -> str:
    """A value of this copy alone; an e-mail stays one."""
    return f"{mark}.{cell}" if "@" in cell else f"{cell}-{mark}"


async def _import(url: str, path: Path) -> float:
    engine = create_engine(url, size=2)
    try:
        began = time.perf_counter()
        report = await import_orders(
            beginner(engine),
            path,
            fmt="shopify",
            dry_run=False,
            sandbox_payments=False,
            settings=Settings.model_construct(),
        )
        passed = time.perf_counter() - began
    finally:
        await engine.dispose()
    if report.rejected or report.unchanged or not report.created:
        raise BenchError(f"The import went wrong: {report.rejected[:3]}, {report.unchanged} unchanged.")
    return passed


def _copy(url: str, path: Path) -> float:
    began = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as source, psycopg.connect(url) as connection:
        head, *rows = csv.reader(source)
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in head)
        connection.execute(sql.SQL("CREATE TABLE copied ({})").format(columns))
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return time.perf_counter() - began
