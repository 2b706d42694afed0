"""E-mails to send and sent."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment, one_of


class EmailStatus(StrEnum):
    """Where an e-mail stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Email(SQLModel, table=True):
    """One e-mail, written in the transaction of the change that causes it."""

    __tablename__ = "email"
    __table_args__ = (
        one_of(EmailStatus, "status"),
        Index("ix_email_due", "next_try_at", postgresql_where="status IN ('queued', 'sending')"),
        Index("ix_email_sent", "created_at"),
        Index("ix_email_reminder", "subject_id", postgresql_where="template = 'trial_reminder'"),
    )

    id: UUID = Field(primary_key=True)
    """Also the Message-ID, so that a repeated delivery is recognised as the same message."""
    template: str
    """A folder of templates/email/."""
    recipient: str
    locale: str
    values: dict[str, object] = Field(sa_column=json())
    """What the template is given; secrets in it are removed once sent."""
    subject_id: UUID | None = None
    """The return, refund or order that it is about."""
    status: str
    attempts: int = 0
    error: str = ""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    next_try_at: datetime = Field(sa_column=moment(nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=moment())
