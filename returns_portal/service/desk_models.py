"""What those who answer work with: who has what open, and texts that they need again and again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment


class QuestionPresence(SQLModel, table=True):
    """That somebody of the staff has a question open. It locks nothing, and counts for a minute."""

    __tablename__ = "question_presence"

    question_id: UUID = Field(primary_key=True, foreign_key="question.id")
    staff_id: UUID = Field(primary_key=True, foreign_key="staff.id")
    since: datetime = Field(sa_column=moment(nullable=False))
    """Since when without a break."""
    seen_at: datetime = Field(sa_column=moment(nullable=False))
    """When their page last said so."""


class Snippet(SQLModel, table=True):
    """A text that is put into answers, with places that the question fills (`variables.NAMES`)."""

    __tablename__ = "snippet"
    __table_args__ = (Index("uq_snippet_name", text("lower(name)"), unique=True),)

    id: UUID = Field(primary_key=True)
    name: str
    texts: dict[str, str] = Field(sa_column=json())
    """By language; English is there always, and stands in for any that is not."""
    changed_at: datetime = Field(sa_column=moment(nullable=False))
