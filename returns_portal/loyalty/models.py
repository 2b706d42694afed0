"""How the shop thanks loyal customers, and what they were surprised with."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, minor_units, moment, one_of


class LoyaltyProgramme(SQLModel, table=True):
    """The shop's rules for loyal customers. There is exactly one row, with id 1; changing it takes its lock."""

    __tablename__ = "loyalty_programme"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    rules: dict[str, Any] = Field(sa_column=json())
    """As `rules.Programme`; what is not named is as it is there."""
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class LoyaltyMember(SQLModel, table=True):
    """Who was drawn for which group, once and for good, when they would have got something for the first time.

    The share of the shop's rules is that of this draw: changing it later moves nobody, or the figures would mean
    nothing.
    """

    __tablename__ = "loyalty_member"

    email_key: str = Field(primary_key=True)
    control: bool
    """Whether they are left out, so that the others can be compared with them."""
    drawn_at: datetime = Field(sa_column=moment(nullable=False))


class SurpriseKind(StrEnum):
    """What somebody is surprised with."""

    FASTER = "faster"
    GIFT = "gift"
    CARD = "card"


class SurpriseStatus(StrEnum):
    """What became of a surprise."""

    PROPOSED = "proposed"
    GIVEN = "given"
    DECLINED = "declined"
    """Not this time, somebody at the packing table said."""
    LAPSED = "lapsed"
    """The parcel left, and nobody had said anything."""
    WITHHELD = "withheld"
    """It was the turn of somebody who is left out by lot."""


class Occasion(StrEnum):
    """Why it is somebody's turn on whatever level they are."""

    FIRST = "first"
    """It is their first order."""
    ROUND = "round"
    """It is one of every so many."""
    YEAR = "year"
    """Their first order was a year ago, or several."""


class Surprise(SQLModel, table=True):
    """Something that a customer did not pay for, to be put into one parcel. Amounts are minor units of `currency`."""

    __tablename__ = "surprise"
    __table_args__ = (
        one_of(SurpriseKind, "kind"),
        one_of(SurpriseStatus, "status"),
        one_of(Occasion, "occasion"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        Index("ix_surprise_email", "email_key", "proposed_at"),
        Index("ix_surprise_month", "month"),
        Index("ix_surprise_order", "order_id"),
    )

    id: UUID = Field(primary_key=True)
    email_key: str
    order_id: UUID = Field(foreign_key="orders.id")
    subject: str
    """Whose parcel: trial, exchange, replacement."""
    subject_id: UUID = Field(unique=True)
    kind: str
    status: str
    occasion: str | None = None
    """None where it was their turn by their level alone."""
    currency: str
    cost: int = Field(sa_column=minor_units())
    month: date
    """The first day of the month, by the shop's clock, whose budget pays for it."""
    proposed_at: datetime = Field(sa_column=moment(nullable=False))
    decided_at: datetime | None = Field(default=None, sa_column=moment())


class LoyaltyThanks(SQLModel, table=True):
    """Points for an order of which much was kept: its row is what makes them come once."""

    __tablename__ = "loyalty_thanks"
    __table_args__ = (CheckConstraint("points > 0", name="points_positive"),)

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id")
    control: bool
    """Whether none were given, because its customer is left out by lot."""
    points: int = Field(sa_column=minor_units())
    at: datetime = Field(sa_column=moment(nullable=False))
