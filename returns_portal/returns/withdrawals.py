"""Statements of withdrawal, as they were made (Directive 2011/83/EU, Art. 11a)."""

import json
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.accounts.queries import order_contact
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import NotFoundError
from returns_portal.ids import new_id
from returns_portal.returns.models import Withdrawal

_REPEATED: Final = timedelta(minutes=10)


def _content(name: str, order_number: str, email: str, details: str) -> dict[str, str]:
    number = order_number.strip().removeprefix("#")
    return {"name": name, "order_number": number, "email": email.strip(), "details": details}


_ONE_BY_ONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended(:said, 4711040))"
_STATED: Final = """
    SELECT id FROM withdrawal WHERE submitted_at > :since AND content = CAST(:said AS jsonb) ORDER BY id LIMIT 1
"""


async def stated_already(db: AsyncConnection, *, name: str, order_number: str, email: str, details: str) -> UUID | None:
    """The very same statement of a few minutes ago, whose button was pressed twice: its id.

    It is known by its words alone: whoever repeats them knows all that its acknowledgement says. Until the transaction
    ends nobody else states it.
    """
    said = json.dumps(_content(name, order_number, email, details), sort_keys=True)
    await run(db, _ONE_BY_ONE, said=said)
    rows = await run(db, _STATED, since=clock.now() - _REPEATED, said=said)
    return UUID(str(rows[0].id)) if rows else None


async def state_withdrawal(
    db: AsyncConnection, actor: Actor, *, name: str, order_number: str, email: str, details: str
) -> tuple[UUID, UUID | None, datetime]:
    """Store a statement of withdrawal as it was made: its id, the order that it names (if any), and when.

    It is stored whether or not the order is known (Directive 2011/83/EU, Art. 11a: the acknowledgement confirms
    receipt, not validity); one that matches no order waits for a person.
    """
    now = clock.now()
    order = await order_contact(db, order_number, email)
    order_id = order.id if order else None
    withdrawal_id = new_id()
    content = _content(name, order_number, email, details)
    statement = {
        "id": withdrawal_id,
        "name": name,
        "order_number": content["order_number"],
        "email": content["email"],
        "content": content,
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
