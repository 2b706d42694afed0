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
        "sent-anew-as-decided",
        "What is set aside is of a claim that waits for it and for exactly its units; once it is sent, its claim is"
        " over. No claim waits for what was never set aside.",
        """
        SELECT c.id AS claim_id, c.status, c.closed_at, n.id AS replacement_id, n.status AS sending
        FROM item_claim c LEFT JOIN LATERAL (
            SELECT * FROM replacement WHERE claim_id = c.id ORDER BY id DESC LIMIT 1) AS n ON true
        WHERE (c.status = 'replaced' AND c.closed_at IS NULL AND n.id IS NULL)
           OR (n.status <> 'ended' AND (c.status <> 'replaced' OR (c.closed_at IS NOT NULL) <> (n.status = 'sent')))
           OR n.order_id <> c.order_id
           OR (n.id IS NOT NULL AND (
               SELECT jsonb_object_agg(k.order_line_id, k.quantity) FROM item_claim_line k WHERE k.claim_id = c.id)
               IS DISTINCT FROM (SELECT jsonb_object_agg(k.order_line_id, k.quantity) FROM replacement_line k
                   WHERE k.replacement_id = n.id))
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
