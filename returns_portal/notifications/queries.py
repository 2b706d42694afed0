"""E-mails as people look at them: those given up, and the demo's outbox."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.notifications.models import Email, EmailStatus

PAGE: Final = 25
"""E-mails on one page of the outbox."""


class FailedEmail(msgspec.Struct, frozen=True):
    """An e-mail that was given up, without whom it was for."""

    id: UUID
    template: str
    attempts: int
    error: str
    created_at: datetime


class OutboxEmail(msgspec.Struct, frozen=True):
    """An e-mail in the demo's outbox, as it was written; or an SMS, which has no template and its text in `sms`."""

    id: UUID
    template: str
    recipient: str
    locale: str
    values: dict[str, object]
    status: str
    created_at: datetime
    sms: str = ""
    """The text of an SMS."""


async def failed(db: AsyncConnection, actor: Actor, limit: int = 1000) -> list[FailedEmail]:
    """What was given up, the newest first.

    Raises:
        ForbiddenError: the actor serves no customers.
    """
    actor.require("support")
    query = (
        select(*(getattr(Email, field) for field in FailedEmail.__struct_fields__))
        .where(col(Email.status) == EmailStatus.FAILED)
        .order_by(col(Email.id).desc())
        .limit(limit)
    )
    return [FailedEmail(*row) for row in await db.execute(query)]


_OUTBOX: Final = """
    SELECT * FROM (SELECT id, template, recipient, locale, values, status, created_at, '' AS sms FROM email
        WHERE id < :before ORDER BY id DESC LIMIT :limit) AS e
    UNION ALL SELECT * FROM (SELECT id, '', recipient, locale, CAST('{}' AS jsonb), status, created_at, text FROM sms
        WHERE id < :before ORDER BY id DESC LIMIT :limit) AS s
    ORDER BY id DESC LIMIT :limit
"""
_LAST: Final = UUID(int=2**128 - 1)


async def outbox(db: AsyncConnection, before: UUID | None = None) -> list[OutboxEmail]:
    """Up to `PAGE` + 1 e-mails and SMS, the newest first, older than one; the one too many says that there are more.

    Only the demo shows them, where all people and addresses are made up; hence no actor is asked for.
    """
    return [OutboxEmail(*row) for row in await run(db, _OUTBOX, before=before or _LAST, limit=PAGE + 1)]


_EMAIL = [getattr(Email, field) for field in OutboxEmail.__struct_fields__ if field != "sms"]


async def outbox_email(db: AsyncConnection, email_id: UUID) -> OutboxEmail:
    """One e-mail of the demo's outbox.

    Raises:
        NotFoundError: there is none with this id.
    """
    row = (await db.execute(select(*_EMAIL).where(col(Email.id) == email_id))).one_or_none()
    if row is None:
        raise NotFoundError(mark("There is no such e-mail."))
    return OutboxEmail(*row)
