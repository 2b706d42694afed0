"""What those who answer work with: who has what open, texts that they need again and again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text, text
from sqlmodel import Field, SQLModel

from returns_portal.service.models import Topic
from returns_portal.tables import json, moment, one_of


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


class QuestionRating(SQLModel, table=True):
    """Whether somebody was helped, as they say themselves."""

    __tablename__ = "question_rating"

    question_id: UUID = Field(primary_key=True, foreign_key="question.id")
    helped: bool
    comment: str = Field(sa_column=Column(Text, nullable=False))
    """Empty where they said no more."""
    rated_at: datetime = Field(sa_column=moment(nullable=False))


class Playbook(SQLModel, table=True):
    """A version of a prepared solution. Nobody changes one: the newest counts, and the others tell what was before."""

    __tablename__ = "playbook"
    __table_args__ = (one_of(Topic, "topic"), CheckConstraint("version > 0", name="version_counts"))

    topic: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    checks: str = Field(sa_column=Column(Text, nullable=False))
    offers: str = Field(sa_column=Column(Text, nullable=False))
    letters: dict[str, Any] = Field(sa_column=json())
    """The four steps (`playbooks.Letter`) by language."""
    made_by: str
    made_at: datetime = Field(sa_column=moment(nullable=False))


class QuestionDraft(SQLModel, table=True):
    """A letter that somebody is writing; it goes when it is sent, and after a month."""

    __tablename__ = "question_draft"

    question_id: UUID = Field(primary_key=True, foreign_key="question.id")
    staff_id: UUID = Field(primary_key=True, foreign_key="staff.id")
    letter: dict[str, Any] = Field(sa_column=json())
    looked_at: datetime | None = Field(default=None, sa_column=moment())
    """When its writer saw it as it will be sent; None where it was changed since."""
    changed_at: datetime = Field(sa_column=moment(nullable=False))
