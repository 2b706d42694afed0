"""Points: each customer's, lot by lot, in agreement with the ledger; and no way from them to money."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

POINTS: Final = (
    Invariant(
        "points-have-an-owner",
        "Points are credited to the account of the customer whose order it was, or of the receiver of the gift; nothing"
        " else has an owner.",
        # An address outside of ASCII may be folded differently by the database than by the portal, so that whose it is
        # is told by existence alone there.
        """
        SELECT e.id AS entry_id, e.account, e.owner_id, f.id AS refund_id
        FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
        LEFT JOIN points_account a ON a.id = e.owner_id
        LEFT JOIN refund f ON f.id = t.cause_id AND t.cause = 'refund' LEFT JOIN orders o ON o.id = f.order_id
        LEFT JOIN returns r ON r.id = f.return_id LEFT JOIN gift g ON g.id = r.gift_id
        WHERE CASE WHEN e.account IN ('customer_points', 'points_held') THEN a.id IS NULL
              OR (coalesce(g.email, o.email) ~ '^[ -~]*$'
                  AND a.email_key <> lower(trim(coalesce(g.email, o.email)))) ELSE e.owner_id IS NOT NULL END
        """,
    ),
    Invariant(
        "points-not-negative",
        "No customer owes points.",
        """
        SELECT owner_id, currency, -sum(amount) AS balance FROM ledger_entry
        WHERE account IN ('customer_points', 'points_held')
        GROUP BY owner_id, account, currency HAVING sum(amount) > 0
        """,
    ),
    Invariant(
        "lots-are-the-balance",
        "What remains of a customer's lots is what the ledger says that they have.",
        """
        WITH booked AS (
            SELECT owner_id, currency, -sum(amount) AS points FROM ledger_entry WHERE account = 'customer_points'
            GROUP BY owner_id, currency),
        lots AS (
            SELECT account_id AS owner_id, currency, sum(remaining) AS points FROM points_lot
            GROUP BY account_id, currency)
        SELECT owner_id, currency, b.points AS booked, l.points AS in_lots
        FROM booked b FULL JOIN lots l USING (owner_id, currency)
        WHERE coalesce(b.points, 0) <> coalesce(l.points, 0)
        """,
    ),
    Invariant(
        "lots-tell-where-points-went",
        "What remains of a lot is what it was granted, less what left it, and what came back to it.",
        """
        SELECT l.id AS lot_id, l.granted, l.remaining, m.moved FROM points_lot l
        LEFT JOIN (SELECT lot_id, sum(delta) AS moved FROM points_move GROUP BY lot_id) AS m ON m.lot_id = l.id
        WHERE l.granted + coalesce(m.moved, 0) <> l.remaining
        """,
    ),
    Invariant(
        "redemptions-are-booked",
        "What is held and what was spent is so in the books and in the lots, and nothing else is.",
        """
        WITH booked AS (
            SELECT t.cause_id, coalesce(sum(e.amount) FILTER (WHERE e.account = 'points_held'), 0) AS held,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'points_redeemed'), 0) AS redeemed,
                   bool_or(e.account NOT IN ('points_held', 'points_redeemed', 'customer_points')) AS elsewhere
            FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
            WHERE t.cause = 'points_redemption' GROUP BY t.cause_id),
        moved AS (SELECT cause_id, sum(delta) AS moved FROM points_move WHERE cause = 'redemption' GROUP BY cause_id)
        SELECT r.id AS redemption_id, r.status, r.amount, r.captured, b.held, b.redeemed, m.moved
        FROM points_redemption r LEFT JOIN booked b ON b.cause_id = r.id LEFT JOIN moved m ON m.cause_id = r.id
        WHERE coalesce(b.held, 0) <> CASE r.status WHEN 'held' THEN -r.amount ELSE 0 END
           OR coalesce(b.redeemed, 0) <> -r.captured OR coalesce(b.elsewhere, false)
           OR coalesce(m.moved, 0) <> -CASE r.status WHEN 'held' THEN r.amount ELSE r.captured END
        """,
    ),
    Invariant(
        "holds-end",
        "No points are held an hour beyond their time.",
        """
        SELECT id AS redemption_id, account_id, expires_at FROM points_redemption
        WHERE status = 'held' AND expires_at < :late
        """,
    ),
    Invariant(
        "earned-once",
        "A purchase earns once, and no more goes back of it than it earned, taken or not.",
        """
        WITH booked AS (
            SELECT t.cause_id AS order_id, -sum(e.amount) AS points FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'customer_points'
            WHERE t.kind = 'points_earned' GROUP BY t.cause_id),
        back AS (SELECT order_id, sum(due) AS due FROM points_clawback GROUP BY order_id)
        SELECT order_id, n.points AS earned, b.points AS booked, c.due AS clawed_back
        FROM points_earning n FULL JOIN booked b USING (order_id) LEFT JOIN back c USING (order_id)
        WHERE n.points IS DISTINCT FROM b.points OR c.due > n.points
        """,
    ),
    Invariant(
        "clawed-back-as-booked",
        "What was taken back of earned points, expired, or was adjusted, is what its lots and the books say.",
        """
        WITH booked AS (
            SELECT t.cause_id, sum(e.amount) AS points FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'customer_points'
            WHERE t.kind IN ('points_clawed_back', 'points_expired', 'points_adjusted') GROUP BY t.cause_id),
        moved AS (
            SELECT CASE cause WHEN 'expiry' THEN id ELSE cause_id END AS cause_id, -sum(delta) AS points
            FROM points_move WHERE cause <> 'redemption' GROUP BY 1),
        due AS (
            SELECT id AS cause_id, taken AS points, taken AS moved FROM points_clawback WHERE taken > 0
            UNION ALL SELECT id, -amount, greatest(0, -amount) FROM points_adjustment WHERE status = 'done'
            UNION ALL SELECT id, -delta, -delta FROM points_move WHERE cause = 'expiry')
        SELECT cause_id, d.points AS due, b.points AS booked, m.points AS moved
        FROM due d FULL JOIN booked b USING (cause_id) FULL JOIN moved m USING (cause_id)
        WHERE d.points IS DISTINCT FROM b.points OR coalesce(d.moved, 0) <> coalesce(m.points, 0)
        """,
    ),
    Invariant(
        "points-never-become-money",
        "No posting that takes points from a customer gives money, or a claim to money, to anybody.",
        """
        SELECT t.id AS transaction_id, t.kind, t.cause, t.cause_id, sum(e.amount) AS points
        FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
         AND e.account IN ('customer_points', 'points_held')
        GROUP BY t.id HAVING sum(e.amount) > 0 AND EXISTS (
            SELECT FROM ledger_entry x WHERE x.transaction_id = t.id
            AND x.account IN ('gateway_clearing', 'bank_clearing', 'refunds_payable'))
        """,
    ),
)
