"""What a person decides about damaged and wrong items: in full, in part, or back to the customer."""

from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.exchanges.arriving import follow_counts
from returns_portal.notifications.actions import enqueue
from returns_portal.refunds.actions import Released, release_counted
from returns_portal.refunds.forgetting import forget_account
from returns_portal.refunds.parts import Due, Owed, Paid, due
from returns_portal.refunds.queries import balance_of, paid_for
from returns_portal.refunds.rules import OrderBalance, RefundPlan, plan
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.warehouse.counting import CheckedIn
from returns_portal.warehouse.items import settle_item
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.rules import Item

Decision = Literal["accept", "part", "send_back"]
_ACCEPTANCE: Final = {"accept": Acceptance.ACCEPTED, "part": Acceptance.PART, "send_back": Acceptance.SENT_BACK}


async def decide(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    item_id: UUID,
    decision: Decision,
    *,
    amount: int | None = None,
    reason: str = "",
    quantity: int | None = None,
) -> Released:
    """Decide a waiting item: pay it in full, pay a part (with the reason that the customer reads), or send it back.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it was decided already.
        InvalidError: a part without amount or reason, or of more than the units cost.
    """
    if decision == "part" and (amount is None or not reason.strip()):
        raise InvalidError(
            "For a part, say how much goes back and why: the customer reads the reason.",
            code="part_needs_reason",
            field="amount",
        )
    part = amount if decision == "part" else None
    row = await settle_item(db, actor, item_id, _ACCEPTANCE[decision], reason.strip(), quantity, part)
    units = quantity or row.quantity
    return_row, line = await _return_and_line(db, actor, row.return_id, row.order_line_id)
    if return_row.has_exchange:
        await follow_counts(db, actor, return_row.id)
    item = Item(row.order_line_id, units, Condition(row.condition), _ACCEPTANCE[decision])
    checked = CheckedIn(row.parcel_id, return_row, 1, [item])
    balance = await balance_of(db, return_row.order_id)
    dues = [] if decision == "send_back" else [await _due(db, balance, row, Owed(units, part))]
    released = await release_counted(db, settings, checked, dues, clock.now(), balance=balance)
    await forget_account(db, return_id=return_row.id)
    await _tell(db, return_row, line, decision, reason.strip(), units, released)
    return released


_ITEM: Final = """
    SELECT i.id, i.parcel_id, i.order_line_id, i.quantity, p.return_id
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE i.id = :id
"""


async def preview(
    db: AsyncConnection, balance: OrderBalance, item_id: UUID, *, refund_to: RefundTo, bonus_percent: int
) -> tuple[RefundPlan, bool]:
    """What accepting a waiting item would pay, and whether any of its units is still to be paid for.

    Raises:
        NotFoundError: there is no such item.
    """
    rows = await run(db, _ITEM, id=item_id)
    if not rows:
        raise NotFoundError("There is no such item.")
    found = await _due(db, balance, rows[0], Owed(rows[0].quantity))
    planned = plan(
        balance,
        found.claims,
        rests=found.rests,
        refund_to=refund_to,
        bonus_percent=bonus_percent,
        fee=balance.fees.get(rows[0].return_id, 0),
    )
    return planned, bool(found.claims or found.rests)


_BEFORE = """
    SELECT quantity, CASE WHEN acceptance = 'part' THEN amount END AS amount FROM parcel_item
    WHERE parcel_id = :parcel_id AND order_line_id = :line_id AND id <> :id AND acceptance IN ('accepted', 'part')
"""


async def _due(
    db: AsyncConnection,
    balance: OrderBalance,
    item: Any,  # noqa: ANN401 - a row
    now: Owed,
) -> Due:
    """What is due for an item beyond what was paid: its units may have been paid for by a count that was corrected."""
    line = next(line for line in balance.lines if line.line_id == item.order_line_id)
    paid = (await paid_for(db, item.parcel_id)).get(line.line_id, Paid())
    rows = await run(db, _BEFORE, parcel_id=item.parcel_id, line_id=line.line_id, id=item.id)
    return due(line, paid, [Owed(row.quantity, row.amount) for row in rows], now)


async def _return_and_line(db: AsyncConnection, actor: Actor, return_id: UUID, line_id: UUID) -> tuple[Any, Any]:
    rma = (await db.execute(text("SELECT rma FROM returns WHERE id = :id"), {"id": return_id})).scalar_one()
    row = await lock_return(db, actor, rma)
    # Where the customer wants the money may have been changed while the lock was waited for.
    [line] = await run(db, _LINE, id=line_id, return_id=return_id)
    return row._replace(refund_to=line.refund_to), line


_LINE = """
    SELECT l.title, l.size, l.color, r.refund_to FROM order_line l, returns r WHERE l.id = :id AND r.id = :return_id
"""


async def _tell(
    db: AsyncConnection,
    return_row: Any,  # noqa: ANN401 - a row
    line: Any,  # noqa: ANN401 - a row
    decision: Decision,
    reason: str,
    units: int,
    released: Released,
) -> None:
    """Write the e-mail: what was decided, why, and what goes back."""
    await enqueue(
        db,
        template="decision_made",
        recipient=return_row.email,
        locale=return_row.locale,
        subject_id=return_row.id,
        values={
            "rma": return_row.rma,
            "decision": decision,
            "reason": reason,
            "title": line.title,
            "size": line.size,
            "color": line.color,
            "quantity": units,
            "amount": released.plan.total,
            "currency": released.plan.currency,
            "url": f"/returns/{return_row.rma}",
        },
    )
