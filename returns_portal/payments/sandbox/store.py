"""The sandbox's memory: documents in a PostgreSQL schema of its own, one commit for each request.

An effect and the answer to the request that caused it are written by one statement, together with the
request's idempotency key. So there is no moment at which money has moved and the key is not yet known, and a
second request under the same key writes nothing and finds the first one's answer.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import LiteralString

import msgspec
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from returns_portal.payments.sandbox.objects import Document

# A page of a list is a range of one of these indexes; newest first means by creation, then by the identity
# column. Rows are kept whole up to a page's size: compressing documents of 3 kB cost more than all the rest.
# The last constraint is the one promise that no bug of the handlers may break.
_SCHEMA: LiteralString = """
CREATE SCHEMA IF NOT EXISTS stripe_sandbox;
CREATE TABLE IF NOT EXISTS stripe_sandbox.resource (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    object text NOT NULL,
    created bigint NOT NULL,
    payment_intent text,
    charge text,
    due double precision,
    body json NOT NULL,
    CONSTRAINT refunded_at_most_captured CHECK (
        object <> 'charge'
        OR (body ->> 'amount_refunded')::bigint BETWEEN 0 AND (body ->> 'amount_captured')::bigint
    )
) WITH (fillfactor = 80, toast_tuple_target = 8160);
CREATE INDEX IF NOT EXISTS resource_newest ON stripe_sandbox.resource (object, created, seq);
CREATE INDEX IF NOT EXISTS resource_intent ON stripe_sandbox.resource (payment_intent, object, seq)
    WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_charge ON stripe_sandbox.resource (charge, object, seq)
    WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_due ON stripe_sandbox.resource (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS stripe_sandbox.idempotency (
    key text PRIMARY KEY,
    endpoint text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    body text NOT NULL,
    request_id text NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
) WITH (toast_tuple_target = 8160);
CREATE INDEX IF NOT EXISTS idempotency_created ON stripe_sandbox.idempotency (created);
"""
_ALWAYS: LiteralString = "VALUES {slots}"
_IF_CLAIMED: LiteralString = (
    "SELECT v.* FROM claimed, (VALUES {slots}) AS v (id, object, created, payment_intent, charge, due, body)"
)
_CLAIM_FIRST: LiteralString = "WITH claimed AS ({claim}) {write}"
_PAGE: LiteralString = "SELECT body::text FROM stripe_sandbox.resource WHERE {where} ORDER BY {order} LIMIT %s"
_SCHEMA_LOCK = 0x5354_5249_5045
_SLOT: LiteralString = "(%s::text, %s::text, %s::bigint, %s::text, %s::text, %s::float8, %s::json)"
_CLAIM: LiteralString = (
    "INSERT INTO stripe_sandbox.idempotency (key, endpoint, fingerprint, status, body, request_id) "
    "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING key"
)
_WRITE: LiteralString = (
    "INSERT INTO stripe_sandbox.resource (id, object, created, payment_intent, charge, due, body) {source} "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body, due = excluded.due"
)


class Answered(msgspec.Struct, frozen=True):
    """The answer that was given under an idempotency key, with the request to which it belongs."""

    key: str
    endpoint: str
    fingerprint: bytes
    status: int
    body: str
    request_id: str


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is asked for; newest first."""

    object: str
    limit: int = 10
    payment_intent: str | None = None
    charge: str | None = None
    source: str | None = None
    type: str | None = None
    created: Sequence[tuple[LiteralString, int]] = ()
    after: tuple[int, int] | None = None
    """The place (creation and sequence) after which the page begins, that is, older."""
    before: tuple[int, int] | None = None


class Unit:
    """One request's work: what it reads, and what it puts aside to be written at once."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        self._connection = connection
        self._in_transaction = False
        self._puts: dict[str, tuple[Document, float | None]] = {}
        self.undo: list[Callable[[], object]] = []
        """What to do outside the database where this unit comes to nothing."""

    async def find(self, object_: str, id_: str) -> Document | None:
        """Read a document, as this unit has left it."""
        if id_ in self._puts:
            return self._puts[id_][0]
        return await self._one(
            "SELECT body::text FROM stripe_sandbox.resource WHERE id = %s AND object = %s", id_, object_
        )

    async def lock(self, object_: str, id_: str) -> Document | None:
        """Read a document and keep others from changing it until this unit is written."""
        await self._begin()
        return await self._one(
            "SELECT body::text FROM stripe_sandbox.resource WHERE id = %s AND object = %s FOR UPDATE",
            id_,
            object_,
        )

    async def lock_charge_of(self, intent_id: str) -> Document | None:
        """Lock the payment intent's latest charge."""
        await self._begin()
        return await self._one(
            "SELECT body::text FROM stripe_sandbox.resource WHERE payment_intent = %s AND object = 'charge' "
            "ORDER BY seq DESC LIMIT 1 FOR UPDATE",
            intent_id,
        )

    async def place(self, object_: str, id_: str) -> tuple[int, int] | None:
        """Return a document's place in the order of its list."""
        cursor = await self._connection.execute(
            "SELECT created, seq FROM stripe_sandbox.resource WHERE id = %s AND object = %s", (id_, object_)
        )
        row = await cursor.fetchone()
        return None if row is None else (row[0], row[1])

    async def page(self, page: Page) -> list[str]:
        """Read one document more than the limit, as JSON texts: so the caller sees whether there are more."""
        where: list[LiteralString] = ["object = %s"]
        values: list[object] = [page.object]
        filters: tuple[tuple[LiteralString, str | None], ...] = (
            ("payment_intent = %s", page.payment_intent),
            ("charge = %s", page.charge),
            ("body ->> 'source' = %s", page.source),
            ("body ->> 'type' = %s", page.type),
        )
        for condition, value in filters:
            if value is not None:
                where.append(condition)
                values.append(value)
        for operator, moment in page.created:
            where.append("created " + operator + " %s")
            values.append(moment)
        if page.after is not None:
            where.append("(created, seq) < (%s, %s)")
            values.extend(page.after)
        if page.before is not None:
            where.append("(created, seq) > (%s, %s)")
            values.extend(page.before)
        order: LiteralString = "created, seq" if page.before is not None else "created DESC, seq DESC"
        query: LiteralString = _PAGE.format(where=" AND ".join(where), order=order)
        cursor = await self._connection.execute(query, [*values, page.limit + 1])
        return [row[0] for row in await cursor.fetchall()]

    def put(self, *documents: Document, due: float | None = None) -> None:
        """Put documents aside to be written; `due` is when a plan must be carried out, in Unix seconds."""
        for document in documents:
            self._puts[document["id"]] = (document, due)

    async def write(self, answered: Answered | None = None) -> bool:
        """Write what was put aside, and the answer under its key, and commit.

        Returns:
            False where the key was taken already: then nothing was written.
        """
        claims: tuple[object, ...] = () if answered is None else msgspec.structs.astuple(answered)
        rows = list(self._rows())
        slots: LiteralString = ", ".join([_SLOT] * len(self._puts))
        if answered is None:
            query = _WRITE.format(source=_ALWAYS.format(slots=slots))
        elif rows:
            query = _CLAIM_FIRST.format(claim=_CLAIM, write=_WRITE.format(source=_IF_CLAIMED.format(slots=slots)))
        else:
            query = _CLAIM
        cursor = await self._connection.execute(query, [*claims, *rows])
        written = cursor.rowcount > 0
        if self._in_transaction:
            await self._connection.execute("COMMIT" if written else "ROLLBACK")
            self._in_transaction = False
        if written:
            self.undo.clear()
        return written

    async def answered(self, key: str) -> Answered:
        """Read the answer that stands under a key.

        Raises:
            OperationalError: none stands there any more; the request has to be done again.
        """
        cursor = await self._connection.execute(
            "SELECT key, endpoint, fingerprint, status, body, request_id FROM stripe_sandbox.idempotency "
            "WHERE key = %s",
            (key,),
        )
        row = await cursor.fetchone()
        if row is None:
            raise OperationalError("the key was forgotten at this very moment")
        return Answered(*row)

    async def release(self) -> None:
        """Give up what was not written."""
        for undo in reversed(self.undo):
            undo()
        if self._in_transaction and not self._connection.closed:
            await self._connection.execute("ROLLBACK")

    def _rows(self) -> Iterable[object]:
        for document, due in self._puts.values():
            body = msgspec.json.encode(document).decode()
            yield from (document["id"], document["object"], document["created"])
            yield from (document.get("payment_intent"), document.get("charge"), due, body)

    async def _begin(self) -> None:
        if not self._in_transaction:
            await self._connection.execute("BEGIN")
            self._in_transaction = True

    async def _one(self, query: LiteralString, *values: object) -> Document | None:
        cursor = await self._connection.execute(query, values)
        row = await cursor.fetchone()
        return None if row is None else msgspec.json.decode(row[0])


class Store:
    """The connections to the sandbox's schema."""

    def __init__(self, database_url: str) -> None:
        self._pool = AsyncConnectionPool(
            database_url,
            min_size=2,
            max_size=10,
            timeout=5,
            open=False,
            kwargs={"autocommit": True, "options": "-c synchronous_commit=on"},
        )

    async def open(self) -> None:
        """Connect, and create the tables where they are missing; processes that start at once take turns."""
        await self._pool.open(wait=True, timeout=15)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            await connection.execute(_SCHEMA)

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
            unit = Unit(connection)
            try:
                yield unit
            finally:
                await unit.release()

    async def due(self, moment: float) -> list[str]:
        """List the plans that are due by then, in Unix seconds."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id FROM stripe_sandbox.resource WHERE due <= %s ORDER BY due LIMIT 100", (moment,)
            )
            return [row[0] for row in await cursor.fetchall()]

    async def forget_keys(self, *, older_than_hours: int) -> int:
        """Forget idempotency keys, as Stripe may after 24 hours; the same key then makes a new effect."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM stripe_sandbox.idempotency WHERE created <= now() - make_interval(hours => %s)",
                (older_than_hours,),
            )
            return cursor.rowcount
