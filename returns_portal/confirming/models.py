"""Calls about orders: why somebody should call, every try, and what came of it. Couriers who were announced."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment, one_of, words


class Reason(StrEnum):
    """Why an order needs a call."""

    NEW_CUSTOMER = "new_customer"
    LARGE = "large"
    NO_NUMBER = "no_number"
    """The address has no house number, though the country's have one."""
    POSTCODE = "postcode"
    """The postcode does not look like one of its country."""
    NO_PHONE = "no_phone"
    BAD_PHONE = "bad_phone"
    """What stands for the telephone number is none."""


class CallState(StrEnum):
    """Whether somebody has still to call."""

    WAITING = "waiting"
    OVER = "over"


class Outcome(StrEnum):
    """What came of a try to call."""

    CONFIRMED = "confirmed"
    """The customer was reached, and all is as it was ordered."""
    CHANGED = "changed"
    """The customer was reached, and something is to be different: the note says what."""
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"
    """Nobody has to call: it was settled in another way, or the order was called off."""


ENDS: dict[Outcome, CallState] = {
    Outcome.CONFIRMED: CallState.OVER,
    Outcome.CHANGED: CallState.OVER,
    Outcome.NOT_REACHED: CallState.WAITING,
    Outcome.NOT_NEEDED: CallState.OVER,
}
"""Where a call that waits stands after each outcome. What is over stays so."""


class OrderCall(SQLModel, table=True):
    """That an order needs a call. It holds nothing up: what is shipped is the shop system's business."""

    __tablename__ = "order_call"
    __table_args__ = (
        one_of(CallState, "state"),
        CheckConstraint("outcome IN ('confirmed', 'changed', 'not_needed')", name="outcome_ends"),
        CheckConstraint("(state = 'over') = (outcome IS NOT NULL)", name="over_with_outcome"),
        CheckConstraint("(taken_by IS NULL) = (taken_at IS NULL)", name="taken_when"),
        CheckConstraint("taken_by IS NULL OR state = 'waiting'", name="taken_to_call"),
        Index("uq_order_call_order", "order_id", unique=True),
        Index("ix_order_call_waiting", "id", postgresql_where="state = 'waiting'"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    reasons: list[str] = Field(sa_column=words())
    state: str
    outcome: str | None = None
    """How it ended."""
    taken_by: UUID | None = Field(default=None, foreign_key="staff.id")
    """Who calls at this moment, so that no two people do."""
    taken_at: datetime | None = Field(default=None, sa_column=moment())
    again_at: datetime | None = Field(default=None, sa_column=moment())
    """When the next try makes sense."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class OrderCallTry(SQLModel, table=True):
    """One try, or the end without one. A note is about a person: it goes when they are forgotten."""

    __tablename__ = "order_call_try"
    __table_args__ = (one_of(Outcome, "outcome"), Index("ix_order_call_try_call", "call_id"))

    id: UUID = Field(primary_key=True)
    call_id: UUID = Field(foreign_key="order_call.id")
    outcome: str
    note: str = Field(sa_column=Column(Text, nullable=False))
    staff_id: UUID | None = Field(default=None, foreign_key="staff.id")
    """Who called; None where the order itself made the call needless."""
    at: datetime = Field(sa_column=moment(nullable=False))


class AnnouncedBy(StrEnum):
    """Who told of a courier."""

    STAFF = "staff"
    API = "api"
    """The shop's program."""
    CARRIER = "carrier"


class CourierAnnouncement(SQLModel, table=True):
    """That a courier brings a parcel of an order, as its customer was told. A correction is another row."""

    __tablename__ = "courier_announcement"
    __table_args__ = (
        one_of(AnnouncedBy, "announced_by"),
        CheckConstraint("ends_at > begins_at", name="window_sane"),
        Index("ix_courier_announcement_order", "order_id"),
        Index("uq_courier_announcement_event", "event_id", unique=True, postgresql_where="event_id IS NOT NULL"),
        Index("ix_courier_announcement_named", "ends_at", postgresql_where="courier <> ''"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    tracking: str
    """The carrier's number of the parcel; empty where the order alone was named."""
    courier: str
    """The courier's name; empty where nobody said it, and after 90 days."""
    begins_at: datetime = Field(sa_column=moment(nullable=False))
    ends_at: datetime = Field(sa_column=moment(nullable=False))
    timed: bool
    """Whether the times are known, and not only the day."""
    zone: str
    """In whose time the customer was told."""
    announced_by: str
    event_id: str | None = None
    """The carrier's own id of what it told."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
