"""The shop's one row: what it is called, where it is, how it works. What it promises are versions of its policy."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, minor_units, moment


class Shop(SQLModel, table=True):
    """The shop. There is exactly one row, with id 1."""

    __tablename__ = "shop"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("goodwill_limit >= 0", name="goodwill_limit_sane"),
        CheckConstraint("points_rate BETWEEN 0 AND 1000", name="points_rate_sane"),
        CheckConstraint("points_rate = 0 OR points_since IS NOT NULL", name="points_rate_since"),
        CheckConstraint("points_months BETWEEN 0 AND 120", name="points_months_sane"),
        CheckConstraint("points_limit >= 0", name="points_limit_sane"),
    )

    id: int = Field(default=1, primary_key=True)
    name: str
    email: str
    phone: str
    timezone: str
    """IANA name; days on pages and in reports are days of this zone."""
    goodwill_limit: int = Field(sa_column=minor_units())
    """Up to how much one person may give back without goods, in hundredths of any currency: 5000 is 50.00 or ¥50."""
    second_person: bool
    """Whether more than that needs somebody else's approval; off where the shop has one person."""
    points_rate: int
    """How many points a purchase earns for 1000 minor units of money: 30 is 3 %. 0 for none."""
    points_since: datetime | None = Field(default=None, sa_column=moment())
    """Orders placed before this moment earn nothing: it is set when earning begins, so that no history earns."""
    points_months: int
    """After how many months points expire; 0 for never."""
    points_limit: int = Field(sa_column=minor_units())
    """Up to how many points one person may give or take by hand; `second_person` says what happens above."""
    tax_details: str
    """The shop's company and VAT numbers, as they stand on credit notes."""
    licence: str
    """The number of the prepaid-reply licence that pays for labels."""
    address: dict[str, str] = Field(sa_column=json())
    """Where returns go: name, line1, line2, city, region, postal_code, country."""
    accent: str = ""
    """The shop's colour as `#rrggbb`; empty for the portal's own."""
    logo: str = ""
    """The version of the logo, which stands in its address; empty where there is none."""
    texts: dict[str, dict[str, str]] = Field(sa_column=json())
    """The shop's own words by place (`actions.PLACES`) and language."""
    hours: dict[str, Any] = Field(sa_column=json())
    """When somebody serves which channel (`hours.Hours`)."""
    shows_pace: bool = False
    """Whether every page says how soon questions are answered, as it was measured."""
    confirming: dict[str, Any] = Field(sa_column=json())
    """What is done about new orders (`confirming.Confirming`)."""
    warehouses: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(String), nullable=False, server_default="{}")
    )
    """What they are called; with several, each station is asked in which one it stands."""
    updated_at: datetime = Field(sa_column=moment(nullable=False))


class ShopLogo(SQLModel, table=True):
    """The shop's logo, made anew from the pixels of the file that was sent. At most one row, with id 1."""

    __tablename__ = "shop_logo"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    width: int
    height: int
    png: bytes
