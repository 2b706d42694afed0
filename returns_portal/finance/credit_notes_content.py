"""What a credit note says: who sold what to whom, and what of it was paid back."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

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
    fee: int = 0
    """What was kept of the price of these lines for sending them back; the amount is what is left."""
    fee_tax: int = 0


_FIND: Final = """
    SELECT f.order_id, r.gift_id, n.document, coalesce(c.document, '') AS cancels, w.facts AS seller, n.content
    FROM credit_note n JOIN refund f ON f.id = n.refund_id JOIN credit_note_seller w ON w.id = n.seller_id
    LEFT JOIN credit_note c ON c.id = n.cancels_id LEFT JOIN returns r ON r.id = f.return_id
    WHERE n.year = :year AND n.number = :number
"""


async def note_for(db: AsyncConnection, actor: Actor, document: str) -> NoteContent:
    """What a document says, if the actor may see it: finance and support any, a customer those of their own order.

    Raises:
        NotFoundError: there is none, or it is not theirs.
    """
    if actor.kind != "customer":
        actor.require("finance", "support")
    named = parse_document(document)
    rows = await run(db, _FIND, year=named[0], number=named[1]) if named else []
    # The document of a gift names what was given and what it cost: neither side of it may read that.
    if not rows or (actor.kind == "customer" and (rows[0].order_id != actor.order_id or rows[0].gift_id)):
        raise NotFoundError(mark("There is no such credit note."))
    [row] = rows
    numbered = {"document": row.document, "cancels": row.cancels, "seller": row.seller}
    return msgspec.convert(row.content | numbered, NoteContent)


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
