"""Filing and cancelling returns, and statements of withdrawal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NoReturn
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.accounts.queries import order_contact
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.ids import new_id, new_rma
from returns_portal.jobs import defer
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.returns.judging import Judgement
from returns_portal.returns.models import (
    RETURN_TRANSITIONS,
    RefundTo,
    Return,
    ReturnLine,
    ReturnStatus,
    Withdrawal,
)
from returns_portal.returns.queries import OrderState, facts_of, line_of
from returns_portal.returns.rules import Policy, refund_deadline, refusal
from returns_portal.returns.together import Lead, in_its_parcel
from returns_portal.returns.whose import EMAIL, LABELLED, LOCALE, NAME, WITH_GIFT

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


# Exchanges stand above returns and are not imported here; that there is one spares everybody else a look at them.
_LOCK = f"""
    SELECT r.id, r.rma, r.order_id, r.gift_id, r.status, r.refund_to, r.bonus_percent, r.created_at, o.number,
           {EMAIL} AS email, {NAME} AS name, {LOCALE} AS locale, o.currency, o.source,
           o.source <> 'trial' AND (o.cancelled_at IS NOT NULL OR o.financial_status = 'refunded') AS settled_elsewhere,
           EXISTS (SELECT FROM exchange x WHERE x.return_id = r.id) AS has_exchange
    FROM returns r JOIN orders o ON o.id = r.order_id {WITH_GIFT} WHERE r.rma = :rma FOR UPDATE OF o
"""  # noqa: S608 - the interpolated text is our own


async def lock_return(db: AsyncConnection, actor: Actor, rma: str) -> Any:  # noqa: ANN401 - a row
    """The return's row with its order's lock held: every change of a return happens under it.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    rows = await run(db, _LOCK, rma=rma)
    if not rows or not actor.sees_return(rows[0].order_id, rows[0].gift_id):
        raise NotFoundError("There is no such return.", code="return_not_found")
    return rows[0]


_MOVE = f"""
    WITH moved AS (
        UPDATE returns SET status = :status, cancelled_at = CAST(:cancelled_at AS timestamptz),
            bank_account = CASE WHEN CAST(:cancelled_at AS timestamptz) IS NULL THEN bank_account END
        WHERE id = :id AND status = ANY(:sources)
        RETURNING id),
    told AS ({history.INSERT})
    SELECT id FROM moved
"""  # noqa: S608 - a constant of ours


async def move_to(
    db: AsyncConnection,
    actor: Actor,
    return_id: UUID,
    status: ReturnStatus,
    action: str,
    data: dict[str, Any] | None = None,
    *,
    cancelled_at: datetime | None = None,
) -> None:
    """Bring a return into another status, and write the history. Under the order's lock.

    `cancelled_at` is when one that is cancelled again was so first; by default it is now. Nothing is paid for a
    cancelled return, so the number of the account that it was to go to is forgotten.

    Raises:
        ConflictError: the life of a return does not lead there from where it is.
    """
    sources = [before.value for before, after in RETURN_TRANSITIONS.items() if status in after]
    told = history.values(actor, ("return", return_id, action, data or {}))
    cancelled_at = (cancelled_at or told["history_at"]) if status is ReturnStatus.CANCELLED else None
    values = {"id": return_id, "status": status.value, "cancelled_at": cancelled_at, "sources": sources}
    # Where it is not moved, the error takes what was told with it.
    if not await run(db, _MOVE, **values, **told):
        raise ConflictError("This return is not in a state where that can be done.", code="wrong_status")


_CANCELLED = """
    SELECT at FROM history WHERE subject = 'return' AND subject_id = :id AND action = 'cancelled' ORDER BY at, id
"""


async def move_back(
    db: AsyncConnection, actor: Actor, return_id: UUID, action: str, data: dict[str, Any] | None = None
) -> None:
    """Bring a return of which nothing was received after all back to where it was: filed, or cancelled.

    Raises:
        ConflictError: it was not received.
    """
    # What its parcel announced may have been announced anew since it was cancelled.
    cancelled = [row.at for row in await run(db, _CANCELLED, id=return_id)]
    status = ReturnStatus.CANCELLED if cancelled else ReturnStatus.FILED
    await move_to(db, actor, return_id, status, action, data, cancelled_at=cancelled[-1] if cancelled else None)


