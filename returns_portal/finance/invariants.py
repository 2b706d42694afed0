"""What must always be true of orders, counts, refunds and the ledger: one query each, which finds what breaks it.

The queries name rows by id and hold amounts and states, never names or addresses: what they find may be printed.
"""

from typing import Any, Final

import msgspec

from returns_portal.refunds.models import LIVE

SHOWN: Final = 20
"""How many rows of a breach are kept; their whole number is counted."""

_LIVE: Final = ", ".join(f"'{status.value}'" for status in LIVE)


class Breach(msgspec.Struct, frozen=True):
    """An invariant that does not hold: what should be true, how often it is not, and the first rows."""

    invariant: str
    sentence: str
    count: int
    rows: list[dict[str, Any]]


class Invariant(msgspec.Struct, frozen=True):
    """Something that must be true, and the query that returns the rows for which it is not.

    A query may use `:late`, the moment one hour ago.
    """

    name: str
    sentence: str
    sql: str


_ORDERS: Final = (
    Invariant(
        "frozen-sums",
        "What was paid for units and shipping comes to the order's total, and no unit holds more tax than that.",
        """
        SELECT o.id AS order_id, o.total, o.shipping_paid, o.shipping_refundable, coalesce(l.units, 0) AS units_paid
        FROM orders o LEFT JOIN (
            SELECT order_id, sum(paid) AS units, bool_or(odd) AS odd FROM order_line CROSS JOIN LATERAL (
                SELECT sum(u.paid) AS paid, bool_or(u.paid < 0 OR u.tax NOT BETWEEN 0 AND u.paid) AS odd
                FROM unnest(unit_paid, unit_tax) AS u(paid, tax)) AS each
            GROUP BY order_id) AS l ON l.order_id = o.id
        WHERE o.total <> coalesce(l.units, 0) + o.shipping_paid OR coalesce(l.odd, false)
           OR o.shipping_refundable NOT BETWEEN 0 AND o.shipping_paid
        """,
    ),
    Invariant(
        "payments-within-total",
        "The payments of an order are in its currency and come to no more than its total.",
        """
        SELECT o.id AS order_id, o.total, sum(p.amount) AS paid FROM orders o JOIN payment p ON p.order_id = o.id
        GROUP BY o.id HAVING sum(p.amount) > o.total OR bool_or(p.currency <> o.currency)
        """,
    ),
    Invariant(
        "requested-within-ordered",
        "No more units of a line are announced in returns than were ordered.",
        # A parcel that arrives although its return was cancelled is received all the same; what it announced may have
        # been announced anew by then, so returns that were ever cancelled are left out.
        """
        SELECT l.id AS order_line_id, l.quantity AS ordered, sum(a.quantity) AS requested
        FROM return_line a JOIN returns r ON r.id = a.return_id JOIN order_line l ON l.id = a.order_line_id
        WHERE r.status <> 'cancelled' AND NOT EXISTS (
            SELECT FROM history h WHERE h.subject_id = r.id AND h.subject = 'return' AND h.action = 'cancelled')
        GROUP BY l.id HAVING sum(a.quantity) > l.quantity
        """,
    ),
    Invariant(
        "counted-within-ordered",
        "No more units of a line were counted in parcels than were ordered, and only of the return's own order.",
        """
        SELECT l.id AS order_line_id, l.quantity AS ordered, sum(i.quantity) AS counted
        FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
        JOIN order_line l ON l.id = i.order_line_id
        WHERE p.undone_at IS NULL AND i.acceptance <> 'surplus'
        GROUP BY l.id HAVING sum(i.quantity) > l.quantity OR bool_or(l.order_id <> r.order_id)
        """,
    ),
)

