"""What a check-in is worth, and setting it in motion.

The rows are written under the order's lock and in the transaction of the check-in; `settling.py` moves the money.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.exchanges.arriving import follow_counts, refuse_undo
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.notifications import actions as notifications
from returns_portal.notifications.actions import Letter
from returns_portal.orders.models import TRIAL
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import Kind, RefundLine, RefundStatus
from returns_portal.refunds.parts import Due, Owed, Paid, due
from returns_portal.refunds.queries import balance_of, paid_for
from returns_portal.refunds.releasing import Cause, release
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan, plan, within
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.warehouse import actions as dock
from returns_portal.warehouse.counting import CheckedIn, Circumstances, DockLine
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import FindingView, findings_of, parcel_for
from returns_portal.warehouse.rules import Counted, Found, Item


class Released(msgspec.Struct, frozen=True):
    """What was received, and what it sets in motion."""

    check_in_id: UUID
    rma: str
    number: int
    items: list[Item]
    plan: RefundPlan
    refund_ids: list[UUID]
    due_at: datetime


async def receive(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    rma: str,
    counts: Sequence[Counted],
    *,
    number: int = 1,
    note: str = "",
    around: Circumstances | None = None,
) -> Released:
    """Check a parcel in and release the refund of what was counted as resellable or worn.

    `around` is what is known of the parcel besides its count; `note` is for those who know nothing else.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: the parcel was checked in already; nothing is counted again.
    """
    around = around or Circumstances(note=note)
    checked, lines = await dock.check_in(db, actor, rma, counts, number=number, around=around)
    packed = await _exchange(db, actor, checked.return_row)
    due_at = clock.now() + timedelta(seconds=settings.undo_seconds)
    described = {line.line_id: line for line in lines}
    return await release_counted(
        db,
        settings,
        checked,
        [Due([Claim(line_id, units)]) for line_id, units in _accepted(checked.items).items()],
        due_at,
        tell=lambda planned: _checked_in(checked, described, planned, packed),
    )


def _checked_in(
    checked: CheckedIn,
    lines: Mapping[UUID, DockLine],
    planned: RefundPlan,
    packed: Sequence[ExchangeView],
    *,
    again: bool = False,
) -> Letter:
    """The e-mail that says what was counted (or counted `again`) and what it releases: money, and what is packed."""
    row = checked.return_row
    values = {
        "rma": row.rma,
        "lines": [
            {
                "title": lines[item.line_id].title if item.line_id else item.description,
                "size": lines[item.line_id].size if item.line_id else "",
                "color": lines[item.line_id].color if item.line_id else "",
                "quantity": item.quantity,
                "condition": item.condition,
            }
            for item in checked.items
        ],
        "refunds": [
            {"destination": leg.destination, "amount": leg.amount, "bonus": leg.bonus, "currency": planned.currency}
            for leg in planned.legs
        ],
        "findings": [
            {
                "kind": found.kind,
                "quantity": found.quantity,
                "title": lines[found.line_id].title if found.line_id else found.description,
                "size": lines[found.line_id].size if found.line_id else "",
                "color": lines[found.line_id].color if found.line_id else "",
            }
            for found in checked.findings
        ],
        "packed": [{"title": each.title, "size": each.size, "color": each.color, "quantity": 1} for each in packed],
        "parcel": checked.number,
        "again": again,
        "shares_box": checked.shares_box,
        "waiting": any(item.acceptance is Acceptance.WAITING for item in checked.items),
        "url": f"/returns/{row.rma}",
    }
    return Letter("checked_in", row.email, row.locale, values, row.id)


def _accepted(items: Sequence[Item]) -> dict[UUID, int]:
    """How many units of each line were accepted as they were counted."""
    wanted: dict[UUID, int] = {}
    for item in items:
        if item.acceptance is Acceptance.ACCEPTED and item.line_id is not None:
            wanted[item.line_id] = wanted.get(item.line_id, 0) + item.quantity
    return wanted


async def release_counted(
    db: AsyncConnection,
    settings: Settings,
    checked: CheckedIn,
    dues: Sequence[Due],
    due_at: datetime,
    *,
    balance: OrderBalance | None = None,
    tell: Callable[[RefundPlan], Letter] | None = None,
) -> Released:
    """Write the refunds that are due for a count, the e-mail that tells of them, and the jobs that do them."""
    row = checked.return_row
    balance = balance or await balance_of(db, row.order_id)
    planned = plan(
        balance,
        within(balance, [claim for due in dues for claim in due.claims]),
        rests=[rest for due in dues for rest in due.rests],
        refund_to=RefundTo(row.refund_to),
        bonus_percent=row.bonus_percent,
        fee=balance.fees.get(row.id, 0),
    )
    cause = Cause(
        release_id=new_id(),
        order_id=row.order_id,
        kind=Kind.RETURN,
        requested_at=row.created_at,
        return_id=row.id,
        parcel_id=checked.parcel_id,
    )
    letters = notifications.rows(*[tell(planned)] if tell else [])
    ids = await release(db, balance, planned, cause, letters, due_at=due_at, livemode=settings.livemode)
    await _tell_trial(db, row)
    return Released(checked.parcel_id, row.rma, checked.number, checked.items, planned, ids, due_at)


async def _exchange(db: AsyncConnection, actor: Actor, row: Any) -> list[ExchangeView]:  # noqa: ANN401 - a row
    """What was counted pays for what is sent instead, before it is worth anything else."""
    return await follow_counts(db, actor, row.id) if row.has_exchange else []


async def _tell_trial(db: AsyncConnection, row: Any) -> None:  # noqa: ANN401 - a row
    """What the warehouse has of a trial is not charged. Trials stand above refunds, and are not imported here."""
    if row.source == TRIAL:
        await defer(db, "tryon.received", order_id=str(row.order_id))


async def undo(db: AsyncConnection, actor: Actor, check_in_id: UUID) -> str:
    """Take a check-in back before its refund is due: nothing was received, nothing will be paid. Returns the RMA.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: the refund is due or done; a correction is the way then.
    """
    row = await lock_return(db, actor, (await parcel_for(db, actor, check_in_id)).rma)
    parcel = await parcel_for(db, actor, check_in_id)
    if parcel.undone_at is not None:
        raise ConflictError("This check-in was undone or corrected already.", code="already_undone")
    if parcel.corrects_id is not None:
        raise ConflictError("A correction cannot be undone, since money may have gone before it. Correct it again.")
    if row.has_exchange:
        await refuse_undo(db, row.id, check_in_id)
    refunds = (
        await db.execute(
            text("SELECT id, status, due_at FROM refund WHERE parcel_id = :id FOR UPDATE"),
            {"id": check_in_id},
        )
    ).all()
    if any(refund.status != RefundStatus.PLANNED or refund.due_at <= clock.now() for refund in refunds):
        raise ConflictError(
            "The refund of this parcel is already on its way, so the check-in cannot be undone. Correct it instead.",
            code="refund_due",
        )
    for refund in refunds:
        await transition(db, actor, refund.id, RefundStatus.CANCELED)
    await db.execute(
        update(RefundLine)
        .where(col(RefundLine.parcel_id) == check_in_id, col(RefundLine.voided_at).is_(None))
        .values(voided_at=clock.now())
    )
    await dock.take_back(db, actor, check_in_id)
    await _exchange(db, actor, row)
    await _tell_trial(db, row)
    return str(row.rma)


async def correct(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    check_in_id: UUID,
    counts: Sequence[Counted],
    note: str,
    around: Circumstances | None = None,
) -> Released:
    """Correct a count after its refund was due: what is owed beyond what was paid is released, less is for finance.

    Amounts are compared, so that a unit for which a decision gave only a part gets the rest when it is accepted now.
    Money that went out is never pulled back by itself: the difference stands on finance's first screen. The customer
    is told where something was not as announced that they were not told of before.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: the refund is not due yet (undo it), or the check-in was corrected before.
    """
    parcel = await parcel_for(db, actor, check_in_id)
    await lock_return(db, actor, parcel.rma)
    if await run(db, _NOT_DUE, id=check_in_id, now=clock.now()):
        raise ConflictError("The refund is not due yet: undo the check-in and count again.", code="undo_instead")
    paid = await paid_for(db, check_in_id)
    told = {_what(found) for found in await findings_of(db, check_in_id)}
    checked, lines = await dock.replace(db, actor, check_in_id, counts, around or Circumstances(note=note))
    packed = await _exchange(db, actor, checked.return_row)
    described = {line.line_id: line for line in lines}
    news = {_what(found) for found in checked.findings} - told
    balance = await balance_of(db, checked.return_row.order_id)
    accepted = _accepted(checked.items)
    dues = [
        due(line, paid.get(line.line_id, Paid()), [], Owed(accepted[line.line_id]))
        for line in balance.lines
        if line.line_id in accepted
    ]
    tell = (lambda planned: _checked_in(checked, described, planned, packed, again=True)) if news else None
    return await release_counted(db, settings, checked, dues, clock.now(), balance=balance, tell=tell)


_NOT_DUE: Final = "SELECT id FROM refund WHERE parcel_id = :id AND status = 'planned' AND due_at > :now LIMIT 1"


def _what(found: Found | FindingView) -> tuple[str, int, UUID | None, str]:
    return str(found.kind), found.quantity, found.line_id, found.description


async def release_unshipped(db: AsyncConnection, actor: Actor, settings: Settings, rma: str) -> Released:
    """Refund what was withdrawn from before it left the shop: staff say that it was not sent.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: nothing of it is still unshipped and unpaid.
    """
    actor.require("returns:write", "finance", "support")
    row = await lock_return(db, actor, rma)
    rows = (
        await db.execute(
            text(
                "SELECT l.id, least(a.quantity, l.quantity - l.shipped - coalesce((SELECT sum(i.quantity)"
                " FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE i.order_line_id = l.id"
                " AND i.acceptance <> 'surplus' AND p.undone_at IS NULL), 0)) AS units,"
                " (SELECT coalesce(max(number), 0) + 1 FROM parcel WHERE return_id = :id) AS next"
                " FROM return_line a JOIN order_line l ON l.id = a.order_line_id WHERE a.return_id = :id"
            ),
            {"id": row.id},
        )
    ).all()
    counts = [Counted(line.id, line.units, Condition.NOT_SHIPPED) for line in rows if line.units > 0]
    if not counts:
        raise ConflictError("Everything in this return was shipped: it is refunded when it arrives.", code="shipped")
    return await receive(db, actor, settings, rma, counts, number=rows[0].next)
