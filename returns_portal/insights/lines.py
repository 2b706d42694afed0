"""The lines of orders that are counted, by what they are grouped, and what is known of each: SQL that the others share.

A line belongs to the day on which its order was placed, in the shop's zone, and so does everything that became of it: a
share is always of the units that were bought in the period. Orders that were cancelled before anything was sent are
left out, and so are trials, where sending back is the plan (they have a page of their own). Returns count unless they
were cancelled, those of gifts too; claims unless they were withdrawn; check-ins unless they were undone: as it was at
`:seen`, so that of a month ago not only what is left of it today is counted.

Of a line nothing is counted oftener than it has units that were sent: a unit that came back twice came back once.
"""

from enum import StrEnum
from typing import Final


class Dimension(StrEnum):
    """By what units are grouped."""

    PRODUCT = "product"
    SIZE = "size"
    COLOR = "color"
    SUPPLIER = "supplier"
    CARRIER = "carrier"
    """Who brought the parcel to the customer, where the shop's system told it."""
    WAREHOUSE = "warehouse"
    """Which of the shop's sent the parcel, where its system told it; how units looked when they came back is told of
    the one that counted them instead (`COUNTED`)."""
    MONTH = "month"


SEVERAL: Final = "+"
"""The key of orders that several carriers brought, or several warehouses sent. No warehouse has such a name."""


_CARRIER: Final = f"""
    (SELECT CASE WHEN count(DISTINCT b.carrier) > 1 THEN '{SEVERAL}' ELSE coalesce(min(b.carrier), '') END
     FROM outbound_parcel b WHERE b.order_id = o.id)
"""  # noqa: S608 - the part is our own text
_WAREHOUSE: Final = _CARRIER.replace("b.carrier", "b.warehouse")
# What is in no catalogue goes by its title.
LINES: Final = f"""
    SELECT l.id, o.id AS order_id, l.quantity AS sold, coalesce(p.handle, '') AS handle,
           CASE WHEN o.shipped_at >= :seen THEN 0 ELSE l.shipped END AS shipped,
           coalesce(p.handle, l.title) AS product, coalesce(p.title, l.title) AS title, l.size, l.color,
           coalesce(p.supplier, '') AS supplier, {_CARRIER} AS carrier,
           {_WAREHOUSE} AS warehouse,
           to_char(o.placed_at AT TIME ZONE :zone, 'YYYY-MM') AS month
    FROM orders o JOIN order_line l ON l.order_id = o.id
    LEFT JOIN variant v ON v.sku = l.sku LEFT JOIN product p ON p.id = v.product_id
    WHERE o.placed_at >= :start AND o.placed_at < :end AND (o.cancelled_at IS NULL OR l.shipped > 0)
          AND NOT EXISTS (SELECT FROM trial t WHERE t.order_id = o.id AND t.mode = 'trial')
"""  # noqa: S608 - as above
"""The query of all lines of a period, with the key of each dimension in a column of its name.

Its values are `:start` and `:end` of the period, `:seen` (what came to be known later is not counted), `:zone`.
"""


RETURNED: Final = """
    SELECT i.order_line_id AS id, i.quantity, i.reason, i.faulty, r.rma, r.created_at AS at
    FROM line JOIN return_line i ON i.order_line_id = line.id JOIN returns r ON r.id = i.return_id
    WHERE (r.status <> 'cancelled' OR r.cancelled_at >= :seen) AND r.created_at < :seen
"""
"""What was announced to come back, of the lines `line`."""
CLAIMED: Final = """
    SELECT i.order_line_id AS id, i.quantity, c.kind, c.id AS claim_id, c.filed_at AS at
    FROM line JOIN item_claim_line i ON i.order_line_id = line.id JOIN item_claim c ON c.id = i.claim_id
    WHERE (c.status <> 'withdrawn' OR c.closed_at >= :seen) AND c.filed_at < :seen
"""
COUNTED: Final = """
    SELECT i.order_line_id AS id, i.quantity, i.condition, r.rma, b.checked_in_at AS at,
           coalesce(b.warehouse, '') AS counted_in
    FROM line JOIN parcel_item i ON i.order_line_id = line.id JOIN parcel b ON b.id = i.parcel_id
    JOIN returns r ON r.id = b.return_id
    WHERE (b.undone_at IS NULL OR b.undone_at >= :seen) AND coalesce(b.corrected_at, b.checked_in_at) < :seen
          AND i.acceptance <> 'surplus' AND i.condition NOT IN ('not_shipped', 'kept')
"""
"""What was looked at when it came, and in which warehouse."""


ASKED: Final = """
    SELECT q.id, line.product, line.title, line.size, line.color, line.supplier, line.carrier,
           line.warehouse, line.month, q.opened_at AS at
    FROM line JOIN question q ON q.order_id = line.order_id AND q.product IN ('', line.handle)
    WHERE q.opened_at < :seen
    UNION ALL
    SELECT q.id, p.handle, p.title, NULL, NULL, p.supplier, NULL, NULL,
           to_char(q.opened_at AT TIME ZONE :zone, 'YYYY-MM'), q.opened_at
    FROM question q JOIN product p ON p.handle = q.product
    WHERE q.order_id IS NULL AND q.opened_at >= :start AND q.opened_at < least(:end, :seen)
"""
"""Questions with the groups that each is about, of the lines `line`; one may stand there several times.

A question about an order is one about all that is in it, unless it names a product; one about a product alone belongs
to the day on which it was asked, and to no size, colour, carrier or warehouse.
"""
