"""Customers as owners of points."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from returns_portal.tables import moment


class PointsAccount(SQLModel, table=True):
    """Whose points they are. The balance is the sum of the ledger's entries, under a lock on this row."""

    __tablename__ = "points_account"

    id: UUID = Field(primary_key=True)
    email_key: str = Field(unique=True)
    created_at: datetime = Field(sa_column=moment(nullable=False))
