"""E-mails to send and sent."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary
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
        Index(
            "ix_email_change",
            "subject_id",
            "template",
            "change",
            unique=True,
            postgresql_where="change IS NOT NULL",
        ),
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
    change: str | None = None
    """Which change of its subject it tells, where that can be named: of one change there is one e-mail."""
    status: str
    attempts: int = 0
    error: str = ""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    next_try_at: datetime = Field(sa_column=moment(nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=moment())


class Optional(StrEnum):
    """Kinds of e-mails that nobody has to get; what is of no kind always goes, for the law or the money asks for it."""

    PARCEL = "parcel"
    """Where a parcel is, and that it does not move."""
    POINTS = "points"
    """That points are going to expire."""
    STOCK = "stock"
    """What becomes of something that they asked for and was not in stock."""


class MailRefusal(SQLModel, table=True):
    """A reader has switched off a kind of e-mail; the row goes when it is switched on again."""

    __tablename__ = "mail_refusal"
    __table_args__ = (one_of(Optional, "kind"),)

    address: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """SHA-256 of the address, lower case: the table says nothing of who orders here to whoever reads it."""
    kind: str = Field(primary_key=True)
    created_at: datetime = Field(sa_column=moment(nullable=False))


class SmsStatus(StrEnum):
    """Where an SMS stands."""

    QUEUED = "queued"
    SENDING = "sending"
    """Somebody sends it, or died while doing so: it is not sent again."""
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may have gone out: nobody answered. It is not sent again, for one too many is worse than one too few."""


class Sms(SQLModel, table=True):
    """One SMS, written in the transaction of the change that causes it."""

    __tablename__ = "sms"
    __table_args__ = (one_of(SmsStatus, "status"), Index("ix_sms_created", "created_at"))

    id: UUID = Field(primary_key=True)
    recipient: str
    """E.164: a plus, the country's code, the number."""
    locale: str
    text: str
    subject_id: UUID | None = None
    status: str
    attempts: int = 0
    error: str = ""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=moment())
