"""The life of a refund: the one transition function, which writes row, history, books and e-mail together."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account, LedgerEntry, LedgerTransaction
from returns_portal.notifications import actions as notifications
from returns_portal.payments.models import Tender
from returns_portal.points.actions import lock_account
from returns_portal.points.refunding import AsPoints, claw_back, lots_of
from returns_portal.refunds import attempts
from returns_portal.refunds.models import REFUND_TRANSITIONS, Destination, Kind, RefundStatus
from returns_portal.returns.whose import EMAIL, LOCALE, WITH_GIFT

_UPDATE = f"""
    WITH changed AS (UPDATE refund f SET status = CAST(:status AS text), changed_at = :now, held_at = NULL,
        submitted_at = CASE WHEN CAST(:status AS text) = 'submitting' THEN :now ELSE f.submitted_at END,
        settled_at = CASE WHEN CAST(:status AS text) = 'succeeded' THEN :now ELSE f.settled_at END,
        -- A new attempt is another refund to the gateway: what it still says of the one before does not concern it.
        gateway_id = CASE WHEN :again = 1 THEN NULL ELSE coalesce(CAST(:gateway_id AS text), f.gateway_id) END,
        gateway_reference = CASE WHEN :again = 1 THEN ''
            ELSE coalesce(CAST(:reference AS text), f.gateway_reference) END,
        pending_reason = CAST(:pending AS text),
        failure_reason = coalesce(CAST(:failure AS text), f.failure_reason),
        attempt = f.attempt + CAST(:again AS integer)
    FROM orders o, payment p, refund before LEFT JOIN returns r ON r.id = before.return_id {WITH_GIFT}
    WHERE f.id = :id AND f.status = ANY(CAST(:sources AS text[])) AND before.id = f.id
      AND f.attempt = coalesce(CAST(:attempt AS integer), f.attempt)
      AND o.id = f.order_id AND p.id = f.payment_id
    RETURNING f.id, f.status, before.status AS was, f.kind, f.destination, f.amount, f.bonus, f.fee, f.currency,
        f.attempt, f.failure_reason, f.order_id, r.id AS return_id, r.rma,
        coalesce(r.bonus_percent, 0) AS bonus_percent, o.number AS order_number,
        {EMAIL} AS email, {LOCALE} AS locale, r.gift_id, p.card_last4, p.tender,
        EXISTS (SELECT FROM shop s WHERE s.points_since IS NOT NULL) AS may_have_earned),
    told AS (
        INSERT INTO history (id, subject, subject_id, action, actor, at, data)
        SELECT :history_id, 'refund', c.id, c.status, :actor, :now, jsonb_build_object('from', c.was, 'attempt',
            c.attempt) || CASE WHEN CAST(:failure AS text) > '' THEN jsonb_build_object('failure', CAST(:failure AS
            text)) ELSE '{{}}' END FROM changed c)
    SELECT * FROM changed
