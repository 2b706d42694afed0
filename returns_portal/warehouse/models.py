"""What arrived, and what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class Condition(StrEnum):
    """How a unit looked when it was counted."""

    RESELLABLE = "resellable"
    WORN = "worn"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    NOT_SHIPPED = "not_shipped"
    """Withdrawn from before it left the shop: nothing had to arrive."""


class Acceptance(StrEnum):
    """Arrived is not accepted: what was decided about a unit."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    PART = "part"
    SENT_BACK = "sent_back"
    SURPLUS = "surplus"
    """More came than the order had: kept and recorded, nothing is paid for it."""


ACCEPTANCE_TRANSITIONS: dict[Acceptance, frozenset[Acceptance]] = {
    Acceptance.WAITING: frozenset({Acceptance.ACCEPTED, Acceptance.PART, Acceptance.SENT_BACK}),
    Acceptance.SURPLUS: frozenset(),
    Acceptance.ACCEPTED: frozenset(),
    Acceptance.PART: frozenset(),
    Acceptance.SENT_BACK: frozenset(),
}


class Parcel(SQLModel, table=True):
    """One parcel of a return, checked in once; an undone check-in stays as a row, marked."""

    __tablename__ = "parcel"
    __table_args__ = (
        # One live check-in per parcel of a return: fifty scanners at once lead to one.
        Index("uq_parcel", "return_id", "number", unique=True, postgresql_where="undone_at IS NULL"),
        Index("ix_parcel_time", "checked_in_at"),
        Index("ix_parcel_correction", "corrects_id", postgresql_where="corrects_id IS NOT NULL"),
        CheckConstraint("number > 0", name="counted_from_one"),
    )

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    number: int
    checked_in_at: datetime = Field(sa_column=moment(nullable=False))
    checked_in_by: str
    note: str = ""
    undone_at: datetime | None = Field(default=None, sa_column=moment())
    """Set when the check-in was undone, or replaced by a correction."""
    undone_by: str = ""
    corrects_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    """The check-in that this one replaces."""
    reviewed_at: datetime | None = Field(default=None, sa_column=moment())
    """When finance looked at a correction that came after the money had gone."""


class ParcelItem(SQLModel, table=True):
    """Units of one order line and one condition, counted in one parcel."""

    __tablename__ = "parcel_item"
    __table_args__ = (
        one_of(Condition, "condition"),
        one_of(Acceptance, "acceptance"),
        CheckConstraint("quantity > 0", name="some"),
        CheckConstraint("order_line_id IS NOT NULL OR acceptance = 'surplus'", name="known_or_surplus"),
        Index("ix_parcel_item_parcel", "parcel_id"),
        Index("ix_parcel_item_line", "order_line_id"),
        Index("ix_parcel_item_waiting", "id", postgresql_where="acceptance = 'waiting'"),
    )

    id: UUID = Field(primary_key=True)
    parcel_id: UUID = Field(foreign_key="parcel.id")
    order_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    """None for goods that are not of this order."""
    quantity: int
    condition: str
    acceptance: str
    description: str = ""
    """What it is, where it is not of this order."""
    decided_at: datetime | None = Field(default=None, sa_column=moment())
    decided_by: str = ""
    decision_reason: str = ""
    amount: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    """What a decision gives for these units together, where it gives only a part of what they cost."""
