"""A new order: the customer is told at once that it is here, and what is in it.

Directive 2000/31/EC, Art. 11(1): the receipt of an order is acknowledged without undue delay, by electronic means.
"""

from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.db import run
from returns_portal.i18n import speaking
from returns_portal.labels.addresses import country_name
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.news import is_news
from returns_portal.shop.queries import current

# Under the order's lock, so that a job that comes twice finds what the first one did.
_LOCK: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
_ORDER: Final = """
    SELECT o.*, t.mode, t.max_charge, t.points AS trial_points,
           (SELECT json_agg(json_build_object('title', l.title, 'size', l.size, 'color', l.color,
                'quantity', l.quantity, 'tax', l.tax,
                'amount', l.unit_price * l.quantity - CASE WHEN t.id IS NULL THEN l.discount ELSE 0 END)
                ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id) AS lines
    FROM orders o LEFT JOIN trial t ON t.order_id = o.id WHERE o.id = :id
"""


async def look_at(db: AsyncConnection, order_id: UUID) -> None:
    """Do what the shop has chosen to do about a new order; nothing where it is no news any more."""
    shop = await current(db)
    await run(db, _LOCK, id=order_id)
    for order in await run(db, _ORDER, id=order_id):
        news = is_news(
            shop.confirming,
            source=order.source,
            placed_at=order.placed_at,
            delivered_at=order.delivered_at,
            cancelled_at=order.cancelled_at,
            now=clock.now(),
        )
        if news and order.erased_at is None and shop.confirming.order_received_mail:
            await _acknowledge(db, order)


async def _acknowledge(db: AsyncConnection, order: Any) -> None:  # noqa: ANN401 - a row
    """Write the e-mail; of one order there is one, however often it is looked at."""
    with speaking(order.locale):
        address = _address(order.address)
    await enqueue(
        db,
        template="order_received",
        recipient=order.email,
        locale=order.locale,
        subject_id=order.id,
        change="received",
        values={
            "number": order.number,
            "name": order.name,
            "currency": order.currency,
            "lines": order.lines,
            "sums": _sums(order),
            "mode": order.mode or "",
            "address": address,
            "phone": order.phone,
            "url": f"/orders/{quote(order.number)}",
            "ask_url": f"/ask/{quote(order.number)}",
        },
    )


def _sums(order: Any) -> dict[str, int]:  # noqa: ANN401 - a row
    """What the order costs beside its items, in minor units; of a trial, the most that it can."""
    if order.mode:
        return {"points": order.trial_points, "total": order.max_charge}
    return {
        "discount": order.order_discount,
        "shipping": order.shipping_price - order.shipping_discount,
        "extras": order.extras_paid,
        "tax_on_top": 0 if order.tax_included else sum(line["tax"] for line in order.lines) + order.shipping_tax,
        "total": order.total,
    }


def _address(address: dict[str, str]) -> list[str]:
    """The address as it was given, in lines, for its owner to read again."""
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    lines = [address.get("name"), address.get("line1"), address.get("line2"), town, address.get("region")]
    country = country_name(address.get("country", ""), i18n.formatting_locale(i18n.current()))
    return [line for line in (*lines, country) if line]
