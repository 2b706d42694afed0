"""What was paid for an order, tender by tender, and what the gateway tells of it."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, LargeBinary, String
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class Tender(StrEnum):
    """How money came in, which is how it goes back."""

    STRIPE = "stripe"
    POINTS = "points"
    EXTERNAL = "external"
    """Anything that this portal cannot refund by itself: cash on delivery, another payment provider."""


class PaymentStatus(StrEnum):
    """Whether the money can be refunded from here yet."""

    CREATING = "creating"
    """The sandbox is asked to hold such a payment; refunds of it wait."""
    UNVERIFIED = "unverified"
    """A live reference whose amount, currency and captured state were not read from Stripe yet."""
    CAPTURED = "captured"
    FAILED = "failed"


PAYMENT_TRANSITIONS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.CREATING: frozenset({PaymentStatus.CAPTURED, PaymentStatus.FAILED}),
    PaymentStatus.UNVERIFIED: frozenset({PaymentStatus.CAPTURED, PaymentStatus.FAILED}),
    PaymentStatus.FAILED: frozenset({PaymentStatus.CAPTURED}),
    PaymentStatus.CAPTURED: frozenset(),
}


class Payment(SQLModel, table=True):
    """One payment of one order, in minor units of `currency`."""

    __tablename__ = "payment"
    __table_args__ = (
        one_of(Tender, "tender"),
        one_of(PaymentStatus, "status"),
        CheckConstraint("amount > 0 AND refunded_before BETWEEN 0 AND amount", name="amounts"),
        # A payment reference belongs to one order only, else two orders could each refund it in full.
        Index(
            "uq_payment_reference",
            "reference",
            unique=True,
            postgresql_where="tender = 'stripe' AND reference IS NOT NULL",
        ),
        Index("ix_payment_order", "order_id"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    tender: str
    status: str
    reference: str | None = None
    """Stripe's PaymentIntent."""
    imported_reference: str | None = None
    """What the shop's file called the payment."""
    method: str = ""
    """How the file names the means: "Cash on Delivery"."""
    card_brand: str = ""
    card_last4: str = ""
    amount: int = Field(sa_column=minor_units())
    refunded_before: int = Field(sa_column=minor_units())
    """What had been refunded when the order was taken in; it lowers what can be refunded."""
    refunds_before: list[str] | None = Field(default=None, sa_column=Column(ARRAY(String), nullable=True))
    """The gateway's ids of the refunds that `refunded_before` holds, which are not counted again when the gateway tells
    of them; None until the payment is known, and for payments that became known when these were not kept yet."""
    currency: str
    livemode: bool
    created_at: datetime = Field(sa_column=moment(nullable=False))


class FoundBy(StrEnum):
    """How an event came to be known."""

    WEBHOOK = "webhook"
    POLL = "poll"
    """It was asked for, because its delivery may have been lost."""


class GatewayEvent(SQLModel, table=True):
    """Something that the gateway told, as it told it. What follows from it is read from the gateway anew."""

    __tablename__ = "gateway_event"
    __table_args__ = (
        one_of(FoundBy, "found_by"),
        Index("uq_gateway_event", "source", "event_id", unique=True),
        Index("ix_gateway_event_body", "received_at", postgresql_where="body IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    source: str
    """Who tells: "stripe"."""
    event_id: str
    type: str
    object_kind: str
    """What it tells of: "refund", "charge", "dispute" …"""
    object_id: str
    found_by: str
    occurred_at: datetime = Field(sa_column=moment(nullable=False))
    """By the gateway's clock."""
    received_at: datetime = Field(sa_column=moment(nullable=False))
    handled_at: datetime | None = Field(default=None, sa_column=moment())
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """The very bytes; deleted after 90 days, because there may be personal data in them."""


class GatewayCursor(SQLModel, table=True):
    """Up to which moment of the gateway's clock a list was read completely."""

    __tablename__ = "gateway_cursor"

    name: str = Field(primary_key=True)
    read_until: datetime = Field(sa_column=moment(nullable=False))


class WebhookEndpoint(SQLModel, table=True):
    """An endpoint that the portal has set up at the gateway by itself, with the secret that signs its events."""

    __tablename__ = "webhook_endpoint"

    source: str = Field(primary_key=True)
    endpoint_id: str
    url: str
    secret: str
    """Encrypted."""


class DisputeStatus(StrEnum):
    """Where a dispute stands, in Stripe's words. An inquiry (`warning_…`) has not taken any money."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    PREVENTED = "prevented"
    """Settled with the bank before it became a chargeback."""
    WON = "won"
    LOST = "lost"


CLOSED_DISPUTES: Final = frozenset(
    {DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED, DisputeStatus.WON, DisputeStatus.LOST}
)
"""No more is to come of these; all others hold the refunds of their payment."""


class Dispute(SQLModel, table=True):
    """A payment that its payer's bank asks about, or has taken back. Minor units of `currency`, the payment's."""

    __tablename__ = "dispute"
    __table_args__ = (
        one_of(DisputeStatus, "status"),
        CheckConstraint("amount >= 0 AND withdrawn BETWEEN 0 AND amount", name="amounts"),
        CheckConstraint(
            "(closed_at IS NOT NULL) = (status IN ('warning_closed', 'prevented', 'won', 'lost'))", name="closed"
        ),
        Index("ix_dispute_payment", "payment_id"),
        Index("ix_dispute_open", "evidence_due_by", postgresql_where="closed_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    payment_id: UUID = Field(foreign_key="payment.id")
    gateway_id: str = Field(unique=True)
    charge: str
    status: str
    reason: str
    """In Stripe's word: "fraudulent", "product_not_received" …"""
    currency: str
    amount: int = Field(sa_column=minor_units())
    """What the bank disputes."""
    withdrawn: int = Field(sa_column=minor_units())
    """What the bank has taken back of it and not returned."""
    evidence_due_by: datetime | None = Field(default=None, sa_column=moment())
    opened_at: datetime = Field(sa_column=moment(nullable=False))
    """By the gateway's clock."""
    recorded_at: datetime = Field(sa_column=moment(nullable=False))
    """From then on the portal knew of it, and set no refund of the payment going."""
    closed_at: datetime | None = Field(default=None, sa_column=moment())
    version: int
    """Counts how often it was read, so that what was read earlier is never written later."""
    postings: int
    """How many transactions of the ledger it has caused."""
