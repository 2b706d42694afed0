"""Filing returns, and announcing what may come back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NoReturn
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.ids import new_id, new_rma
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.returns.judging import Judgement
from returns_portal.returns.models import (
    RefundTo,
    Return,
    ReturnLine,
    ReturnStatus,
)
from returns_portal.returns.queries import OrderState, facts_of, line_of
from returns_portal.returns.rules import Policy, refund_deadline, refusal
from returns_portal.returns.together import Lead, in_its_parcel

MAX_REASON = 500


class Wanted(msgspec.Struct, frozen=True):
    """So many units of a line are to go back; the reason is the customer's to give or not."""

    line_id: UUID
    quantity: int
    reason: str = ""
    faulty: bool = False
    """Whether the customer says that it is faulty, damaged or not what was ordered."""


class Filed(msgspec.Struct, frozen=True):
    """A return as it was filed."""

    id: UUID
    rma: str
    status: ReturnStatus
    created_at: datetime


async def file_return(
    db: AsyncConnection,
    actor: Actor,
    order: OrderState,
    wanted: Sequence[Wanted],
    refund_to: RefundTo,
    *,
    judged: Judgement,
    bank_account: str | None = None,
    withdrawal_id: UUID | None = None,
    came_at: datetime | None = None,
    gift_id: UUID | None = None,
    lead: Lead | None = None,
) -> Filed:
    """File a return of an order whose row the caller has locked (`order_state(…, lock=True)`).

    No reason is asked. `bank_account` is stored as given: the caller has encrypted it. Goods that came before their
    return was filed (`came_at`) were sent back in time if they came in time. A gift's (`gift_id`) is its receiver's.
    With `lead` it travels in that one's parcel, at that one's postage; `returns.together` has found that it can.

    Raises:
        InvalidError: nothing is wanted, or a line is not of this order, or more than it has is wanted.
        ConflictError: a line cannot be returned (any more), or not for points; the code is the rule's.
    """
    now = clock.now()
    wanted = checked(order, wanted, judged, came_at or now)
    verdict = in_its_parcel(judged.of(line.line_id for line in wanted), lead)
    if refund_to not in verdict.outcomes:
        refuse_outcome(verdict)
    filed = Filed(new_id(), new_rma(), ReturnStatus.FILED, now)
    head = {
        "id": filed.id,
        "rma": filed.rma,
        "order_id": order.id,
        "status": filed.status,
        "refund_to": refund_to,
        "points_consent_at": now if refund_to is RefundTo.POINTS else None,
        "bonus_percent": verdict.bonus_percent,
        "postage": verdict.postage,
        "postage_fee": verdict.fee,
        "policy_version": judged.version,
        **_NO_PROOF,
        "withdrawal_id": withdrawal_id,
        "refund_deadline": refund_deadline(now, judged.timezone),
        "bank_account": bank_account,
        "gift_id": gift_id,
        # What the customer keeps travels in no parcel.
        "travels_with": lead.id if lead and not verdict.keep_it else None,
        "filed_by": actor.label,
        "created_at": now,
    }
    told: dict[str, Any] = {"rma": filed.rma, "order": str(order.id), "refund_to": refund_to.value}
    told |= {"policy": judged.version} | ({"in_parcel_of": lead.rma} if head["travels_with"] and lead else {})
    event = history.rows(actor, ("return", filed.id, "filed", told))
    await insert_rows(db, (Return, [head]), (ReturnLine, line_rows(filed.id, wanted)), event)
    return filed


_NO_PROOF: Final = {"proof_carrier": "", "proof_tracking": ""}


def refuse_outcome(verdict: Verdict) -> NoReturn:
    """Say that these items are not refunded in this way.

    Raises:
        ConflictError: always.
    """
    raise ConflictError(
        "These items cannot be refunded in this way ({rule}): choose the other one.",
        code="outcome_not_offered",
        field="refund_to",
        rule=verdict.because["outcomes"].rule or "–",
    )


