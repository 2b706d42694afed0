"""What becomes of a parcel that several returns travel in, where one leaves it or the leading one is cancelled.

Who gets a parcel of its own pays its postage as the policy of its order's day has it. Where the leading return is
cancelled, that is no choice of those that travel with it: the oldest of them leads from then on, and pays no more than
the parcel was to cost before. The label of the cancelled one is given back as any other, and the parcel gets a new one.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.actions import issue
from returns_portal.notifications.actions import enqueue
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.returns.judging import judgement
from returns_portal.returns.life import is_under_way, lock_return
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import current

_PRESENT: Final = """
    SELECT r.status, r.travels_with, r.postage, r.created_at, o.number, lead.status AS lead_status,
           lead.postage_fee AS lead_fee
    FROM returns r JOIN orders o ON o.id = r.order_id LEFT JOIN returns lead ON lead.id = r.travels_with
    WHERE r.id = :id
"""
_LINES: Final = "SELECT order_line_id, faulty FROM return_line WHERE return_id = :id"
_ALONE: Final = """
    UPDATE returns SET travels_with = NULL, postage = :postage, postage_fee = :fee WHERE id = :id
"""


async def postage_alone(db: AsyncConnection, actor: Actor, return_id: UUID) -> Verdict:
    """What holds for the postage of a return in a parcel of its own, by the policy of its order's day."""
    [present] = await run(db, _PRESENT, id=return_id)
    lines = await run(db, _LINES, id=return_id)
    order = await order_state(db, actor, present.number, besides=return_id)
    faulty = {line.order_line_id for line in lines if line.faulty}
    judged = await judgement(db, order, (await current(db)).timezone, present.created_at, faulty)
    verdict = judged.of(line.order_line_id for line in lines)
    return msgspec.structs.replace(verdict, keep_it=False)


async def own_parcel(db: AsyncConnection, actor: Actor, rma: str) -> bool:
    """Give a return that travels in another one's parcel a parcel of its own, with its label; whether it needed one.

    Asked twice, it is done once. It can be had until the parcel is handed in; and once that was opened, for what was
    not in it after all.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: it has arrived or was cancelled, or a carrier has the parcel.
    """
    row = await lock_return(db, actor, rma)
    # Read again under the lock: the row above was read while waiting for it.
    [present] = await run(db, _PRESENT, id=row.id)
    if present.travels_with is None:
        return False
    moving = present.lead_status != ReturnStatus.RECEIVED and await is_under_way(db, row.id)
    if present.status != ReturnStatus.FILED or moving:
        raise ConflictError(
            mark("The parcel is on its way or has arrived, so nothing can be taken out of it. Nothing was changed."),
            code="not_changeable",
        )
    verdict = await postage_alone(db, actor, row.id)
    await _set_free(db, actor, row.id, row.rma, verdict.postage, verdict.fee, "own_parcel")
    return True


async def _set_free(
    db: AsyncConnection, actor: Actor, return_id: UUID, rma: str, postage: Postage, fee: int, action: str
) -> None:
    """Let a return have the label of its parcel; `fee` in minor units of its order's currency."""
    await run(db, _ALONE, id=return_id, postage=postage.value, fee=fee)
    await history.record(db, actor, ("return", return_id, action, {"postage": postage.value, "fee": fee}))
    if postage is not Postage.OWN_LABEL:
        await issue(db, actor, return_id, rma)


# Nothing joins a cancelled return's parcel any more, so that no order is missing from those that are locked here.
_LOCK: Final = """
    SELECT id FROM orders WHERE id IN (SELECT order_id FROM returns WHERE travels_with = :id) ORDER BY id FOR UPDATE
"""
_LEFT: Final = """
    SELECT r.id, r.rma, o.number, o.email, o.name, o.locale, lead.rma AS lead_rma FROM returns r
    JOIN orders o ON o.id = r.order_id JOIN returns lead ON lead.id = r.travels_with
    WHERE r.travels_with = :id AND r.status = 'filed' AND lead.status = 'cancelled' ORDER BY r.id
"""
_FOLLOW: Final = "UPDATE returns SET travels_with = :lead WHERE id = :id"


async def regroup(begin: Begin, lead_id: UUID) -> None:
    """Let the oldest lead of the returns that travelled with a cancelled one, and tell their customer; once."""
    async with begin() as db:
        await run(db, _LOCK, id=lead_id)
        left = await run(db, _LEFT, id=lead_id)
        if not left:
            return
        first, *others = left
        postage, fee = await _as_before(db, first)
        await _set_free(db, SYSTEM, first.id, first.rma, postage, fee, "leads_parcel")
        for other in others:
            await run(db, _FOLLOW, id=other.id, lead=first.id)
            await history.record(db, SYSTEM, ("return", other.id, "travels_with", {"rma": first.rma}))
        await enqueue(
            db,
            template="parcel_regrouped",
            recipient=first.email,
            locale=first.locale,
            subject_id=first.id,
            values={
                "rma": first.rma,
                "order_number": first.number,
                "name": first.name,
                "cancelled": first.lead_rma,
                "fellows": [other.rma for other in others],
                "own": postage is Postage.OWN_LABEL,
                "url": f"/returns/{first.rma}",
            },
        )


async def _as_before(db: AsyncConnection, first: Any) -> tuple[Postage, int]:  # noqa: ANN401 - a row
    """Who pays for the parcel from now on, and how much in minor units: nothing that was not asked for it before.

    A fee is either the one that the policy of the order's day names, or none.
    """
    [present] = await run(db, _PRESENT, id=first.id)
    verdict = await postage_alone(db, SYSTEM, first.id)
    if verdict.postage is Postage.OWN_LABEL and present.postage != Postage.OWN_LABEL:
        return Postage.SHOP, 0
    return verdict.postage, verdict.fee if verdict.fee <= present.lead_fee else 0
