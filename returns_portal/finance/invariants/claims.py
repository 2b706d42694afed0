"""Claims and gifts: paid for as they were decided, unit by unit; and a gift's value is its receiver's points."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

CLAIMS: Final = (
    Invariant(
        "claims-as-decided",
        "A claim that was refunded or reduced has a gesture of its order, for its very units or for none, or a return.",
        """
        SELECT c.id AS claim_id, c.status, c.goodwill_id, c.return_id FROM item_claim c
        LEFT JOIN goodwill g ON g.id = c.goodwill_id LEFT JOIN returns r ON r.id = c.return_id
        WHERE (c.status IN ('refunded', 'reduced') AND c.goodwill_id IS NULL AND c.return_id IS NULL)
           OR g.order_id <> c.order_id OR r.order_id <> c.order_id
           OR (c.status = 'reduced' AND g.units <> '[]') OR (c.status = 'refunded' AND g.units <> (
               SELECT jsonb_agg(jsonb_build_object('line_id', k.order_line_id, 'quantity', k.quantity)
                                ORDER BY u.place)
               FROM item_claim_line k LEFT JOIN LATERAL (
                   SELECT place FROM jsonb_array_elements(g.units) WITH ORDINALITY AS e(unit, place)
                   WHERE unit ->> 'line_id' = CAST(k.order_line_id AS text)) AS u ON true
               WHERE k.claim_id = c.id))
        """,
    ),
    Invariant(
        "gifts-are-points",
        "What comes back of a gift becomes its receiver's points: no money, no bonus, and nothing for the delivery.",
        """
        SELECT f.id AS refund_id, f.destination, f.bonus, f.shipping FROM refund f JOIN returns r ON r.id = f.return_id
        WHERE r.gift_id IS NOT NULL AND f.status <> 'canceled'
          AND (f.destination <> 'points' OR f.bonus > 0 OR f.shipping > 0)
        """,
    ),
)