def line_rows(return_id: UUID, wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
    """The rows of what a return announces."""
    return [
        {
            "id": new_id(),
            "return_id": return_id,
            "order_line_id": line.line_id,
            "quantity": line.quantity,
            "reason": line.reason,
            "faulty": line.faulty,
        }
        for line in wanted
    ]


def checked(order: OrderState, wanted: Sequence[Wanted], judged: Judgement, now: datetime) -> list[Wanted]:
    """The wish with repeated lines joined, or the reason why it cannot be.

    Raises:
        InvalidError: nothing is wanted, or something that the order does not have.
        ConflictError: a line cannot be returned (any more); the code is the rule's.
    """
    if not wanted:
        raise InvalidError("Choose at least one item to send back.", code="nothing_chosen", field="lines")
    known = {line.line_id: line for line in order.lines}
    joined: dict[UUID, Wanted] = {}
    for index, line in enumerate(wanted):
        field = f"lines[{index}]"
        if line.line_id not in known:
            raise InvalidError("This item is not part of the order.", code="unknown_line", field=f"{field}.line_id")
        if line.quantity < 1:
            raise InvalidError("Choose how many, at least one.", code="bad_quantity", field=f"{field}.quantity")
        before = joined.get(line.line_id)
        joined[line.line_id] = Wanted(
            line.line_id,
            line.quantity + (before.quantity if before else 0),
            (line.reason.strip() or (before.reason if before else ""))[:MAX_REASON],
            line.faulty or (before.faulty if before else False),
        )
    facts = facts_of(order)
    for line in joined.values():
        state = known[line.line_id]
        refused = refusal(facts, line_of(state), judged.policy(line.line_id), now)
        if refused is not None:
            raise ConflictError(refused.sentence, code=refused.code, field="lines", **refused.values)
        if line.quantity > state.quantity - state.requested:
            raise ConflictError(
                "Only {left} of this item can still be sent back.",
                code="already_returned",
                field="lines",
                left=state.quantity - state.requested,
            )
    return list(joined.values())


async def announce(
    db: AsyncConnection, actor: Actor, order_id: UUID, line_ids: Sequence[UUID], *, policy: Policy
) -> Filed:
    """File a return of one unit of each line for goods that may come back, before anything was paid for them.

    The rules for returns do not apply: it is the label that lies in a trial's parcel. Under the order's lock.
    """
    now = clock.now()
    filed = Filed(new_id(), new_rma(), ReturnStatus.FILED, now)
    head = {
        "id": filed.id,
        "rma": filed.rma,
        "order_id": order_id,
        "status": filed.status,
        "refund_to": RefundTo.ORIGINAL,
        "bonus_percent": 0,
        "postage": Postage.SHOP,
        "postage_fee": 0,
        "policy_version": 1,
        **_NO_PROOF,
        "refund_deadline": refund_deadline(now, policy.timezone),
        "filed_by": actor.label,
        "created_at": now,
    }
    event = history.rows(actor, ("return", filed.id, "filed", {"rma": filed.rma, "order": str(order_id)}))
    wanted = [Wanted(line_id, 1) for line_id in line_ids]
    await insert_rows(db, (Return, [head]), (ReturnLine, line_rows(filed.id, wanted)), event)
    return filed


_TAKE_OUT = """
    DELETE FROM return_line a WHERE a.return_id = :id AND NOT a.order_line_id = ANY(:lines) AND NOT EXISTS (
        SELECT FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
        WHERE p.return_id = a.return_id AND p.undone_at IS NULL AND i.order_line_id = a.order_line_id)
"""
_KNOWN = "SELECT order_line_id FROM return_line WHERE return_id = :id"


async def announce_only(db: AsyncConnection, return_id: UUID, line_ids: Sequence[UUID]) -> None:
    """Let a return announce one unit of each of these lines, and what was counted of it already. Under its lock."""
    await run(db, _TAKE_OUT, id=return_id, lines=list(line_ids))
    known = {row.order_line_id for row in await run(db, _KNOWN, id=return_id)}
    added = [Wanted(line_id, 1) for line_id in line_ids if line_id not in known]
    await insert_rows(db, (ReturnLine, line_rows(return_id, added)))
