"""Which e-mails a reader gets: what has to go goes, the rest can be switched off, and on again."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.notifications.models import Optional

_KINDS: Final = {
    "courier_announced": Optional.PARCEL,
    "parcel_delivered": Optional.PARCEL,
    "parcel_on_its_way": Optional.PARCEL,
    "trial_shipped": Optional.PARCEL,
    "parcel_stuck": Optional.PARCEL,
    "points_expiring": Optional.POINTS,
    "back_in_stock": Optional.STOCK,
    "request_answered": Optional.STOCK,
    "request_kept": Optional.STOCK,
    "loyalty_thanks": Optional.POINTS,
    "points_given": Optional.POINTS,
}


def kind_of(template: str) -> Optional | None:
    """The kind by which an e-mail can be switched off; None for one that always goes.

    Reminders of trials always go: nothing may be charged for silence without them, and how a trial ends depends on
    whether its customer was reminded.
    """
    return _KINDS.get(template)


def address_digest(address: str) -> bytes:
    """How an address is kept."""
    return hashlib.sha256(address.strip().lower().encode()).digest()


_REFUSED: Final = "SELECT address, kind FROM mail_refusal WHERE address = ANY(CAST(:addresses AS bytea[]))"


async def refusals(db: AsyncConnection, addresses: Sequence[str]) -> set[tuple[bytes, Optional | None]]:
    """What the readers of these addresses have switched off, by the digest of the address."""
    digests = [address_digest(address) for address in addresses]
    return {(bytes(row.address), Optional(row.kind)) for row in await run(db, _REFUSED, addresses=digests)}


async def refused_by(db: AsyncConnection, address: str) -> set[Optional]:
    """What the reader of an address has switched off."""
    return {kind for _digest, kind in await refusals(db, [address]) if kind}


_REFUSE: Final = """
    INSERT INTO mail_refusal (address, kind, created_at) VALUES (:address, :kind, :now) ON CONFLICT DO NOTHING
"""
_TAKE_BACK: Final = "DELETE FROM mail_refusal WHERE address = :address AND NOT kind = ANY(CAST(:kinds AS text[]))"


async def refuse(db: AsyncConnection, address: str, kinds: Collection[Optional]) -> None:
    """Switch these kinds off for an address; said twice, they are off all the same."""
    for kind in sorted(kinds):
        await run(db, _REFUSE, address=address_digest(address), kind=kind.value, now=clock.now())


async def choose(db: AsyncConnection, address: str, refused: Collection[Optional]) -> None:
    """Switch exactly these kinds off for an address, and all others on."""
    kinds = [kind.value for kind in refused]
    await run(db, _TAKE_BACK, address=address_digest(address), kinds=kinds)
    await refuse(db, address, refused)
