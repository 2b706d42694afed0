"""How many units of an order line are spoken for, and what they are still worth, as SQL: the line is `l`.

Returns, refunds and claims stand above orders and are not imported here; their tables are only counted.
"""

from collections.abc import Sequence
from typing import Final

CLAIMED: Final = """
    ((SELECT coalesce(sum(s.quantity), 0) FROM refund_line s
      WHERE s.order_line_id = l.id AND s.parcel_id IS NULL AND s.voided_at IS NULL)
     + (SELECT coalesce(sum(k.quantity), 0) FROM item_claim_line k JOIN item_claim c ON c.id = k.claim_id
        LEFT JOIN goodwill g ON g.id = c.goodwill_id
        WHERE k.order_line_id = l.id AND c.closed_at IS NULL AND (
            (c.kind = 'missing' AND (c.status IN ('filed', 'replaced') OR g.decision = 'declined'))
            OR (c.status = 'refunded' AND g.decision = 'waiting'))))
"""
"""Units that do not come back: paid for without it, about to be so, or said by the customer to have never come.

Those that never came can be sent back once a new one was sent in their place: then their claim is closed.
"""

# More may have come, and have been settled, than was announced.
_REQUESTED: Final = f"""
    (greatest(
        (SELECT coalesce(sum(a.quantity), 0) FROM return_line a JOIN returns r ON r.id = a.return_id
         WHERE a.order_line_id = l.id AND r.status <> 'cancelled' AND %s),
        (SELECT coalesce(sum(s.quantity), 0) FROM refund_line s
         WHERE s.order_line_id = l.id AND s.parcel_id IS NOT NULL AND s.voided_at IS NULL)) + {CLAIMED})
"""  # noqa: S608 - the interpolated text is our own
REQUESTED: Final = _REQUESTED % "true"
"""Units that no return can ask for any more: in one that was not cancelled, settled, or `CLAIMED`."""
REQUESTED_BESIDES: Final = _REQUESTED % "r.id IS DISTINCT FROM CAST(:besides AS uuid)"
"""As `REQUESTED`, but for what the return `:besides` announces; None leaves none out."""
GIVEN: Final = """
    (SELECT coalesce(sum(a.quantity), 0) FROM return_line a JOIN returns r ON r.id = a.return_id
     WHERE a.order_line_id = l.id AND r.status <> 'cancelled' AND r.gift_id IS NOT NULL)
"""
"""Units that the receiver of a gift sends back."""

OF_GIFT: Final = """
    (SELECT r.gift_id FROM exchange x JOIN returns r ON r.id = x.return_id
     WHERE x.order_id = l.order_id AND x.replacement_line_id = l.id)
"""
"""The gift whose receiver was sent the line in exchange; NULL for what was bought, or exchanged by who bought it."""
GIVEN_AWAY: Final = """
    (SELECT json_agg(json_build_array(x.unit, x.moved)) FROM exchange x JOIN returns r ON r.id = x.return_id
     WHERE x.order_line_id = l.id AND x.moved > 0 AND r.gift_id IS NOT NULL)
"""
"""What of which unit pays for what the receiver of a gift got in exchange."""

REDUCED: Final = """
    (SELECT coalesce(sum(k.reduced * paid.amount / g.amount), 0)::bigint FROM item_claim_line k
     JOIN item_claim c ON c.id = k.claim_id JOIN goodwill g ON g.id = c.goodwill_id
     CROSS JOIN LATERAL (SELECT coalesce(sum(f.amount), 0) AS amount FROM refund f
         WHERE f.release_id = g.id AND f.status <> 'canceled') AS paid
     WHERE k.order_line_id = l.id AND k.reduced > 0)
"""
"""By how much the price of the line's units was reduced after a claim, in minor units: as far as that was paid."""


def worth_of(unit_paid: Sequence[int], reduced: int) -> list[int]:
    """What each unit of a line is still worth to whoever sends it back, in minor units.

    A price that was reduced because something is wrong with a unit is reduced for good (Directive (EU) 2019/771,
    Art. 15): it does not come back once more with the unit. Which of several units was meant, nobody has to say. Those
    that come back first pay in full, so that the right to withdraw from one that is sound costs nothing.
    """
    worth = list(unit_paid)
    for unit in range(len(worth) - 1, -1, -1):
        less = min(worth[unit], reduced)
        worth[unit] -= less
        reduced -= less
    return worth
