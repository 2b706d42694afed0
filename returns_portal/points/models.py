"""Customers as owners of points; their points lot by lot, with what becomes of each."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class PointsAccount(SQLModel, table=True):
    """Whose points they are. The balance is the sum of the ledger's entries, under a lock on this row."""

    __tablename__ = "points_account"

    id: UUID = Field(primary_key=True)
    email_key: str = Field(unique=True)
    created_at: datetime = Field(sa_column=moment(nullable=False))


class LotKind(StrEnum):
    """How points came to be."""

    EARNED = "earned"
    """By a purchase."""
    REFUND = "refund"
    """Money that was to go back, taken as points."""
    BONUS = "bonus"
    """On top of card money that was taken as points."""
    RESTORED = "restored"
    """Points that had paid for something that came back."""
    ADJUSTED = "adjusted"
    """Given by staff."""


class PointsLot(SQLModel, table=True):
    """Points that came at once and expire at once; the first to expire are spent first.

    What remains of all lots is what the ledger says that the customer has.
    """

    __tablename__ = "points_lot"
    __table_args__ = (
        one_of(LotKind, "kind"),
        CheckConstraint("granted > 0 AND remaining BETWEEN 0 AND granted", name="remaining_of_granted"),
        CheckConstraint("(kind = 'restored') OR origin_id IS NULL", name="origin_of_restored"),
        Index("ix_points_lot_open", "account_id", "currency", postgresql_where="remaining > 0"),
        Index("ix_points_lot_expiry", "expires_at", postgresql_where="remaining > 0 AND expires_at IS NOT NULL"),
        Index("ix_points_lot_cause", "cause_id"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="points_account.id")
    currency: str
    kind: str
    granted: int = Field(sa_column=minor_units())
    remaining: int = Field(sa_column=minor_units())
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    """From this moment on they can be taken as expired; None for points that never expire."""
    cause: str
    """What brought them, as in the ledger: refund, order, points_adjustment."""
    cause_id: UUID
    origin_id: UUID | None = Field(default=None, foreign_key="points_lot.id")
    """Of restored points: the lot that they were spent from."""
    created_at: datetime = Field(sa_column=moment(nullable=False))


class MoveCause(StrEnum):
    """Why points left a lot, or came back to it."""

    REDEMPTION = "redemption"
    CLAWBACK = "clawback"
    EXPIRY = "expiry"
    """`cause_id` is the lot's own."""
    ADJUSTMENT = "adjustment"


class PointsMove(SQLModel, table=True):
    """Points that left a lot (negative) or came back to it (positive). Append-only."""

    __tablename__ = "points_move"
    __table_args__ = (
        one_of(MoveCause, "cause"),
        CheckConstraint("delta < 0 OR (delta > 0 AND cause = 'redemption')", name="only_holds_come_back"),
        Index("ix_points_move_cause", "cause_id"),
        Index("ix_points_move_lot", "lot_id"),
    )

    id: UUID = Field(primary_key=True)
    lot_id: UUID = Field(foreign_key="points_lot.id")
    cause: str
    cause_id: UUID
    delta: int = Field(sa_column=minor_units())
    at: datetime = Field(sa_column=moment(nullable=False))


class RedemptionStatus(StrEnum):
    """Where a payment with points stands at the shop's checkout."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"


class PointsRedemption(SQLModel, table=True):
    """A payment with points: held while the customer pays, then captured, wholly or in part, or released."""

    __tablename__ = "points_redemption"
    __table_args__ = (
        one_of(RedemptionStatus, "status"),
        CheckConstraint("amount > 0 AND captured BETWEEN 0 AND amount", name="captured_of_held"),
        CheckConstraint("(status = 'captured') = (captured > 0)", name="captured_is_some"),
        CheckConstraint("(status = 'held') = (settled_at IS NULL)", name="held_until_settled"),
        Index("ix_points_redemption_account", "account_id"),
        Index("ix_points_redemption_order", "order_number", postgresql_where="status = 'captured'"),
        Index("ix_points_redemption_held", "expires_at", postgresql_where="status = 'held'"),
        Index("uq_points_redemption_code", "code", unique=True, postgresql_where="code IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="points_account.id")
    currency: str
    amount: int = Field(sa_column=minor_units())
    """What was held."""
    captured: int = Field(sa_column=minor_units())
    status: str
    order_number: str
    """The order that they pay for; empty as long as the checkout does not know it."""
    reference: str
    """The checkout's own word for it."""
    expires_at: datetime = Field(sa_column=moment(nullable=False))
    """A hold that was neither captured nor released by then is released."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    """When it was captured or released."""
    code: str | None = None
    """What the customer types at the shop's checkout, where the hold was made for that; see `codes.py`."""


class PointsEarning(SQLModel, table=True):
    """What a purchase earned, once; `basis` is the money that it was computed from."""

    __tablename__ = "points_earning"
    __table_args__ = (CheckConstraint("points > 0 AND basis > 0", name="earned_on_money"),)

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id")
    account_id: UUID = Field(foreign_key="points_account.id")
    currency: str
    points: int = Field(sa_column=minor_units())
    basis: int = Field(sa_column=minor_units())
    created_at: datetime = Field(sa_column=moment(nullable=False))


class PointsClawback(SQLModel, table=True):
    """Earned points that go back with the goods; what the customer no longer has is the shop's expense."""

    __tablename__ = "points_clawback"
    __table_args__ = (
        CheckConstraint("due > 0 AND taken BETWEEN 0 AND due", name="taken_of_due"),
        Index("ix_points_clawback_order", "order_id"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="points_earning.order_id")
    due: int = Field(sa_column=minor_units())
    taken: int = Field(sa_column=minor_units())
    created_at: datetime = Field(sa_column=moment(nullable=False))


class PointsNotice(SQLModel, table=True):
    """That a customer was told of points that expire: once for each day of expiry and each time before it."""

    __tablename__ = "points_notice"
    __table_args__ = (Index("uq_points_notice", "account_id", "currency", "expires_at", "days", unique=True),)

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="points_account.id")
    currency: str
    expires_at: datetime = Field(sa_column=moment(nullable=False))
    days: int
    """How many days before: 30 or 7."""
    created_at: datetime = Field(sa_column=moment(nullable=False))


class AdjustmentStatus(StrEnum):
    """What became of a change that staff asked for."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


class PointsAdjustment(SQLModel, table=True):
    """Points given or taken by hand, with the reason; a large one waits for a second person."""

    __tablename__ = "points_adjustment"
    __table_args__ = (
        one_of(AdjustmentStatus, "status"),
        CheckConstraint("amount <> 0 AND reason <> ''", name="some_for_a_reason"),
        CheckConstraint("(status = 'pending') = (decided_at IS NULL)", name="pending_until_decided"),
        CheckConstraint("NOT needed_second OR decided_by <> requested_by", name="decided_by_another"),
        Index("ix_points_adjustment_account", "account_id"),
        Index("ix_points_adjustment_pending", "requested_at", postgresql_where="status = 'pending'"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="points_account.id")
    currency: str
    amount: int = Field(sa_column=minor_units())
    """Points; negative ones are taken."""
    reason: str
    """The customer reads it on the statement."""
    status: str
    needed_second: bool
    requested_by: str
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_column=moment())