_RELEASES: Final = (
    Invariant(
        "units-paid-once",
        "No unit of a line is paid for twice.",
        """
        SELECT order_line_id, id AS refund_line_id, first_unit, quantity, before AS paid_up_to FROM (
            SELECT id, order_line_id, first_unit, quantity, max(first_unit + quantity) OVER (
                PARTITION BY order_line_id ORDER BY first_unit, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS before FROM refund_line WHERE order_line_id IS NOT NULL AND voided_at IS NULL) AS runs
        WHERE first_unit < before
        """,
    ),
    Invariant(
        "units-at-their-price",
        "Every run of paid units lies inside its line, and pays no more than those units cost, in tax too.",
        """
        SELECT r.id AS refund_line_id, r.order_line_id, r.first_unit, r.quantity, l.quantity AS ordered, r.amount,
               worth.paid AS cost, r.tax, worth.tax AS tax_of_cost
        FROM refund_line r JOIN order_line l ON l.id = r.order_line_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(u.paid), 0) AS paid, coalesce(sum(u.tax), 0) AS tax FROM unnest(
                l.unit_paid[r.first_unit + 1:r.first_unit + r.quantity],
                l.unit_tax[r.first_unit + 1:r.first_unit + r.quantity]) AS u(paid, tax)) AS worth
        WHERE r.voided_at IS NULL AND (r.first_unit < 0 OR r.first_unit + r.quantity > l.quantity
           OR r.amount > worth.paid OR r.tax > worth.tax OR r.order_id <> l.order_id)
        """,
    ),
    Invariant(
        "shipping-once",
        "Outbound shipping of an order goes back at most once, and no more of it than is refundable.",
        """
        SELECT r.order_id, count(*) AS times, sum(r.amount) AS amount, o.shipping_refundable
        FROM refund_line r JOIN orders o ON o.id = r.order_id
        WHERE r.order_line_id IS NULL AND r.voided_at IS NULL
        GROUP BY r.order_id, o.shipping_refundable HAVING count(*) > 1 OR sum(r.amount) > o.shipping_refundable
        """,
    ),
    Invariant(
        "releases-are-refunded",
        "What the units of a parcel are worth is what its refunds come to, in amount, tax and shipping.",
        """
        WITH released AS (
            SELECT parcel_id, sum(amount) AS amount, sum(tax) AS tax,
                   coalesce(sum(amount) FILTER (WHERE order_line_id IS NULL), 0) AS shipping
            FROM refund_line WHERE voided_at IS NULL GROUP BY parcel_id),
        refunded AS (
            SELECT parcel_id, sum(amount) AS amount, sum(tax) AS tax, sum(shipping) AS shipping
            FROM refund WHERE status <> 'canceled' GROUP BY parcel_id)
        SELECT parcel_id, r.amount AS released, f.amount AS refunded, r.tax AS released_tax, f.tax AS refunded_tax,
               r.shipping AS released_shipping, f.shipping AS refunded_shipping
        FROM released r FULL JOIN refunded f USING (parcel_id)
        WHERE coalesce(r.amount, 0) <> coalesce(f.amount, 0) OR coalesce(r.tax, 0) <> coalesce(f.tax, 0)
           OR coalesce(r.shipping, 0) <> coalesce(f.shipping, 0)
        """,
    ),
    Invariant(
        "accepted-is-paid",
        "Exactly the units that were accepted are paid for; after corrections, the most that was ever accepted.",
        # Corrections form a chain from the first count on. Money that went out is not pulled back, so what was paid
        # along a chain is the largest of its counts, and nothing where the last of them was undone.
        """
        WITH RECURSIVE chain AS (
            SELECT id AS root, id FROM parcel WHERE corrects_id IS NULL
            UNION ALL SELECT c.root, p.id FROM chain c JOIN parcel p ON p.corrects_id = c.id),
        standing AS (SELECT DISTINCT c.root FROM chain c JOIN parcel p ON p.id = c.id WHERE p.undone_at IS NULL),
        accepted AS (
            SELECT root, order_line_id, max(units) AS units FROM (
                SELECT c.root, c.id, i.order_line_id, sum(i.quantity) AS units
                FROM chain c JOIN parcel_item i ON i.parcel_id = c.id WHERE i.acceptance IN ('accepted', 'part')
                GROUP BY c.root, c.id, i.order_line_id) AS counts
            GROUP BY root, order_line_id),
        paid AS (
            SELECT c.root, r.order_line_id, sum(r.quantity) AS units FROM chain c JOIN refund_line r
            ON r.parcel_id = c.id WHERE r.voided_at IS NULL AND r.order_line_id IS NOT NULL
            GROUP BY c.root, r.order_line_id)
        SELECT root AS parcel_id, order_line_id, a.units AS accepted, s.root IS NOT NULL AS standing, p.units AS paid
        FROM accepted a FULL JOIN paid p USING (root, order_line_id) LEFT JOIN standing s USING (root)
        WHERE CASE WHEN s.root IS NULL THEN 0 ELSE coalesce(a.units, 0) END <> coalesce(p.units, 0)
          -- What an earlier count was paid for by mistake is not paid for again when it does come.
          AND NOT (s.root IS NOT NULL AND coalesce(a.units, 0) > coalesce(p.units, 0) AND (
            SELECT sum(x.quantity) FROM refund_line x
            WHERE x.order_line_id = coalesce(a.order_line_id, p.order_line_id) AND x.voided_at IS NULL) >= (
            SELECT l.quantity FROM order_line l WHERE l.id = coalesce(a.order_line_id, p.order_line_id)))
        """,
    ),
    Invariant(
        "records-belong-together",
        "A refund, its return, its parcel, its payment and its lines belong to one order, in one currency.",
        """
        SELECT 'refund' AS record, f.id FROM refund f JOIN orders o ON o.id = f.order_id
        JOIN returns r ON r.id = f.return_id JOIN parcel b ON b.id = f.parcel_id JOIN payment p ON p.id = f.payment_id
        WHERE r.order_id <> o.id OR p.order_id <> o.id OR b.return_id <> r.id OR f.currency <> o.currency
        UNION ALL
        SELECT 'refund_line', l.id FROM refund_line l JOIN parcel b ON b.id = l.parcel_id
        JOIN returns r ON r.id = b.return_id WHERE r.order_id <> l.order_id
        """,
    ),
)

