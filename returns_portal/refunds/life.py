"""The life of a refund: the one transition function, which writes row, history, books and e-mail together."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account, LedgerEntry, LedgerTransaction
from returns_portal.notifications import actions as notifications
from returns_portal.points.actions import lock_account
from returns_portal.refunds.models import REFUND_TRANSITIONS, Destination, Kind, RefundStatus

_UPDATE = """
    UPDATE refund f SET status = CAST(:status AS text), changed_at = :now,
        submitted_at = CASE WHEN CAST(:status AS text) = 'submitting' THEN :now ELSE f.submitted_at END,
        settled_at = CASE WHEN CAST(:status AS text) = 'succeeded' THEN :now ELSE f.settled_at END,
        gateway_id = coalesce(CAST(:gateway_id AS text), f.gateway_id),
        gateway_reference = coalesce(CAST(:reference AS text), f.gateway_reference),
        failure_reason = coalesce(CAST(:failure AS text), f.failure_reason),
        attempt = f.attempt + CAST(:again AS integer)
    FROM orders o, payment p, refund before LEFT JOIN returns r ON r.id = before.return_id
    WHERE f.id = :id AND f.status = ANY(CAST(:sources AS text[])) AND before.id = f.id
      AND o.id = f.order_id AND p.id = f.payment_id
    RETURNING f.id, f.status, before.status AS was, f.kind, f.destination, f.amount, f.bonus, f.currency, f.attempt,
        f.order_id, r.id AS return_id, r.rma, o.number AS order_number, o.email, o.locale, p.card_last4
"""


async def transition(
    db: AsyncConnection,
    actor: Actor,
    refund_id: UUID,
    status: RefundStatus,
    *,
    gateway_id: str | None = None,
    reference: str | None = None,
    failure: str | None = None,
    again: bool = False,
) -> Any:  # noqa: ANN401 - a row
    """Bring a refund into another status: the one place that writes its row, its history, its books, its e-mail.

    Raises:
        ConflictError: the life of a refund does not lead there from where it is.
    """
    sources = [before.value for before, after in REFUND_TRANSITIONS.items() if status in after]
    rows = await run(
        db,
        _UPDATE,
        id=refund_id,
        status=status.value,
        sources=sources,
        now=clock.now(),
        gateway_id=gateway_id,
        reference=reference,
        failure=failure,
        again=int(again),
    )
    if not rows:
        raise ConflictError("This refund is not in a state where that can be done.", code="wrong_status")
    [row] = rows
    told = {"from": row.was, "attempt": row.attempt} | ({"failure": failure} if failure else {})
    writes: list[Rows] = [history.rows(actor, ("refund", refund_id, status.value, told))]
    if status is RefundStatus.SUCCEEDED:
        writes += [*await _booked(db, row, sign=1), letter(row, "refunded")]
    elif status is RefundStatus.FAILED:
        if row.was == RefundStatus.SUCCEEDED:
            writes += await _booked(db, row, sign=-1)
        writes.append(letter(row, "refund_failed"))
    elif status is RefundStatus.CANCELED:
        writes += owed([row], sign=-1)
    await insert_rows(db, *writes)
    return row


def owed(refunds: Sequence[Any], *, sign: int = 1) -> tuple[Rows, Rows]:
    """What is posted when refunds come to be owed, or are owed no more (sign -1): rows, or what they are made of."""
    heads: list[Mapping[str, Any]] = []
    lines: list[Mapping[str, Any]] = []
    for refund in refunds:
        expense = Account.GOODWILL_EXPENSE if refund.kind == Kind.GOODWILL else Account.SALES_RETURNS
        (_, head), (_, entries) = ledger.rows(
            "refund_owed" if sign > 0 else "refund_released",
            ("refund", refund.id),
            refund.currency,
            [Posting(expense, sign * refund.amount), Posting(Account.REFUNDS_PAYABLE, -sign * refund.amount)],
        )
        heads += head
        lines += entries
    return (LedgerTransaction, heads), (LedgerEntry, lines)


async def _booked(db: AsyncConnection, row: Any, *, sign: int) -> tuple[Rows, Rows]:  # noqa: ANN401 - a row
    """What is posted when what is owed was paid, or when that is reversed and owed again (sign -1)."""
    owner: UUID | None = None
    if row.destination == Destination.POINTS:
        owner = await lock_account(db, row.email)
        credit = Posting(Account.CUSTOMER_POINTS, -sign * (row.amount + row.bonus), owner)
    elif row.destination == Destination.CARD:
        credit = Posting(Account.GATEWAY_CLEARING, -sign * row.amount)
    else:
        credit = Posting(Account.BANK_CLEARING, -sign * row.amount)
    return ledger.rows(
        "refund" if sign > 0 else "refund_reversal",
        ("refund", row.id),
        row.currency,
        [
            Posting(Account.REFUNDS_PAYABLE, sign * row.amount),
            Posting(Account.BONUS_EXPENSE, sign * row.bonus),
            credit,
        ],
        sequence=row.attempt,
    )


def letter(
    row: Any,  # noqa: ANN401 - a row
    template: Literal["refunded", "refund_failed", "transfer_needed"],
) -> Rows:
    """The e-mail that a change brings about."""
    values = {"rma": row.rma, "amount": row.amount, "currency": row.currency, "url": f"/returns/{row.rma}"}
    if template == "refunded":
        values |= {"destination": row.destination, "bonus": row.bonus, "card_last4": row.card_last4}
    return notifications.rows(notifications.Letter(template, row.email, row.locale, values, row.return_id))
