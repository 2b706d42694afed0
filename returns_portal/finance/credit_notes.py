"""Credit notes: a numbered document for each refund that succeeded, and one that cancels it where it was reversed.

Numbers run from 1 in each year without a gap (Directive 2006/112/EC, Art. 226(2) asks for a sequential number that
identifies the document). One transaction at a time gives them, together with the rows that bear them, so that a crash
leaves neither a gap nor a number twice; refunds never wait for it. What a document says is stored with its number, and
stays so whatever becomes of the refund, the order and the shop.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.finance.credit_notes_facts import CONTENT, OF_POSTING
from returns_portal.finance.models import CreditNote, CreditNoteKind, Seller
from returns_portal.ids import new_id
from returns_portal.questions import Question, ask
from returns_portal.shop.queries import ShopInfo, current

ROUND: Final = 5000
"""How many numbers one transaction gives."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(4711021)"
# Postings are committed a little later than they are dated. Looking back by an hour from the newest that has a number
# finds them without reading all the books; what came later than that is found by the nightly round, which looks at all.
_SINCE: Final = """
    SELECT t.at - interval '1 hour' AS since FROM credit_note n JOIN ledger_transaction t
    ON t.id = n.ledger_transaction_id ORDER BY n.year DESC, n.number DESC LIMIT 1
"""
_WAITING: Final = f"""
    SELECT t.id, t.kind, t.cause_id AS refund_id, t.sequence AS attempt, before.id AS credit_note_id,
           before.content AS cancelled, {CONTENT} AS content,
           CAST(CAST(t.at AT TIME ZONE :zone AS date) AS text) AS booked_on
    FROM ledger_transaction t {OF_POSTING}
    LEFT JOIN credit_note before ON before.refund_id = t.cause_id AND before.attempt = t.sequence
     AND before.kind = 'credit_note' AND t.kind = 'refund_reversal'
    WHERE t.cause = 'refund' AND t.kind IN ('refund', 'refund_reversal') AND t.at >= :since AND t.at < :until
      AND NOT EXISTS (SELECT FROM credit_note n WHERE n.ledger_transaction_id = t.id)
    ORDER BY t.at, t.kind, t.id LIMIT :limit
"""  # noqa: S608 - the interpolated text is our own
_NUMBERS: Final = """
    INSERT INTO credit_note_series AS s (year, last) VALUES (:year, :count)
    ON CONFLICT (year) DO UPDATE SET last = s.last + :count RETURNING last
"""
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_END: Final = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


_DOCUMENT: Final = re.compile(r"CN-([0-9]{4})-([0-9]{6,9})")


def document_name(year: int, number: int) -> str:
    """A number as it is printed."""
    return f"CN-{year}-{number:06d}"


def parse_document(text: str) -> tuple[int, int] | None:
    """Year and number of a document; None where the text is no such number."""
    found = _DOCUMENT.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


async def issue(begin: Begin, *, everything: bool = False) -> int:
    """Give numbers to whatever succeeded or was reversed since; how many.

    Args:
        begin: opens the transactions, each of which gives up to `ROUND` numbers.
        everything: look at all postings, not only at those since the newest that has a number.
    """
    total = 0
    while True:
        async with begin() as db:
            count = await issue_some(db, everything=everything)
        total += count
        if count < ROUND:
            return total


async def issue_some(db: AsyncConnection, *, everything: bool = False, until: datetime = _END) -> int:
    """Give up to `ROUND` numbers, in the order in which the postings are dated; how many.

    Nobody else gives any until the transaction ends.
    """
    await run(db, _LOCK)
    # The period decides how the postings are found best.
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")
    since = [] if everything else await run(db, _SINCE)
    shop = await current(db)
    values = {"since": since[0].since if since else _EPOCH, "until": until, "limit": ROUND}
    waiting = await run(db, _WAITING, **values, zone=shop.timezone)
    if not waiting:
        return 0
    today = clock.now().astimezone(ZoneInfo(shop.timezone)).date()
    rows = _documents(waiting, await _seller(db, shop), today)
    if not rows:
        return 0
    [series] = await run(db, _NUMBERS, year=today.year, count=len(rows))
    for number, row in enumerate(rows, series.last - len(rows) + 1):
        row |= {"number": number, "document": document_name(today.year, number)}
    await insert_rows(db, (CreditNote, rows))
    return len(rows)


