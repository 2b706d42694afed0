"""Reading from the gateway what an event told of, or what nobody told of.

An event is a hint: whatever it says, its object is read anew, and everything follows from what it is now.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog

from returns_portal.db import run
from returns_portal.jobs import JobContext, defer_many
from returns_portal.payments import actions, disputes, inbox
from returns_portal.payments import queries as payments
from returns_portal.payments.gateway import GatewayDispute, GatewayRefund, GatewayRefusedError, GatewayUnknownError
from returns_portal.payments.models import PaymentStatus
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import disputed, outside
from returns_portal.refunds.settling import GATEWAY_STATUS, attempt_of

log = structlog.get_logger(__name__)

_BATCH: Final = 100
_OPEN: Final = 200
"""How many open disputes are looked at in one sweep."""


async def read_event(context: JobContext, event_id: UUID) -> None:
    """Read the object of an event, and note that it was done."""
    async with context.begin() as db:
        told = await inbox.subject(db, event_id)
    try:
        await read(context, told.object_kind, told.object_id)
    except GatewayRefusedError as error:
        if error.code != "resource_missing":
            raise
        # An object of the other mode, or one that is gone: nothing follows from it.
        log.info("inbox.object_missing", kind=told.object_kind, id=told.object_id)
    async with context.begin() as db:
        await inbox.handled(db, event_id)


async def read(context: JobContext, kind: str, object_id: str) -> None:
    """Read an object of the gateway, and derive from it what concerns refunds.

    Raises:
        GatewayError: the gateway refused, or gave no answer.
        UnderWayError: it cannot be told yet what is left of the payment.
    """
    gateway = context.service(StripeGateway)
    if kind == "refund":
        await outside.take(context, await gateway.read_refund(object_id))
    elif kind == "dispute":
        await disputed.read(context, object_id)
    elif kind == "charge":
        await _read_payment(context, (await gateway.read_charge(object_id)).payment, object_id)
    elif kind == "payment_intent":
        await _read_payment(context, object_id)


async def _read_payment(context: JobContext, *references: str) -> None:
    """All that was refunded and disputed of a payment; a payment that was not known yet is verified first."""
    gateway = context.service(StripeGateway)
    async with context.begin() as db:
        known = await payments.by_reference(db, *references)
    if known is None:
        return
    if known.status in {PaymentStatus.UNVERIFIED, PaymentStatus.FAILED}:
        await actions.verify(context.begin, gateway, known.id)
    for refund in await gateway.find_refunds(known.reference):
        await outside.take(context, refund)
    for dispute in await gateway.find_disputes(known.reference):
        await disputed.read(context, dispute.id)


async def read_disputes(context: JobContext, payment_id: UUID) -> None:
    """Read all disputes of a payment of ours."""
    async with context.begin() as db:
        payment = await payments.by_id(db, payment_id)
    if payment is not None and payment.reference:
        for dispute in await context.service(StripeGateway).find_disputes(payment.reference):
            await disputed.read(context, dispute.id)


async def sweep(context: JobContext) -> None:
    """Go through the refunds that were made since the last sweep, and have those read that are not known as they are.

    A refund of ours that was answered at once is known by then; what is read are those that were made elsewhere.
    """
    async with context.begin() as db:
        since = await inbox.read_since(db, "refunds")
    batch: list[GatewayRefund] = []
    newest = since
    try:
        async for refund in context.service(StripeGateway).list_refunds(since - inbox.OVERLAP):
            newest = max(newest, refund.created)
            batch.append(refund)
            if len(batch) == _BATCH:
                await _have_read(context, batch)
                batch.clear()
    except (GatewayUnknownError, GatewayRefusedError) as error:
        log.info("refund.not_swept", reason=str(error))
        return
    await _have_read(context, batch)
    async with context.begin() as db:
        await inbox.set_read_until(db, "refunds", newest)


# What is on its way is answered to whoever sends it; what had gone before the payment became known is counted; and an
# attempt of ours that failed has nothing more to say once another was made.
_UNKNOWN: Final = """
    SELECT g.id FROM json_to_recordset(CAST(:found AS json)) AS g(id text, status text, payment text, charge text,
        ours uuid, attempt integer)
    JOIN payment p ON p.tender = 'stripe' AND p.reference IN (g.payment, g.charge) AND p.status = 'captured'
    LEFT JOIN refund f ON f.gateway_id = g.id
    WHERE f.status IS DISTINCT FROM g.status AND NOT coalesce(g.id = ANY(p.refunds_before), false)
      AND NOT EXISTS (SELECT FROM refund n WHERE n.id = g.ours AND n.attempt > g.attempt AND g.status = 'failed')
"""


async def _have_read(context: JobContext, batch: Sequence[GatewayRefund]) -> None:
    if not batch:
        return
    found = [_as_found(refund) for refund in batch]
    async with context.begin() as db:
        unknown = await run(db, _UNKNOWN, found=msgspec.json.encode(found).decode())
        await defer_many(db, "refunds.read_refund", [{"gateway_id": row.id} for row in unknown])


def _as_found(refund: GatewayRefund) -> dict[str, object]:
    ours, attempt = attempt_of(refund) or (None, None)
    return {
        "id": refund.id,
        "status": GATEWAY_STATUS[refund.status],
        "payment": refund.payment,
        "charge": refund.charge,
        "ours": ours,
        "attempt": attempt,
    }


async def sweep_disputes(context: JobContext) -> None:
    """Have those disputes read that were opened since the last sweep and are not known, and all that are open."""
    async with context.begin() as db:
        since = await inbox.read_since(db, "disputes")
        ids = await disputes.open_ids(db, _OPEN)
    found: list[GatewayDispute] = []
    try:
        found = [each async for each in context.service(StripeGateway).list_disputes(since - inbox.OVERLAP)]
    except (GatewayUnknownError, GatewayRefusedError) as error:
        log.info("dispute.not_swept", reason=str(error))
    async with context.begin() as db:
        known = await disputes.known_ids(db, [dispute.id for dispute in found])
        ids += [dispute.id for dispute in found if dispute.id not in known]
        await defer_many(db, "refunds.read_dispute", [{"gateway_id": id_} for id_ in ids])
        if found:
            await inbox.set_read_until(db, "disputes", max(dispute.created for dispute in found))
