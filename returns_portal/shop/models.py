"""The shop's one row: what it is called, where it is, what it promises."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment


class Shop(SQLModel, table=True):
    """The shop. There is exactly one row, with id 1."""

    __tablename__ = "shop"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("bonus_percent BETWEEN 0 AND 100", name="bonus_sane"),
        CheckConstraint("return_days BETWEEN 14 AND 3650", name="window_lawful"),
    )

    id: int = Field(default=1, primary_key=True)
    name: str
    email: str
    phone: str
    timezone: str
    """IANA name; days on pages and in reports are days of this zone."""
    return_days: int
    """The window after delivery; never below the 14 days of Directive 2011/83/EU, Art. 9."""
    bonus_percent: int
    """What is added to card money that is taken as points."""
    licence: str
    """The number of the prepaid-reply licence that pays for labels."""
    address: dict[str, str] = Field(sa_column=json())
    """Where returns go: name, line1, line2, city, region, postal_code, country."""
    updated_at: datetime = Field(sa_column=moment(nullable=False))
