"""Exchanges: a unit's cost pays for one replacement, or goes back, and never both."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

EXCHANGES: Final = (
    Invariant(
        "unit-exchanged-once",
        "No unit of a line is exchanged for two things.",
        """
        SELECT e.order_line_id, e.unit, count(*) AS times FROM exchange e
        WHERE e.arrived_at IS NOT NULL AND e.status <> 'ended'
        GROUP BY e.order_line_id, e.unit HAVING count(*) > 1
        """,
    ),
    Invariant(
        "replacement-at-its-cost",
        "A replacement that was sent cost what was moved to it and what was paid on top; what was moved from it to"
        " another one since stands there.",
        """
        SELECT e.id AS exchange_id, e.moved, p.amount AS paid_on_top, l.unit_paid[1] AS cost
        FROM exchange e JOIN order_line l ON l.id = e.replacement_line_id LEFT JOIN payment p ON p.id = e.payment_id
        WHERE l.order_id <> e.order_id OR e.moved + coalesce(p.amount, 0) <> l.unit_paid[1] + (
            SELECT coalesce(sum(n.moved), 0) FROM exchange n WHERE n.order_line_id = l.id)
        """,
    ),
    Invariant(
        "exchange-held",
        "What exchanges hold for replacements that were not sent is part of what their order was paid for no unit.",
        """
        SELECT o.id AS order_id, o.extras_paid, sum(held.amount) AS held FROM orders o JOIN (
            SELECT e.order_id, e.moved + coalesce(p.amount, 0) AS amount FROM exchange e
            LEFT JOIN payment p ON p.id = e.payment_id WHERE e.status <> 'sent') AS held ON held.order_id = o.id
        GROUP BY o.id HAVING sum(held.amount) > o.extras_paid
        """,
    ),
    Invariant(
        "difference-is-a-payment",
        "What was paid on top was captured once, as one payment of the order, and is what was to be paid; of what was"
        " sent at once, what was due by how it came out.",
        """
        SELECT e.id AS exchange_id, e.status, e.to_pay, e.due, p.amount, c.times
        FROM exchange e LEFT JOIN payment p ON p.id = e.payment_id CROSS JOIN LATERAL (
            SELECT count(*) AS times, min(c.reference) AS reference, min(c.captured) AS captured FROM exchange_charge c
            WHERE c.exchange_id = e.id AND c.status = 'captured') AS c
        WHERE c.times <> (e.payment_id IS NOT NULL)::int OR (e.paid_at IS NOT NULL) <> (e.payment_id IS NOT NULL)
           OR p.amount <> c.captured OR p.amount <> CASE WHEN e.at_once THEN e.due ELSE e.to_pay END
           OR p.reference IS DISTINCT FROM c.reference OR p.order_id <> e.order_id
           OR (e.status IN ('awaiting_goods', 'to_send', 'sent') AND e.to_pay > 0 AND e.payment_id IS NULL
               AND NOT e.at_once)
        """,
    ),
    Invariant(
        "lent-against-a-hold",
        "What was sent before the goods were back is held by one bank at most, and never for less than it costs; once"
        " it is known how it came out, what is due was taken and nothing else is held.",
        """
        SELECT e.id AS exchange_id, e.status, e.outcome, e.due, e.covered_at, h.times, h.amount
        FROM exchange e CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE c.status IN ('held', 'capturing')) AS times,
                   min(c.amount) FILTER (WHERE c.status IN ('held', 'capturing')) AS amount
            FROM exchange_charge c WHERE c.exchange_id = e.id) AS h
        WHERE h.times > 1 OR h.amount < e.price OR h.times > 0 AND e.status = 'ended'
           OR e.covered_at IS NOT NULL AND (h.times > 0 OR (e.due > 0) <> (e.payment_id IS NOT NULL))
           OR e.status = 'sent'
               AND (e.arrived_at IS NOT NULL) <> (NOT e.at_once OR e.outcome IS NOT DISTINCT FROM 'goods')
           OR e.status = 'sent' AND e.at_once AND e.outcome IS NULL AND h.times = 0 AND NOT EXISTS (
               SELECT FROM exchange_charge c WHERE c.exchange_id = e.id AND c.changed_at >= :late)
        """,
    ),
    Invariant(
        "difference-back-once",
        "What was paid on top goes back where the exchange has ended, once, and never else.",
        """
        SELECT o.order_id, o.given_back, coalesce(f.amount, 0) AS refunded FROM (
            SELECT e.order_id, coalesce(sum(p.amount) FILTER (WHERE e.paid_back_at IS NOT NULL), 0) AS given_back,
                   bool_or(e.paid_back_at IS NOT NULL AND e.status <> 'ended') AS odd
            FROM exchange e LEFT JOIN payment p ON p.id = e.payment_id GROUP BY e.order_id) AS o
        LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM refund WHERE kind = 'exchange' AND status <> 'canceled'
            GROUP BY order_id) AS f ON f.order_id = o.order_id
        WHERE coalesce(f.amount, 0) > o.given_back OR o.odd
        """,
    ),
    Invariant(
        "ended-is-settled",
        "An exchange that ended leaves nothing owed: what its unit cost and what was paid on top are being refunded.",
        """
        SELECT e.id AS exchange_id, e.owed, e.payment_id FROM exchange e
        WHERE e.status = 'ended' AND e.changed_at < :late AND (
            (e.owed > 0 AND e.settled_at IS NULL) OR (e.payment_id IS NOT NULL AND e.paid_back_at IS NULL))
        """,
    ),
)
