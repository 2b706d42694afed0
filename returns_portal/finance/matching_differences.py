"""What does not agree between the ledger and the gateway's balance, and what only seems so: the questions in SQL.

A period is of the ledger's own days: a posting belongs to the day on which it was booked here, wherever its line
stands there. Lines that have no posting belong to the day on which the gateway made them. What is younger than a
margin when the gateway was asked is not judged yet: its other side may be on its way.

Every question has these values: `begins` and `ends` of the period, `judged`, the moment up to which is judged, and
`livemode`.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.finance.models import SETTLING
from returns_portal.payments.amounts import WHOLE_ONLY

MARGIN: Final = timedelta(hours=1)
"""So old a posting or a line must be before it can miss its other side."""


class Kind(StrEnum):
    """What does not agree."""

    MISSING_THERE = "missing_there"
    """Booked here, and the gateway has no line of it."""
    MISSING_HERE = "missing_here"
    """The gateway has a line of a payment of ours, and nothing is booked here."""
    AMOUNT = "amount"
    CURRENCY = "currency"
    PAYOUT = "payout"
    """A payout is not the sum of its lines."""


class State(StrEnum):
    """Why a line of the gateway that has no posting is no difference."""

    NETTED = "netted"
    """It went and came back before it was booked."""
    ELSEWHERE = "elsewhere"
    """Of another sale than the orders here."""
    BEFORE = "before"
    """It went back before the order was taken in, and is counted there."""
    UNDER_WAY = "under_way"
    """A refund that the bank has not confirmed: the gateway has taken it off already."""
    TOO_NEW = "too_new"


class Difference(msgspec.Struct, frozen=True):
    """One difference; amounts in minor units, as the balance has them: what goes back is negative."""

    kind: Kind
    at: datetime
    """When it was booked; by the gateway's clock where it is not booked."""
    key: str
    what: str
    """Kind of the posting, or category of the line."""
    ours: int | None
    our_currency: str | None
    theirs: int | None
    their_currency: str | None
    line_id: str | None
    source: str | None
    refund_id: UUID | None
    dispute_id: UUID | None
    order_number: str | None
    payout_id: str | None


_SETTLING: Final = f"({', '.join(map(repr, SETTLING))})"
_DISPUTED: Final = "('dispute', 'dispute_reversal')"


def _unmatched(dispute: str, currency: str = "") -> str:
    """What postings of a dispute without a line come to, in one currency or at all; NULL where there are none."""
    alike = f"AND e.currency = {currency}" if currency else ""
    return f"""(
        SELECT sum(e.amount) FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id {alike}
        WHERE t.cause = 'dispute' AND t.cause_id = {dispute} AND e.account = 'gateway_clearing'
          AND NOT EXISTS (SELECT FROM gateway_line m WHERE m.ledger_entry_id = e.id))
    """  # noqa: S608 - the interpolated text is our own


_OURS: Final = """
    SELECT e.id AS entry_id, t.kind AS what, t.at, e.amount, e.currency, f.id AS refund_id, f.gateway_id,
           d.id AS dispute_id, d.gateway_id AS dispute, p.order_id
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'gateway_clearing'
    LEFT JOIN refund f ON t.cause = 'refund' AND f.id = t.cause_id
    LEFT JOIN dispute d ON t.cause = 'dispute' AND d.id = t.cause_id
    LEFT JOIN payment p ON p.id = coalesce(f.payment_id, d.payment_id)
    WHERE t.at >= :begins AND t.at < :ends AND coalesce(f.livemode, p.livemode, :livemode) = :livemode
"""
"""Postings of the period that moved money at the gateway."""

# As `refunds.outside` tells what had gone back before a payment became known.
_COUNTED: Final = """
    CASE WHEN p.refunds_before IS NOT NULL THEN g.source = ANY(p.refunds_before) ELSE g.created_at < (
        SELECT max(h.at) FROM history h WHERE h.subject_id = p.id AND h.action = 'captured') END
"""


