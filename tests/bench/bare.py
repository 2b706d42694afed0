"""The floor of the stack: Litestar on granian and psycopg written straight, without anything that a shop needs.

It answers the calls of a life cycle with bare inserts and updates, and reads a return's rows for comparison.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from granian.constants import Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server
from litestar import Litestar, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from psycopg_pool import AsyncConnectionPool

STEPS: Final = 6
"""A cycle has four requests and two steps in the background; each is one transaction."""

TABLES: Final = """
    CREATE TABLE bare (
        id uuid PRIMARY KEY, cycle uuid NOT NULL, step int NOT NULL, place int NOT NULL,
        words text NOT NULL, amount bigint NOT NULL, data jsonb NOT NULL
    );
    CREATE INDEX ON bare (cycle);
"""
FINISHED: Final = f"SELECT count(*) FROM bare WHERE step = {STEPS - 1} AND place = 0"  # noqa: S608 - a number of ours

_INSERT: Final = (
    "INSERT INTO bare (id, cycle, step, place, words, amount, data) VALUES (%s, %s, %s, %s, %s, %s, CAST(%s AS jsonb))"
)
_UPDATE: Final = "UPDATE bare SET amount = amount + 1, words = %s WHERE id = %s"
_WORDS: Final = "Derby, size 42, Black, to be sent back by the customer"
_DATA: Final = '{"from": "filed", "attempt": 1, "actor": "api"}'

_KEY: Final = "SELECT id, scopes FROM api_key WHERE prefix = %s AND revoked_at IS NULL"
_SESSION: Final = "SELECT staff_id, order_id, expires_at FROM web_session WHERE order_id = %s LIMIT 1"
_RETURN: Final = """
    SELECT r.id, r.rma, r.order_id, o.number, o.email, o.name, o.locale, o.currency, o.address, r.status, r.refund_to,
           r.refund_deadline, r.created_at, l.id AS line_id, l.sku, l.title, l.size, l.color, a.quantity, a.reason,
           l.unit_paid, i.quantity AS received, i.condition, b.code
    FROM returns r JOIN orders o ON o.id = r.order_id JOIN return_line a ON a.return_id = r.id
    JOIN order_line l ON l.id = a.order_line_id LEFT JOIN parcel p ON p.return_id = r.id
    LEFT JOIN parcel_item i ON i.parcel_id = p.id AND i.order_line_id = l.id LEFT JOIN label b ON b.return_id = r.id
    WHERE r.rma = %s
"""
_REFUNDS: Final = """
    SELECT f.id, f.status, f.destination, f.currency, f.amount, f.bonus, f.created_at, f.settled_at, p.card_last4
    FROM refund f JOIN payment p ON p.id = f.payment_id WHERE f.return_id = %s
"""
_PARCELS: Final = """
    SELECT p.id, p.number, p.checked_in_at, i.id AS item_id, i.quantity, i.condition, i.acceptance
    FROM parcel p JOIN parcel_item i ON i.parcel_id = p.id WHERE p.return_id = %s
"""
_NOTES: Final = """
    SELECT n.document, n.kind, n.issued_at FROM credit_note n JOIN refund f ON f.id = n.refund_id WHERE f.return_id = %s
"""
_LEFT: Final = """
    SELECT o.cancelled_at, o.delivered_at, o.financial_status, l.id AS line_id, l.quantity, a.quantity AS announced
    FROM orders o JOIN order_line l ON l.order_id = o.id LEFT JOIN return_line a ON a.order_line_id = l.id
    WHERE o.id = %s
