"""The sandbox's memory: documents in a PostgreSQL schema of its own, one commit for each request."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from returns_portal.payments.sandbox import clock, schema
from returns_portal.payments.sandbox.events import Endpoint, Listening
from returns_portal.payments.sandbox.unit import Unit

SCHEMA = "stripe_sandbox"


class Waiting(msgspec.Struct, frozen=True):
    """An event on its way to an endpoint, with what has been tried."""

    event: str
    endpoint: str
    attempts: int
    """How often it was sent, this time included."""
    first: float
    """When it was to be sent first, in Unix seconds."""
    body: str


class Store:
    """The connections to the sandbox's schema."""

    def __init__(self, database_url: str, *, later: float, name: str = SCHEMA, keep_events: bool = False) -> None:
        """Take what `create_sandbox` was given."""
        self._later = later
        self._keep_events = keep_events
        self._reading = asyncio.Lock()
        """Held while it is read who listens: an older reading must not replace a newer one."""
        self.listening = Listening()
        self._schema = name
        self._pool = AsyncConnectionPool(
            database_url,
            min_size=2,
            max_size=10,
            timeout=5,
            open=False,
            kwargs={"autocommit": True, "options": f"-c synchronous_commit=on -c search_path={name}"},
        )

    async def open(self) -> None:
        """Connect, and create what is missing; processes that start at once take turns."""
        await self._pool.open(wait=True, timeout=15)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (schema.LOCK,))
            create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._schema))
            await connection.execute(create)
            await connection.execute(schema.TABLES)
        if self._keep_events:
            await self.set("keep", 1.0)
        await self.refresh()

    async def drop(self) -> None:
        """Remove the schema with all that it holds."""
        async with self._pool.connection() as connection:
            await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self._schema)))

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()

    async def heal(self) -> None:
        """Replace the connections that a restart of the database has broken."""
        await self._pool.check()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """Lend a connection to one unit of work; what it did not write is given up."""
        async with self._pool.connection() as connection:
            unit = Unit(connection, self.listening, self._later)
            try:
                yield unit
            finally:
                await unit.release()

    async def refresh(self) -> None:
        """Read anew what this or another process on this store may have changed: who listens, and the clock."""
        async with self._reading, self._pool.connection() as connection:
            await self._refresh(connection)

    async def _refresh(self, connection: AsyncConnection[TupleRow]) -> None:
        cursor = await connection.execute(
            "SELECT NULL, name, value FROM setting "
            "UNION ALL SELECT body::text, NULL, NULL FROM resource WHERE object = 'webhook_endpoint'"
        )
        endpoints, settings = [], {}
        for body, name, value in await cursor.fetchall():
            if body is None:
                settings[name] = value
            else:
                endpoints.append(msgspec.json.decode(body, type=Endpoint))
        self.listening.set(endpoints, keep=bool(settings.get("keep")))
        clock.set_ahead(settings.get("ahead", 0.0))

    async def set(self, name: str, value: float) -> None:
        """Keep a setting, and let it count."""
        async with self._reading, self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = %s",
                (name, value, value),
            )
            await self._refresh(connection)

    async def currencies(self) -> list[str]:
        """List the currencies in which the balance has lines that were not paid out."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT body ->> 'currency' FROM resource "
                "WHERE object = 'balance_transaction' AND payout IS NULL ORDER BY 1"
            )
            return [row[0] for row in await cursor.fetchall()]

    async def due(self, moment: float) -> list[str]:
        """List the plans that are due by then, in Unix seconds."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id FROM resource WHERE due <= %s ORDER BY due LIMIT 100", (moment,)
            )
            return [row[0] for row in await cursor.fetchall()]

    async def forget_keys(self, *, older_than_hours: int) -> int:
        """Forget idempotency keys, as Stripe may after 24 hours; the same key then makes a new effect."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM idempotency WHERE created <= to_timestamp(%s)",
                (clock.moment() - older_than_hours * 3600,),
            )
            return cursor.rowcount

    async def take_deliveries(self, moment: float, limit: int, lease: float) -> list[Waiting]:
        """Take deliveries that are due; who does not report them done within the lease leaves them to others.

        Args:
            moment: now, in Unix seconds of the real clock, as all times here.
            limit: how many at most.
            lease: seconds.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "WITH mine AS (SELECT event, endpoint FROM delivery WHERE due <= %s ORDER BY due, seq LIMIT %s "
                "FOR UPDATE SKIP LOCKED), taken AS (UPDATE delivery SET due = %s, attempts = attempts + 1 FROM mine "
                "WHERE delivery.event = mine.event AND delivery.endpoint = mine.endpoint "
                "RETURNING delivery.*) "
                "SELECT taken.event, taken.endpoint, taken.attempts, extract(epoch FROM taken.since)::float8, "
                "resource.body::text "
                "FROM taken JOIN resource ON resource.id = taken.event ORDER BY taken.seq",
                (moment, limit, moment + lease),
            )
            return [Waiting(*row) for row in await cursor.fetchall()]

    async def delivered(self, done: Sequence[tuple[str, str]], moment: float) -> None:
        """Note deliveries as done; those that were to happen twice happen again."""
        events, endpoints = [event for event, _ in done], [endpoint for _, endpoint in done]
        async with self._pool.connection() as connection:
            await connection.execute(
                "WITH done AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS d (event, endpoint)), "
                "again AS (UPDATE delivery SET copies = copies - 1, due = %s, attempts = 0 FROM done "
                "WHERE delivery.event = done.event AND delivery.endpoint = done.endpoint AND copies > 1) "
                "DELETE FROM delivery USING done "
                "WHERE delivery.event = done.event AND delivery.endpoint = done.endpoint AND copies = 1",
                (events, endpoints, moment),
            )

    async def try_again(self, event: str, endpoint: str, moment: float) -> None:
        """Let a delivery happen later."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE delivery SET due = %s WHERE event = %s AND endpoint = %s", (moment, event, endpoint)
            )

    async def give_up(self, event: str, endpoint: str) -> None:
        """Forget a delivery."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM delivery WHERE event = %s AND endpoint = %s", (event, endpoint))

    async def hold_deliveries(self) -> None:
        """Keep all that waits from being delivered."""
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE delivery SET due = %s", (math.inf,))

    async def release_deliveries(self, moment: float) -> None:
        """Let what was held be delivered."""
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE delivery SET due = %s WHERE due = %s", (moment, math.inf))

    async def waiting(self) -> list[tuple[str, str, str, int, bool]]:
        """List what waits to be delivered, oldest first: event, type, endpoint, attempts, and whether it is held."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT event, resource.body ->> 'type', endpoint, attempts, delivery.due = %s "
                "FROM delivery JOIN resource ON resource.id = event ORDER BY delivery.seq",
                (math.inf,),
            )
            return await cursor.fetchall()
