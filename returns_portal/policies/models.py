"""The versions of the shop's policy, each written once and never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment


class PolicyVersion(SQLModel, table=True):
    """One version. The database refuses to change or delete it: returns were judged by it."""

    __tablename__ = "policy"
    __table_args__ = (
        CheckConstraint("version > 0", name="counted_from_one"),
        CheckConstraint("jsonb_typeof(content) = 'object'", name="content_is_a_policy"),
        Index("ix_policy_starts", "starts_at", "version"),
    )

    id: UUID = Field(primary_key=True)
    version: int = Field(unique=True)
    starts_at: datetime = Field(sa_column=moment(nullable=False))
    """Orders placed from this moment on are judged by it, until a later version starts."""
    content: dict[str, Any] = Field(sa_column=json())
    """As `content.Content` reads and writes it."""
    note: str = ""
    """Why it was made, for colleagues."""
    created_by: str
    created_at: datetime = Field(sa_column=moment(nullable=False))
