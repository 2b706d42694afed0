"""Announcing the courier who brings a parcel of an order: by e-mail at once, and by SMS where that is wanted."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.confirming.models import AnnouncedBy, CourierAnnouncement
from returns_portal.confirming.places import zone_of
from returns_portal.confirming.windows import Window, check
from returns_portal.confirming.wording import sentence, short
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark, speaking
from returns_portal.ids import new_id
from returns_portal.notifications.actions import enqueue
from returns_portal.notifications.choices import refused_by
from returns_portal.notifications.models import Optional
from returns_portal.notifications.texting import enqueue_sms, texter_of
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.texts import one_line

MAX_COURIER: Final = 60
_MAY_TELL: Final = ("support", "warehouse", "orders:write")
KEPT: Final = timedelta(days=90)
"""How long the names of couriers are kept: they are people, too."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A courier to announce. `event_id` is the carrier's, of whose telling of it there is one announcement."""

    order_id: UUID
    window: Window
    courier: str = ""
    tracking: str = ""
    by: AnnouncedBy = AnnouncedBy.STAFF
    sms_agreed: bool = False
    """Whether the customer has agreed to SMS, where the shop does not send them of itself."""
    event_id: str | None = None


class Announced(msgspec.Struct, frozen=True):
    """What was announced; `repeated` where the very same had been before, so that nobody was told again."""

    id: UUID
    repeated: bool


_LOCK: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
_ORDER: Final = """
    SELECT o.id, o.number, o.name, o.email, o.phone, o.locale, o.address, o.cancelled_at, o.erased_at,
           CASE WHEN t.id IS NULL THEN o.delivered_at ELSE t.delivered_at END AS delivered_at,
           EXISTS (SELECT FROM exchange x WHERE x.order_id = o.id AND x.status = 'sent')
               OR EXISTS (SELECT FROM replacement n WHERE n.order_id = o.id AND n.status = 'sent') AS sends_more
    FROM orders o LEFT JOIN trial t ON t.order_id = o.id WHERE o.id = :id
"""
_LAST: Final = """
    SELECT id, courier, begins_at, ends_at, timed, announced_by FROM courier_announcement
    WHERE order_id = :id AND tracking = :tracking ORDER BY id DESC LIMIT 1
"""


async def announce(db: AsyncConnection, actor: Actor, settings: Settings, wish: Wish) -> Announced:
    """Announce a courier. The same again tells nobody again; anything else corrects what was announced before.

    Raises:
        ForbiddenError: the actor may tell customers nothing.
        NotFoundError: there is no such order.
        InvalidError: nobody can wait in this window, or it is over (`too_late`).
        ConflictError: the order was cancelled, or has arrived.
    """
    actor.require(*_MAY_TELL)
    now, courier = clock.now(), one_line(wish.courier, "courier", MAX_COURIER, required=False)
    check(wish.window, now)
    order = await _open_order(db, wish.order_id)
    last = next(iter(await run(db, _LAST, id=order.id, tracking=wish.tracking)), None)
    if last and _is_same(last, wish, courier):
        return Announced(last.id, repeated=True)
    shop = await current(db)
    row = _row(wish, courier, zone_of(order.address.get("country", ""), wish.window.begins_at) or shop.timezone, now)
    told = {"announcement": str(row["id"]), "by": wish.by.value}
    event = history.rows(actor, ("order", order.id, "courier_announced", told))
    await insert_rows(db, (CourierAnnouncement, [row]), event)
    await _tell(db, settings, shop, order, wish, row, corrects=last is not None and last.ends_at > now)
    return Announced(row["id"], repeated=False)


def _is_same(last: Any, wish: Wish, courier: str) -> bool:  # noqa: ANN401 - a row
    """Whether a wish says what was said last. A carrier's window begins with every scan anew, which nobody is told."""
    begins_at = last.begins_at
    if wish.by is AnnouncedBy.CARRIER and last.announced_by == AnnouncedBy.CARRIER:
        begins_at = wish.window.begins_at
    return (last.courier, begins_at, last.ends_at, last.timed) == (courier, *_parts(wish.window))


def _parts(window: Window) -> tuple[datetime, datetime, bool]:
    return window.begins_at, window.ends_at, window.timed


