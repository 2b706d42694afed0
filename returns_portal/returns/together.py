"""Several orders in one parcel: each order has its return, and one of these, the leading one, has the label.

Money is counted by order, so that there is a return for each; what they share is a parcel, its label and its postage,
which is paid once, with the leading one. All are one person's: their orders have the same e-mail address, which a
customer has proven to be theirs. Trials and gifts have ways of their own and travel alone. A return joins a parcel as
it is filed, under the locks of both orders; so who leads never follows, and a chain is one link long.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import parse_rma
from returns_portal.orders.units import REQUESTED
from returns_portal.policies.content import Postage
from returns_portal.policies.queries import in_force
from returns_portal.policies.rules import Verdict
from returns_portal.returns.queries import OrderState, Rest, something_left
from returns_portal.returns.rules import Policy

MOST_ORDERS: Final = 20
MOST_LEADS: Final = 5
"""Orders and parcels that a page offers."""


class Lead(msgspec.Struct, frozen=True):
    """A return in whose parcel another one can travel."""

    id: UUID
    rma: str
    order_number: str
    postage: str
    code: str
    """What the barcodes of its label hold; its number where it has none of ours."""


_ALIKE: Final = """
    o.email_key = mine.email_key AND o.email_key <> '' AND o.id <> mine.id AND o.currency = mine.currency
    AND coalesce(o.address ->> 'country', '') = coalesce(mine.address ->> 'country', '')
    AND o.source <> 'trial' AND mine.source <> 'trial'
"""
# Labels stand above returns and are not imported here; whether one can still be used is only read.
_OPEN: Final = """
    r.status = 'filed' AND r.travels_with IS NULL AND r.gift_id IS NULL AND r.proof_at IS NULL
    AND NOT EXISTS (SELECT FROM label b WHERE b.return_id = r.id
        AND (b.first_scan_at IS NOT NULL OR b.status IN ('in_transit', 'delivered', 'lost')))
    AND (r.postage = 'own_label' OR EXISTS (
        SELECT FROM label b WHERE b.return_id = r.id AND b.status IN ('requested', 'bought', 'sent')))
"""
_LEADS: Final = f"""
    SELECT r.id, r.rma, o.number AS order_number, r.postage,
           coalesce((SELECT code FROM label b WHERE b.return_id = r.id AND b.status IN ('requested', 'bought', 'sent')
                ORDER BY b.number LIMIT 1), r.rma) AS code
    FROM orders mine JOIN orders o ON {_ALIKE} JOIN returns r ON r.order_id = o.id
    WHERE mine.id = :order_id AND (CAST(:rma AS text) IS NULL OR r.rma = :rma) AND {_OPEN}
    ORDER BY r.id DESC LIMIT :most
"""  # noqa: S608 - our own words
_SAME_PERSON: Final = """
    SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id JOIN orders mine ON mine.id = :order_id
    WHERE r.rma = :rma AND r.gift_id IS NULL AND o.email_key = mine.email_key AND o.email_key <> ''
"""
_LOCK: Final = """
    SELECT id FROM orders WHERE number = :number OR id = (SELECT order_id FROM returns WHERE rma = :rma)
    ORDER BY id FOR UPDATE
