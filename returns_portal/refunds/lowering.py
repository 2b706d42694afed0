"""Finance's decision about a refund that failed, and of which less is to be paid, or nothing: never taken by itself.

It is as if the refund had been planned with so little left of the payment: the units that it pays for stay paid for,
at what is paid now, and so does the tax in it. What was owed and is owed no more is booked.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.jobs import defer
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.money import allocate
from returns_portal.payments.disputes import LOST
from returns_portal.refunds import attempts
from returns_portal.refunds.forgetting import forget_account
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import Kind, RefundStatus

_LOCK: Final = "SELECT o.id FROM orders o JOIN refund f ON f.order_id = o.id WHERE f.id = :id FOR UPDATE OF o"
_STATE: Final = f"""
    SELECT f.id, f.kind, f.status, f.amount, f.bonus, f.tax, f.shipping, f.fee, f.fee_tax, f.currency, f.attempt,
           f.release_id,
           p.amount - p.refunded_before - {LOST} - coalesce((
               SELECT sum(x.amount) FROM refund x WHERE x.payment_id = p.id AND x.id <> f.id
               AND x.status NOT IN ('failed', 'canceled')), 0) AS left
    FROM refund f JOIN payment p ON p.id = f.payment_id WHERE f.id = ANY(:ids) FOR UPDATE OF f
"""  # noqa: S608 - the interpolated text is our own


async def left_for(db: AsyncConnection, refund_ids: list[UUID]) -> dict[UUID, int]:
    """How much of its payment is left for each of these refunds, at most what it is about."""
    rows = await run(db, _STATE.replace(" FOR UPDATE OF f", ""), ids=refund_ids) if refund_ids else []
    return {row.id: max(0, min(int(row.left), row.amount)) for row in rows}


async def lower(db: AsyncConnection, actor: Actor, refund_id: UUID, amount: int) -> None:
    """Pay less for a refund that failed, and set it going again; or close it with nothing.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is no such refund.
        ConflictError: it has not failed (any more).
        InvalidError: the amount is not less than it was, or more than what is left of the payment.
    """
    actor.require("finance")
    if not await run(db, _LOCK, id=refund_id):
        raise NotFoundError("There is no such refund.")
    [row] = await run(db, _STATE, ids=[refund_id])
    if row.status != RefundStatus.FAILED:
        raise ConflictError("This refund has not failed (any more): look at where it stands.", code="not_failed")
    if not 0 <= amount < row.amount or amount > max(0, row.left) or (amount and row.kind == Kind.OUTSIDE):
        raise InvalidError("Give less than the refund, and no more than what is left of the payment.", field="amount")
    tax, shipping = row.tax * amount // row.amount, row.shipping * amount // row.amount
    told = {"from": row.amount, "to": amount, "attempt": row.attempt}
    await history.record(db, actor, ("refund", refund_id, "lowered", told))
    if not amount:
        await attempts.keep(db, refund_id)
        await _lower_lines(db, row, amount, tax, shipping)
        dropped = await transition(db, actor, refund_id, RefundStatus.CANCELED)
        await forget_account(db, return_id=dropped.return_id, refund_id=refund_id)
        return
    await transition(db, actor, refund_id, RefundStatus.PLANNED, again=True, failure="")
    await _lower_lines(db, row, amount, tax, shipping)
    await run(
        db,
        "UPDATE refund SET amount = :amount, tax = :tax, shipping = :shipping, bonus = :bonus WHERE id = :id",
        id=refund_id,
        amount=amount,
        tax=tax,
        shipping=shipping,
        bonus=row.bonus * amount // row.amount,
    )
    expense = Account.GOODWILL_EXPENSE if row.kind == Kind.GOODWILL else Account.SALES_RETURNS
    less = row.amount - amount
    postings = [Posting(Account.REFUNDS_PAYABLE, less), Posting(expense, -less)]
    cause = ("refund", refund_id)
    await insert_rows(db, *ledger.rows("refund_lowered", cause, row.currency, postings, sequence=row.attempt))
    await defer(db, "refunds.submit", refund_id=str(refund_id))


async def _lower_lines(db: AsyncConnection, row: Any, amount: int, tax: int, shipping: int) -> None:  # noqa: ANN401 - a row
    """Take from what the release's lines pay what this refund of it pays less, each in proportion.

    Where it pays nothing any more, nothing is kept of it for postage either.
    """
    fee, fee_tax = (0, 0) if amount else (row.fee, row.fee_tax)
    lines = await run(
        db,
        "SELECT id, order_line_id, quantity, amount, tax FROM refund_line"
        " WHERE release_id = :id AND voided_at IS NULL ORDER BY id",
        id=row.release_id,
    )
    if not lines:
        return  # A gesture of money pays for nothing in particular, and so does what was made in the dashboard.
    goods = [line for line in lines if line.order_line_id is not None]
    delivery = [line for line in lines if line.order_line_id is None]
    amounts = _less(goods, (row.amount - row.shipping) - (amount - shipping) + fee)
    amounts |= _less(delivery, row.shipping - shipping)
    weights = [line.tax for line in lines]
    taxes = allocate(sum(weights) - (row.tax - tax) - fee_tax, weights) if lines and row.tax else weights
    for line, its_tax in zip(lines, taxes, strict=True):
        # A line of no units pays the rest of a unit: without an amount it says nothing.
        void = line.order_line_id is not None and not line.quantity and not amounts[line.id]
        await run(
            db,
            "UPDATE refund_line SET amount = :amount, tax = :tax,"
            " voided_at = CASE WHEN :void THEN CAST(:now AS timestamptz) END WHERE id = :id",
            id=line.id,
            amount=line.amount if void else amounts[line.id],
            tax=its_tax,
            void=void,
            now=clock.now(),
        )


def _less(lines: Sequence[Any], less: int) -> dict[UUID, int]:
    """What the lines pay when they pay so much less together."""
    weights = [line.amount for line in lines]
    return dict(zip((line.id for line in lines), allocate(sum(weights) - less, weights), strict=True))