_REFUNDS: Final = (
    Invariant(
        "payment-cap",
        "What went back of a payment, or may still go back, is no more than what came in by it.",
        f"""
        SELECT p.id AS payment_id, p.amount, p.refunded_before, sum(f.amount) AS refunded
        FROM payment p JOIN refund f ON f.payment_id = p.id AND f.status IN ({_LIVE})
        GROUP BY p.id HAVING p.refunded_before + sum(f.amount) > p.amount
        """,  # noqa: S608 - the interpolated words are our own enumeration
    ),
    Invariant(
        "same-way-back",
        "Points come back as points, card money to the card or as points, and what came in elsewhere never to a card.",
        """
        SELECT f.id AS refund_id, p.tender, f.destination FROM refund f JOIN payment p ON p.id = f.payment_id
        WHERE (p.tender = 'points' AND f.destination <> 'points')
           OR (f.destination = 'original' AND p.tender <> 'stripe')
           OR (f.destination = 'transfer' AND p.tender <> 'external')
        """,
    ),
    Invariant(
        "bonus-as-promised",
        "A bonus is on card money taken as points alone, and no more than the return was promised.",
        """
        SELECT f.id AS refund_id, f.amount, f.bonus, r.bonus_percent, r.refund_to, p.tender
        FROM refund f JOIN returns r ON r.id = f.return_id JOIN payment p ON p.id = f.payment_id
        WHERE f.bonus > 0 AND (f.bonus * 100 > f.amount * r.bonus_percent OR p.tender <> 'stripe'
           OR r.refund_to <> 'points')
        """,
    ),
    Invariant(
        "not-before-due",
        "No refund moved before it was due, while its check-in could still be undone.",
        """
        SELECT id AS refund_id, status, due_at, submitted_at, settled_at FROM refund
        WHERE least(submitted_at, settled_at) < due_at
        """,
    ),
    Invariant(
        "nothing-stuck",
        "Every refund that is an hour overdue has a job that works on it, or waits for its payment.",
        """
        SELECT f.id AS refund_id, f.status, f.due_at, f.attempt FROM refund f JOIN payment p ON p.id = f.payment_id
        WHERE f.status IN ('planned', 'submitting', 'unknown') AND f.due_at < :late AND f.changed_at < :late
          AND (p.status = 'captured' OR f.status <> 'planned') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j WHERE j.task_name = 'refunds.submit' AND j.status IN ('todo', 'doing')
            AND j.args ->> 'refund_id' = CAST(f.id AS text))
        """,
    ),
)

