"""Asking for one's data, or to be forgotten: a link to the address proves whose it is, and is used once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.notifications.actions import enqueue
from returns_portal.privacy.erasing import erase
from returns_portal.privacy.models import PrivacyRequest, Wish
from returns_portal.privacy.people import person_of
from returns_portal.web.signing import derive, seal, unseal

LINK_LASTS: Final = timedelta(minutes=10)
"""As long as a code: what it opens is everything. Who reads it later asks for a new one."""
FILES_LAST: Final = timedelta(days=7)
_AGAIN: Final = timedelta(minutes=1)
"""A second click on the same button is the same click."""


class Asked(msgspec.Struct, frozen=True):
    """A wish, as its link leads to it."""

    id: UUID
    kind: Wish
    email: str
    confirmed_at: datetime | None
    done_at: datetime | None

    @property
    def used(self) -> bool:
        """Whether its link was used, by more than a double click."""
        return self.confirmed_at is not None and self.confirmed_at < clock.now() - _AGAIN


def link_to_confirm(secret: bytes, request_id: UUID) -> str:
    """The path of the page on which a wish is confirmed."""
    return "/privacy/confirm/" + seal(derive(secret, "privacy"), str(request_id), lasting=LINK_LASTS)


def link_to_files(secret: bytes, request_id: UUID) -> str:
    """The path of the page on which the files of a wish lie."""
    return "/privacy/files/" + seal(derive(secret, "privacy files"), str(request_id), lasting=FILES_LAST)


def confirming(secret: bytes, token: str) -> UUID | None:
    """The wish that a link confirms; None where it was not made here, or is too old."""
    found = unseal(derive(secret, "privacy"), token)
    return UUID(found) if isinstance(found, str) else None


def fetching(secret: bytes, token: str) -> UUID | None:
    """The wish whose files a link leads to; None as `confirming`."""
    found = unseal(derive(secret, "privacy files"), token)
    return UUID(found) if isinstance(found, str) else None


async def ask(db: AsyncConnection, secret: bytes, email: str, wish: Wish, *, locale: str) -> None:
    """Send the link that confirms a wish, to an address under which something is kept; else do nothing."""
    person = await person_of(db, email)
    if not person.known:
        return
    request_id = new_id()
    row = {
        "id": request_id,
        "kind": wish,
        "email": person.email,
        "locale": locale,
        "asked_at": clock.now(),
    }
    await insert_rows(db, (PrivacyRequest, [row]))
    await enqueue(
        db,
        template="privacy_confirm",
        recipient=person.email,
        locale=locale,
        subject_id=request_id,
        values={
            "kind": wish.value,
            "url": link_to_confirm(secret, request_id),
            "minutes": int(LINK_LASTS.total_seconds() // 60),
        },
    )


_FIND: Final = "SELECT id, kind, email, confirmed_at, done_at FROM privacy_request WHERE id = :id"


async def asked(db: AsyncConnection, request_id: UUID | None, *, lock: bool = False) -> Asked | None:
    """A wish by its id, which the caller has out of a link; with `lock` until the commit."""
    rows = await run(db, f"{_FIND} FOR UPDATE" if lock else _FIND, id=request_id) if request_id else []
    return Asked(rows[0].id, Wish(rows[0].kind), *rows[0][2:]) if rows else None


_CONFIRM: Final = "UPDATE privacy_request SET confirmed_at = :now WHERE id = :id AND confirmed_at IS NULL RETURNING id"
_DONE: Final = "UPDATE privacy_request SET done_at = :now WHERE id = :id"


async def confirm(db: AsyncConnection, wish: Asked) -> None:
    """Do what was wished, once: have the files made, or forget the person at once. Under the wish's lock.

    Raises:
        StillOpenError: something of the person's is not over; the link can be used again.
    """
    if not await run(db, _CONFIRM, id=wish.id, now=clock.now()):
        return
    if wish.kind is Wish.EXPORT:
        await defer(db, "privacy.write_export", request_id=str(wish.id))
        return
    await erase(db, Actor(kind="customer", id=f"privacy:{wish.id}"), wish.email)
    await run(db, _DONE, id=wish.id, now=clock.now())