def _open(condition: str) -> str:
    """SQL: lines without a posting, each with its state; NULL where it should have one."""
    return f"""
        SELECT g.id AS line_id, g.category, g.created_at AS at, g.source, g.payment_amount AS amount,
               g.payment_currency AS currency, g.payout_id, f.id AS refund_id, d.id AS dispute_id,
               coalesce(f.order_id, p.order_id) AS order_id, CASE
            WHEN f.id IS NULL AND d.id IS NULL AND p.id IS NULL THEN '{State.ELSEWHERE}'
            WHEN (
                SELECT sum(x.payment_amount) FROM gateway_line x WHERE x.source = g.source
                AND x.payment_currency = g.payment_currency AND x.ledger_entry_id IS NULL AND x.category IN {_SETTLING}
            ) = coalesce({_unmatched("d.id", "g.payment_currency")}, 0) THEN '{State.NETTED}'
            WHEN f.id IS NULL AND g.category NOT IN {_DISPUTED} AND p.counted THEN '{State.BEFORE}'
            WHEN g.category = 'refund' AND f.status IN ('submitting', 'unknown', 'pending')
             AND f.attempt = coalesce(g.attempt, f.attempt) THEN '{State.UNDER_WAY}'
            WHEN g.created_at > :judged THEN '{State.TOO_NEW}' END AS state
        FROM gateway_line g
        LEFT JOIN LATERAL (
            SELECT x.id, x.status, x.attempt, x.order_id FROM refund x
            WHERE x.id = g.refund_id OR x.gateway_id = g.source
            ORDER BY x.id = g.refund_id DESC NULLS LAST LIMIT 1) AS f ON true
        LEFT JOIN dispute d ON d.gateway_id = g.source
        LEFT JOIN LATERAL (
            SELECT p.id, p.order_id, {_COUNTED} AS counted FROM payment p
            WHERE p.tender = 'stripe' AND p.reference IN (g.payment, g.charge) AND p.status = 'captured'
            LIMIT 1) AS p ON true
        WHERE g.ledger_entry_id IS NULL AND g.category IN {_SETTLING} AND g.livemode = :livemode AND {condition}
    """  # noqa: S608 - as above


_IN_PERIOD: Final = "g.created_at >= :begins AND g.created_at < :ends"
OPEN: Final = _open(_IN_PERIOD)
"""Lines of the period without a posting."""

OF_PAYOUT: Final = f"""
    SELECT (SELECT count(*) FROM ({_open("g.payout_id = o.id")}) AS x WHERE x.state IS NULL) + (
        SELECT count(*) FROM gateway_line g JOIN ledger_entry e ON e.id = g.ledger_entry_id
        WHERE g.payout_id = o.id AND (g.payment_amount, g.payment_currency) <> (e.amount, e.currency))
"""  # noqa: S608 - as above
"""How many lines of payout `o` do not agree with the ledger."""

SUMS: Final = f"""
    SELECT coalesce(sum(g.net), 0) AS net, count(*) AS lines,
           CASE WHEN o.currency IN ({", ".join(f"'{code}'" for code in sorted(WHOLE_ONLY))}) THEN count(*)
           ELSE 0 END AS rounded
    FROM gateway_line g WHERE g.payout_id = o.id AND NOT (g.category = 'payout' AND g.source = o.id)
"""  # noqa: S608 - as above
"""What the lines of payout `o` come to without its own; where fees have fractions, each line may be one unit off."""