async def cancel_return(db: AsyncConnection, actor: Actor, rma: str) -> Any:  # noqa: ANN401 - a row
    """Cancel a return while nothing of it has arrived; the items can be returned again later.

    Raises:
        NotFoundError: none, or not the actor's.
        ConflictError: something arrived, or it is cancelled already.
    """
    row = await lock_return(db, actor, rma)
    # Read again under the lock: the row above was read while waiting for it.
    status = (await db.execute(select(col(Return.status)).where(col(Return.id) == row.id))).scalar_one()
    if status != ReturnStatus.FILED:
        raise ConflictError(
            "This return can no longer be cancelled: the parcel has arrived, or it was cancelled before.",
            code="not_cancellable",
        )
    if await is_under_way(db, row.id):
        raise ConflictError(
            "This return can no longer be cancelled: the carrier has the parcel already.", code="not_cancellable"
        )
    await move_to(db, actor, row.id, ReturnStatus.CANCELLED, "cancelled")
    if await run(db, _FOLLOWED, id=row.id):
        # What travels with it is of other orders, whose locks this transaction must not wait for while it holds one.
        await defer(db, "labels.regroup", return_id=str(row.id))
    return row


_FOLLOWED = "SELECT id FROM returns WHERE travels_with = :id AND status = 'filed' LIMIT 1"
# Labels stand above returns and are not imported here; whether a carrier has the parcel in hand is only read.
_UNDER_WAY = f"""
    SELECT b.id FROM returns r JOIN label b ON b.return_id = {LABELLED}
    WHERE r.id = :id AND b.status IN ('in_transit', 'delivered', 'lost') AND b.first_scan_at IS NOT NULL LIMIT 1
"""  # noqa: S608 - our own words


async def is_under_way(db: AsyncConnection, return_id: UUID) -> bool:
    """Whether a carrier has a parcel of the return in hand, or has brought it, whosever label is on it."""
    return bool(await run(db, _UNDER_WAY, id=return_id))


async def set_bank_account(db: AsyncConnection, actor: Actor, rma: str, encrypted: str) -> None:
    """Keep where an external payment goes back to, encrypted by the caller.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    row = await lock_return(db, actor, rma)
    await db.execute(update(Return).where(col(Return.id) == row.id).values(bank_account=encrypted))
    await history.record(db, actor, ("return", row.id, "bank_account_given", {}))


async def state_withdrawal(
    db: AsyncConnection, actor: Actor, *, name: str, order_number: str, email: str, details: str
) -> tuple[UUID, UUID | None, datetime]:
    """Store a statement of withdrawal as it was made: its id, the order that it names (if any), and when.

    It is stored whether or not the order is known (Directive 2011/83/EU, Art. 11a: the acknowledgement confirms
    receipt, not validity); one that matches no order waits for a person.
    """
    now = clock.now()
    number = order_number.strip().removeprefix("#")
    order = await order_contact(db, order_number, email)
    order_id = order.id if order else None
    withdrawal_id = new_id()
    statement = {
        "id": withdrawal_id,
        "name": name,
        "order_number": number,
        "email": email.strip(),
        "content": {"name": name, "order_number": number, "email": email.strip(), "details": details},
        "order_id": order_id,
        "submitted_at": now,
        "handled_by": "",
    }
    await insert_rows(db, (Withdrawal, [statement]))
    await history.record(
        db, actor, ("withdrawal", withdrawal_id, "stated", {"order": str(order_id) if order_id else None})
    )
    return withdrawal_id, order_id, now


async def handle_withdrawal(db: AsyncConnection, actor: Actor, withdrawal_id: UUID) -> None:
    """Mark a statement as dealt with: by the return that it became, or by a person.

    Raises:
        NotFoundError: there is no such statement, or it was dealt with.
    """
    changed = await db.execute(
        update(Withdrawal)
        .where(col(Withdrawal.id) == withdrawal_id, col(Withdrawal.handled_at).is_(None))
        .values(handled_at=clock.now(), handled_by=actor.label)
    )
    if changed.rowcount == 0:
        raise NotFoundError("There is no such open statement.")
    await history.record(db, actor, ("withdrawal", withdrawal_id, "handled", {}))
