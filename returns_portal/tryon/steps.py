"""The steps of settling a trial: what is written by a plan, under the order's lock. The gateway is asked by others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.jobs import defer
from returns_portal.orders.trials import approve
from returns_portal.points.models import RedemptionStatus
from returns_portal.points.redemptions import release as release_points
from returns_portal.refunds.deposits import give_back
from returns_portal.returns.models import ReturnStatus
from returns_portal.tryon.announcing import expect
from returns_portal.tryon.booking import book
from returns_portal.tryon.letters import described, tell
from returns_portal.tryon.life import charge_to, move_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Mode, Outcome, TrialCharge, TrialStatus
from returns_portal.tryon.queries import Charge, Item, TrialView, trial_by_id
from returns_portal.tryon.recording import planned_charge
from returns_portal.tryon.settlement import Facts, Plan, in_hand, plan

T = TrialStatus
C = ChargeStatus
SETTLING: Final = frozenset({T.SETTLING, T.PAYMENT_ACTION_NEEDED, T.OVERDUE})
_POINTS_LAST: Final = timedelta(days=7)
"""Points that are given back within that time are not counted on: a charge may take as long."""

_POINTS: Final = """
    SELECT amount FROM points_redemption WHERE id = :id AND status = 'held' AND expires_at > :until
"""
_COUNTED: Final = """
    SELECT max(p.checked_in_at) AS arrived_at,
           coalesce(array_agg(i.order_line_id) FILTER (WHERE i.acceptance = 'waiting'), '{}') AS in_doubt
    FROM returns r JOIN parcel p ON p.return_id = r.id LEFT JOIN parcel_item i ON i.parcel_id = p.id
    WHERE r.order_id = :order_id AND p.undone_at IS NULL
"""


async def facts_of(db: AsyncConnection, trial: TrialView) -> Facts:
    """What a plan asks that the trial itself does not tell."""
    points, in_doubt, arrived_at = 0, frozenset[UUID](), None
    if trial.redemption_id is not None:
        rows = await run(db, _POINTS, id=trial.redemption_id, until=clock.now() + _POINTS_LAST)
        points = rows[0].amount if rows else 0
    if trial.return_status == ReturnStatus.RECEIVED or any(item.received for item in trial.items):
        [counted] = await run(db, _COUNTED, order_id=trial.order_id)
        in_doubt, arrived_at = frozenset(counted.in_doubt), counted.arrived_at
    return Facts(points, in_doubt, arrived_at)


_START: Final = frozenset({C.PLANNED, C.ACTION_NEEDED})


async def start(db: AsyncConnection, actor: Actor, trial: TrialView) -> None:
    """The trial ends, and its settlement begins. Under the order's lock."""
    await start_row(db, actor, trial.id, max(clock.now(), trial.ends_at or clock.now()), trial.policy.grace_days)
    for charge in trial.charges:
        if charge.status in _START:
            await let_go(db, charge)
    await defer(db, "tryon.settle", trial_id=str(trial.id))


async def start_row(db: AsyncConnection, actor: Actor, trial_id: UUID, ended_at: datetime, grace_days: int) -> None:
    """Only the row of the trial; nothing is being asked for it."""
    grace_ends_at = ended_at + timedelta(days=grace_days)
    await move_to(db, actor, trial_id, T.SETTLING, settling_at=clock.now(), grace_ends_at=grace_ends_at)


async def let_go(db: AsyncConnection, charge: Charge) -> bool:
    """Give up a charge: what was asked of the gateway is released by a job. False where it cannot be by now."""
    if charge.status == C.PLANNED:
        await charge_to(db, SYSTEM, charge.id, C.CANCELED)
    elif charge.status in {C.ACTION_NEEDED, C.HELD}:
        await charge_to(db, SYSTEM, charge.id, C.CANCELING)
        await defer(db, "tryon.release", charge_id=str(charge.id))
    else:
        return False
    return True


async def advance(db: AsyncConnection, trial: TrialView) -> UUID | None:
    """Take a trial that is being settled as far as it goes; the charge for which the gateway is to be asked now.

    Under the order's lock, with the trial as it was read under it. While the customer is asked to pay, and in
    finance's hands, nothing is charged by itself; what came back is seen.
    """
    if trial.status not in SETTLING:
        return None
    found = plan(trial, await facts_of(db, trial), clock.now())
    await _set(db, found.returned, Outcome.RETURNED)
    await _set(db, found.waived, Outcome.WAIVED)
    if found.charged and trial.status == T.SETTLING and not (found.release and found.card):
        charge_id = await write_charge(db, trial, found)
        if found.card:
            return charge_id
        return await _nothing_to_ask(db, trial.id, charge_id)
    if found.release is not None:
        await charge_to(db, SYSTEM, found.release.id, C.CANCELING)
        return found.release.id
    await _conclude(db, trial, found)
    return None