def _documents(waiting: Sequence[Any], seller_id: UUID, today: date) -> list[dict[str, Any]]:
    """The rows, without their numbers; a reversal whose refund has no number yet waits for it.

    What cancels a credit note says the same as that, whatever has become of the order since.
    """
    rows: list[dict[str, Any]] = []
    fresh: dict[tuple[UUID, int], dict[str, Any]] = {}
    now = clock.now()
    for posting in waiting:
        cause = (posting.refund_id, posting.attempt)
        reversal = posting.kind == "refund_reversal"
        cancels: UUID | None = None
        content = posting.content
        if reversal:
            before = fresh.get(cause, {"id": posting.credit_note_id, "content": posting.cancelled})
            cancels, content = before["id"], before["content"]
            if cancels is None:
                continue
        row = {
            "id": new_id(),
            "year": today.year,
            "kind": CreditNoteKind.CANCELLATION if reversal else CreditNoteKind.CREDIT_NOTE,
            "refund_id": posting.refund_id,
            "attempt": posting.attempt,
            "ledger_transaction_id": posting.id,
            "cancels_id": cancels,
            "seller_id": seller_id,
            "content": content | {"issued": f"{today:%Y-%m-%d}", "refunded": posting.booked_on},
            "issued_at": now,
        }
        rows.append(row)
        if not reversal:
            fresh[cause] = row
    return rows


async def _seller(db: AsyncConnection, shop: ShopInfo) -> UUID:
    """The shop as it is today: the newest row, or a new one where the shop has changed."""
    facts = {
        "name": shop.name,
        "email": shop.email,
        "phone": shop.phone,
        "details": shop.tax_details,
        "address": shop.address,
    }
    newest = await run(db, "SELECT id, facts FROM credit_note_seller ORDER BY since DESC, id DESC LIMIT 1")
    if newest and newest[0].facts == facts:
        return UUID(str(newest[0].id))
    seller_id = new_id()
    await insert_rows(db, (Seller, [{"id": seller_id, "facts": facts, "since": clock.now()}]))
    return seller_id


class NoteLink(msgspec.Struct, frozen=True):
    """A document by its number."""

    document: str
    kind: str
    issued_at: datetime


async def notes_of_refund(db: AsyncConnection, actor: Actor, refund_id: UUID) -> list[NoteLink]:
    """The documents of one refund, in the order of their issue; empty for those who may not see them."""
    return await ask(db, _links(actor, "f.id = :id", refund_id))


def of_return(actor: Actor, return_id: UUID) -> Question[NoteLink]:
    """The documents of a return's refunds, in the order of their issue; none for those who may not see them."""
    return _links(actor, "f.return_id = :id", return_id)


_LINKS: Final = """
    SELECT n.document, n.kind, n.issued_at FROM credit_note n JOIN refund f ON f.id = n.refund_id
    WHERE CAST(:sees AS boolean) AND (CAST(:order_id AS uuid) IS NULL OR (f.order_id = :order_id AND NOT EXISTS (
        SELECT FROM returns g WHERE g.id = f.return_id AND g.gift_id IS NOT NULL))) AND
"""


def _links(actor: Actor, condition: str, id_: UUID) -> Question[NoteLink]:
    order_id = actor.order_id if actor.kind == "customer" else None
    sees = order_id is not None if actor.kind == "customer" else actor.has("finance", "support")
    values = {"id": id_, "order_id": order_id, "sees": sees}
    return Question(f"{_LINKS} {condition} ORDER BY n.year, n.number", values, NoteLink)


class NoteRow(msgspec.Struct, frozen=True):
    """A document in the list of all; the amount in minor units, negative where it cancels."""

    document: str
    kind: str
    issued_at: datetime
    refund_id: UUID
    rma: str
    order_number: str
    currency: str
    amount: int
    tax: int


_LIST: Final = """
    SELECT n.document, n.kind, n.issued_at, f.id AS refund_id, coalesce(r.rma, '') AS rma, o.number AS order_number,
           f.currency, CASE n.kind WHEN 'cancellation' THEN -1 ELSE 1 END * CAST(n.content ->> 'amount' AS bigint) AS
           amount, CASE n.kind WHEN 'cancellation' THEN -1 ELSE 1 END * CAST(n.content ->> 'tax' AS bigint) AS tax
    FROM credit_note n JOIN refund f ON f.id = n.refund_id JOIN orders o ON o.id = f.order_id
    LEFT JOIN returns r ON r.id = f.return_id
    WHERE (n.year, n.number) < (:year, :number) ORDER BY n.year DESC, n.number DESC LIMIT :limit
"""


async def list_notes(db: AsyncConnection, actor: Actor, *, before: tuple[int, int] | None, limit: int) -> list[NoteRow]:
    """Documents, the newest first, after the one (year, number) where the last page ended.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    year, number = before or (9999, 0)
    return [NoteRow(*row) for row in await run(db, _LIST, year=year, number=number, limit=limit)]
