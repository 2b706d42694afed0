"""Return postage: kept once, as a whole, and only because the policy of the order's day said so."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

POSTAGE: Final = (
    Invariant(
        "postage-once",
        "What is kept for the postage of a return is its fee, once, of one release whose goods are worth more.",
        """
        SELECT f.return_id, f.release_id, r.postage_fee, sum(f.fee) AS kept, 1 AS times
        FROM refund f JOIN returns r ON r.id = f.return_id WHERE f.fee > 0
        GROUP BY f.return_id, f.release_id, r.postage_fee HAVING sum(f.fee) <> r.postage_fee
        UNION ALL
        SELECT f.return_id, NULL, r.postage_fee, sum(f.fee), count(DISTINCT f.release_id)
        FROM refund f JOIN returns r ON r.id = f.return_id WHERE f.fee > 0 AND f.status <> 'canceled'
        GROUP BY f.return_id, r.postage_fee HAVING count(DISTINCT f.release_id) > 1
        """,
    ),
    Invariant(
        "postage-as-promised",
        "A return has a fee only where the policy of its order's day names it, and none where goods are faulty.",
        """
        SELECT r.id AS return_id, r.postage_fee, r.policy_version, p.starts_at, o.placed_at
        FROM returns r JOIN orders o ON o.id = r.order_id LEFT JOIN policy p ON p.version = r.policy_version
        WHERE r.postage_fee > 0 AND (
            EXISTS (SELECT FROM return_line l WHERE l.return_id = r.id AND l.faulty)
            OR p.version IS NULL OR (p.version > 1 AND p.starts_at > o.placed_at)
            OR NOT (coalesce(CAST(p.content -> 'fees' ->> o.currency AS bigint) = r.postage_fee, false)
                OR EXISTS (SELECT FROM jsonb_array_elements(p.content -> 'rules') AS e
                    WHERE CAST(e -> 'then' -> 'fees' ->> o.currency AS bigint) = r.postage_fee)))
        """,
    ),
)