_OUTCOME: Final = "UPDATE trial_item SET outcome = :outcome WHERE id = ANY(:ids)"


async def _set(db: AsyncConnection, items: Sequence[Item], outcome: Outcome) -> None:
    if items:
        await run(db, _OUTCOME, ids=[item.id for item in items], outcome=outcome.value)


_KEEP: Final = "UPDATE trial_item SET outcome = 'kept', charge_id = :charge_id WHERE id = ANY(:ids)"


async def write_charge(
    db: AsyncConnection, trial: TrialView, found: Plan, *, status: ChargeStatus = C.SUBMITTING
) -> UUID:
    """Write the charge of a plan, for which the gateway is to be asked next; its id."""
    if found.capture is not None:
        shares = {"to_capture": found.card, "points": found.points, "deposit": found.deposit}
        charge_id = found.capture.id
        await charge_to(db, SYSTEM, charge_id, C.CAPTURING, **shares)
    else:
        row = planned_charge(
            trial.id, ChargeKind.CHARGE, trial.currency, found.card, points=found.points, deposit=found.deposit
        )
        charge_id = row["id"]
        if status == C.SUBMITTING:
            row |= {"attempts": 1, "submitted_at": clock.now()}
        told = history.rows(SYSTEM, ("trial_charge", charge_id, status.value, {"amount": found.card}))
        await insert_rows(db, (TrialCharge, [row | {"status": status}]), told)
    await run(db, _KEEP, ids=[item.id for item in found.charged], charge_id=charge_id)
    return charge_id


async def _nothing_to_ask(db: AsyncConnection, trial_id: UUID, charge_id: UUID) -> UUID | None:
    """Points and deposit pay for all of it: that is done, and what comes next can be."""
    trial = await trial_by_id(db, trial_id)
    if trial is None:
        return None
    charge = next(each for each in trial.charges if each.id == charge_id)
    await book(db, trial, charge, 0, card=("", ""))
    after = await trial_by_id(db, trial_id)
    return await advance(db, after) if after else None


_LOOK_AT: Final = "UPDATE trial SET grace_ends_at = :at WHERE id = :id"


async def _conclude(db: AsyncConnection, trial: TrialView, found: Plan) -> None:
    """Settle it where nothing is open any more, or hand what is stuck to finance."""
    if found.ends:
        await _finish(db, trial.id)
    elif trial.status == T.SETTLING and found.stuck and not (found.unpaid or found.waiting or found.under_way):
        await overdue(db, trial, found.stuck)
    elif trial.status == T.SETTLING and found.look_at is not None and found.look_at != trial.grace_ends_at:
        await run(db, _LOOK_AT, id=trial.id, at=found.look_at)


async def overdue(db: AsyncConnection, trial: TrialView, items: Sequence[Item]) -> None:
    """Hand a trial to finance, and tell the customer what is open."""
    await move_to(db, SYSTEM, trial.id, T.OVERDUE)
    await tell(db, trial, "trial_overdue", items=[described(item) for item in items])


async def _finish(db: AsyncConnection, trial_id: UUID) -> None:
    await move_to(db, SYSTEM, trial_id, T.SETTLED, settled_at=clock.now())
    trial = await trial_by_id(db, trial_id)
    if trial is None:
        return
    await give_rest_back(db, trial)
    at = trial.delivered_at if trial.mode == Mode.PURCHASE else None
    await approve(db, trial.order_id, at)
    if any(item.requested and item.outcome == Outcome.KEPT for item in trial.items):
        await expect(db, SYSTEM, trial)
    if trial.mode == Mode.TRIAL:
        kept, returned = ([item for item in trial.items if item.outcome == end] for end in _ENDS)
        await tell(
            db,
            trial,
            "trial_settled",
            kept=[described(item) for item in kept],
            returned=[described(item) for item in returned],
            charged_now=sum(each.captured for each in trial.charges if each.kind != ChargeKind.DEPOSIT),
        )


_ENDS: Final = (Outcome.KEPT, Outcome.RETURNED)


async def give_rest_back(db: AsyncConnection, trial: TrialView) -> None:
    """What was paid in advance, and what points were held, and is not needed goes back to the customer."""
    if in_hand(trial) > 0:
        deposits = [each.payment_id for each in trial.charges if each.payment_id and each.kind == ChargeKind.DEPOSIT]
        await give_back(db, trial.order_id, first=deposits, livemode=trial.livemode)
    if trial.redemption_id is not None:
        rows = await run(db, "SELECT status FROM points_redemption WHERE id = :id", id=trial.redemption_id)
        if rows and rows[0].status == RedemptionStatus.HELD:
            await release_points(db, SYSTEM, trial.redemption_id)
