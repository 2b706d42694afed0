"""What the tables have in common: columns written once, and the list of all tables for the migrations."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, String, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def minor_units(*, nullable: bool = False) -> Any:  # noqa: ANN401 - a Column, which SQLModel takes untyped
    """A column of minor units: 64 bits, since a JPY or VND shop passes 2³¹ in a single report line."""
    return Column(BigInteger, nullable=nullable)


def amounts() -> Any:  # noqa: ANN401 - a Column, which SQLModel takes untyped
    """A column with one amount per unit of a line, in minor units."""
    return Column(ARRAY(BigInteger), nullable=False)


def words() -> Any:  # noqa: ANN401 - as above
    """A column of a few short words."""
    return Column(ARRAY(String), nullable=False)


def ids(*, nullable: bool = False) -> Any:  # noqa: ANN401 - as above
    """A column of a few ids."""
    return Column(ARRAY(Uuid), nullable=nullable)


def json(*, nullable: bool = False) -> Any:  # noqa: ANN401 - as above
    """A column of structured data."""
    return Column(JSONB, nullable=nullable)


def moment(*, nullable: bool = True) -> Any:  # noqa: ANN401 - as above
    """A column with a moment in UTC."""
    return Column(DateTime(timezone=True), nullable=nullable)


def one_of(kind: type[StrEnum], column: str) -> CheckConstraint:
    """A constraint that the database itself keeps: the column holds a member of the enumeration."""
    names = ", ".join(f"'{member.value}'" for member in kind)
    return CheckConstraint(f"{column} IN ({names})", name=f"{column}_known")
