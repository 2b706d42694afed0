"""What the shop set for loyal customers, and what customers kept."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.loyalty.models import Occasion
from returns_portal.loyalty.rules import KeptOrder, Programme, Standing, occasion_of, standing
from returns_portal.shop.queries import current

_RULES: Final = "SELECT rules FROM loyalty_programme WHERE id = 1"


async def programme(db: AsyncConnection, *, lock: bool = False) -> Programme:
    """What the shop set; with `lock` nobody else changes it, or spends of its budget, until the transaction ends."""
    [row] = await run(db, f"{_RULES} FOR UPDATE" if lock else _RULES)
    return msgspec.convert(row.rules, Programme)


COUNTED_AT: Final = "(coalesce(o.delivered_at, o.shipped_at) + make_interval(days => :wait))"
"""When it is settled what of the order `o` was kept. Where nobody tells of deliveries, it is counted from sending."""
# What the receiver of a gift sends back is no return of who gave it, who must not learn of it by a level either. The
# dearest units are those that were kept: of a trial, what was not kept cost nothing.
KEPT: Final = f"""
    (SELECT coalesce(sum(kept.value), 0) FROM order_line l, LATERAL (
        SELECT sum(u.paid) AS value FROM (
            SELECT paid FROM unnest(l.unit_paid) AS paid ORDER BY paid DESC LIMIT greatest(0, l.quantity - greatest(
                (SELECT coalesce(sum(a.quantity), 0) FROM return_line a JOIN returns r ON r.id = a.return_id
                 WHERE a.order_line_id = l.id AND r.status <> 'cancelled' AND r.gift_id IS NULL
                    AND r.created_at < {COUNTED_AT}),
                (SELECT coalesce(sum(s.quantity), 0) FROM refund_line s
                 WHERE s.order_line_id = l.id AND s.voided_at IS NULL AND EXISTS (
                    SELECT FROM refund f LEFT JOIN returns r ON r.id = f.return_id
                    WHERE f.release_id = s.release_id AND r.gift_id IS NULL AND f.created_at < {COUNTED_AT}))))
        ) AS u) AS kept
     WHERE l.order_id = o.id)
"""  # noqa: S608 - the interpolated text is our own
"""What was kept of the order `o`, in minor units, as it was when that was settled. Names `:wait`, in days."""

_KEPT: Final = f"""
    SELECT o.email_key, o.currency, CAST({KEPT} AS bigint) AS value, {COUNTED_AT} AS counted_at
    FROM orders o WHERE o.email_key = ANY(:keys) AND o.cancelled_at IS NULL
        AND o.financial_status NOT IN ('pending', 'voided')
        AND {COUNTED_AT} BETWEEN CAST(:now AS timestamptz) - make_interval(months => :months) AND :now
"""  # noqa: S608 - as above


async def standings(db: AsyncConnection, rules: Programme, keys: Sequence[str]) -> dict[str, Standing]:
    """Where customers stand, by their folded addresses, in one statement; who kept nothing stands on no level."""
    rows = await run(db, _KEPT, keys=list(keys), now=clock.now(), months=rules.months, wait=rules.wait_days)
    kept: dict[str, list[KeptOrder]] = defaultdict(list)
    for row in rows:
        kept[row.email_key].append(KeptOrder(row.currency, row.value, row.counted_at))
    return {key: standing(rules.levels, kept[key]) for key in keys}


# An order counts from when it is paid or promised, as with levels; the one that is packed counts in any case.
_IN_LINE: Final = """
    SELECT o.id, o.placed_at, count(e.id) AS nth, min(e.placed_at) AS first_at FROM orders o
    JOIN orders e ON e.email_key = o.email_key AND (e.placed_at, e.id) <= (o.placed_at, o.id) AND (e.id = o.id
        OR e.cancelled_at IS NULL AND e.financial_status NOT IN ('pending', 'voided'))
    WHERE o.id = ANY(:ids) AND o.email_key <> '' GROUP BY o.id
"""


async def occasions(db: AsyncConnection, rules: Programme, orders: Sequence[UUID]) -> dict[UUID, Occasion]:
    """Which of these orders are an occasion that the shop celebrates, and which; days are those of its clock."""
    if not (rules.first_order or rules.every_orders or rules.anniversary):
        return {}
    zone = ZoneInfo((await current(db)).timezone)
    found = {
        row.id: occasion_of(rules, row.nth, row.first_at.astimezone(zone).date(), row.placed_at.astimezone(zone).date())
        for row in await run(db, _IN_LINE, ids=list(orders))
    }
    return {order_id: occasion for order_id, occasion in found.items() if occasion}


async def standing_for(db: AsyncConnection, actor: Actor, email: str) -> Standing:
    """Where a customer stands.

    Raises:
        ForbiddenError: the actor is not of support.
        InvalidError: this is no e-mail address.
        NotFoundError: nobody with this address has ordered.
    """
    actor.require("support")
    if not is_email(email):
        raise InvalidError(mark("This is no e-mail address."), field="email")
    key = email_key(email)
    if not await run(db, "SELECT id FROM orders WHERE email_key = :key LIMIT 1", key=key):
        raise NotFoundError(
            mark("Nobody with this address has ordered here. Look the address up in one of the customer's orders."),
            field="email",
        )
    return (await standings(db, await programme(db), [key]))[key]
