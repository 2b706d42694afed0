"""What is known of how products are cut, measured every night, so that no page has to count."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from returns_portal.insights.fit import Verdict
from returns_portal.tables import json, moment, one_of


class ProductFit(SQLModel, table=True):
    """The verdict on a product, with what it rests on. A shop that silences it is not asked again."""

    __tablename__ = "product_fit"
    __table_args__ = (
        one_of(Verdict, "verdict"),
        CheckConstraint("small >= 0 AND large >= 0 AND small + large <= buyers", name="counted"),
        CheckConstraint("chance BETWEEN 0 AND 1", name="chance_is_one"),
        CheckConstraint("(silenced_at IS NULL) = (silenced_by = '')", name="silenced_by_somebody"),
    )

    product_id: UUID = Field(primary_key=True, foreign_key="product.id")
    verdict: str
    chance: float
    """Of seeing as much without a reason, adjusted for all products."""
    ordered: bool
    """Whether its sizes can be put in order; where they cannot, there is no verdict."""
    buyers: int
    small: int
    large: int
    sizes: list[dict[str, Any]] = Field(sa_column=json())
    """The same of each size, from small to large: size, buyers, small, large, verdict, chance."""
    since: datetime = Field(sa_column=moment(nullable=False))
    """From when on purchases are counted."""
    measured_at: datetime = Field(sa_column=moment(nullable=False))
    silenced_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when customers are not told."""
    silenced_by: str = ""
