"""Questions, each a thread of messages, with the times that were promised when it was asked."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, String, Text
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
    MACHINE = "machine"
    """What a mail program sent by itself: that somebody is on holiday, say. For the staff alone; no clock heeds it."""


class Source(StrEnum):
    """By which way somebody asked first."""

    FORM = "form"
    EMAIL = "email"


class Topic(StrEnum):
    """What a question is about, as somebody of the staff says; nothing guesses it."""

    DAMAGED = "damaged"
    """It broke on its way."""
    ADDRESS = "address"
    """It went to a wrong address."""
    WRONG = "wrong"
    """Another size, colour or thing came."""
    LATE = "late"
    MISSING = "missing"
    """Something was not in the parcel."""
    RETURN = "return"
    REFUND = "refund"
    PRODUCT = "product"
    OTHER = "other"


class Question(SQLModel, table=True):
    """A thread. What it waits for follows from its messages, and is written here under its own lock."""

    __tablename__ = "question"
    __table_args__ = (
        one_of(State, "state"),
        one_of(Source, "source"),
        one_of(Topic, "topic"),
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
    topic: str | None = None
    """None until somebody says it."""


class QuestionMessage(SQLModel, table=True):
    """A message of a thread; nobody changes one. Their ids are in the order in which they were written."""

    __tablename__ = "question_message"
    __table_args__ = (
        one_of(Kind, "kind"),
        CheckConstraint("kind IN ('customer', 'machine') OR staff_id IS NOT NULL", name="staff_have_names"),
        Index("ix_question_message", "question_id", "id"),
        Index("ix_question_message_came", "at", postgresql_where="kind = 'customer'"),
    )

    id: UUID = Field(primary_key=True)
    question_id: UUID = Field(foreign_key="question.id")
    kind: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    quoted: str = Field(sa_column=Column(Text, nullable=False))
    """What an e-mail repeats of others."""
    link: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    """The path of the page with what a note tells of; empty where it tells of nothing."""
    staff_id: UUID | None = Field(default=None, foreign_key="staff.id")
    at: datetime = Field(sa_column=moment(nullable=False))


class Fate(StrEnum):
    """What became of an e-mail."""

    ASKED = "asked"
    """It began a thread."""
    WRITTEN = "written"
    """It was added to one."""
    NOTED = "noted"
    """It was kept in a thread as what a machine sent."""
    IGNORED = "ignored"
    """A machine sent it, and it belongs to no thread."""


class InboundMail(SQLModel, table=True):
    """An e-mail that was read. Its row is written with what became of it, so that it is taken once."""

    __tablename__ = "inbound_mail"
    __table_args__ = (
        one_of(Fate, "fate"),
        Index("uq_inbound_mail_place", "uidvalidity", "uid", unique=True),
        Index("uq_inbound_mail_digest", "digest", unique=True, postgresql_where="NOT repeated"),
        Index("ix_inbound_mail_question", "question_id"),
    )

    id: UUID = Field(primary_key=True)
    uidvalidity: int = Field(sa_column=Column(BigInteger, nullable=False))
    uid: int = Field(sa_column=Column(BigInteger, nullable=False))
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of its Message-ID, or of all of it where it has none."""
    repeated: bool
    """Whether the same message had been read already, from another place of the mailbox."""
    known_as: str
    """Its Message-ID, by which later ones refer to it; empty where it has none."""
    sender: str
    fate: str
    why: str
    """By what a machine's was recognised; empty for those of people."""
    question_id: UUID | None = Field(default=None, foreign_key="question.id")
    message_id: UUID | None = Field(default=None, foreign_key="question_message.id")
    read_at: datetime = Field(sa_column=moment(nullable=False))


class QuestionAttachment(SQLModel, table=True):
    """A file that came with an e-mail: pictures rebuilt from their pixels, PDFs as they were, nothing else."""

    __tablename__ = "question_attachment"
    __table_args__ = (
        CheckConstraint("(refused = '') = (data IS NOT NULL)", name="kept_or_refused"),
        Index("ix_question_attachment", "message_id"),
    )

    id: UUID = Field(primary_key=True)
    message_id: UUID = Field(foreign_key="question_message.id")
    name: str
    media_type: str
    refused: str
    """Why it was not kept; empty where it was."""
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
