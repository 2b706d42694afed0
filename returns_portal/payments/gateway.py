"""What the rest of the portal knows of a payment gateway: payments, refunds, and what can go wrong.

All amounts are in ISO 4217 minor units.

GatewayError
├── GatewayRefusedError    a definite no: nothing happened
└── GatewayUnknownError    nobody knows yet whether it happened: ask before sending anything again
    └── GatewayBusyError   most probably not begun: the same key may be sent again a little later
"""

from datetime import datetime

import msgspec


class GatewayError(Exception):
    """Stripe did not do what was asked, or did not say so. The text is for logs and for finance."""


class GatewayRefusedError(GatewayError):
    """A definite no: nothing happened. `code` and `decline_code` are Stripe's words."""

    def __init__(self, message: str, *, code: str | None, decline_code: str | None = None) -> None:
        """Keep Stripe's sentence and its codes."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.decline_code = decline_code


class GatewayUnknownError(GatewayError):
    """A time-out, a lost connection, a server error, or a key whose first request still runs."""


class GatewayBusyError(GatewayUnknownError):
    """Too many requests at once. An attempt before it may have been lost on its way, so it is not a no."""


class GatewayRefund(msgspec.Struct, frozen=True, kw_only=True):
    """One refund as Stripe knows it."""

    id: str
    status: str
    """Stripe's word: pending, requires_action, succeeded, failed or canceled. Succeeded can still fail."""
    amount: int
    currency: str
    payment: str
    """The payment intent, or the charge of a payment that has none."""
    charge: str | None
    failure_reason: str | None
    pending_reason: str | None
    reference: str | None
    """The acquirer's reference number, by which the customer's bank finds the refund."""
    our_id: str | None
    """`refund_id` of the metadata: the row of ours that asked for it; None for refunds made elsewhere."""
    created: datetime
    livemode: bool
    balance_transaction: str | None


class GatewayPayment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as Stripe knows it, with its latest charge."""

    id: str
    status: str
    amount: int
    captured: int
    refunded: int
    """Including refunds that are still pending."""
    currency: str
    charge: str | None
    card_brand: str | None
    card_last4: str | None
    disputed: bool
    livemode: bool
    created: datetime
