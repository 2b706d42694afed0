"""What was paid for an order, tender by tender."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
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
    currency: str
    livemode: bool
    created_at: datetime = Field(sa_column=moment(nullable=False))
