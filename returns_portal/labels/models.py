"""Labels that were issued."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment


class Label(SQLModel, table=True):
    """One prepaid label of a return."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_return", "return_id"),)

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    carrier: str
    code: str = Field(unique=True)
    """What its barcodes hold: the carrier's tracking number, or our RMA where the shop's own licence pays."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
