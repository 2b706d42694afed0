"""Receivers of gifts, and the codes by which they find the order that a gift came from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import ids, json, moment


class Gift(SQLModel, table=True):
    """Somebody who has something of an order as a gift, and has proven that an e-mail address is theirs.

    Their returns carry its id: whatever is written, sent or credited because of them goes here.
    """

    __tablename__ = "gift"
    __table_args__ = (Index("uq_gift", "order_id", "email_key", unique=True), Index("ix_gift_email", "email_key"))

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    email: str
    email_key: str
    """The address folded for comparison."""
    locale: str
    name: str
    address: dict[str, str] = Field(sa_column=json())
    """Where their parcel comes from: name, line1, line2, city, region, postal_code, country. Empty until they file."""
    created_at: datetime = Field(sa_column=moment(nullable=False))


class GiftCode(SQLModel, table=True):
    """What whoever gave a gift hands to its receiver in place of the order's number: one for an order."""

    __tablename__ = "gift_code"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id")
    code: str = Field(unique=True)
    lines: list[UUID] | None = Field(default=None, sa_column=ids(nullable=True))
    """The lines of the order that it is for; None is for all of them."""
    made_by: str
    made_at: datetime = Field(sa_column=moment(nullable=False))
