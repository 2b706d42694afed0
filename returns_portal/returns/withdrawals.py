"""Statements of withdrawal, as they were made (Directive 2011/83/EU, Art. 11a)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.accounts.queries import order_contact
from returns_portal.actor import Actor
from returns_portal.db import insert_rows
from returns_portal.errors import NotFoundError
from returns_portal.ids import new_id
from returns_portal.returns.models import Withdrawal


async def state_withdrawal(
    db: AsyncConnection, actor: Actor, *, name: str, order_number: str, email: str, details: str
) -> tuple[UUID, UUID | None, datetime]:
    """Store a statement of withdrawal as it was made: its id, the order that it names (if any), and when.

    It is stored whether or not the order is known (Directive 2011/83/EU, Art. 11a: the acknowledgement confirms
    receipt, not validity); one that matches no order waits for a person.
    """
    now = clock.now()
    number = order_number.strip().removeprefix("#")
    order = await order_contact(db, order_number, email)
    order_id = order.id if order else None
    withdrawal_id = new_id()
    statement = {
        "id": withdrawal_id,
        "name": name,
        "order_number": number,
        "email": email.strip(),
        "content": {"name": name, "order_number": number, "email": email.strip(), "details": details},
        "order_id": order_id,
        "submitted_at": now,
        "handled_by": "",
    }
    await insert_rows(db, (Withdrawal, [statement]))
    await history.record(
        db, actor, ("withdrawal", withdrawal_id, "stated", {"order": str(order_id) if order_id else None})
    )
    return withdrawal_id, order_id, now


async def handle_withdrawal(db: AsyncConnection, actor: Actor, withdrawal_id: UUID) -> None:
    """Mark a statement as dealt with: by the return that it became, or by a person.

    Raises:
        NotFoundError: there is no such statement, or it was dealt with.
    """
    changed = await db.execute(
        update(Withdrawal)
        .where(col(Withdrawal.id) == withdrawal_id, col(Withdrawal.handled_at).is_(None))
        .values(handled_at=clock.now(), handled_by=actor.label)
    )
    if changed.rowcount == 0:
        raise NotFoundError("There is no such open statement.")
    await history.record(db, actor, ("withdrawal", withdrawal_id, "handled", {}))