async def _open_order(db: AsyncConnection, order_id: UUID) -> Any:  # noqa: ANN401 - a row
    await run(db, _LOCK, id=order_id)
    rows = await run(db, _ORDER, id=order_id)
    if not rows:
        raise NotFoundError(mark("There is no such order."), code="order_not_found")
    order = rows[0]
    if order.cancelled_at is not None:
        raise ConflictError(mark("This order was cancelled, so nobody was told."), code="order_cancelled")
    if order.delivered_at is not None and not order.sends_more:
        raise ConflictError(mark("This order has arrived already, so nobody was told."), code="already_delivered")
    return order


def _row(wish: Wish, courier: str, zone: str, now: datetime) -> dict[str, Any]:
    begins_at, ends_at, timed = _parts(wish.window)
    return {
        "id": new_id(),
        "order_id": wish.order_id,
        "tracking": wish.tracking,
        "courier": courier,
        "begins_at": begins_at,
        "ends_at": ends_at,
        "timed": timed,
        "zone": zone,
        "announced_by": wish.by,
        "event_id": wish.event_id,
        "created_at": now,
    }


async def _tell(
    db: AsyncConnection,
    settings: Settings,
    shop: ShopInfo,
    order: Any,  # noqa: ANN401 - a row
    wish: Wish,
    row: dict[str, Any],
    *,
    corrects: bool,
) -> None:
    """Write the e-mail and the SMS; who has switched off news of parcels gets neither."""
    with speaking(order.locale):
        words = sentence(wish.window, row["courier"], row["zone"], row["created_at"])
        text = short(shop.name, wish.window, row["courier"], row["zone"], row["created_at"])
    await enqueue(
        db,
        template="courier_announced",
        recipient=order.email,
        locale=order.locale,
        subject_id=row["id"],
        change="announced",
        values={
            "number": order.number,
            "name": order.name,
            "says": words,
            "corrects": corrects,
            "tracking": wish.tracking,
            "url": f"/orders/{quote(order.number)}",
            "ask_url": f"/ask/{quote(order.number)}",
        },
    )
    wanted = (shop.confirming.sms_service_messages or wish.sms_agreed) and order.erased_at is None
    if wanted and texter_of(settings) is not None and Optional.PARCEL not in await refused_by(db, order.email):
        await enqueue_sms(db, recipient=order.phone, locale=order.locale, text=text, subject_id=order.id)


_OF_TRACKING: Final = """
    SELECT o.id, o.number FROM orders o WHERE o.id IN (
        SELECT order_id FROM outbound_parcel WHERE tracking = :tracking
        UNION SELECT order_id FROM exchange WHERE tracking = :tracking AND status = 'sent'
        UNION SELECT order_id FROM replacement WHERE tracking = :tracking AND status = 'sent'
        UNION SELECT t.order_id FROM trial_shipment s JOIN trial t ON t.id = s.trial_id WHERE s.tracking = :tracking)
    ORDER BY o.placed_at DESC, o.id DESC LIMIT 1
"""
_OF_NUMBER: Final = "SELECT id, number FROM orders WHERE number = :number"


class Found(msgspec.Struct, frozen=True):
    """The order that is announced for, and the tracking number by which it was named, if by one."""

    id: UUID
    number: str
    tracking: str = ""


async def order_named(db: AsyncConnection, actor: Actor, named: str) -> Found:
    """The order of a number, or the newest one of which a parcel with this tracking number was sent.

    Raises:
        ForbiddenError: the actor may tell customers nothing.
        NotFoundError: there is neither.
    """
    actor.require(*_MAY_TELL)
    for row in await run(db, _OF_NUMBER, number=named.strip().removeprefix("#")):
        return Found(row.id, row.number)
    if named.strip():
        for row in await run(db, _OF_TRACKING, tracking=named.strip()):
            return Found(row.id, row.number, named.strip())
    raise NotFoundError(
        mark("There is neither an order nor a parcel that we sent of this number."), code="order_not_found"
    )


_FORGET: Final = "UPDATE courier_announcement SET courier = '' WHERE courier <> '' AND ends_at < :before"


async def forget_couriers(db: AsyncConnection) -> None:
    """Forget who came, after 90 days."""
    await run(db, _FORGET, before=clock.now() - KEPT)
