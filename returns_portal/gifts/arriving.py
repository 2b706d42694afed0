"""Finding the order of a gift, and proving an e-mail address."""

import hashlib
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts import codes
from returns_portal.accounts.actions import open_session
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key, order_number
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.gifts.actions import gift_of
from returns_portal.ids import new_id, parse_gift_code


class Clue(msgspec.Struct, frozen=True):
    """What a receiver knows: a gift code, or the order's number and the postcode that it was delivered to."""

    code: str = ""
    number: str = ""
    postcode: str = ""

    @property
    def words(self) -> str:
        """The clue as it is compared, so that the same one is the same however it was typed."""
        code = parse_gift_code(self.code)
        return code or f"{self.order}\x00{_folded(self.postcode)}"

    @property
    def order(self) -> str:
        """The order's number in one spelling, by which tries are counted."""
        return order_number(self.number).upper()


def _folded(postcode: str) -> str:
    return "".join(postcode.split()).replace("-", "").upper()


# A trial is not paid yet, and its parcels have labels of their own.
_BY_CODE: Final = """
    SELECT o.id FROM gift_code g JOIN orders o ON o.id = g.order_id WHERE g.code = :code AND o.source <> 'trial'
"""
# Number and postcode stand on any parcel. Who knows them could announce all that was bought, and so keep its buyer from
# sending it back; only a buyer who made a gift code has said that there is somebody else to do so.
_BY_POSTCODE: Final = """
    SELECT o.id FROM orders o JOIN gift_code g ON g.order_id = o.id
    WHERE o.number = ANY(:numbers) AND o.source <> 'trial'
    AND upper(regexp_replace(o.address ->> 'postal_code', '[\\s-]', '', 'g')) = :postcode
"""


async def _order_of(db: AsyncConnection, clue: Clue) -> UUID | None:
    if code := parse_gift_code(clue.code):
        rows = await run(db, _BY_CODE, code=code)
    elif postcode := _folded(clue.postcode):
        number = order_number(clue.number)
        rows = await run(db, _BY_POSTCODE, numbers=[number, number.upper()], postcode=postcode)
    else:
        rows = []
    return UUID(str(rows[0].id)) if rows else None


def challenge(clue: Clue, email: str) -> bytes:
    """What stands for a clue and an address, whether or not there is such a gift."""
    return hashlib.sha256(f"gift\x00{clue.words}\x00{email_key(email)}".encode()).digest()


async def request_code(db: AsyncConnection, secret: bytes, clue: Clue, email: str, locale: str) -> bytes:
    """Send a code to a receiver's own address, if the clue leads to an order; the challenge to answer.

    A code is written either way, so that nothing that follows depends on whether the order exists.
    """
    asked = challenge(clue, email)
    order_id = await _order_of(db, clue)
    code = await codes.write(db, secret, asked, order_id)
    if order_id:
        await codes.send(db, email.strip(), locale, code, order_id)
    return asked


_KEEP: Final = """
    INSERT INTO gift (id, order_id, email, email_key, locale, name, address, created_at)
    VALUES (:id, :order_id, :email, :key, :locale, '', '{}', :now)
    ON CONFLICT (order_id, email_key) DO UPDATE SET locale = :locale RETURNING id
"""


async def come_in(
    db: AsyncConnection, secret: bytes, asked: bytes, typed: str, *, email: str, locale: str
) -> str | None:
    """Let the receiver in; the session's token, or None for a wrong code (see `codes.spend`)."""
    order_id = await codes.spend(db, secret, asked, typed)
    if order_id is None:
        return None
    key, now = email_key(email), clock.now()
    [row] = await run(db, _KEEP, id=new_id(), order_id=order_id, email=email.strip(), key=key, locale=locale, now=now)
    actor = Actor(kind="customer", id=str(row.id), gift_id=row.id)
    await history.record(db, actor, ("gift", row.id, "receiver_came_in", {"order": str(order_id)}))
    return await open_session(db, lasting=CUSTOMER_SESSION, gift_id=row.id)


def _again(actor: Actor) -> bytes:
    """What stands for a gift whose receiver is known, and proves their address once more."""
    return hashlib.sha256(f"gift again\x00{actor.gift_id}".encode()).digest()


async def ask_again(db: AsyncConnection, secret: bytes, actor: Actor) -> None:
    """Send a code to the address of a gift whose return somebody sees by a link.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
    """
    gift = await gift_of(db, actor)
    code = await codes.write(db, secret, _again(actor), gift.order_id)
    await codes.send(db, gift.email, gift.locale, code, gift.order_id)


async def prove(db: AsyncConnection, secret: bytes, actor: Actor, typed: str) -> str | None:
    """Let a receiver act who has seen their gift by a link; the session's token, or None for a wrong code.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
    """
    gift = await gift_of(db, actor)
    if await codes.spend(db, secret, _again(actor), typed) is None:
        return None
    await history.record(db, actor, ("gift", gift.id, "receiver_came_in", {"by": "link"}))
    return await open_session(db, lasting=CUSTOMER_SESSION, gift_id=gift.id)
