"""Questions, each a thread of messages, with the times that were promised when it was asked."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment, one_of


class State(StrEnum):
    """Whose turn it is."""

    WAITING = "waiting"
    """Somebody waits for us."""
    ANSWERED = "answered"
    """We wait for the customer, or for nothing."""
    CLOSED = "closed"


class Kind(StrEnum):
    """What a message is."""

    CUSTOMER = "customer"
    STAFF = "staff"
    """An answer, which a person wrote."""
    PROMISE = "promise"
    """That an answer takes longer, and until when; it is no answer."""
    NOTE = "note"
    """For the staff alone."""


class Source(StrEnum):
    """By which way somebody asked first."""

    FORM = "form"
    EMAIL = "email"


class Question(SQLModel, table=True):
    """A thread. What it waits for follows from its messages, and is written here under its own lock."""

    __tablename__ = "question"
    __table_args__ = (
        one_of(State, "state"),
        one_of(Source, "source"),
        CheckConstraint("(state = 'waiting') = (asked_at IS NOT NULL)", name="waits_since"),
        CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="waits_until"),
        CheckConstraint("promised_until IS NULL OR state = 'waiting'", name="promised_to_who_waits"),
        # Nothing can be closed unanswered, whoever writes here.
        CheckConstraint("state = 'waiting' OR first_reply_at IS NOT NULL", name="answered_first"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_since"),
        Index("uq_question_number", "number", unique=True),
        Index("ix_question_waiting", "asked_at", "id", postgresql_where="state = 'waiting'"),
        Index("ix_question_opened", "opened_at"),
        Index("ix_question_order", "order_id", postgresql_where="order_id IS NOT NULL"),
        Index("ix_question_email", "email_key"),
    )

    id: UUID = Field(primary_key=True)
    number: str
    """By which people know it, such as `Q-7K3M-9QXD`."""
    subject: str
    source: str
    email: str
    email_key: str
    name: str
    locale: str
    order_id: UUID | None = Field(default=None, foreign_key="orders.id")
    return_id: UUID | None = Field(default=None, foreign_key="returns.id")
    product: str
    """The handle of the product that it is about; empty where it is about none."""
    state: str
    opened_at: datetime = Field(sa_column=moment(nullable=False))
    asked_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when somebody waits for an answer."""
    due_at: datetime | None = Field(default=None, sa_column=moment())
    """Until when it should come: the shop's aim, or what was promised."""
    promised_until: datetime | None = Field(default=None, sa_column=moment())
    first_reply_at: datetime | None = Field(default=None, sa_column=moment())
    """When a person answered first."""
    closed_at: datetime | None = Field(default=None, sa_column=moment())
    changed_at: datetime = Field(sa_column=moment(nullable=False))
    assigned_to: UUID | None = Field(default=None, foreign_key="staff.id")
    seen_at: datetime | None = Field(default=None, sa_column=moment())
    """When somebody of the staff read what came last."""
    schedule: dict[str, Any] = Field(sa_column=json())
    """The times of service as they were when it was asked (`shop.hours.Schedule`), by which it is measured."""
    goal_minutes: int
    """The shop's aim of that day."""


class QuestionMessage(SQLModel, table=True):
    """A message of a thread; nobody changes one. Their ids are in the order in which they were written."""

    __tablename__ = "question_message"
    __table_args__ = (
        one_of(Kind, "kind"),
        CheckConstraint("kind = 'customer' OR staff_id IS NOT NULL", name="staff_have_names"),
        Index("ix_question_message", "question_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    question_id: UUID = Field(foreign_key="question.id")
    kind: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    staff_id: UUID | None = Field(default=None, foreign_key="staff.id")
    at: datetime = Field(sa_column=moment(nullable=False))
