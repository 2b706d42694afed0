"""How long things take, as the shop itself measured it of late."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment, one_of


class PaceKind(StrEnum):
    """What was measured."""

    TRANSIT = "transit"
    """From a parcel's first scan until it was brought."""
    REFUND = "refund"
    """From a parcel's arrival until its refund was done."""


class Pace(SQLModel, table=True):
    """A median of whole days. Measured anew each hour; what was measured too seldom has no row."""

    __tablename__ = "pace"
    __table_args__ = (
        one_of(PaceKind, "kind"),
        CheckConstraint("days BETWEEN 0 AND 365 AND samples > 0", name="days_sane"),
    )

    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    """The carrier of a transit; where a refund goes."""
    country: str = Field(primary_key=True)
    """Where the parcel came from, ISO 3166-1 alpha-2; empty for all countries together."""
    days: int
    samples: int
    measured_at: datetime = Field(sa_column=moment(nullable=False))
