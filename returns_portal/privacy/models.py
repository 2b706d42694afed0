"""What people asked about themselves."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment, one_of


class Wish(StrEnum):
    """What somebody asks for (GDPR, Art. 15 and 17)."""

    EXPORT = "export"
    ERASURE = "erasure"


class PrivacyRequest(SQLModel, table=True):
    """A wish, from when its link was sent; deleted with its files some days later, whatever became of it."""

    __tablename__ = "privacy_request"
    __table_args__ = (
        one_of(Wish, "kind"),
        CheckConstraint("done_at IS NULL OR confirmed_at IS NOT NULL", name="confirmed_first"),
        CheckConstraint("(data IS NULL) = (paper IS NULL)", name="both_files"),
        Index("ix_privacy_request_asked", "asked_at"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    email: str
    """Folded for comparison; of somebody who was forgotten, what stands for them."""
    locale: str
    asked_at: datetime = Field(sa_column=moment(nullable=False))
    confirmed_at: datetime | None = Field(default=None, sa_column=moment())
    """When its link was used, which happens once."""
    done_at: datetime | None = Field(default=None, sa_column=moment())
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Everything as JSON."""
    paper: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The same as PDF."""