"""


class Work:
    """The statements of a cycle, shared out evenly among its steps."""

    def __init__(self, pool: AsyncConnectionPool, statements: int) -> None:
        self.pool = pool
        even, rest = divmod(statements, STEPS)
        self._shares = [even + (step < rest) for step in range(STEPS)]
        self._background: set[asyncio.Task[None]] = set()

    async def step(self, cycle: UUID, number: int) -> None:
        """Insert a row, update it, insert the next one, and so on; one commit."""
        async with self.pool.connection() as connection:
            row = uuid4()
            for place in range(self._shares[number]):
                if place % 2:
                    await connection.execute(_UPDATE, (_WORDS, row))
                else:
                    row = uuid4()
                    await connection.execute(_INSERT, (row, cycle, number, place, _WORDS, place, _DATA))

    def later(self, cycle: UUID) -> None:
        """Do the last two steps after the answer."""
        task = asyncio.create_task(self._finish(cycle))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _finish(self, cycle: UUID) -> None:
        for number in (STEPS - 2, STEPS - 1):
            await self.step(cycle, number)


@get("/bare", sync_to_thread=False)
def nothing() -> dict[str, Any]:
    """Answer without a database."""
    return {"rma": "R-0000-0000", "status": "received", "lines": [{"sku": "A", "quantity": 1}], "refunds": []}


@get("/raw/{rma:str}")
async def rows(work: NamedDependency[Work], rma: FromPath[str], prefix: FromQuery[str | None] = None) -> dict[str, Any]:
    """The rows of which the portal makes a return's document (with `prefix` of a key), or its page (without)."""
    async with work.pool.connection() as connection:
        lines = await _fetch(connection, _RETURN, rma)
        refunds = await _fetch(connection, _REFUNDS, lines[0][0])
        if prefix is not None:
            return {"caller": await _fetch(connection, _KEY, prefix), "lines": lines, "refunds": refunds}
        return {
            "caller": await _fetch(connection, _SESSION, lines[0][2]),
            "lines": lines,
            "refunds": refunds,
            "parcels": await _fetch(connection, _PARCELS, lines[0][0]),
            "notes": await _fetch(connection, _NOTES, lines[0][0]),
            "left": await _fetch(connection, _LEFT, lines[0][2]),
        }


async def _fetch(connection: Any, query: str, value: object) -> list[tuple[Any, ...]]:  # noqa: ANN401 - the pool's
    return await (await connection.execute(query, (value,))).fetchall()  # type: ignore[no-any-return]  # rows of any


@put("/api/v1/orders/{number:str}")
async def take_order(
    work: NamedDependency[Work], number: FromPath[str], data: JSONBody[dict[str, Any]]
) -> dict[str, Any]:
    """The first step."""
    await work.step(uuid4(), 0)
    return {"number": number, "lines": data["lines"]}


@get("/api/v1/orders/{number:str}")
async def show_order(work: NamedDependency[Work], number: FromPath[str]) -> dict[str, Any]:
    """The second step; its name for the line begins the rest of the cycle."""
    cycle = uuid4()
    await work.step(cycle, 1)
    return {"number": number, "lines": [{"line_id": str(cycle), "quantity": 1}]}


@post("/api/v1/returns")
async def file_return(work: NamedDependency[Work], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """The third step."""
    line = data["lines"][0]["line_id"]
    await work.step(UUID(line), 2)
    return {"rma": line, "status": "filed"}


@post("/api/v1/check-ins")
async def check_in(work: NamedDependency[Work], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """The fourth step; the last two follow it."""
    cycle = UUID(data["code"])
    await work.step(cycle, 3)
    work.later(cycle)
    return {"status": "received"}


def _create(url: str, statements: int) -> Litestar:
    pool = AsyncConnectionPool(url, min_size=8, max_size=10, open=False, kwargs={"prepare_threshold": 2})
    work = Work(pool, statements)

    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        async with pool:
            yield

    async def provide(state: State) -> Work:
        return state.work  # type: ignore[no-any-return]  # a State holds anything

    return Litestar(
        [nothing, rows, take_order, show_order, file_return, check_in],
        dependencies={"work": provide},
        lifespan=[running],
        state=State({"work": work}),
        openapi_config=None,
        logging_config=None,
    )


def _serve(port: int, url: str, statements: int) -> None:
    """Serve as the portal's web process is served."""
    server = Server(
        "tests.bench.bare",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        runtime_mode=RuntimeModes.st,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
    )
    server.serve(target_loader=partial(_create, url, statements), wrap_loader=False)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
