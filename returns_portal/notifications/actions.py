"""Writing e-mails into the transaction of what causes them. `delivery` takes them from there."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.notifications.models import Email, EmailStatus

Template = Literal[
    "access_code",
    "checked_in",
    "decision_made",
    "goodwill",
    "label_ready",
    "parcel_delivered",
    "parcel_lost",
    "parcel_on_its_way",
    "parcel_stuck",
    "pickup",
    "points_expiring",
    "refund_failed",
    "refunded",
    "return_cancelled",
    "return_filed",
    "transfer_needed",
    "trial_action_needed",
    "trial_authorisation_failed",
    "trial_authorised",
    "trial_cancelled",
    "trial_delivered",
    "trial_extended",
    "trial_hold_expired",
    "trial_overdue",
    "trial_problem",
    "trial_reminder",
    "trial_settled",
    "trial_shipped",
    "withdrawal_received",
    "your_orders",
]
"""The folders of `templates/email/`."""


class Letter(msgspec.Struct, frozen=True):
    """An e-mail to write. `values` is what its template needs: ids, numbers, words, the reader's own name."""

    template: Template
    recipient: str
    locale: str
    values: dict[str, object]
    subject_id: UUID | None = None


async def enqueue(
    db: AsyncConnection,
    *,
    template: Template,
    recipient: str,
    locale: str,
    values: dict[str, object],
    subject_id: UUID | None = None,
) -> None:
    """Write one e-mail, to be sent within seconds after the transaction commits."""
    await enqueue_many(db, [Letter(template, recipient, locale, values, subject_id)])


async def enqueue_many(db: AsyncConnection, letters: Sequence[Letter]) -> None:
    """Write e-mails in one statement; those without a recipient (orders taken in a shop) are left out."""
    await insert_rows(db, rows(*letters))


def rows(*letters: Letter) -> Rows:
    """The rows of e-mails, for an insertion together with the change that causes them."""
    moment = clock.now()
    return Email, [
        {
            "id": new_id(),
            "template": letter.template,
            "recipient": letter.recipient.strip(),
            "locale": letter.locale,
            "values": letter.values,
            "subject_id": letter.subject_id,
            "status": EmailStatus.QUEUED,
            "attempts": 0,
            "error": "",
            "created_at": moment,
            "next_try_at": moment,
        }
        for letter in letters
        if letter.recipient.strip()
    ]


async def retry(db: AsyncConnection, actor: Actor, email_id: UUID) -> None:
    """Queue an e-mail again that was given up, with all its tries.

    Raises:
        ForbiddenError: the actor serves no customers.
        NotFoundError: no such e-mail was given up, or its secret has left it, without which it says nothing.
    """
    actor.require("support")
    done = await db.execute(
        update(Email)
        .where(
            col(Email.id) == email_id,
            col(Email.status) == EmailStatus.FAILED,
            col(Email.template) != "access_code",
        )
        .values(status=EmailStatus.QUEUED, attempts=0, next_try_at=clock.now())
    )
    if not done.rowcount:
        raise NotFoundError(mark("No such e-mail was given up."))
    await history.record(db, actor, ("email", email_id, "retried", {}))
