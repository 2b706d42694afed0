"""What is paid for: units, each once, at what they cost."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant
from returns_portal.orders.units import REDUCED

RELEASES: Final = (
    Invariant(
        "units-paid-once",
        "No unit of a line is paid for twice.",
        """
        SELECT order_line_id, id AS refund_line_id, first_unit, quantity, before AS paid_up_to FROM (
            SELECT id, order_line_id, first_unit, quantity, max(first_unit + quantity) OVER (
                PARTITION BY order_line_id ORDER BY first_unit, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS before FROM refund_line
            WHERE order_line_id IS NOT NULL AND quantity > 0 AND voided_at IS NULL) AS runs
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
        WHERE r.voided_at IS NULL AND r.quantity > 0 AND (r.first_unit < 0 OR r.first_unit + r.quantity > l.quantity
           OR r.amount > worth.paid OR r.tax > worth.tax OR r.order_id <> l.order_id)
        """,
    ),
    Invariant(
        "line-within-price",
        "All that was paid for the units of a line, in one part or several, is no more than those units cost.",
        """
        SELECT l.id AS order_line_id, sum(r.amount) AS paid, sum(worth.paid) AS cost, sum(r.tax) AS tax
        FROM order_line l JOIN refund_line r ON r.order_line_id = l.id AND r.voided_at IS NULL
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(u.paid), 0) AS paid, coalesce(sum(u.tax), 0) AS tax FROM unnest(
                l.unit_paid[r.first_unit + 1:r.first_unit + r.quantity],
                l.unit_tax[r.first_unit + 1:r.first_unit + r.quantity]) AS u(paid, tax)) AS worth
        GROUP BY l.id HAVING sum(r.amount) > sum(worth.paid) OR sum(r.tax) > sum(worth.tax)
        """,
    ),
    Invariant(
        "line-within-reduced-price",
        "What was paid for the units of a line, and what its price was reduced by, is no more than the line cost.",
        f"""
        SELECT * FROM (
            SELECT l.id AS order_line_id, {REDUCED} AS reduced,
                   (SELECT sum(paid) FROM unnest(l.unit_paid) AS paid) AS cost,
                   (SELECT coalesce(sum(r.amount), 0) FROM refund_line r
                    WHERE r.order_line_id = l.id AND r.voided_at IS NULL) AS paid
            FROM order_line l WHERE l.id IN (SELECT order_line_id FROM item_claim_line WHERE reduced > 0)) AS line
        WHERE reduced + paid > cost
        """,  # noqa: S608 - the interpolated text is our own
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
        "What the units of a release are worth is what its refunds and the postage kept of them come to.",
        """
        WITH released AS (
            SELECT release_id, sum(amount) AS amount, sum(tax) AS tax,
                   coalesce(sum(amount) FILTER (WHERE order_line_id IS NULL), 0) AS shipping
            FROM refund_line WHERE voided_at IS NULL GROUP BY release_id),
        refunded AS (
            SELECT release_id, sum(amount + fee) AS amount, sum(tax + fee_tax) AS tax, sum(shipping) AS shipping
            FROM refund f WHERE status <> 'canceled' AND (kind = 'return' OR (kind = 'goodwill' AND EXISTS (
                SELECT FROM refund_line x WHERE x.release_id = f.release_id)))
            GROUP BY release_id)
        SELECT release_id, r.amount AS released, f.amount AS refunded, r.tax AS released_tax, f.tax AS refunded_tax,
               r.shipping AS released_shipping, f.shipping AS refunded_shipping
        FROM released r FULL JOIN refunded f USING (release_id)
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
        LEFT JOIN returns r ON r.id = f.return_id LEFT JOIN parcel b ON b.id = f.parcel_id
        JOIN payment p ON p.id = f.payment_id
        WHERE r.order_id <> o.id OR p.order_id <> o.id OR b.return_id <> r.id OR f.currency <> o.currency
        UNION ALL
        SELECT 'refund_line', l.id FROM refund_line l JOIN parcel b ON b.id = l.parcel_id
        JOIN returns r ON r.id = b.return_id WHERE r.order_id <> l.order_id
        UNION ALL
        SELECT 'refund', f.id FROM refund f JOIN refund_line l ON l.release_id = f.release_id
        WHERE l.order_id <> f.order_id OR l.parcel_id IS DISTINCT FROM f.parcel_id
        """,
    ),
)
