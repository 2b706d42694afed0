"""Reconciliation of few and of many lines of the balance: lines a second, and the memory that it takes."""

import asyncio
import subprocess
import sys
import time
from typing import Final

import msgspec
import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from returns_portal.db import create_engine
from returns_portal.prepare import prepare
from tests.bench.reconciler import STEP, Reconciled
from tests.bench.servers import BenchError, Server
from tests.bench.table import Row
from tests.finance.seed import START, stories

_STORIES: Final = {10_000: 11_666, 100_000: 116_666}
"""By how many lines: every seventh refund is taken as points."""
_FLAT_MIB: Final = 8.0
"""So much may differ between two runs of the same, by how the allocator asks for its arenas."""


def run(server: Server) -> list[Row]:
    """Measure."""
    rows: list[Row] = []
    peaks: dict[int, float] = {}
    for lines, count in _STORIES.items():
        name = f"bench_reconcile_{lines}"
        prepare(server.create(name))
        asyncio.run(_seed(server.superuser_url(name), count))
        url = make_url(server.url).set(database=name).render_as_string(hide_password=False)
        ours, beside = _reconcile(url, lines, count), _floor(url, lines)
        peaks[lines] = ours.peak_mib
        rows.append(Row(f"lines/s, {lines:,} reconciled", lines / ours.seconds, lines / beside, "COPY, and one join"))
    few, many = sorted(peaks)
    flat = round(peaks[few] + _FLAT_MIB, 1)
    rows.append(Row(f"MiB at most, {many:,} lines", peaks[many], peaks[few], f"{few:,} lines", at_most=flat))
    return rows


async def _seed(url: str, count: int) -> None:
    engine = create_engine(url, size=1)
    try:
        async with engine.begin() as db:
            # What is written is whole by construction; proving it row by row would take longer than the bench.
            await db.execute(text("SET LOCAL session_replication_role = replica"))
            await db.execute(text("SET LOCAL statement_timeout = 0"))
            await stories(db, 1, count, start=START, step=STEP)
        async with engine.connect() as db:
            await (await db.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
    finally:
        await engine.dispose()


def _reconcile(url: str, lines: int, count: int) -> Reconciled:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.reconciler", url, str(count)], stdout=subprocess.PIPE, check=True
    )
    found = msgspec.json.decode(done.stdout, type=Reconciled)
    # Each stretch is read back a little behind the one before.
    if found.lines < lines or found.differences:
        raise BenchError(f"{found.lines} lines of {lines} were read, and {found.differences} do not agree.")
    return found


def _floor(url: str, lines: int) -> float:
    """The same lines, copied into a bare table and joined once with the ledger, as the driver does it best."""
    with psycopg.connect(url) as connection:
        query = "SELECT id, refund_id, attempt, payment_amount, payment_currency FROM gateway_line"
        found = connection.execute(query).fetchall()
        began = time.perf_counter()
        connection.execute("CREATE TABLE bare (id text, refund_id uuid, attempt int, amount bigint, currency text)")
        with connection.cursor().copy("COPY bare FROM STDIN") as copy:
            for row in found:
                copy.write_row(row)
        joined = connection.execute("""
            SELECT count(*) FROM bare b JOIN ledger_transaction t ON t.cause = 'refund' AND t.kind = 'refund'
             AND t.cause_id = b.refund_id AND t.sequence = b.attempt
            JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'gateway_clearing' AND e.amount = b.amount
        """).fetchone()
        passed = time.perf_counter() - began
    if joined is None or joined[0] != lines:
        raise BenchError(f"{joined} lines were joined, not {lines}.")
    return passed
