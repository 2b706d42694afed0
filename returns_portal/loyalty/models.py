"""How the shop thanks loyal customers."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment


class LoyaltyProgramme(SQLModel, table=True):
    """The shop's rules for loyal customers. There is exactly one row, with id 1; changing it takes its lock."""

    __tablename__ = "loyalty_programme"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    rules: dict[str, Any] = Field(sa_column=json())
    """As `rules.Programme`; what is not named is as it is there."""
    changed_at: datetime = Field(sa_column=moment(nullable=False))
