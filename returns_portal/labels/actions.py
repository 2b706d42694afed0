"""Issuing labels."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows
from returns_portal.ids import new_id
from returns_portal.labels.models import Label

PREPAID: Final = "prepaid"
"""The embedded carrier: any post, paid by the shop's own prepaid-reply licence."""


async def issue(db: AsyncConnection, actor: Actor, return_id: UUID, rma: str) -> str:
    """Issue the prepaid label of a return; what its barcodes hold.

    The code is our own return number: a postal number may only be given out by a postal operator (UPU S10). The
    label and its line of history are one statement, since every filing pays for it.
    """
    now = clock.now()
    label = {"id": new_id(), "return_id": return_id, "carrier": PREPAID, "code": rma, "created_at": now}
    event = history.rows(actor, ("return", return_id, "label_issued", {"carrier": PREPAID, "code": rma}))
    await insert_rows(db, (Label, [label]), event)
    return rma
