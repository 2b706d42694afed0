"""The life of what is sent anew, and what each step means for its claim."""

from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import give_back_stock
from returns_portal.claims.letters import tell
from returns_portal.claims.queries import claim_for
from returns_portal.claims.replacements.models import REPLACEMENT_TRANSITIONS, EndReason, ReplacementStatus
from returns_portal.claims.replacements.queries import ReplacementView, replacement_for
from returns_portal.claims.rules import settled_item
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.orders.exchanges import arrives_later
from returns_portal.payments.disputes import refuse_disputed
from returns_portal.returns.queries import order_state

S = ReplacementStatus
_MOST: Final = 100
_SOURCES: Final = {
    status: [before.value for before, after in REPLACEMENT_TRANSITIONS.items() if status in after] for status in S
}
_CLAIM: Final = """
    UPDATE item_claim SET changed_at = :now, closed_at = CASE WHEN :closed THEN CAST(:now AS timestamptz) END
    WHERE id = :id
"""


async def send(
    db: AsyncConnection, actor: Actor, number: str, *, carrier: str = "", tracking: str = ""
) -> ReplacementView:
    """What is sent anew has left; its claim is over. Again, it changes nothing.

    The period for withdrawing runs from when the new piece is taken to have arrived, as that of an exchange does: the
    good that the consumer keeps is the last to come (Directive 2011/83/EU, Art. 9(2)(b)). Of the readings of the law
    that is the one that favours the customer.

    Where what it stands for is in a return by now, or was paid back, nothing is owed any more: then it is ended
    instead, which the answer says, and somebody decides about the claim anew.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: there is no such number.
        ConflictError: it has ended (`wrong_status`), or the payment of its order is disputed (`disputed`).
    """
    actor.require("exchanges:write", "warehouse", "support")
    found = await replacement_for(db, actor, number, lock=True)
    if found.status is S.SENT:
        return found
    if found.status is S.ENDED:
        raise ConflictError(
            mark("{number} is not to be sent any more: it was called off. Put the pieces back."),
            code="wrong_status",
            number=found.number,
        )
    await refuse_disputed(db, found.order_id, found.number)
    order = await order_state(db, SYSTEM, found.order_number)
    if order.cancelled_at is not None or settled_item(await claim_for(db, SYSTEM, found.claim_id), order.lines):
        return await _end(db, actor, found, EndReason.SETTLED)
    now = clock.now()
    told = {"carrier": carrier.strip()[:_MOST], "tracking": tracking.strip()[:_MOST]}
    await _move_to(db, actor, found.id, S.SENT, sent_at=now, sent_by=actor.label, **told)
    await _follow(db, actor, found.claim_id, now, over=True)
    await arrives_later(db, found.order_id, now)
    await tell(db, await claim_for(db, SYSTEM, found.claim_id), "replacement_sent")
    return await replacement_for(db, actor, found.number)


async def call_off(db: AsyncConnection, actor: Actor, number: str, *, missing: UUID | None = None) -> ReplacementView:
    """Do not send it: its claim waits for another decision, and the customer is told. Again, it changes nothing.

    `missing` is the line of the order whose piece turned out to be missing or faulty. Of that article nothing goes back
    into the stock, however many were set aside, since what is on the shelf is not what was counted; everything else
    does.

    Raises:
        ForbiddenError: the actor is neither of the warehouse nor of support.
        NotFoundError: there is no such number.
        InvalidError: nothing of that line is in it.
        ConflictError: it was sent (`already_sent`).
    """
    actor.require("exchanges:write", "warehouse", "support")
    found = await replacement_for(db, actor, number, lock=True)
    if missing is not None and missing not in {piece.line_id for piece in found.pieces}:
        raise InvalidError(mark("This item is not part of it."), code="unknown_line", field="line")
    if found.status is S.ENDED:
        return found
    if found.status is S.SENT:
        raise ConflictError(
            mark("{number} has been sent already, so nothing was changed."), code="already_sent", number=found.number
        )
    return await _end(db, actor, found, EndReason.MISSING if missing else EndReason.CALLED_OFF, missing)


async def _end(
    db: AsyncConnection, actor: Actor, found: ReplacementView, reason: EndReason, missing: UUID | None = None
) -> ReplacementView:
    now = clock.now()
    await _move_to(db, actor, found.id, S.ENDED, ended_at=now, ended_by=actor.label, end_reason=reason.value)
    back = Counter[UUID]()
    for piece in found.pieces:
        if piece.variant_id is not None and piece.line_id != missing:
            back[piece.variant_id] += piece.quantity
    await give_back_stock(db, back)
    await _follow(db, actor, found.claim_id, now, over=False)
    await tell(db, await claim_for(db, SYSTEM, found.claim_id), "replacement_ended")
    return await replacement_for(db, actor, found.number)


async def _follow(db: AsyncConnection, actor: Actor, claim_id: UUID, now: datetime, *, over: bool) -> None:
    """Let the claim be over, or wait for another decision."""
    await run(db, _CLAIM, id=claim_id, now=now, closed=over)
    told = {"as": "replaced"} if over else {}
    await history.record(db, actor, ("item_claim", claim_id, "closed" if over else "reopened", told))


async def _move_to(
    db: AsyncConnection, actor: Actor, replacement_id: UUID, status: ReplacementStatus, **columns: object
) -> None:
    """The one setter: the row and the history together. Under the order's lock.

    Raises:
        ConflictError: its life does not lead there from where it is (`wrong_status`).
    """
    data = {"reason": columns["end_reason"]} if columns.get("end_reason") else {}
    told = history.values(actor, ("replacement", replacement_id, status.value, data))
    values = columns | {"id": replacement_id, "status": status.value, "sources": _SOURCES[status], "now": clock.now()}
    if not await run(db, history.moving("replacement", tuple(columns)), **values, **told):
        raise ConflictError(mark("This is not in a state where that can be done."), code="wrong_status")
