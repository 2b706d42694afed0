"""What customers asked for."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, String, text
from sqlmodel import Field, SQLModel

from returns_portal.policies.content import Postage
from returns_portal.tables import json, moment, one_of


class ReturnStatus(StrEnum):
    """Where a return stands. What was paid for it is told by its refunds."""

    FILED = "filed"
    RECEIVED = "received"
    """At least one parcel was checked in; how much of it came is told by the counts."""
    CANCELLED = "cancelled"


RETURN_TRANSITIONS: dict[ReturnStatus, frozenset[ReturnStatus]] = {
    ReturnStatus.FILED: frozenset({ReturnStatus.RECEIVED, ReturnStatus.CANCELLED}),
    # A check-in that is undone brings the return back to where it was.
    ReturnStatus.RECEIVED: frozenset({ReturnStatus.FILED, ReturnStatus.CANCELLED}),
    # A parcel that arrives although its return was cancelled is received all the same.
    ReturnStatus.CANCELLED: frozenset({ReturnStatus.RECEIVED}),
}


class RefundTo(StrEnum):
    """Where the customer wants the money."""

    ORIGINAL = "original"
    POINTS = "points"


class Return(SQLModel, table=True):
    """A return: an RMA, its lines, and where the money goes."""

    __tablename__ = "returns"
    __table_args__ = (
        one_of(ReturnStatus, "status"),
        one_of(RefundTo, "refund_to"),
        one_of(Postage, "postage"),
        CheckConstraint("postage_fee >= 0 AND (postage_fee = 0 OR postage = 'customer')", name="fee_is_the_customers"),
        CheckConstraint(
            "(proof_at IS NULL) = (proof_tracking = '') AND (proof_at IS NULL) = (proof_carrier = '')",
            name="proof_is_whole",
        ),
        Index("ix_returns_order", "order_id"),
        Index("ix_returns_gift", "gift_id", postgresql_where="gift_id IS NOT NULL"),
        CheckConstraint("gift_id IS NULL OR (refund_to = 'points' AND bonus_percent = 0)", name="gifts_become_points"),
        Index("ix_returns_status", "status", "id"),
        CheckConstraint("travels_with <> id", name="travels_with_another"),
        CheckConstraint("travels_with IS NULL OR postage_fee = 0", name="one_fee_per_parcel"),
        CheckConstraint("travels_with IS NULL OR gift_id IS NULL", name="gifts_travel_alone"),
        Index("ix_returns_travels_with", "travels_with", postgresql_where="travels_with IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    rma: str = Field(unique=True)
    order_id: UUID = Field(foreign_key="orders.id")
    status: str
    refund_to: str
    points_consent_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer chose points: the express agreement of Directive 2011/83/EU, Art. 13(1)."""
    bonus_percent: int
    """The shop's bonus on the day of filing, which the customer was shown."""
    postage: str = Field(default=Postage.SHOP, sa_column=Column(String, nullable=False, server_default="shop"))
    """Who pays for sending it back, by the policy of its order's day."""
    postage_fee: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """What is kept for it, once, of the first refund whose goods are worth more; minor units."""
    policy_version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    """The version by which it was judged."""
    proof_carrier: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    proof_tracking: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    """By whom and under which number the customer sent it with a label of their own (Art. 13(3): proof of sending)."""
    proof_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer said so."""
    withdrawal_id: UUID | None = Field(default=None, foreign_key="withdrawal.id")
    refund_deadline: datetime = Field(sa_column=moment(nullable=False))
    """14 days after the statement (Art. 13(1)); it may wait for the goods (Art. 13(3))."""
    gift_id: UUID | None = Field(default=None, foreign_key="gift.id")
    """Set where the receiver of a gift files it: it is theirs, and the order's customer does not see it."""
    travels_with: UUID | None = Field(default=None, foreign_key="returns.id")
    """The return of another order in whose parcel this one travels: that one leads, and has the label and the fee.
    A return that leads follows none."""
    bank_account: str | None = None
    """Where an external payment goes back to, encrypted; deleted once it was paid, or will not be."""
    filed_by: str
    created_at: datetime = Field(sa_column=moment(nullable=False))
    cancelled_at: datetime | None = Field(default=None, sa_column=moment())


class ReturnLine(SQLModel, table=True):
    """What the customer announces to send back."""

    __tablename__ = "return_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        Index("uq_return_line", "return_id", "order_line_id", unique=True),
        Index("ix_return_line_order_line", "order_line_id"),
    )

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    order_line_id: UUID = Field(foreign_key="order_line.id")
    quantity: int
    reason: str = ""
    """In the customer's words; never required."""
    faulty: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    """Whether the customer says that it is faulty, damaged or not what was ordered."""


class Withdrawal(SQLModel, table=True):
    """A statement of withdrawal (Directive 2011/83/EU, Art. 11a), kept as it was made, whoever made it."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        Index("ix_withdrawal_open", "handled_at", "submitted_at"),
        Index("ix_withdrawal_email", text("lower(email)")),
        Index("ix_withdrawal_order", "order_id", postgresql_where="order_id IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    name: str
    order_number: str
    email: str
    content: dict[str, str] = Field(sa_column=json())
    """The statement, field by field, as the customer confirmed it."""
    order_id: UUID | None = Field(default=None, foreign_key="orders.id")
    """None where number and e-mail match no order: a person has to look."""
    submitted_at: datetime = Field(sa_column=moment(nullable=False))
    handled_at: datetime | None = Field(default=None, sa_column=moment())
    handled_by: str = ""
