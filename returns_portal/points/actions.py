"""Crediting points."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.ids import new_id
from returns_portal.points.models import PointsAccount


def email_key(email: str) -> str:
    """The address folded for comparison: people do not tell upper from lower case in their own address."""
    return email.strip().casefold()


async def lock_account(db: AsyncConnection, email: str) -> UUID:
    """The customer's points account, made when there is none, its row locked until the transaction ends."""
    key = email_key(email)
    await db.execute(
        insert(PointsAccount)
        .values(id=new_id(), email_key=key, created_at=clock.now())
        .on_conflict_do_nothing(index_elements=[col(PointsAccount.email_key)])
    )
    found: UUID = (
        await db.execute(select(col(PointsAccount.id)).where(col(PointsAccount.email_key) == key).with_for_update())
    ).scalar_one()
    return found
