"""Finding the order of a gift, proving an e-mail address, and filing the return."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts import codes
from returns_portal.accounts.actions import open_session
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key, order_number
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_gift_code, new_id, parse_gift_code
from returns_portal.labels.actions import issue
from returns_portal.labels.policy import habits
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.queries import lock_order
from returns_portal.returns.actions import Filed, Wanted, file_return
from returns_portal.returns.judging import judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import OrderLineState, OrderState, order_state
from returns_portal.shop.queries import ShopInfo

_MAKE: Final = """
    INSERT INTO gift_code (order_id, code, made_by, made_at) VALUES (:order_id, :code, :by, :now)
    ON CONFLICT (order_id) DO NOTHING
"""


async def make_code(db: AsyncConnection, actor: Actor, number: str) -> str:
    """The gift code of an order, made where there is none yet.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
    """
    order = await lock_order(db, actor, number)
    known = await run(db, "SELECT code FROM gift_code WHERE order_id = :id", id=order.id)
    if known:
        return str(known[0].code)
    code = new_gift_code()
    await run(db, _MAKE, order_id=order.id, code=code, by=actor.label, now=clock.now())
    await history.record(db, actor, ("order", order.id, "gift_code_made", {}))
    return code


class Clue(msgspec.Struct, frozen=True):
    """What a receiver knows: a gift code, or the order's number and the postcode that it was delivered to."""

    code: str = ""
    number: str = ""
    postcode: str = ""

    @property
    def words(self) -> str:
        """The clue as it is compared, so that the same one is the same however it was typed."""
        code = parse_gift_code(self.code)
        return code or f"{order_number(self.number).upper()}\x00{_folded(self.postcode)}"


def _folded(postcode: str) -> str:
    return "".join(postcode.split()).replace("-", "").upper()


# A trial is not paid yet, and its parcels have labels of their own.
_BY_CODE: Final = """
    SELECT o.id FROM gift_code g JOIN orders o ON o.id = g.order_id WHERE g.code = :code AND o.source <> 'trial'
"""
_BY_POSTCODE: Final = """
    SELECT id FROM orders WHERE number = ANY(:numbers) AND source <> 'trial'
    AND upper(regexp_replace(address ->> 'postal_code', '[\\s-]', '', 'g')) = :postcode
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


_GIFT: Final = """
    SELECT g.id, g.email, g.locale, g.name, g.address, o.number FROM gift g JOIN orders o ON o.id = g.order_id
    WHERE g.id = :id
"""


async def gift_of(db: AsyncConnection, actor: Actor) -> Any:  # noqa: ANN401 - a row
    """The gift whose receiver the actor is.

    Raises:
        NotFoundError: the actor is the receiver of none.
    """
    rows = await run(db, _GIFT, id=actor.gift_id) if actor.gift_id else []
    if not rows:
        raise NotFoundError(mark("There is no such gift."))
    return rows[0]


async def order_behind(db: AsyncConnection, actor: Actor, *, lock: bool = False) -> OrderState:
    """The order of the actor's gift. Of what it holds a receiver is shown titles, sizes and colours alone.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
    """
    return await order_state(db, SYSTEM, (await gift_of(db, actor)).number, lock=lock)


class Sender(msgspec.Struct, frozen=True):
    """Whose parcel it is and where it comes from; `country` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str


def left_of(line: OrderLineState) -> int:
    """How many units of a line a receiver can have: those that left the shop, and that no return asks for."""
    return max(0, min(line.shipped, line.quantity - line.requested))


def _refuse_unsent(order: OrderState, wanted: Sequence[Wanted]) -> None:
    """What has not left the shop is nobody's gift yet: only its buyer can withdraw from it.

    Raises:
        ConflictError: so many units cannot be with the receiver.
    """
    left = {line.line_id: left_of(line) for line in order.lines}
    if any(line.quantity > left.get(line.line_id, 0) for line in wanted):
        raise ConflictError(mark("This item can no longer be sent back."), code="not_returnable", field="lines")


_SENDER: Final = "UPDATE gift SET name = :name, address = CAST(:address AS jsonb) WHERE id = :id"


async def file_gift(
    db: AsyncConnection, actor: Actor, shop: ShopInfo, wanted: Sequence[Wanted], sender: Sender, *, consent: bool
) -> Filed:
    """File the return of a gift: its value becomes the receiver's points, without a bonus.

    The money was another's, and goes to nobody. The receiver agrees to points, and it is kept that they did.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
        InvalidError: no consent, or nothing or too much is wanted.
        ConflictError: something cannot be returned (any more).
    """
    if not consent:
        raise InvalidError(
            mark("Please agree to points: money can go to the one who paid alone."), code="no_consent", field="consent"
        )
    gift, order = await gift_of(db, actor), await order_behind(db, actor, lock=True)
    _refuse_unsent(order, wanted)
    address = msgspec.json.encode({"line2": "", "region": "", **msgspec.structs.asdict(sender)}).decode()
    await run(db, _SENDER, id=gift.id, name=sender.name, address=address)
    judged = await judgement(db, order, shop.timezone, clock.now())
    filed = await file_return(
        db,
        actor,
        order,
        wanted,
        RefundTo.POINTS,
        judged=judged.of_gift(),
        gift_id=gift.id,
    )
    code = await issue(db, actor, filed.id, filed.rma)
    ready = not (await habits(db)).asks
    titles = {line.line_id: line for line in order.lines}
    await enqueue(
        db,
        template="gift_filed",
        recipient=gift.email,
        locale=gift.locale,
        subject_id=filed.id,
        values={
            "rma": filed.rma,
            "name": sender.name,
            "label_ready": ready,
            "qr": code if ready else "",
            "lines": [
                {
                    "title": titles[each.line_id].title,
                    "size": titles[each.line_id].size,
                    "color": titles[each.line_id].color,
                    "quantity": each.quantity,
                }
                for each in wanted
            ],
            "url": f"/returns/{filed.rma}",
        },
    )
    return filed
