"""Orders, their payments, and what was announced and counted of them."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

ORDERS: Final = (
    Invariant(
        "frozen-sums",
        "What was paid for units, shipping and extras is the order's total, and no unit holds more tax than was paid.",
        """
        SELECT o.id AS order_id, o.total, o.shipping_paid, o.shipping_refundable, o.extras_paid,
               coalesce(l.units, 0) AS units_paid
        FROM orders o LEFT JOIN (
            SELECT order_id, sum(paid) AS units, bool_or(odd) AS odd FROM order_line CROSS JOIN LATERAL (
                SELECT sum(u.paid) AS paid, bool_or(u.paid < 0 OR u.tax NOT BETWEEN 0 AND u.paid) AS odd
                FROM unnest(unit_paid, unit_tax) AS u(paid, tax)) AS each
            GROUP BY order_id) AS l ON l.order_id = o.id
        WHERE o.total <> coalesce(l.units, 0) + o.shipping_paid + o.extras_paid OR coalesce(l.odd, false)
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
        "counted-within-shipped",
        "No more units of a line were counted in parcels than had left the shop.",
        """
        SELECT l.id AS order_line_id, l.shipped, sum(i.quantity) AS counted
        FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN order_line l ON l.id = i.order_line_id
        WHERE p.undone_at IS NULL AND i.acceptance <> 'surplus' AND i.condition <> 'not_shipped'
        GROUP BY l.id HAVING sum(i.quantity) > l.shipped
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
