"""Proof of sending: who sends a parcel with a label of their own says by whom, and under which number.

The refund may be withheld until the goods are back or this proof is there, whichever is earlier (Directive 2011/83/EU,
Art. 13(3)); the return shows staff both.
"""

import re
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.policies.content import Postage
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import ReturnStatus

MAX_CARRIER: Final = 60
MAX_TRACKING: Final = 40
_TRACKING: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{2,39}")
_GIVE: Final = """
    UPDATE returns SET proof_carrier = :carrier, proof_tracking = :tracking, proof_at = :now
    WHERE id = :id AND postage = :own AND status = :filed AND travels_with IS NULL
        AND (proof_carrier, proof_tracking) <> (:carrier, :tracking)
    RETURNING id
"""
_STATE: Final = "SELECT postage, status, travels_with FROM returns WHERE id = :id"


async def give_proof(db: AsyncConnection, actor: Actor, rma: str, carrier: str, tracking: str) -> None:
    """Keep by whom and under which number a parcel was sent; the same again changes nothing.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        InvalidError: the carrier or the number cannot be.
        ConflictError: it travels with the shop's label, was cancelled, or has arrived.
    """
    carrier, tracking = " ".join(carrier.split()), " ".join(tracking.split())
    if not carrier or len(carrier) > MAX_CARRIER or not carrier.isprintable():
        raise InvalidError(mark("Say who carries it, such as DHL."), field="carrier")
    if not _TRACKING.fullmatch(tracking):
        raise InvalidError(
            mark("The number on your receipt: letters and digits, at most {most} characters."),
            field="tracking",
            most=MAX_TRACKING,
        )
    row = await lock_return(db, actor, rma)
    told = {"carrier": carrier, "tracking": tracking}
    values = {"id": row.id, "own": Postage.OWN_LABEL.value, "filed": ReturnStatus.FILED.value, "now": clock.now()}
    if await run(db, _GIVE, **values, **told):
        await history.record(db, actor, ("return", row.id, "proof_given", told))
        return
    [state] = await run(db, _STATE, id=row.id)
    if state.travels_with is not None:
        raise ConflictError(
            mark("This return travels in the parcel of another one: tell us the number on that one's page."),
            code="in_other_parcel",
        )
    if state.postage != Postage.OWN_LABEL or state.status != ReturnStatus.FILED:
        raise ConflictError(
            mark("Nothing has to be proven for this return: it has arrived, was cancelled, or travels with our label."),
            code="no_proof_needed",
        )
