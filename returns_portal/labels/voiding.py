"""Giving labels back that nobody will use."""

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.carriers.gateway import CarrierRefusedError, VoidStatus
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.carriers.registry import Carriers
from returns_portal.db import run
from returns_portal.jobs import JobContext, defer
from returns_portal.labels.life import lock_label, move_to
from returns_portal.labels.models import LabelStatus

log = structlog.get_logger(__name__)


async def void(db: AsyncConnection, actor: Actor, label_id: UUID) -> None:
    """Let nobody use a label any more, and ask its carrier for the money, if it was bought.

    Raises:
        ForbiddenError: the actor looks after no labels.
        NotFoundError: there is no such label.
        ConflictError: it was used, or given back before.
    """
    actor.require("support", "warehouse", "finance")
    label = await lock_label(db, label_id)
    asked = label.carrier != PREPAID and label.asked_at is not None
    status = "" if asked else VoidStatus.NOT_APPLICABLE.value
    await move_to(db, actor, label_id, LabelStatus.VOIDED, void_status=status)
    if asked:
        await defer(db, "labels.void", label_id=str(label_id))


async def try_again(db: AsyncConnection, actor: Actor, label_id: UUID) -> None:
    """Ask a carrier once more that rejected giving the money back, as some do when asked too soon.

    Raises:
        ForbiddenError: the actor looks after no labels.
        NotFoundError: there is no such label.
    """
    actor.require("support", "warehouse", "finance")
    label = await lock_label(db, label_id)
    if label.status == LabelStatus.VOIDED and label.void_status == VoidStatus.REJECTED:
        await run(db, "UPDATE label SET void_status = '', failure = '' WHERE id = :id", id=label_id)
        await history.record(db, actor, ("label", label_id, "void_asked_again", {}))
        await defer(db, "labels.void", label_id=str(label_id))


_ANSWERED: Final = """
    UPDATE label SET void_status = :said, failure = :failure WHERE id = :id AND status = 'voided' AND void_status = ''
    RETURNING id
"""


async def ask(context: JobContext, label_id: UUID) -> None:
    """Ask the carrier of a voided label for the money, once.

    Raises:
        CarrierUnknownError: no answer; the job comes again, and the adapter looks before it asks.
    """
    async with context.begin() as db:
        label = await lock_label(db, label_id)
    if label.status != LabelStatus.VOIDED or label.void_status:
        return
    said, failure = await _said(context, label.carrier, label.shipment_ref)
    async with context.begin() as db:
        if await run(db, _ANSWERED, id=label_id, said=said.value, failure=failure):
            await history.record(db, SYSTEM, ("label", label_id, "void_answered", {"void_status": said.value}))


async def _said(context: JobContext, carrier: str, ref: str | None) -> tuple[VoidStatus, str]:
    if ref is None:
        return VoidStatus.NOT_APPLICABLE, ""
    try:
        return await context.service(Carriers).named(carrier).void(ref), ""
    except CarrierRefusedError as error:
        log.warning("label.void_refused", carrier=carrier)
        return VoidStatus.REJECTED, str(error)
