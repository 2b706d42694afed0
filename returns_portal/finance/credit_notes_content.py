"""What a credit note says: who sold what to whom, and what of it was paid back."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.finance.credit_notes import parse_document
from returns_portal.i18n import mark


class NoteLine(msgspec.Struct, frozen=True):
    """Goods, or shipping where there is no title; minor units, tax in the amount."""

    title: str
    sku: str
    size: str
    color: str
    quantity: int
    amount: int
    tax: int


class NoteContent(msgspec.Struct, frozen=True):
    """A credit note, or what cancels one. Minor units of `currency`."""

    document: str
    cancels: str
    """The number of the credit note that this cancels; empty for a credit note."""
    issued: date
    locale: str
    seller: dict[str, Any]
    buyer: dict[str, str]
    order_number: str
    ordered: date
    rma: str
    """Empty for refunds of no return."""
    refunded: date
    """When the money went, or came back where this cancels."""
    refund_id: UUID
    kind: str
    reason: str
    destination: str
    card_last4: str
    currency: str
    lines: list[NoteLine]
    others: int
    """What other refunds pay back of these lines, which have credit notes of their own."""
    amount: int
    tax: int
    bonus: int
    sandbox: bool


_FIND: Final = """
    SELECT n.document, coalesce(c.document, '') AS cancels, n.kind AS note_kind, n.issued_at, t.at, w.facts AS seller,
           o.locale, o.name, o.email, o.address, o.number AS order_number, o.placed_at, f.order_id,
           coalesce(r.rma, '') AS rma, f.id AS refund_id, f.kind, f.reason, f.destination, f.currency, f.amount, f.tax,
           f.bonus, f.release_id, f.livemode, p.card_last4
    FROM credit_note n JOIN refund f ON f.id = n.refund_id JOIN orders o ON o.id = f.order_id
    JOIN payment p ON p.id = f.payment_id JOIN credit_note_seller w ON w.id = n.seller_id
    JOIN ledger_transaction t ON t.id = n.ledger_transaction_id
    LEFT JOIN returns r ON r.id = f.return_id LEFT JOIN credit_note c ON c.id = n.cancels_id
    WHERE n.year = :year AND n.number = :number
"""
_LINES: Final = """
    SELECT coalesce(l.title, '') AS title, coalesce(l.sku, '') AS sku, coalesce(l.size, '') AS size,
           coalesce(l.color, '') AS color, c.quantity, c.amount, c.tax
    FROM refund_line c LEFT JOIN order_line l ON l.id = c.order_line_id
    WHERE c.release_id = :release_id AND c.voided_at IS NULL ORDER BY l.position NULLS LAST, c.first_unit
"""
_OTHERS: Final = """
    SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS amount FROM refund
    WHERE release_id = :release_id AND id <> :id AND status <> 'canceled'
"""


async def note_for(db: AsyncConnection, actor: Actor, document: str, zone: str) -> NoteContent:
    """What a document says, if the actor may see it: finance and support any, a customer those of their own order.

    Raises:
        NotFoundError: there is none, or it is not theirs.
    """
    if actor.kind != "customer":
        actor.require("finance", "support")
    named = parse_document(document)
    rows = await run(db, _FIND, year=named[0], number=named[1]) if named else []
    if not rows or (actor.kind == "customer" and rows[0].order_id != actor.order_id):
        raise NotFoundError(mark("There is no such credit note."))
    [row] = rows
    lines = [NoteLine(*line) for line in await run(db, _LINES, release_id=row.release_id)]
    [others] = await run(db, _OTHERS, release_id=row.release_id, id=row.refund_id)
    here = ZoneInfo(zone)

    def day(moment: datetime) -> date:
        return moment.astimezone(here).date()

    return NoteContent(
        document=row.document,
        cancels=row.cancels,
        issued=day(row.issued_at),
        locale=row.locale,
        seller=row.seller,
        buyer=row.address | {"name": row.name, "email": row.email},
        order_number=row.order_number,
        ordered=day(row.placed_at),
        rma=row.rma,
        refunded=day(row.at),
        refund_id=row.refund_id,
        kind=row.kind,
        reason=row.reason,
        destination=row.destination,
        card_last4=row.card_last4,
        currency=row.currency,
        lines=lines,
        others=others.amount if lines else 0,
        amount=row.amount,
        tax=row.tax,
        bonus=row.bonus,
        sandbox=not row.livemode,
    )


def rate(amount: int, tax: int, units: int = 1) -> Decimal | None:
    """The tax of an amount that holds it, in percent of the rest; None where nothing is left to tax.

    The tax of each unit is a whole number of minor units, so that it is no exact share: of the rates that round to it,
    this is the one with the fewest decimal places, two at most.
    """
    if amount <= tax:
        return None
    exact = Decimal(100 * tax) / (amount - tax)
    for step in (Decimal(1), Decimal("0.5"), Decimal("0.1")):
        candidate = (exact / step).quantize(Decimal(1), ROUND_HALF_UP) * step
        if abs(amount * candidate / (100 + candidate) - tax) <= max(units, 1):
            return candidate.normalize() + 0
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP).normalize() + 0
