"""Refunds: one row is one movement of money or points, which happens exactly once or not at all."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from returns_portal.returns.models import RefundTo
from returns_portal.tables import json, minor_units, moment, one_of


def kept() -> Any:  # noqa: ANN401 - a Column, which SQLModel takes untyped
    """A column of what is kept of a refund, in minor units; of most, nothing is."""
    return Column(BigInteger, nullable=False, server_default="0")


class RefundStatus(StrEnum):
    """Where a refund stands. "Refunded" is said to a person only on `succeeded`."""

    PLANNED = "planned"
    AWAITING_TRANSFER = "awaiting_transfer"
    SUBMITTING = "submitting"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


S = RefundStatus
REFUND_TRANSITIONS: dict[RefundStatus, frozenset[RefundStatus]] = {
    # It fails before it is sent where the payment has less left than was planned: see `fitting.py`.
    S.PLANNED: frozenset({S.SUBMITTING, S.SUCCEEDED, S.AWAITING_TRANSFER, S.CANCELED, S.FAILED}),
    S.AWAITING_TRANSFER: frozenset({S.SUCCEEDED, S.CANCELED, S.FAILED}),
    S.SUBMITTING: frozenset({S.PENDING, S.SUCCEEDED, S.FAILED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.SUBMITTING, S.PENDING, S.SUCCEEDED, S.FAILED, S.CANCELED}),
    S.PENDING: frozenset({S.SUCCEEDED, S.FAILED, S.CANCELED}),
    # Legal at Stripe: the bank sends the money back days later because the card was closed.
    S.SUCCEEDED: frozenset({S.FAILED}),
    S.FAILED: frozenset({S.PLANNED, S.CANCELED}),
    S.CANCELED: frozenset(),
}
LIVE = [S.PLANNED, S.AWAITING_TRANSFER, S.SUBMITTING, S.PENDING, S.SUCCEEDED, S.UNKNOWN]
"""What counts against the caps: everything that has happened or may still happen."""


NOT_TOLD: Final = "not_told"
"""Why a refund is pending about which the gateway refuses to tell anything: our word, in place of one of its own."""


class Destination(StrEnum):
    """Where the refund goes."""

    CARD = "original"
    POINTS = "points"
    TRANSFER = "transfer"


class Kind(StrEnum):
    """Why money goes back."""

    RETURN = "return"
    """Goods came back, or never left."""
    GOODWILL = "goodwill"
    """The shop gives something back without goods: an apology, the postage."""
    OUTSIDE = "outside"
    """Made in the gateway's dashboard, outside of the portal, and found there."""
    DEPOSIT = "deposit"
    """The part of a trial's deposit that nothing was kept for."""
    EXCHANGE = "exchange"
    """What was paid on top for an exchange that did not come about."""


