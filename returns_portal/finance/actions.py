"""What finance does besides refunding: marking as seen, and letting things be tried again."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.jobs import defer
from returns_portal.refunds import failed
from returns_portal.refunds.models import RefundStatus


async def review_correction(db: AsyncConnection, actor: Actor, parcel_id: UUID) -> None:
    """Mark a correction, after which more was paid than came, as looked at.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is no such correction that waits.
    """
    actor.require("finance")
    reviewed = (
        await db.execute(
            text(
                "UPDATE parcel SET reviewed_at = :now WHERE id = :id AND corrects_id IS NOT NULL"
                " AND reviewed_at IS NULL RETURNING return_id"
            ),
            {"id": parcel_id, "now": clock.now()},
        )
    ).scalar_one_or_none()
    if reviewed is None:
        raise NotFoundError(mark("There is no such correction to look at."))
    await history.record(db, actor, ("return", reviewed, "correction_reviewed", {"parcel": str(parcel_id)}))


async def try_again(db: AsyncConnection, actor: Actor, refund_id: UUID) -> None:
    """Try a failed refund again, or have the gateway asked now what became of an unknown one.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is no such refund.
        ConflictError: it is neither, or its payment has too little left.
    """
    actor.require("finance")
    status = await db.scalar(text("SELECT status FROM refund WHERE id = :id"), {"id": refund_id})
    if status not in {None, RefundStatus.FAILED, RefundStatus.UNKNOWN}:
        raise ConflictError(mark("This refund does not need to be tried again: look at its status."), code="not_failed")
    if status == RefundStatus.UNKNOWN:
        await defer(db, "refunds.submit", refund_id=str(refund_id))
        await history.record(db, actor, ("refund", refund_id, "asked_again", {}))
    else:
        await failed.try_again(db, actor, refund_id)


async def retry_job(db: AsyncConnection, actor: Actor, job_id: int) -> None:
    """Let a job that gave up run again now.

    Raises:
        ForbiddenError: the actor is not of finance.
        ConflictError: it runs again already, or is done.
    """
    actor.require("finance")
    row = (
        await db.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL"
                " WHERE id = :id AND status = 'failed' AND queueing_lock IS NULL RETURNING task_name, args"
            ),
            {"id": job_id},
        )
    ).one_or_none()
    if row is None:
        raise ConflictError(mark("This job is not given up any more."), code="not_given_up")
    for key, value in row.args.items():
        with suppress(ValueError):
            await history.record(
                db, actor, (key.removesuffix("_id"), UUID(str(value)), "job_retried", {"job": row.task_name})
            )


async def forwarded(db: AsyncConnection, actor: Actor, refund_ids: list[UUID]) -> None:
    """Write down that the account numbers of these transfers left the portal in a file."""
    actor.require("finance")
    if refund_ids:
        await history.record(db, actor, *(("refund", refund_id, "transfer_exported", {}) for refund_id in refund_ids))
