"""What the rest of the portal knows of a payment gateway: payments, refunds, disputes, events, and what can go wrong.

All amounts are in ISO 4217 minor units.

GatewayError
├── ForgedError            something that claims to be the gateway's, and is not
├── GatewayRefusedError    a definite no: nothing happened
└── GatewayUnknownError    nobody knows yet whether it happened: ask before sending anything again
    └── GatewayBusyError   most probably not begun: the same key may be sent again a little later
"""

from datetime import date, datetime

import msgspec


class GatewayError(Exception):
    """Stripe did not do what was asked, or did not say so. The text is for logs and for finance."""


class ForgedError(GatewayError):
    """An event that was not signed by the gateway, not just now, or was changed since."""


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
    reason: str | None = None
    """Why whoever made it did so, in Stripe's word: duplicate, fraudulent, requested_by_customer."""


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


class GatewayIntent(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or a setup of a card that the portal makes, as Stripe knows it now."""

    id: str
    status: str
    """Stripe's word: requires_payment_method, requires_confirmation, requires_action, processing, requires_capture,
    succeeded or canceled."""
    amount: int = 0
    received: int = 0
    """What was taken."""
    currency: str = ""
    capture_before: datetime | None = None
    """Until when what is held can be captured."""
    payment_method: str | None
    card_brand: str
    card_last4: str
    failure: str
    """Why its last attempt failed: the bank's code where it gave one, else Stripe's; empty where none did."""
    client_secret: str
    """With it the customer's browser, and nobody else, may confirm it."""
    our_id: str | None
    """`charge_id` of the metadata: the row of ours that asked for it."""
    created: datetime


class GatewayCharge(msgspec.Struct, frozen=True, kw_only=True):
    """One charge as Stripe knows it."""

    id: str
    payment: str
    """The payment intent, or the charge itself where there is none."""
    disputed: bool


class GatewayDispute(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute as Stripe knows it."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    withdrawn: int
    """What was taken from the account for it and not returned yet, without fees; nothing for an inquiry."""
    payment: str
    """The payment intent, or the charge of a payment that has none."""
    charge: str
    evidence_due_by: datetime | None
    created: datetime


class GatewayBalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the account's balance: what a payment, a refund, a dispute, a payout or a fee did to it."""

    id: str
    type: str
    category: str
    """What it is, in Stripe's words for reports: charge, refund, refund_failure, dispute, payout, fee …"""
    source: str | None
    """Whose line it is: `ch_…`, `re_…`, `du_…`, `po_…`; None where it belongs to nothing."""
    payment: str | None
    charge: str | None
    our_id: str | None
    """`refund_id` of a refund's metadata."""
    amount: int
    """What the balance gained, negative where it lost; in its own currency, as the next two."""
    fee: int
    net: int
    currency: str
    payment_amount: int
    """The same as it was said to the customer: of another currency where the balance has changed it."""
    payment_currency: str
    created: datetime
    available_on: datetime


class GatewayPayout(msgspec.Struct, frozen=True, kw_only=True):
    """Money that goes from the account's balance to the shop's bank."""

    id: str
    status: str
    """Stripe's word: pending, in_transit, paid, failed or canceled. Paid can still fail."""
    amount: int
    currency: str
    automatic: bool
    """Stripe tells the lines of automatic payouts alone."""
    listed: bool
    """Whether it can tell them by now."""
    created: datetime
    arrives: date
    livemode: bool


class GatewayNews(msgspec.Struct, frozen=True, kw_only=True):
    """One event: what it tells of. The object itself is read anew, because events come late, twice and out of order."""

    id: str
    type: str
    object_kind: str
    object_id: str
    created: datetime
    body: bytes
    """As it was told."""


class GatewayEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An address to which the gateway delivers events. The secret is told only when it is made."""

    id: str
    url: str
    enabled_events: list[str]
    status: str
    metadata: dict[str, str]
    secret: str | None = None
