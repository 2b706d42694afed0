"""Making the code of a gift, and filing its return."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.exchanges.reserving import Reserved
from returns_portal.gifts.swapping import set_aside
from returns_portal.i18n import mark
from returns_portal.ids import new_gift_code
from returns_portal.labels.actions import issue
from returns_portal.labels.policy import habits
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.exchanges import TRAVELS
from returns_portal.orders.queries import lock_order
from returns_portal.returns.actions import Filed, Wanted, file_return
from returns_portal.returns.judging import judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import OrderLineState, OrderState, order_state
from returns_portal.shop.queries import ShopInfo

_MAKE: Final = """
    INSERT INTO gift_code (order_id, code, lines, made_by, made_at)
    VALUES (:order_id, :code, CAST(:lines AS uuid[]), :by, :now)
    ON CONFLICT (order_id) DO UPDATE SET lines = excluded.lines RETURNING code
"""


async def make_code(db: AsyncConnection, actor: Actor, number: str, lines: Collection[UUID] | None = None) -> str:
    """The gift code of an order, made where there is none yet. From now on it is for these lines; None is for all.

    What was sent back with it before stays sent back, and the code the same.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
        InvalidError: it is for no line, or for one that the order does not have.
    """
    await lock_order(db, actor, number)
    order = await order_state(db, actor, number)
    known = {line.line_id for line in order.lines if line.of_gift is None}
    if lines is not None and (not lines or not known.issuperset(lines)):
        raise InvalidError(mark("Choose at least one item that the code is for."), field="lines")
    chosen = None if lines is None or known == set(lines) else sorted(lines)
    new = {"code": new_gift_code(), "lines": chosen, "by": actor.label, "now": clock.now()}
    [row] = await run(db, _MAKE, order_id=order.id, **new)
    data = {"lines": [str(line_id) for line_id in chosen]} if chosen else {}
    await history.record(db, actor, ("order", order.id, "gift_code_made", data))
    return str(row.code)


async def lines_of_code(db: AsyncConnection, order_id: UUID) -> frozenset[UUID] | None:
    """The lines that the gift code of an order is for; None where it is for all, or there is none."""
    rows = await run(db, "SELECT lines FROM gift_code WHERE order_id = :id", id=order_id)
    return frozenset(rows[0].lines) if rows and rows[0].lines is not None else None


_GIFT: Final = """
    SELECT g.id, g.order_id, g.email, g.locale, g.name, g.address, o.number
    FROM gift g JOIN orders o ON o.id = g.order_id WHERE g.id = :id
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


_LAST_SENT: Final = """
    SELECT max(x.sent_at) AS at FROM exchange x JOIN returns r ON r.id = x.return_id WHERE r.gift_id = :id
"""


async def order_behind(db: AsyncConnection, actor: Actor, *, lock: bool = False) -> OrderState:
    """The order of the actor's gift. Of what it holds a receiver is shown titles, sizes and colours alone.

    Of what was bought they see what the gift code is for. What they were sent in exchange is part of it, what other
    receivers were is not. Their time for sending things back begins anew when the last of it arrives, as after every
    exchange; only that the order's buyer sees nothing of that.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
    """
    gift = await gift_of(db, actor)
    order = await order_state(db, SYSTEM, gift.number, lock=lock)
    [last] = await run(db, _LAST_SENT, id=gift.id)
    arrived = order.delivered_at
    if arrived is not None and last.at is not None:
        arrived = max(arrived, last.at + TRAVELS)
    meant = await lines_of_code(db, order.id)
    lines = [line for line in order.lines if _is_theirs(line, gift.id, meant)]
    return msgspec.structs.replace(order, lines=lines, delivered_at=arrived)


def _is_theirs(line: OrderLineState, gift_id: UUID, meant: frozenset[UUID] | None) -> bool:
    """Whether a line is of what the receiver got: what the code is for, or what they were sent in exchange for that."""
    return line.of_gift == gift_id or (line.of_gift is None and (meant is None or line.line_id in meant))


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
    db: AsyncConnection,
    actor: Actor,
    shop: ShopInfo,
    wanted: Sequence[Wanted],
    sender: Sender,
    *,
    consent: bool,
    swaps: Mapping[UUID, str] | None = None,
) -> Filed:
    """File the return of a gift: its value becomes the receiver's points, without a bonus.

    The money was another's, and goes to nobody. The receiver agrees to points, and it is kept that they did. With
    `swaps` (SKUs by line) another size or colour is set aside for the units of a line, and sent once they are back.

    Raises:
        NotFoundError: the actor is the receiver of no gift.
        InvalidError: no consent, or nothing or too much is wanted.
        ConflictError: something cannot be returned, or be had in exchange (any more).
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
    exchanged = await set_aside(db, actor, order, filed.id, wanted, swaps or {})
    await _tell(db, gift, sender.name, order, filed, wanted, exchanged, code)
    return filed


async def _tell(
    db: AsyncConnection,
    gift: Any,  # noqa: ANN401 - a row
    name: str,
    order: OrderState,
    filed: Filed,
    wanted: Sequence[Wanted],
    exchanged: Sequence[Reserved],
    code: str,
) -> None:
    """Write to the receiver: what comes back, what is sent instead, where the label is."""
    ready = not (await habits(db)).asks
    titles = {line.line_id: line for line in order.lines}
    sent_back = [(titles[each.line_id], each.quantity) for each in wanted]
    await enqueue(
        db,
        template="gift_filed",
        recipient=gift.email,
        locale=gift.locale,
        subject_id=filed.id,
        values={
            "rma": filed.rma,
            "name": name,
            "label_ready": ready,
            "qr": code if ready else "",
            "lines": [_named(line, quantity) for line, quantity in sent_back],
            "exchanges": [_named(each, 1) for each in exchanged],
            "url": f"/returns/{filed.rma}",
        },
    )


def _named(thing: OrderLineState | Reserved, quantity: int) -> dict[str, object]:
    return {"title": thing.title, "size": thing.size, "color": thing.color, "quantity": quantity}
