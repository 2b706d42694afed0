"""What the label of a return says, and what is on its way with one."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.sizes import arranged
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.actions import PREPAID
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import return_for
from returns_portal.shop.queries import ShopInfo, current


async def label_content(db: AsyncConnection, actor: Actor, rma: str, *, shop: ShopInfo, sandbox: bool) -> LabelContent:
    """What the label of a return says, if the actor may see it.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: the return was cancelled, so nobody may send a parcel at the shop's expense with it.
    """
    view = await return_for(db, actor, rma)
    if view.status == ReturnStatus.CANCELLED:
        raise ConflictError(
            mark("This return was cancelled, so its label is not valid any more. File a new return instead."),
            code="return_cancelled",
        )
    return LabelContent(
        code=view.label_code,
        carrier=PREPAID,
        sender=_address(view.address),
        recipient=_address(shop.address),
        licence=shop.licence,
        order_number=view.order_number,
        items=tuple(
            arranged(
                [LabelItem(line.quantity, line.title, line.size, line.color) for line in view.lines if line.quantity],
                lambda item: (item.title, item.size),
            )
        ),
        issued=view.created_at.astimezone(ZoneInfo(shop.timezone)).date(),
        locale=view.locale,
        shop_name=shop.name,
        shop_phone=shop.phone,
        shop_email=shop.email,
        sandbox=sandbox,
        to_choose=view.of_trial and bool(await run(db, _IN_A_PARCEL, id=view.id)),
    )


_IN_A_PARCEL: Final = "SELECT id FROM trial WHERE return_id = :id"


def _address(parts: dict[str, str]) -> PostalAddress:
    """An address as it is stored, where what it does not have may be missing."""
    return PostalAddress(**{part: parts.get(part) or "" for part in PostalAddress.__struct_fields__})


class Arrival(msgspec.Struct, frozen=True):
    """A parcel that is expected. `value` is what was paid for its goods, in minor units of `currency`."""

    label_id: UUID
    rma: str
    number: int
    order_number: str
    carrier: str
    tracking: str
    last_event: str
    last_event_at: datetime | None
    expected: date
    items: str
    quantity: int
    value: int
    currency: str


# Nobody follows these parcels: one is expected so many days after its label, and not looked for for ever.
_ARRIVALS: Final = """
    SELECT b.id AS label_id, r.rma, o.number AS order_number, b.carrier, b.created_at, o.currency,
           coalesce(i.items, '') AS items, coalesce(i.quantity, 0) AS quantity, coalesce(i.value, 0) AS value
    FROM label b JOIN returns r ON r.id = b.return_id JOIN orders o ON o.id = r.order_id
    CROSS JOIN LATERAL (
        SELECT string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                   ORDER BY l.position) AS items, CAST(sum(a.quantity) AS integer) AS quantity,
               CAST(sum((SELECT sum(u) FROM unnest(l.unit_paid[1:a.quantity]) AS u)) AS bigint) AS value
        FROM return_line a JOIN order_line l ON l.id = a.order_line_id WHERE a.return_id = r.id) AS i
    WHERE r.status = 'filed' AND b.created_at > :since ORDER BY b.id
"""
_TRANSIT: Final = timedelta(days=5)
_LATE: Final = timedelta(days=9)


async def arrivals(db: AsyncConnection, actor: Actor, day: date) -> list[Arrival]:
    """The parcels that are expected on a day of the shop's zone; those of today with what was expected before.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    zone, now = ZoneInfo((await current(db)).timezone), clock.now()
    today = now.astimezone(zone).date()
    found = [_arrival(row, zone) for row in await run(db, _ARRIVALS, since=now - _LATE)]
    return [each for each in found if each.expected == day or (day == today and each.expected < day)]


def _arrival(row: Any, zone: ZoneInfo) -> Arrival:  # noqa: ANN401 - a row
    return Arrival(
        label_id=row.label_id,
        rma=row.rma,
        number=1,
        order_number=row.order_number,
        carrier=row.carrier,
        tracking="",
        last_event="",
        last_event_at=None,
        expected=(row.created_at + _TRANSIT).astimezone(zone).date(),
        items=row.items,
        quantity=row.quantity,
        value=row.value,
        currency=row.currency,
    )
