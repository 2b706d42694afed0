"""What a credit note says, as it is found at the moment in which its number is given, and stored for good."""

from typing import Final

from returns_portal.refunds.attempts import AS_BOOKED, LINES, OTHERS

OF_POSTING: Final = f"""
    {AS_BOOKED} JOIN orders o ON o.id = f.order_id JOIN payment p ON p.id = f.payment_id
    LEFT JOIN returns r ON r.id = f.return_id
    CROSS JOIN LATERAL (
        SELECT k.lines, k.others WHERE k.refund_id IS NOT NULL UNION ALL
        SELECT w.lines, y.others FROM ({LINES}) AS w, ({OTHERS}) AS y WHERE k.refund_id IS NULL) AS g
"""  # noqa: S608 - the interpolated text is our own
"""Joins a posting `t` with all that its document tells of."""

CONTENT: Final = """
    jsonb_build_object(
        'locale', o.locale, 'buyer', o.address || jsonb_build_object('name', o.name, 'email', o.email),
        'order_number', o.number, 'ordered', CAST(o.placed_at AT TIME ZONE :zone AS date), 'rma', coalesce(r.rma, ''),
        'refund_id', f.id, 'kind', f.kind, 'reason', f.reason, 'destination', f.destination,
        'card_last4', p.card_last4, 'currency', f.currency, 'lines', g.lines,
        'others', CASE WHEN g.lines = '[]' THEN 0 ELSE g.others END, 'amount', f.amount, 'tax', f.tax,
        'fee', f.fee, 'fee_tax', f.fee_tax, 'bonus', f.bonus, 'sandbox', NOT f.livemode)
"""
"""SQL for it, in minor units and in days of the zone `:zone`; its number, its dates and the shop are not in it."""
