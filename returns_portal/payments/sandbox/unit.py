"""One request's work on the store: what it reads and locks, what it changes, and what is told of that.

An effect, the answer to the request that caused it, the events that tell of it and their deliveries are written
by one statement, together with the request's idempotency key. So there is no moment at which money has moved and
the key is not yet known, and a second request under the same key writes nothing and finds the first one's answer.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import LiteralString

import msgspec
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow

from returns_portal.payments.sandbox import clock
from returns_portal.payments.sandbox.events import Cause, Delivery, Listening, Told
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.statements import WIDTH, Page, insert, select


class Answered(msgspec.Struct, frozen=True):
    """The answer that was given under an idempotency key, with the request to which it belongs."""

    key: str
    endpoint: str
    fingerprint: bytes
    status: int
    body: str
    request_id: str


class _Put(msgspec.Struct):
    document: Document
    due: float | None
    payout: str | None
    mark: str | None


class Unit:
    """One request's work: what it reads, and what it puts aside to be written at once."""

    def __init__(self, connection: AsyncConnection[TupleRow], listening: Listening, later: float) -> None:
        self.cause = Cause()
        self.later = later
        """Seconds after which what happens by itself happens."""
        self.listening = listening
        self._connection = connection
        self._in_transaction = False
        self._puts: dict[str, _Put] = {}
        self._told: list[Told] = []
        self.undo: list[Callable[[], object]] = []
        """What to do outside the database where this unit comes to nothing."""
        self.committed: list[Callable[[], Awaitable[object]]] = []
        """What to do when this unit is written."""

    async def find(self, object_: str, id_: str) -> Document | None:
        """Read a document, as this unit has left it."""
        if id_ in self._puts:
            return self._puts[id_].document
        return await self._one("SELECT body::text FROM resource WHERE id = %s AND object = %s", id_, object_)

    async def lock(self, object_: str, id_: str) -> Document | None:
        """Read a document and keep others from changing it until this unit is written."""
        await self._begin()
        return await self._one("SELECT body::text FROM resource WHERE id = %s AND object = %s FOR UPDATE", id_, object_)

    async def lock_charge_of(self, intent_id: str) -> Document | None:
        """Lock the payment intent's latest charge."""
        await self._begin()
        return await self._one(
            "SELECT body::text FROM resource WHERE payment_intent = %s AND object = 'charge' "
            "ORDER BY seq DESC LIMIT 1 FOR UPDATE",
            intent_id,
        )

    async def mark_of(self, id_: str) -> str | None:
        """Read what a document is marked with: a note of the sandbox's own, which the API does not show."""
        cursor = await self._connection.execute("SELECT mark FROM resource WHERE id = %s", (id_,))
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def place(self, object_: str, id_: str) -> tuple[int, int] | None:
        """Return a document's place in the order of its list."""
        cursor = await self._connection.execute(
            "SELECT created, seq FROM resource WHERE id = %s AND object = %s", (id_, object_)
        )
        row = await cursor.fetchone()
        return None if row is None else (row[0], row[1])

    async def page(self, page: Page) -> list[str]:
        """Read one document more than the limit, as JSON texts: so the caller sees whether there are more."""
        query, values = select(page)
        cursor = await self._connection.execute(query, values)
        return [row[0] for row in await cursor.fetchall()]

    async def all_of(self, object_: str, charge_id: str) -> list[Document]:
        """Read all documents of a kind that belong to a charge, newest first."""
        cursor = await self._connection.execute(
            "SELECT body::text FROM resource WHERE charge = %s AND object = %s ORDER BY seq DESC", (charge_id, object_)
        )
        return [msgspec.json.decode(row[0]) for row in await cursor.fetchall()]

    async def pay_out(self, payout_id: str, currency: str, before: int) -> int:
        """Give a payout all lines of the balance that none has yet, and return the sum of what they are worth.

        Args:
            payout_id: the payout that takes them.
            currency: of the lines.
            before: only lines created before then, in Unix seconds.
        """
        await self._begin()
        cursor = await self._connection.execute(
            "WITH paid AS (UPDATE resource SET payout = %s WHERE object = 'balance_transaction' AND payout IS NULL "
            "AND created < %s AND body ->> 'currency' = %s RETURNING (body ->> 'net')::bigint AS net) "
            "SELECT coalesce(sum(net), 0)::bigint FROM paid",
            (payout_id, before, currency),
        )
        row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def abandon(self) -> None:
        """Give up what was changed at once, so that nothing of it is written with the rest."""
        if self._in_transaction:
            await self._connection.execute("ROLLBACK")
            self._in_transaction = False

    async def remove_endpoint(self, id_: str) -> None:
        """Remove a webhook endpoint with what is on its way to it."""
        await self._begin()
        await self._connection.execute("DELETE FROM resource WHERE id = %s", (id_,))
        await self._connection.execute("DELETE FROM delivery WHERE endpoint = %s", (id_,))

    def put(
        self, *documents: Document, due: float | None = None, payout: str | None = None, mark: str | None = None
    ) -> None:
        """Put documents aside to be written.

        Args:
            documents: as the API answers them.
            due: when a plan must be carried out, in Unix seconds.
            payout: the payout to which lines of the balance belong.
            mark: a note of the sandbox's own.
        """
        for document in documents:
            known = self._puts.get(document["id"])
            self._puts[document["id"]] = _Put(document, due, payout, mark or (known.mark if known else None))

    def tell(self, type_: str, document: Document, *, previous: dict[str, object] | None = None) -> None:
        """Tell of a change to an object, as it now is, once the object is written.

        Args:
            type_: the event's type.
            document: the object.
            previous: the values that changed, as they were.
        """
        if self.listening.wants(type_):
            self._told.append(Told(type_, document["id"], msgspec.json.encode(document), previous))

    async def write(self, answered: Answered | None = None) -> bool:
        """Write what was put aside, and the answer under its key, and commit.

        Returns:
            False where the key was taken already: then nothing was written.
        """
        rows = [value for put in self._puts.values() for value in _row(put)]
        events, deliveries = self._events()
        rows += events
        claims: tuple[object, ...] = ()
        if answered is not None:
            claims = (*msgspec.structs.astuple(answered), clock.moment())
        written = True
        if claims or rows:
            query = insert(claimed=bool(claims), resources=len(rows) // WIDTH, deliveries=len(deliveries))
            sent = [value for delivery in deliveries for value in msgspec.structs.astuple(delivery)]
            cursor = await self._connection.execute(query, [*claims, *sent, *rows])
            written = cursor.rowcount > 0
        if self._in_transaction:
            await self._connection.execute("COMMIT" if written else "ROLLBACK")
            self._in_transaction = False
        if written:
            self.undo.clear()
            for done in self.committed:
                await done()
            if deliveries:
                self.listening.wake()
        return written

    async def answered(self, key: str) -> Answered:
        """Read the answer that stands under a key.

        Raises:
            OperationalError: none stands there any more; the request has to be done again.
        """
        cursor = await self._connection.execute(
            "SELECT key, endpoint, fingerprint, status, body, request_id FROM idempotency WHERE key = %s", (key,)
        )
        row = await cursor.fetchone()
        if row is None:
            raise OperationalError("the key was forgotten at this very moment")
        return Answered(*row)

    async def release(self) -> None:
        """Give up what was not written."""
        for undo in reversed(self.undo):
            undo()
        if not self._connection.closed:
            await self.abandon()

    def _events(self) -> tuple[list[object], list[Delivery]]:
        """Build the rows of the events, in the order in which they were told, and their deliveries."""
        rows: list[object] = []
        deliveries: list[Delivery] = []
        if self._told:
            self.undo.append(self.listening.faults_kept())
        for told in self._told:
            if told.subject not in self._puts:
                continue
            id_ = new_id("event")
            mine = self.listening.deliveries(id_, told.type)
            event = told.event(id_, self.cause, pending=len(mine))
            rows += _row(_Put(event, None, None, None))
            deliveries += mine
        return rows, deliveries

    async def _begin(self) -> None:
        if not self._in_transaction:
            await self._connection.execute("BEGIN")
            self._in_transaction = True

    async def _one(self, query: LiteralString, *values: object) -> Document | None:
        cursor = await self._connection.execute(query, values)
        row = await cursor.fetchone()
        return None if row is None else msgspec.json.decode(row[0])


def _row(put: _Put) -> Iterable[object]:
    document = put.document
    get = document.get
    body = msgspec.json.encode(document).decode()
    return (
        document["id"],
        document["object"],
        document["created"],
        get("payment_intent"),
        get("charge"),
        get("customer"),
        put.due,
        put.payout,
        put.mark,
        body,
    )