_DIFFERENCES: Final = f"""
    WITH ours AS ({_OURS}), open AS ({OPEN}), found AS (
        SELECT CASE WHEN g.id IS NULL AND u.theirs IS NULL THEN '{Kind.MISSING_THERE}'
                    WHEN coalesce(g.payment_currency, u.currency) <> o.currency THEN '{Kind.CURRENCY}'
                    ELSE '{Kind.AMOUNT}' END AS kind,
               o.at, CAST(o.entry_id AS text) AS key, o.what, o.amount AS ours, o.currency AS our_currency,
               coalesce(g.payment_amount, u.theirs) AS theirs,
               coalesce(g.payment_currency, u.currency) AS their_currency, g.id AS line_id,
               coalesce(g.source, o.dispute, o.gateway_id) AS source, o.refund_id, o.dispute_id, o.order_id, g.payout_id
        FROM ours o LEFT JOIN gateway_line g ON g.ledger_entry_id = o.entry_id
        LEFT JOIN LATERAL (
            SELECT CAST(sum(x.payment_amount) AS bigint) AS theirs, x.payment_currency AS currency FROM gateway_line x
            WHERE g.id IS NULL AND x.source = o.dispute AND x.ledger_entry_id IS NULL AND x.category IN {_DISPUTED}
            GROUP BY x.payment_currency ORDER BY x.payment_currency <> o.currency LIMIT 1) AS u ON true
        WHERE CASE WHEN g.id IS NULL
            THEN o.at <= :judged AND (u.theirs, u.currency)
             IS DISTINCT FROM ({_unmatched("o.dispute_id", "o.currency")}, o.currency)
            ELSE (g.payment_amount, g.payment_currency) <> (o.amount, o.currency) END
        UNION ALL
        SELECT '{Kind.MISSING_HERE}', l.at, l.line_id, l.category, NULL, NULL, l.amount, l.currency, l.line_id,
               l.source, l.refund_id, l.dispute_id, l.order_id, l.payout_id
        FROM open l WHERE l.state IS NULL AND (l.dispute_id IS NULL OR {_unmatched("l.dispute_id")} IS NULL)
        UNION ALL
        SELECT '{Kind.PAYOUT}', o.created_at, o.id, 'payout', CAST(s.net AS bigint), o.currency, o.amount, o.currency,
               NULL, o.id, NULL, NULL, NULL, o.id
        FROM payout o CROSS JOIN LATERAL ({SUMS}) AS s
        WHERE o.created_at >= :begins AND o.created_at < :ends AND o.livemode = :livemode
          AND o.read_at IS NOT NULL AND abs(s.net - o.amount) > s.rounded)
"""  # noqa: S608 - as above
_PAGE: Final = f"""
    {_DIFFERENCES}
    SELECT c.in_all, f.kind, f.at, f.key, f.what, f.ours, f.our_currency, f.theirs, f.their_currency, f.line_id,
           f.source, f.refund_id, f.dispute_id, x.number AS order_number, f.payout_id
    FROM (SELECT count(*) AS in_all FROM found) AS c LEFT JOIN LATERAL (
        SELECT * FROM found WHERE CAST(:at AS timestamptz) IS NULL OR (at, key) > (:at, :key)
        ORDER BY at, key LIMIT :limit) AS f ON true
    LEFT JOIN orders x ON x.id = f.order_id ORDER BY f.at, f.key
"""  # noqa: S608 - as above


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Of which period, and up to which moment it is judged."""

    begins: datetime
    ends: datetime
    judged: datetime
    livemode: bool

    @property
    def values(self) -> dict[str, Any]:
        """As the questions name them."""
        return msgspec.structs.asdict(self)


Place = tuple[datetime, str]
"""Where a page ended: the moment and the key of its last difference."""


class Found(msgspec.Struct, frozen=True):
    """A page of differences, and how many there are on all pages."""

    count: int
    page: list[Difference]


async def differences(db: AsyncConnection, asked: Asked, *, limit: int, after: Place | None = None) -> Found:
    """Differences of the period, the oldest first, from the one after `after` on."""
    at, key = after or (None, None)
    rows = [row._asdict() for row in await run(db, _PAGE, **asked.values, at=at, key=key, limit=limit)]
    counts = [row.pop("in_all") for row in rows]
    return Found(counts[0], [msgspec.convert(row, Difference) for row in rows if row["kind"] is not None])