"""


def knows_other_orders(actor: Actor) -> bool:
    """Whether somebody may learn of other orders of the same address: not by having placed one, nor by a link."""
    return actor.kind != "customer" or (actor.knows_inbox and not actor.views_only and actor.gift_id is None)


async def leads_for(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[Lead]:
    """The parcels of the same person that something of this order can still go into, the newest first."""
    if not knows_other_orders(actor):
        return []
    return [Lead(*row) for row in await run(db, _LEADS, order_id=order_id, rma=None, most=MOST_LEADS)]


async def lock_orders(db: AsyncConnection, number: str, rma: str) -> None:
    """Lock the order that is filed of and that of the parcel, in the order in which everybody locks two."""
    await run(db, _LOCK, number=number, rma=parse_rma(rma))


async def lead_for(db: AsyncConnection, actor: Actor, order: OrderState, rma: str) -> Lead:
    """The return in whose parcel one of this order is to travel; the caller holds both orders' locks.

    Raises:
        NotFoundError: there is no such return, or it is not of the same person, or not the actor's to know of.
        ConflictError: nothing can be put into its parcel (any more), or not of this order.
    """
    values = {"order_id": order.id, "rma": parse_rma(rma) or ""}
    if not knows_other_orders(actor) or not await run(db, _SAME_PERSON, **values):
        raise NotFoundError("There is no such return.", code="return_not_found")
    rows = await run(db, _LEADS, **values, most=1)
    if not rows:
        raise ConflictError(
            mark(
                "Nothing can be put into the parcel of return {rma}: it is on its way, or it comes from elsewhere."
                " Nothing was filed. Choose a parcel of its own."
            ),
            code="parcel_closed",
            field="in_parcel_of",
            rma=values["rma"],
        )
    return Lead(*rows[0])


def in_its_parcel(verdict: Verdict, lead: Lead | None) -> Verdict:
    """What holds for items that travel in the parcel of `lead`: the postage is paid once, as that one's is.

    Raises:
        ConflictError: the customer pays the carrier for that parcel, and is not to pay for these items.
    """
    if lead is None or verdict.keep_it:
        return verdict
    if lead.postage == Postage.OWN_LABEL and verdict.postage is not Postage.OWN_LABEL:
        raise ConflictError(
            mark(
                "You send the parcel of return {rma} at your own expense, and these items travel at ours."
                " Nothing was filed. Choose a parcel of its own, and its label costs you nothing at the counter."
            ),
            code="own_label_parcel",
            field="in_parcel_of",
            rma=lead.rma,
        )
    return msgspec.structs.replace(verdict, postage=Postage(lead.postage), fee=0)


class OtherOrder(msgspec.Struct, frozen=True):
    """Another order of the same person; `rest` is what decides whether anything of it can still be sent back."""

    number: str
    items: str
    rest: Rest


_OTHERS: Final = f"""
    SELECT o.number, (SELECT string_agg(l.title, '; ' ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id)
               AS items, o.id, o.placed_at, o.cancelled_at, o.delivered_at, o.financial_status, o.fulfillment_status,
           coalesce(o.address ->> 'country', '') AS country, true AS units_left
    FROM orders mine JOIN orders o ON {_ALIKE}
    WHERE mine.id = :order_id AND o.cancelled_at IS NULL AND EXISTS (
        SELECT FROM order_line l WHERE l.order_id = o.id AND l.quantity > {REQUESTED})
    ORDER BY o.placed_at DESC, o.id DESC LIMIT :most
"""  # noqa: S608 - our own words


async def other_orders(db: AsyncConnection, actor: Actor, order_id: UUID, timezone: str) -> Sequence[OtherOrder]:
    """The other orders of the same person of which something can be put into a parcel, the newest first."""
    if not knows_other_orders(actor):
        return []
    found = [
        OtherOrder(row.number, row.items or "", Rest(*row[2:]))
        for row in await run(db, _OTHERS, order_id=order_id, most=MOST_ORDERS)
    ]
    windows = [(await in_force(db, order.rest.placed_at)).content.longest_window for order in found]
    return [
        order for order, days in zip(found, windows, strict=True) if something_left(order.rest, Policy(days, timezone))
    ]


class Sibling(msgspec.Struct, frozen=True):
    """Another order of the same person."""

    id: UUID
    number: str


_SIBLING: Final = """
    SELECT o.id, o.number FROM orders mine JOIN orders o ON o.email_key = mine.email_key AND o.email_key <> ''
    WHERE mine.id = :order_id AND (
        o.number = :number OR o.id = (SELECT order_id FROM returns WHERE rma = :rma AND gift_id IS NULL))
"""


async def sibling(db: AsyncConnection, actor: Actor, order_id: UUID, *, number: str = "", rma: str = "") -> Sibling:
    """The order of this number, or of this return, that the same person placed; the actor sees the order `order_id`.

    Raises:
        NotFoundError: there is none, or the actor is not to know of it.
    """
    values = {"order_id": order_id, "number": number, "rma": parse_rma(rma) or ""}
    rows = await run(db, _SIBLING, **values) if knows_other_orders(actor) else []
    if not rows:
        raise NotFoundError("There is no such order.", code="order_not_found")
    return Sibling(*rows[0])


class Travelling(msgspec.Struct, frozen=True):
    """A return in a parcel, as the page of the parcel lists it."""

    rma: str
    order_number: str
    status: str
    items: str
    leads: bool


_TRAVELLING: Final = """
    SELECT f.rma, o.number AS order_number, f.status,
           (SELECT coalesce(string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                ORDER BY l.position), '') FROM return_line a JOIN order_line l ON l.id = a.order_line_id
            WHERE a.return_id = f.id) AS items,
           f.travels_with IS NULL AS leads
    FROM returns f JOIN orders o ON o.id = f.order_id WHERE f.rma = ANY(:rmas) ORDER BY leads DESC, f.id
"""


async def travelling_together(db: AsyncConnection, actor: Actor, rmas: Sequence[str]) -> list[Travelling]:
    """What these returns are, which a view named as being in one parcel; none to who may not know of other orders."""
    if not knows_other_orders(actor):
        return []
    return [Travelling(*row) for row in await run(db, _TRAVELLING, rmas=list(rmas))]
