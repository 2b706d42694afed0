"""What the shop owes in points: how it changed in a period, and when what is left expires."""

from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.shop.queries import current


class Expiring(msgspec.Struct, frozen=True):
    """What is left that expires in one month of the shop, named by its first day; None for what never does."""

    month: date | None
    points: int


class Liability(msgspec.Struct, frozen=True):
    """The liability of one currency over a period, in minor units; one point is one minor unit.

    `opening` and all changes come to `closing`; what lowers it is negative. Held points are still owed.
    """

    currency: str
    opening: int
    earned: int
    """By purchases."""
    bonus: int
    """On top of card money that was taken as points."""
    refunds: int
    """Money that was taken as points."""
    restored: int
    """Points that had paid for what came back."""
    spent: int
    expired: int
    clawed_back: int
    adjusted: int
    closing: int
    by_month: list[Expiring]
    """When the closing liability expires, by month; they sum to it."""


# A refund's posting credits amount and bonus in one line; what the bonus is says its own expense.
_CHANGES: Final = """
    SELECT e.currency,
           CASE WHEN t.at < :begins THEN 'opening' WHEN t.kind IN ('refund', 'refund_reversal') THEN
                CASE WHEN e.account = 'bonus_expense' THEN 'bonus' WHEN p.tender = 'points' THEN 'restored'
                ELSE 'refunds' END ELSE t.kind END AS kind,
           CAST(sum(CASE WHEN e.account = 'bonus_expense' THEN
                CASE WHEN t.at < :begins THEN 0 ELSE e.amount END ELSE -e.amount END) AS bigint) AS points
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    LEFT JOIN refund f ON f.id = t.cause_id AND t.cause = 'refund' LEFT JOIN payment p ON p.id = f.payment_id
    WHERE t.at < :ends AND (e.account IN ('customer_points', 'points_held')
       OR (e.account = 'bonus_expense' AND t.kind IN ('refund', 'refund_reversal')))
    GROUP BY 1, 2
"""
# As of the period's end: what had left a lot since then is in it again. Held points expire with the lot they are of.
_BY_MONTH: Final = """
    WITH left_then AS (
        SELECT l.id, l.currency, l.expires_at,
               l.granted + coalesce((SELECT sum(m.delta) FROM points_move m LEFT JOIN points_redemption r
                    ON r.id = m.cause_id AND m.cause = 'redemption'
                    WHERE m.lot_id = l.id AND m.at < :ends AND (
                        r.id IS NULL OR (r.settled_at IS NOT NULL AND r.settled_at < :ends))), 0) AS points
        FROM points_lot l WHERE l.created_at < :ends)
    SELECT currency, CAST(date_trunc('month', (expires_at - interval '1 microsecond') AT TIME ZONE :zone) AS date)
           AS month, CAST(sum(points) AS bigint) AS points
    FROM left_then WHERE points <> 0 GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST
"""
_HEADINGS: Final = {
    "opening": "opening",
    "points_earned": "earned",
    "bonus": "bonus",
    "refunds": "refunds",
    "restored": "restored",
    "points_captured": "spent",
    "points_expired": "expired",
    "points_clawed_back": "clawed_back",
    "points_adjusted": "adjusted",
}


async def liability(db: AsyncConnection, actor: Actor, begins: datetime, ends: datetime) -> list[Liability]:
    """The liability from one moment (inclusive) to another (exclusive), by currency; months are the shop's.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance", "reports:read")
    sums: dict[str, dict[str, int]] = {}
    for row in await run(db, _CHANGES, begins=begins, ends=ends):
        # A hold and its release move points between two accounts of the same debt.
        heading = _HEADINGS.get(row.kind)
        of_currency = sums.setdefault(row.currency, dict.fromkeys(_HEADINGS.values(), 0))
        if heading is not None:
            of_currency[heading] += row.points
    months: dict[str, list[Expiring]] = {}
    for row in await run(db, _BY_MONTH, ends=ends, zone=(await current(db)).timezone):
        months.setdefault(row.currency, []).append(Expiring(row.month, row.points))
    return [_liability(currency, sums[currency], months.get(currency, [])) for currency in sorted(sums)]


def _liability(currency: str, found: dict[str, int], by_month: list[Expiring]) -> Liability:
    """Put one currency together; what refunds brought has the bonus in it until here."""
    changes = {**found, "refunds": found["refunds"] - found["bonus"]}
    return Liability(currency=currency, **changes, closing=sum(changes.values()), by_month=by_month)
