"""Reads of payments."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run


async def of_order(db: AsyncConnection, order_id: UUID, *, lock: bool = False) -> list[Row[Any]]:
    """Every payment of an order with all its columns, oldest first; locked, it cannot change until the commit.

    The caller has shown that the order is the actor's.
    """
    statement = "SELECT * FROM payment WHERE order_id = :order_id ORDER BY id"
    result = await db.execute(text(statement + (" FOR UPDATE" if lock else "")), {"order_id": order_id})
    return list(result)


async def by_id(db: AsyncConnection, payment_id: UUID, *, lock: bool = False) -> Any:  # noqa: ANN401 - a row
    """One payment with all its columns, for jobs; None where its order was changed and has it no longer."""
    statement = "SELECT * FROM payment WHERE id = :id"
    rows = await run(db, statement + (" FOR UPDATE" if lock else ""), id=payment_id)
    return rows[0] if rows else None


async def by_reference(db: AsyncConnection, *references: str) -> Any:  # noqa: ANN401 - a row
    """The payment that Stripe knows by one of these ids, with all its columns; None where it is of another sale."""
    rows = await run(
        db, "SELECT * FROM payment WHERE tender = 'stripe' AND reference = ANY(:known)", known=list(references)
    )
    return rows[0] if rows else None
