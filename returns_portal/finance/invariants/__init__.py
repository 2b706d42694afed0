"""What must always be true of orders, counts, refunds and the ledger: one query each, which finds what breaks it.

The queries name rows by id and hold amounts and states, never names or addresses: what they find may be printed.
"""

from typing import Final

from returns_portal.finance.invariants.claims import CLAIMS
from returns_portal.finance.invariants.closing import CLOSING
from returns_portal.finance.invariants.disputes import DISPUTES
from returns_portal.finance.invariants.exchanges import EXCHANGES
from returns_portal.finance.invariants.goodwill import GOODWILL
from returns_portal.finance.invariants.ledger import LEDGER
from returns_portal.finance.invariants.orders import ORDERS
from returns_portal.finance.invariants.points import POINTS
from returns_portal.finance.invariants.postage import POSTAGE
from returns_portal.finance.invariants.refunds import REFUNDS
from returns_portal.finance.invariants.releases import RELEASES
from returns_portal.finance.invariants.shapes import SHOWN, Breach, Invariant
from returns_portal.finance.invariants.trials import TRIALS

__all__ = ["INVARIANTS", "SHOWN", "Breach", "Invariant"]

INVARIANTS: Final = (
    *ORDERS,
    *RELEASES,
    *REFUNDS,
    *POSTAGE,
    *GOODWILL,
    *CLAIMS,
    *DISPUTES,
    *LEDGER,
    *POINTS,
    *CLOSING,
    *TRIALS,
    *EXCHANGES,
)
