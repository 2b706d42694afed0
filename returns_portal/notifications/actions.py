"""Writing e-mails into the transaction of what causes them. `delivery` takes them from there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.notifications.choices import address_digest, kind_of, refusals
from returns_portal.notifications.models import Email, EmailStatus

Template = Literal[
    "access_code",
    "back_in_stock",
    "checked_in",
    "claim_decided",
    "claim_received",
    "courier_announced",
    "deadlines_due",
    "decision_made",
    "exchange_charged",
    "exchange_ended",
    "exchange_hold_lost",
    "exchange_released",
    "exchange_reminder",
    "exchange_sent",
    "exchange_to_pay",
    "exchange_unpaid",
    "gift_filed",
    "goodwill",
    "label_ready",
    "order_received",
    "parcel_delivered",
    "parcel_lost",
    "parcel_on_its_way",
    "parcel_regrouped",
    "parcel_stuck",
    "pickup",
    "loyalty_thanks",
    "points_expiring",
    "points_given",
    "privacy_confirm",
    "privacy_ready",
    "question_answered",
    "question_delayed",
    "question_received",
    "refund_failed",
    "refunded",
    "request_answered",
    "request_kept",
    "replacement_ended",
    "replacement_sent",
    "return_cancelled",
    "return_changed",
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


NOBODY: Final = "erased:"
"""How what stands for the address of a person begins who was forgotten: nobody is written to there."""


class Letter(msgspec.Struct, frozen=True):
    """An e-mail to write. `values` is what its template needs: ids, numbers, words, the reader's own name."""

    template: Template
    recipient: str
    locale: str
    values: dict[str, object]
    subject_id: UUID | None = None
    change: str | None = None
    """Which change of the subject it tells: of one change there is one e-mail, however often it is told."""
    not_before: datetime | None = None
    """When it is to be sent, where not at once."""


async def enqueue(
    db: AsyncConnection,
    *,
    template: Template,
    recipient: str,
    locale: str,
    values: dict[str, object],
    subject_id: UUID | None = None,
    change: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """Write one e-mail, to be sent within seconds after the transaction commits, or from `not_before` on.

    It is left out where its reader has switched its kind off, or where this very change was told before.
    """
    await enqueue_many(db, [Letter(template, recipient, locale, values, subject_id, change, not_before)])


async def wanted(db: AsyncConnection, letters: Sequence[Letter]) -> list[Letter]:
    """The letters without those that are told already, and those whose readers have switched their kind off.

    Letters that have to go, and name no change, cost no statement.
    """
    named = [letter for letter in letters if letter.change is not None]
    optional = [letter for letter in letters if kind_of(letter.template)]
    told = await _told(db, named) if named else set()
    refused = await refusals(db, [letter.recipient for letter in optional]) if optional else set()
    return [
        letter
        for letter in letters
        if (letter.template, letter.subject_id, letter.change) not in told
        and (address_digest(letter.recipient), kind_of(letter.template)) not in refused
    ]


# Whoever tells a change holds the lock of what has changed, so that nobody else tells it meanwhile; the index is for
# what nobody has thought of.
_TOLD: Final = """
    SELECT e.template, e.subject_id, e.change FROM email e
    JOIN unnest(CAST(:subjects AS uuid[]), CAST(:changes AS text[])) AS w(subject_id, change)
      ON e.subject_id = w.subject_id AND e.change = w.change
"""


async def _told(db: AsyncConnection, letters: Sequence[Letter]) -> set[tuple[str, UUID | None, str | None]]:
    subjects, changes = [letter.subject_id for letter in letters], [letter.change for letter in letters]
    return {tuple(row) for row in await run(db, _TOLD, subjects=subjects, changes=changes)}


async def enqueue_many(db: AsyncConnection, letters: Sequence[Letter]) -> None:
    """Write e-mails in one statement; those without a recipient are left out.

    Orders taken in a shop have none, nor have people who were forgotten.
    """
    await insert_rows(db, rows(*await wanted(db, letters)))


def rows(*letters: Letter) -> Rows:
    """The rows of e-mails, for an insertion together with the change that causes them.

    Nothing is left out here: those whose readers may have switched them off go through `enqueue_many`.
    """
    moment = clock.now()
    return Email, [
        {
            "id": new_id(),
            "template": letter.template,
            "recipient": letter.recipient.strip(),
            "locale": letter.locale,
            "values": letter.values,
            "subject_id": letter.subject_id,
            "change": letter.change,
            "status": EmailStatus.QUEUED,
            "attempts": 0,
            "error": "",
            "created_at": moment,
            "next_try_at": letter.not_before or moment,
        }
        for letter in letters
        if letter.recipient.strip() and not letter.recipient.startswith(NOBODY)
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
