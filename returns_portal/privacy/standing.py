"""What stands in the way of forgetting a person: what is still owed, by them or to them (GDPR, Art. 17(3)(e))."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.exchanges.models import LIVE, OPEN_CHARGES
from returns_portal.i18n import mark, translate
from returns_portal.privacy.people import Person
from returns_portal.tryon.models import OPEN


class Open(msgspec.Struct, frozen=True):
    """Something that is not over."""

    what: str
    """return, refund, trial, exchange, dispute, withdrawal, claim, replacement, question, gesture or points."""
    number: str
    """By which people know it."""


_OPEN: Final = """
    SELECT 'return' AS what, r.rma AS number FROM returns r
    WHERE r.id = ANY(:returns) AND (r.status = 'filed' OR EXISTS (
        SELECT FROM parcel p JOIN parcel_item i ON i.parcel_id = p.id
        WHERE p.return_id = r.id AND p.undone_at IS NULL AND i.acceptance = 'waiting'))
      AND NOT EXISTS (SELECT FROM trial t WHERE t.return_id = r.id)
    UNION ALL SELECT 'refund', coalesce(r.rma, o.number) FROM refund f JOIN orders o ON o.id = f.order_id
        LEFT JOIN returns r ON r.id = f.return_id
        WHERE f.id = ANY(:refunds) AND f.status NOT IN ('succeeded', 'canceled')
    UNION ALL SELECT 'trial', t.number FROM trial t WHERE t.id = ANY(:trials) AND t.status = ANY(:open)
    -- One that has ended is over when all that it leaves behind is being refunded, and no bank is asked any more.
    UNION ALL SELECT 'exchange', x.number FROM exchange x
        WHERE x.id = ANY(:exchanges) AND (x.status = ANY(:live)
            OR x.status = 'ended' AND (x.owed > 0 AND x.settled_at IS NULL
                OR x.payment_id IS NOT NULL AND x.paid_back_at IS NULL)
            OR x.at_once AND x.status = 'sent' AND x.covered_at IS NULL
            OR EXISTS (SELECT FROM exchange_charge c WHERE c.exchange_id = x.id AND c.status = ANY(:asking)))
    UNION ALL SELECT 'dispute', o.number FROM dispute d JOIN payment p ON p.id = d.payment_id
        JOIN orders o ON o.id = p.order_id WHERE o.id = ANY(:orders) AND d.closed_at IS NULL
    UNION ALL SELECT 'withdrawal', w.order_number FROM withdrawal w
        WHERE w.id = ANY(:withdrawals) AND w.handled_at IS NULL
    UNION ALL SELECT 'claim', o.number FROM item_claim c JOIN orders o ON o.id = c.order_id
        WHERE o.id = ANY(:orders) AND c.closed_at IS NULL AND (c.status = 'filed' OR c.status = 'replaced'
            AND NOT EXISTS (SELECT FROM replacement n WHERE n.claim_id = c.id AND n.status = 'to_send'))
    UNION ALL SELECT 'replacement', n.number FROM replacement n
        WHERE n.order_id = ANY(:orders) AND n.status = 'to_send'
    UNION ALL SELECT 'question', q.number FROM question q WHERE q.id = ANY(:questions) AND q.state = 'waiting'
    UNION ALL SELECT 'gesture', o.number FROM goodwill g JOIN orders o ON o.id = g.order_id
        WHERE o.id = ANY(:orders) AND g.decision = 'waiting'
    UNION ALL SELECT 'points', d.order_number FROM points_redemption d
        WHERE d.account_id = ANY(:accounts) AND d.status = 'held'
    UNION ALL SELECT 'points', '' FROM points_adjustment a WHERE a.account_id = ANY(:accounts) AND a.status = 'pending'
    ORDER BY what, number
"""


async def still_open(db: AsyncConnection, person: Person) -> list[Open]:
    """What is not over; the same thing once."""
    rows = await run(
        db,
        _OPEN,
        orders=person.orders,
        returns=person.returns,
        refunds=person.refunds,
        withdrawals=person.withdrawals,
        trials=person.trials,
        exchanges=person.exchanges,
        questions=person.questions,
        accounts=person.accounts,
        open=[status.value for status in OPEN],
        live=[status.value for status in LIVE],
        asking=[status.value for status in OPEN_CHARGES],
    )
    return list(dict.fromkeys(Open(row.what, row.number) for row in rows))


_SENTENCES: Final = {
    "return": mark("Return {number} is under way. Cancel it, or wait until it has been settled."),
    "refund": mark("A refund of {number} has not arrived yet."),
    "exchange": mark("Exchange {number} is not over. Choose the money instead, or wait until it has been sent."),
    "trial": mark("Trial {number} is not over."),
    "dispute": mark("Your bank asks us about the payment of order {number}."),
    "withdrawal": mark("Your withdrawal from order {number} is being looked at."),
    "claim": mark("What you told us of order {number} is being looked at."),
    "replacement": mark("What we send you anew, {number}, has not left us yet."),
    "question": mark("Your question {number} is not answered yet."),
    "gesture": mark("Something that we want to give back for order {number} is being decided."),
    "points": mark("Points of yours are set aside for a purchase, or being changed."),
}


def in_words(found: Sequence[Open]) -> list[str]:
    """What is open, and what can be done about it, in the current language."""
    return [translate(_SENTENCES[one.what], number=one.number) for one in found]
