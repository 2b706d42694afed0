"""The reconciliation of a period as finance sees it: what does not agree, what was matched, fees, and payouts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.finance.matching_differences import (
    OF_PAYOUT,
    OPEN,
    SUMS,
    Asked,
    Difference,
    Place,
    differences,
)
from returns_portal.finance.reconciliation import Run, asked, custom_plans, last_run

PAGE: Final = 100
PAYOUTS: Final = 50


class Booked(msgspec.Struct, frozen=True):
    """Postings of one kind and currency, in minor units."""

    kind: str
    currency: str
    matched: int
    matched_amount: int
    waiting: int
    """Without a line, and too young to miss one."""


class Lines(msgspec.Struct, frozen=True):
    """Lines of the balance of one category and currency, in minor units."""

    category: str
    currency: str
    count: int
    known: int
    """Of payments of the orders here."""
    amount: int
    fee: int


class PayoutView(msgspec.Struct, frozen=True):
    """A payout beside its lines, in minor units."""

    id: str
    status: str
    currency: str
    amount: int
    created_at: datetime
    arrives: date
    telling: bool
    """Whether the gateway tells what is in it, which it does of automatic payouts alone."""
    read: bool
    lines: int
    refunds: int
    """How many of them are matched with the ledger."""
    sums_up: bool
    wrong: int
    """How many lines do not agree with the ledger."""


class Reconciled(msgspec.Struct, frozen=True):
    """A period, as far as the balance was read."""

    run: Run
    """The newest for which the gateway could be read."""
    count: int
    differences: Sequence[Difference]
    next: Place | None
    booked: list[Booked]
    open: dict[str, int]
    """By state, how many lines have no posting and need none."""
    lines: list[Lines]
    payouts: Sequence[PayoutView]
    next_payout: Place | None

    @property
    def matched(self) -> int:
        """How many postings have their line."""
        return sum(one.matched for one in self.booked)

    @property
    def waiting(self) -> int:
        """How many are too young to be judged, of either side."""
        return sum(one.waiting for one in self.booked) + self.open.get("too_new", 0)

    @property
    def fees(self) -> dict[str, int]:
        """What the gateway took, by currency."""
        found: dict[str, int] = {}
        for one in self.lines:
            found[one.currency] = found.get(one.currency, 0) + one.fee
        return {currency: fee for currency, fee in found.items() if fee}


_BOOKED: Final = """
    SELECT t.kind, e.currency, count(g.id) AS matched,
           CAST(coalesce(sum(e.amount) FILTER (WHERE g.id IS NOT NULL), 0) AS bigint) AS matched_amount,
           count(*) FILTER (WHERE g.id IS NULL AND t.at > :judged) AS waiting
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'gateway_clearing'
    LEFT JOIN gateway_line g ON g.ledger_entry_id = e.id
    LEFT JOIN refund f ON t.cause = 'refund' AND f.id = t.cause_id
    LEFT JOIN dispute d ON t.cause = 'dispute' AND d.id = t.cause_id
    LEFT JOIN payment p ON p.id = d.payment_id
    WHERE t.at >= :begins AND t.at < :ends AND coalesce(f.livemode, p.livemode, :livemode) = :livemode
    GROUP BY t.kind, e.currency ORDER BY t.kind, e.currency
"""
_OPEN: Final = f"SELECT state, count(*) AS lines FROM ({OPEN}) AS x WHERE state IS NOT NULL GROUP BY state"  # noqa: S608 - our own text
# A fee is what a line names as its fee, and a line that is nothing but a fee.
_LINES: Final = """
    SELECT g.category, g.currency, count(*) AS count, count(p.id) AS known,
           CAST(sum(g.amount) AS bigint) AS amount,
           CAST(sum(g.fee - CASE WHEN g.category = 'fee' THEN g.amount ELSE 0 END) AS bigint) AS fee
    FROM gateway_line g LEFT JOIN payment p ON p.tender = 'stripe' AND p.reference = coalesce(g.payment, g.charge)
    WHERE g.created_at >= :begins AND g.created_at < :ends AND g.livemode = :livemode
    GROUP BY g.category, g.currency ORDER BY g.category, g.currency
"""
_PAYOUTS: Final = f"""
    SELECT o.id, o.status, o.currency, o.amount, o.created_at, o.arrives, o.automatic AS telling,
           o.read_at IS NOT NULL AS read, s.lines, (
               SELECT count(*) FROM gateway_line g
               WHERE g.payout_id = o.id AND g.ledger_entry_id IS NOT NULL) AS refunds,
           abs(s.net - o.amount) <= s.rounded AS sums_up, ({OF_PAYOUT}) AS wrong
    FROM payout o CROSS JOIN LATERAL ({SUMS}) AS s
    WHERE o.created_at >= :begins AND o.created_at < :ends AND o.livemode = :livemode
      AND (CAST(:at AS timestamptz) IS NULL OR (o.created_at, o.id) < (:at, :key))
    ORDER BY o.created_at DESC, o.id DESC LIMIT :limit
"""  # noqa: S608 - our own text


async def reconciled(
    db: AsyncConnection,
    actor: Actor,
    days: tuple[date, date],
    zone: str,
    *,
    livemode: bool,
    after: Place | None = None,
    after_payout: Place | None = None,
) -> Reconciled | None:
    """What came of a period, both days in it; None where the gateway's balance was never read.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    compared = await last_run(db, actor, livemode=livemode, answered=True)
    if compared is None:
        return None
    await custom_plans(db)
    question = asked(*days, zone, read_at=compared.at, livemode=livemode)
    found = await differences(db, question, limit=PAGE + 1, after=after)
    payouts = await _payouts(db, question, after_payout)
    return Reconciled(
        run=compared,
        count=found.count,
        differences=found.page[:PAGE],
        next=(found.page[PAGE - 1].at, found.page[PAGE - 1].key) if found.page[PAGE:] else None,
        booked=[Booked(*row) for row in await run(db, _BOOKED, **question.values)],
        open={row.state: row.lines for row in await run(db, _OPEN, **question.values)},
        lines=[Lines(*row) for row in await run(db, _LINES, **question.values)],
        payouts=payouts[:PAYOUTS],
        next_payout=(payouts[PAYOUTS - 1].created_at, payouts[PAYOUTS - 1].id) if payouts[PAYOUTS:] else None,
    )


async def _payouts(db: AsyncConnection, question: Asked, after: Place | None) -> list[PayoutView]:
    at, key = after or (None, None)
    rows = await run(db, _PAYOUTS, **question.values, at=at, key=key, limit=PAYOUTS + 1)
    return [PayoutView(*row) for row in rows]
