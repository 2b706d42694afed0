"""A new order: the customer is told at once that it is here, and what is in it; whether somebody calls is decided.

Directive 2000/31/EC, Art. 11(1): the receipt of an order is acknowledged without undue delay, by electronic means.
"""

from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.confirming.calling import change_reasons, end_needless
from returns_portal.confirming.models import Reason
from returns_portal.confirming.rules import Facts, reasons_to_call, still_to_call
from returns_portal.db import run
from returns_portal.i18n import speaking
from returns_portal.ids import new_id
from returns_portal.labels.addresses import country_name
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.news import is_news
from returns_portal.shop.confirming import Confirming
from returns_portal.shop.queries import current

# Under the order's lock, so that a job that comes twice finds what the first one did.
_LOCK: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
_ORDER: Final = """
    SELECT o.*, t.mode, t.max_charge, t.points AS trial_points, coalesce(t.max_charge, o.total) AS value,
           coalesce(o.delivered_at, t.delivered_at) AS arrived_at,
           EXISTS (SELECT FROM orders p WHERE p.email_key = o.email_key AND p.id <> o.id AND p.placed_at < o.placed_at
               AND p.cancelled_at IS NULL) AS known_customer,
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
            delivered_at=order.arrived_at,
            cancelled_at=order.cancelled_at,
            now=clock.now(),
        )
        if not news or order.erased_at is not None:
            return
        if shop.confirming.order_received_mail:
            await _acknowledge(db, order)
        await _ask_to_call(db, order, shop.confirming)


# Of one order there is one call, however often it is looked at.
_CALL: Final = """
    INSERT INTO order_call (id, order_id, reasons, state, created_at, changed_at)
    VALUES (:id, :order_id, :reasons, 'waiting', :now, :now) ON CONFLICT (order_id) DO NOTHING
"""


async def _ask_to_call(db: AsyncConnection, order: Any, choices: Confirming) -> None:  # noqa: ANN401 - a row
    reasons = [reason.value for reason in reasons_to_call(_facts(order), choices)]
    if reasons:
        await run(db, _CALL, id=new_id(), order_id=order.id, reasons=reasons, now=clock.now())


def _facts(order: Any) -> Facts:  # noqa: ANN401 - a row
    return Facts(order.known_customer, order.value, order.currency, order.address, order.phone)


_WAITING: Final = "SELECT id, reasons FROM order_call WHERE order_id = :id AND state = 'waiting' FOR UPDATE"


async def look_again(db: AsyncConnection, order_id: UUID) -> None:
    """An order has changed that somebody is to call about: end the call that nobody needs any more, or say anew why."""
    await run(db, _LOCK, id=order_id)
    for call in await run(db, _WAITING, id=order_id):
        [order] = await run(db, _ORDER, id=order_id)
        before = [Reason(reason) for reason in call.reasons]
        reasons = still_to_call(before, _facts(order))
        if order.cancelled_at is not None or order.arrived_at is not None or not reasons:
            await end_needless(db, call.id)
        elif reasons != before:
            await change_reasons(db, call.id, reasons)


async def _acknowledge(db: AsyncConnection, order: Any) -> None:  # noqa: ANN401 - a row
    """Write the e-mail; of one order there is one, however often it is looked at."""
    with speaking(order.locale):
        address = address_lines(order.address)
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


def address_lines(address: dict[str, str]) -> list[str]:
    """The address as it was given, in lines, with the country in the reader's language."""
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    lines = [address.get("name"), address.get("line1"), address.get("line2"), town, address.get("region")]
    country = country_name(address.get("country", ""), i18n.formatting_locale(i18n.current()))
    return [line for line in (*lines, country) if line]