_LEDGER: Final = (
    Invariant(
        "ledger-balance",
        "The entries of every transaction of the ledger sum to zero in each currency.",
        """
        SELECT transaction_id, currency, sum(amount) AS sum FROM ledger_entry
        GROUP BY transaction_id, currency HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "ledger-cause",
        "Every transaction of the ledger has entries, and the refund that caused it.",
        """
        SELECT t.id AS transaction_id, t.kind, t.cause, t.cause_id, t.sequence
        FROM ledger_transaction t LEFT JOIN refund f ON f.id = t.cause_id AND t.cause = 'refund'
        WHERE f.id IS NULL OR t.kind NOT IN ('refund', 'refund_reversal') OR t.sequence NOT BETWEEN 1 AND f.attempt
           OR NOT EXISTS (SELECT FROM ledger_entry e WHERE e.transaction_id = t.id)
        """,
    ),
    Invariant(
        "refunds-are-booked",
        "A refund is booked once while it has succeeded, and not at all, or reversed, while it has not.",
        """
        WITH booked AS (
            SELECT cause_id, sequence, count(*) FILTER (WHERE kind = 'refund') AS booked,
                   count(*) FILTER (WHERE kind = 'refund_reversal') AS reversed
            FROM ledger_transaction WHERE cause = 'refund' GROUP BY cause_id, sequence)
        SELECT f.id AS refund_id, f.status, f.attempt, f.attempt AS sequence, b.booked, b.reversed
        FROM refund f LEFT JOIN booked b ON b.cause_id = f.id AND b.sequence = f.attempt
        WHERE coalesce(b.booked, 0) - coalesce(b.reversed, 0) <> CAST(f.status = 'succeeded' AS int) OR b.booked > 1
        UNION ALL
        SELECT f.id, f.status, f.attempt, b.sequence, b.booked, b.reversed
        FROM refund f JOIN booked b ON b.cause_id = f.id AND b.sequence < f.attempt
        WHERE b.booked <> b.reversed OR b.booked > 1
        """,
    ),
    Invariant(
        "history-is-booked",
        "Every success that the history tells of is booked, and so is every failure after a success.",
        """
        SELECT h.subject_id AS refund_id, h.action, h.data -> 'attempt' AS attempt
        FROM history h LEFT JOIN ledger_transaction t ON t.cause = 'refund' AND t.cause_id = h.subject_id
         AND t.sequence = CAST(h.data ->> 'attempt' AS int)
         AND t.kind = CASE h.action WHEN 'succeeded' THEN 'refund' ELSE 'refund_reversal' END
        WHERE h.subject = 'refund' AND t.id IS NULL
          AND (h.action = 'succeeded' OR (h.action = 'failed' AND h.data ->> 'from' = 'succeeded'))
        """,
    ),
    Invariant(
        "booked-as-refunded",
        "What is booked for a refund is its amount and its bonus, in its currency, on the accounts of its destination.",
        """
        WITH posted AS (
            SELECT t.id, t.cause_id, CASE t.kind WHEN 'refund' THEN 1 ELSE -1 END AS sign,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'sales_returns'), 0) AS sales_returns,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'bonus_expense'), 0) AS bonus_expense,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'customer_points'), 0) AS customer_points,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'gateway_clearing'), 0) AS gateway_clearing,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'bank_clearing'), 0) AS bank_clearing,
                   min(e.currency) AS currency, max(e.currency) AS other_currency
            FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id WHERE t.cause = 'refund'
            GROUP BY t.id)
        SELECT f.id AS refund_id, f.destination, f.amount, f.bonus, t.id AS transaction_id, t.sales_returns,
               t.bonus_expense, t.customer_points, t.gateway_clearing, t.bank_clearing, t.currency
        FROM posted t JOIN refund f ON f.id = t.cause_id
        WHERE t.sales_returns <> t.sign * f.amount OR t.bonus_expense <> t.sign * f.bonus
           OR t.customer_points <> CASE f.destination WHEN 'points' THEN -t.sign * (f.amount + f.bonus) ELSE 0 END
           OR t.gateway_clearing <> CASE f.destination WHEN 'original' THEN -t.sign * f.amount ELSE 0 END
           OR t.bank_clearing <> CASE f.destination WHEN 'transfer' THEN -t.sign * f.amount ELSE 0 END
           OR t.currency <> f.currency OR t.other_currency <> f.currency
        """,
    ),
    Invariant(
        "points-have-an-owner",
        "Points are credited to the account of the customer whose order it was, and nothing else has an owner.",
        # An address outside of ASCII may be folded differently by the database than by the portal, so that whose it is
        # is told by existence alone there.
        """
        SELECT e.id AS entry_id, e.account, e.owner_id, f.id AS refund_id
        FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
        LEFT JOIN points_account a ON a.id = e.owner_id
        LEFT JOIN refund f ON f.id = t.cause_id AND t.cause = 'refund' LEFT JOIN orders o ON o.id = f.order_id
        WHERE CASE WHEN e.account = 'customer_points' THEN a.id IS NULL
              OR (o.email ~ '^[ -~]*$' AND a.email_key <> lower(trim(o.email))) ELSE e.owner_id IS NOT NULL END
        """,
    ),
    Invariant(
        "points-not-negative",
        "No customer owes points.",
        """
        SELECT owner_id, currency, -sum(amount) AS balance FROM ledger_entry WHERE account = 'customer_points'
        GROUP BY owner_id, currency HAVING sum(amount) > 0
        """,
    ),
)

INVARIANTS: Final = (*_ORDERS, *_RELEASES, *_REFUNDS, *_LEDGER)