"""  # noqa: S608 - the interpolated text is our own


async def transition(
    db: AsyncConnection,
    actor: Actor,
    refund_id: UUID,
    status: RefundStatus,
    *,
    gateway_id: str | None = None,
    reference: str | None = None,
    failure: str | None = None,
    pending: str | None = None,
    attempt: int | None = None,
    again: bool = False,
) -> Any:  # noqa: ANN401 - a row
    """Bring a refund into another status: the one place that writes its row, its history, its books, its e-mail.

    With `attempt`, what is told is told of that attempt: nothing is changed when another one is under way by now. With
    `again`, another attempt begins, and the one before is kept as it was: so the refund is changed after that.

    Raises:
        ConflictError: the life of a refund does not lead there from where it is.
    """
    if again:
        await attempts.keep(db, refund_id)
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
        pending=pending,
        attempt=attempt,
        again=int(again),
        history_id=new_id(),
        actor=actor.label,
    )
    if not rows:
        raise ConflictError("This refund is not in a state where that can be done.", code="wrong_status")
    [row] = rows
    writes: list[Rows] = []
    if status is RefundStatus.SUCCEEDED:
        # Whoever gave a gift keeps what it earned: points that go would tell them that it came back.
        earned = row.may_have_earned and row.kind == Kind.RETURN and row.gift_id is None
        if earned and row.tender != Tender.POINTS:
            writes += await claw_back(db, actor, row.order_id)
        writes += [*await _booked(db, row, sign=1), *_told(row, "refunded")]
    elif status is RefundStatus.FAILED:
        if row.was == RefundStatus.SUCCEEDED:
            if row.destination == Destination.POINTS:
                # No bank can send points back; and there is no way from points to money.
                raise ConflictError("Points that were credited stay credited.", code="wrong_status")
            writes += await _booked(db, row, sign=-1)
        writes += _told(row, "refund_failed")
    elif status is RefundStatus.CANCELED:
        writes += owed([row._asdict()], sign=-1)
    await insert_rows(db, *writes)
    return row


def owed(refunds: Sequence[Mapping[str, Any]], *, sign: int = 1) -> tuple[Rows, Rows]:
    """What is posted when refunds, given by their columns, come to be owed, or are owed no more (sign -1)."""
    heads: list[Mapping[str, Any]] = []
    lines: list[Mapping[str, Any]] = []
    for refund in refunds:
        expense, amount, fee = Account.SALES_RETURNS, sign * refund["amount"], sign * refund["fee"]
        if refund["kind"] == Kind.GOODWILL:
            expense = Account.GOODWILL_EXPENSE
        (_, head), (_, entries) = ledger.rows(
            "refund_owed" if sign > 0 else "refund_released",
            ("refund", refund["id"]),
            refund["currency"],
            [
                Posting(expense, amount + fee),
                Posting(Account.POSTAGE_INCOME, -fee),
                Posting(Account.REFUNDS_PAYABLE, -amount),
            ],
        )
        heads += head
        lines += entries
    return (LedgerTransaction, heads), (LedgerEntry, lines)


async def _booked(db: AsyncConnection, row: Any, *, sign: int) -> list[Rows]:  # noqa: ANN401 - a row
    """What is posted when what is owed was paid, or when that is reversed and owed again (sign -1)."""
    lots: list[Rows] = []
    if row.destination == Destination.POINTS:
        owner = await lock_account(db, row.email)
        lots = [await lots_of(db, owner, _as_points(row))]
        credit = Posting(Account.CUSTOMER_POINTS, -sign * (row.amount + row.bonus), owner)
    elif row.destination == Destination.CARD:
        credit = Posting(Account.GATEWAY_CLEARING, -sign * row.amount)
    else:
        credit = Posting(Account.BANK_CLEARING, -sign * row.amount)
    posted = ledger.rows(
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
    return [*posted, *lots]


def _as_points(row: Any) -> AsPoints:  # noqa: ANN401 - a row
    return AsPoints(
        refund_id=row.id,
        order_id=row.order_id,
        order_number=row.order_number,
        currency=row.currency,
        amount=row.amount,
        bonus=row.bonus,
        paid_with_points=row.tender == Tender.POINTS,
    )


def _told(row: Any, template: Literal["refunded", "refund_failed"]) -> list[Rows]:  # noqa: ANN401 - a row
    """The customer is not written to of what the shop did elsewhere, nor of what was stopped before it was sent."""
    stopped = template == "refund_failed" and row.was in (RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER)
    return [] if row.kind == Kind.OUTSIDE or stopped else [letter(row, template)]


def letter(
    row: Any,  # noqa: ANN401 - a row
    template: Literal["refunded", "refund_failed", "transfer_needed"],
) -> Rows:
    """The e-mail that a change brings about."""
    values = {
        "rma": row.rma or "",
        # The receiver of a gift is not told of whose order it was.
        "order_number": "" if row.gift_id else row.order_number,
        "amount": row.amount,
        "currency": row.currency,
        "url": f"/returns/{row.rma}" if row.rma else f"/refunds/{row.id}",
    }
    if template == "refunded":
        values |= {"destination": row.destination, "bonus": row.bonus, "card_last4": row.card_last4}
    elif template == "refund_failed":
        # The bonus is for card money alone.
        percent = row.bonus_percent if row.tender == Tender.STRIPE else 0
        values |= {"failure": row.failure_reason, "card_last4": row.card_last4, "bonus_percent": percent}
    return notifications.rows(notifications.Letter(template, row.email, row.locale, values, row.return_id or row.id))
