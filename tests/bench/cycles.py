"""Whole life cycles through HTTP, beside as many bare statements as portal, queue and sandbox run for them."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import psycopg

from tests.bench import bare as floor
from tests.bench.client import UNIT_PRICE, CyclesDone, CyclesJob, ask
from tests.bench.processor import Used, used
from tests.bench.servers import BenchError, Portal, Server, bare
from tests.bench.statements import Count, Source, logged
from tests.bench.table import Row
from tests.processes import wait_until

CONNECTIONS: Final = 8
_ROUNDS: Final = 3
_COUNT: Final = 16
"""Cycles of each connection in a round: enough that the end, when only the worker is busy, weighs little."""
_COUNTED: Final = 6
"""As many while statements are counted."""
_ROUND_SECONDS: Final = 90.0
_IDLE_SECONDS: Final = 6.0
_MOST_STATEMENTS: Final = 40
_SANDBOX_PERCENT: Final = 20
"""Of the time that sandbox, portal and database use together: with more it is the sandbox that is measured."""

_SETTLED: Final = """
    SELECT count(*) FROM refund f JOIN orders o ON o.id = f.order_id
    WHERE f.status = 'succeeded' AND o.number LIKE %(prefix)s || '-%%'
"""
_RIGHT: Final = """
    SELECT count(*) FROM refund f JOIN returns r ON r.id = f.return_id
    WHERE r.rma = ANY(%(rmas)s) AND f.status = 'succeeded' AND f.amount = %(amount)s
"""
_BUSY: Final = """
    SELECT (SELECT count(*) FROM procrastinate_jobs
            WHERE status IN ('todo', 'doing') AND coalesce(scheduled_at, now()) <= now())
         + (SELECT count(*) FROM email WHERE status IN ('queued', 'sending'))
"""


class Side(msgspec.Struct, frozen=True):
    """One of the two that are compared: where it listens, and how its finished cycles are counted."""

    port: int
    key: str
    connection: psycopg.Connection
    finished: str

    def count(self, query: str, **values: object) -> int:
        """The one number that a query gives."""
        row = self.connection.execute(query.encode(), values).fetchone()
        return int(row[0]) if row else 0


class PerCycle(msgspec.Struct, frozen=True):
    """What one cycle asks of the database, by source, without what goes on while nothing happens."""

    statements: dict[Source, float]
    commits: dict[Source, float]
    each: list[tuple[float, Source, str]]


def run(server: Server, here: Portal) -> list[Row]:
    """Measure."""
    with _side(server.url, here, _SETTLED) as ours:
        walk(ours, "WARM", 2)
        per_cycle = _statements(server, ours)
        own = round(sum(per_cycle.statements.values()))
        url = server.create("bare_cycles")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(floor.TABLES)
        with bare(url, statements=own) as port, _side(url, Portal(port, ""), floor.FINISHED) as beside:
            walk(beside, "WARM", 2)
            passed, processor = [0.0, 0.0], Used()
            for number in range(_ROUNDS):
                before = used(server)
                passed[0] += walk(ours, f"ROUND{number}", _COUNT)
                processor += used(server) - before
                passed[1] += walk(beside, f"ROUND{number}", _COUNT)
    cycles = _ROUNDS * _COUNT * CONNECTIONS
    return [
        Row("life cycles/s", cycles / passed[0], cycles / passed[1], f"{own} bare statements", least=0.5),
        Row("statements of a cycle", per_cycle.statements["portal"], at_most=_MOST_STATEMENTS),
        Row("  the queue's own", per_cycle.statements["queue"]),
        Row("  the sandbox's own", per_cycle.statements["sandbox"]),
        Row("commits of a cycle", per_cycle.commits["portal"], floor.STEPS, "of the bare one"),
        Row("  the sandbox's own", per_cycle.commits["sandbox"]),
        Row("ms of CPU of a cycle: portal", 1000 * processor.portal / cycles),
        Row("  PostgreSQL's", 1000 * processor.database / cycles),
        Row("  the sandbox's", 1000 * processor.sandbox / cycles),
        Row("% of the CPU that are the sandbox's", 100 * processor.share, at_most=_SANDBOX_PERCENT),
    ]


@contextmanager
def _side(url: str, here: Portal, finished: str) -> Iterator[Side]:
    with psycopg.connect(url, autocommit=True, application_name="bench") as connection:
        yield Side(here.port, here.key, connection, finished)


def walk(side: Side, prefix: str, count: int) -> float:
    """Walk `count` cycles on each connection, and return the seconds until the last one was settled.

    Afterwards everything that they caused is done, e-mails too, so that nothing burdens what follows.

    Raises:
        BenchError: a refund is not what it must be.
    """
    before = side.count(side.finished, prefix=prefix)
    done = ask(CyclesJob(side.port, side.key, prefix, CONNECTIONS, count), CyclesDone)
    expected = before + len(done.rmas)

    def ended() -> bool:
        return side.count(side.finished, prefix=prefix) >= expected

    wait_until(ended, _ROUND_SECONDS, "the cycles to end", every=0.02)
    passed = time.monotonic() - done.began
    if side.key:
        right = side.count(_RIGHT, rmas=done.rmas, amount=UNIT_PRICE)
        if right != len(done.rmas):
            raise BenchError(f"Of {len(done.rmas)} refunds, {right} are what they must be.")
        wait_until(lambda: side.count(_BUSY) == 0, _ROUND_SECONDS, "the jobs and e-mails to end")
    return passed


def _statements(server: Server, side: Side) -> PerCycle:
    with logged(server) as log:
        time.sleep(_IDLE_SECONDS)
        idle = log.take()
        began = time.monotonic()
        walk(side, "COUNT", _COUNTED)
        busy, passed = log.take(), time.monotonic() - began
    return _per_cycle(busy, idle, passed / _IDLE_SECONDS, _COUNTED * CONNECTIONS)


def _per_cycle(busy: Count, idle: Count, share: float, cycles: int) -> PerCycle:
    """Of what was counted, what the cycles caused: all but what comes by itself in the same time."""
    sources: tuple[Source, ...] = ("portal", "queue", "sandbox")
    sums: Counter[tuple[Source, str]] = Counter(busy.statements)
    each = sorted(((count / cycles, *what) for what, count in sums.items()), reverse=True)
    return PerCycle(
        {source: (busy.total(source) - idle.total(source) * share) / cycles for source in sources},
        {source: (busy.commits[source] - idle.commits[source] * share) / cycles for source in sources},
        each,
    )


def list_statements(server: Server, here: Portal) -> None:
    """Write which statements a cycle consists of, the most frequent first: where a budget is to be saved."""
    with _side(server.url, here, _SETTLED) as ours:
        walk(ours, "WARM", 2)
        for count, source, words in _statements(server, ours).each:
            sys.stdout.write(f"{count:6.2f} {source:8} {words[:200]}\n")