class Refund(SQLModel, table=True):
    """One refund of one payment to one destination, in minor units of `currency`.

    `amount` is what is given back of the payment, `tax` the tax in it, `bonus` the points on top of it.
    """

    __tablename__ = "refund"
    __table_args__ = (
        one_of(RefundStatus, "status"),
        one_of(Destination, "destination"),
        one_of(Kind, "kind"),
        CheckConstraint("kind <> 'return' OR (return_id IS NOT NULL AND parcel_id IS NOT NULL)", name="of_a_return"),
        CheckConstraint("amount > 0 AND bonus >= 0 AND tax >= 0 AND shipping >= 0", name="amounts"),
        CheckConstraint(
            "fee >= 0 AND fee_tax BETWEEN 0 AND fee AND (fee = 0 OR kind = 'return')", name="fee_of_a_return"
        ),
        CheckConstraint("bonus = 0 OR destination = 'points'", name="bonus_is_points"),
        Index("ix_refund_return", "return_id"),
        Index("ix_refund_order", "order_id"),
        Index("ix_refund_payment", "payment_id"),
        Index("ix_refund_parcel", "parcel_id"),
        Index("ix_refund_settled", "settled_at", "id"),
        Index("ix_refund_requested", "requested_at", "id"),
        Index("ix_refund_open", "status", "due_at", postgresql_where="status NOT IN ('succeeded', 'canceled')"),
        Index("ix_refund_outside", "payment_id", postgresql_where="kind = 'outside'"),
        Index("uq_refund_gateway", "gateway_id", unique=True, postgresql_where="gateway_id IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    return_id: UUID | None = Field(default=None, foreign_key="returns.id")
    parcel_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    release_id: UUID
    """What was decided together: the refunds of one check-in, decision or gesture, and the lines that they pay for."""
    kind: str
    reason: str = ""
    """Why, in staff's words; for finance, and for the customer where it is a gesture."""
    payment_id: UUID = Field(foreign_key="payment.id")
    status: str
    destination: str
    currency: str
    amount: int = Field(sa_column=minor_units())
    bonus: int = Field(sa_column=minor_units())
    tax: int = Field(sa_column=minor_units())
    shipping: int = Field(sa_column=minor_units())
    """How much of `amount` is outbound shipping."""
    fee: int = Field(default=0, sa_column=kept())
    """What was kept of it for the postage of the return, beside `amount`: the goods were worth both together."""
    fee_tax: int = Field(default=0, sa_column=kept())
    """The tax in `fee`, at the rate of the goods from whose price it was kept."""
    attempt: int = 1
    """Raised when staff let a failed refund be tried again: a new attempt is a new effect with a new key."""
    gateway_id: str | None = None
    gateway_reference: str = ""
    """The acquirer reference number, or the bank transfer's reference."""
    failure_reason: str = ""
    pending_reason: str | None = None
    """What the gateway waits for, in its word: `insufficient_funds` is for finance to mend, and so is `NOT_TOLD`."""
    points_consent_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer agreed to points instead of money for this very refund (Directive 2011/83/EU, Art. 13(1))."""
    bank_account: str | None = None
    """Where it is transferred to where no return keeps that, encrypted; deleted once it was paid."""
    livemode: bool
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    """When the return was filed."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    due_at: datetime = Field(sa_column=moment(nullable=False))
    held_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when it waits, planned, because its payment is disputed; see `disputed.py`."""
    submitted_at: datetime | None = Field(default=None, sa_column=moment())
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    """When it succeeded."""
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class RefundAttempt(SQLModel, table=True):
    """An attempt at a refund that is over, as it was when it failed; see `attempts.py`. Written once, never changed."""

    __tablename__ = "refund_attempt"
    __table_args__ = (one_of(Destination, "destination"),)

    refund_id: UUID = Field(primary_key=True, foreign_key="refund.id")
    attempt: int = Field(primary_key=True)
    destination: str
    amount: int = Field(sa_column=minor_units())
    bonus: int = Field(sa_column=minor_units())
    tax: int = Field(sa_column=minor_units())
    shipping: int = Field(sa_column=minor_units())
    fee: int = Field(default=0, sa_column=kept())
    fee_tax: int = Field(default=0, sa_column=kept())
    gateway_id: str | None = None
    gateway_reference: str
    failure_reason: str
    submitted_at: datetime | None = Field(default=None, sa_column=moment())
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    lines: list[dict[str, Any]] = Field(sa_column=json())
    """What its release paid for: title, sku, size, color, quantity, amount, tax."""
    others: int = Field(sa_column=minor_units())
    """What the other refunds of its release paid of that."""


class RefundLine(SQLModel, table=True):
    """Which units a release pays for: the proof that no unit is paid for twice.

    Written once per check-in or decision, for all refunds (tenders) of that release together. A line of no units pays
    more for the unit `first_unit`, which was paid for in part before: the rest of what it is worth.
    """

    __tablename__ = "refund_line"
    __table_args__ = (
        CheckConstraint(
            "amount >= 0 AND tax >= 0 AND quantity >= 0 AND (quantity > 0 OR order_line_id IS NULL OR amount > 0)",
            name="amounts",
        ),
        Index("ix_refund_line_order", "order_id"),
        Index("ix_refund_line_parcel", "parcel_id"),
        Index("ix_refund_line_release", "release_id"),
        Index("ix_refund_line_line", "order_line_id"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    parcel_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    release_id: UUID
    order_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    """None for outbound shipping."""
    first_unit: int
    quantity: int
    amount: int = Field(sa_column=minor_units())
    tax: int = Field(sa_column=minor_units())
    voided_at: datetime | None = Field(default=None, sa_column=moment())
    """Set when the check-in was undone before the refund was due."""


class GoodwillDecision(StrEnum):
    """What became of a gesture that somebody wants to make."""

    NOT_NEEDED = "not_needed"
    """Within the shop's limit, or the shop has nobody who could be the second."""
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


class Goodwill(SQLModel, table=True):
    """A refund without goods, as it was asked for; its id is the release of the refunds that it becomes."""

    __tablename__ = "goodwill"
    __table_args__ = (
        one_of(GoodwillDecision, "decision"),
        one_of(RefundTo, "refund_to"),
        CheckConstraint("amount > 0 AND reason <> ''", name="says_what"),
        CheckConstraint("refund_to <> 'points' OR points_consent_at IS NOT NULL", name="points_with_consent"),
        CheckConstraint(
            "(decision IN ('approved', 'declined')) = (decided_at IS NOT NULL) AND decided_by <> requested_by",
            name="decided_by_another",
        ),
        Index("ix_goodwill_order", "order_id"),
        Index("ix_goodwill_waiting", "requested_at", postgresql_where="decision = 'waiting'"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    shipping: bool
    """Whether it is outbound shipping that goes back, which happens at most once an order."""
    units: list[dict[str, Any]] = Field(sa_column=json())
    """What it pays for in full although nothing comes back: `line_id` and `quantity`. Empty where it is for no item."""
    refund_to: str
    currency: str
    amount: int = Field(sa_column=minor_units())
    reason: str
    """Why; the customer reads it."""
    points_consent_at: datetime | None = Field(default=None, sa_column=moment())
    requested_by: str
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    decision: str
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_column=moment())
    decision_note: str = ""
    """Why it was declined; for the one who asked."""
