"""What happens between the shelf and the customer's door: packed, shipped, delivered."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.orders.trials import mark_shipped
from returns_portal.shop.queries import current
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import Mode, TrialShipment, TrialStatus
from returns_portal.tryon.queries import TrialView, trial_by_id, trial_for
from returns_portal.tryon.rules import trial_ends

T = TrialStatus
_DOCK: Final = ("trials:write", "warehouse", "support")
_BATCH: Final = 100
_SKEW: Final = timedelta(minutes=5)
"""By how much another system's clock may be ahead of ours."""


async def pack(db: AsyncConnection, actor: Actor, number: str) -> TrialView:
    """The parcel is packed. Again, it changes nothing.

    Raises:
        NotFoundError: there is no such trial.
        ConflictError: it is not paid for (`not_authorised`), or was sent or cancelled.
    """
    actor.require(*_DOCK)
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status != T.PACKED:
        _require_authorised(trial)
        await move_to(db, actor, trial.id, T.PACKED, packed_at=clock.now())
    return await trial_for(db, actor, number)


async def ship(db: AsyncConnection, actor: Actor, number: str, *, carrier: str = "", tracking: str = "") -> TrialView:
    """A parcel of it leaves the shop. A trial may have several; the same tracking number again changes nothing.

    Where the ones before have arrived, the trial does not run any more until the last one has.

    Raises:
        NotFoundError: there is no such trial.
        ConflictError: it is not paid for (`not_authorised`), or it is settled or was cancelled (`wrong_status`).
    """
    actor.require(*_DOCK)
    trial = await trial_for(db, actor, number, lock=True)
    carrier, tracking, now = carrier.strip(), tracking.strip(), clock.now()
    # Without a tracking number two parcels cannot be told apart, so that a second click is the first one again.
    if any(parcel.tracking == tracking for parcel in trial.shipments):
        return trial
    if trial.status not in _SENT:
        _require_authorised(trial)
    row = {"id": new_id(), "trial_id": trial.id, "carrier": carrier, "tracking": tracking, "shipped_at": now}
    event = history.rows(actor, ("trial", trial.id, "parcel_shipped", {"carrier": carrier, "tracking": tracking}))
    await insert_rows(db, (TrialShipment, [row]), event)
    if trial.status == T.DELIVERED:
        await move_to(db, actor, trial.id, T.SHIPPED, reason="one_more_parcel", **_NOT_RUNNING)
    elif trial.status != T.SHIPPED:
        await move_to(db, actor, trial.id, T.SHIPPED, shipped_at=now, packed_at=trial.packed_at or now)
        await mark_shipped(db, trial.order_id, now)
    trial = await trial_for(db, actor, number)
    await tell(db, trial, "trial_shipped", carrier=carrier, tracking=tracking)
    return trial


_SENT: Final = frozenset({T.SHIPPED, T.DELIVERED})
_NOT_RUNNING: Final[dict[str, Any]] = {
    "delivered_at": None,
    "delivery_assumed": False,
    "ends_at": None,
    "reminders_since": None,
}
"""What is not known of a trial before its last parcel has arrived."""


def _require_authorised(trial: TrialView) -> None:
    if trial.status in {T.PLACED, T.AUTHORISATION_FAILED, T.AUTHORISATION_EXPIRED}:
        raise ConflictError(
            mark("The bank has not agreed yet, so nothing must be sent. Try again when it has."), code="not_authorised"
        )
    if trial.status not in {T.AUTHORISED, T.PACKED}:
        raise ConflictError(mark("This trial was sent, settled or cancelled already."), code="wrong_status")


async def deliver(
    db: AsyncConnection, actor: Actor, number: str, delivered_at: datetime, *, shipment_id: UUID | None = None
) -> TrialView:
    """A parcel arrived, or all that were sent; with the last one the trial begins. Again, it changes nothing.

    Where it was only taken for delivered, the trial begins anew on the real day, as long as it is not being settled.

    Raises:
        NotFoundError: there is no such trial, or no such parcel of it.
        InvalidError: the moment lies in the future, or before it was sent.
        ConflictError: nothing was sent yet (`not_shipped`).
    """
    actor.require("trials:write", "support", "warehouse", "finance")
    trial = await trial_for(db, actor, number, lock=True)
    now = clock.now()
    if delivered_at > now + _SKEW:
        raise InvalidError(mark("This moment lies in the future."), field="delivered_at")
    if trial.shipped_at is None:
        raise ConflictError(mark("Nothing of this trial was sent yet."), code="not_shipped")
    if shipment_id is not None and all(parcel.id != shipment_id for parcel in trial.shipments):
        raise NotFoundError(mark("There is no such parcel."), code="shipment_not_found", field="shipment_id")
    if trial.delivered_at is not None and not trial.delivery_assumed:
        return trial
    # Clocks of carriers count whole seconds or minutes; what arrives cannot have arrived before it left.
    moment = min(max(delivered_at, trial.shipped_at), now)
    await run(db, _ARRIVED, trial=trial.id, one=shipment_id, at=moment)
    trial = await trial_for(db, actor, number)
    last = trial.arrived_at
    if last is not None and (trial.status == T.SHIPPED or (trial.delivery_assumed and trial.settling_at is None)):
        await _begin(db, actor, trial, last, assumed=False)
    return await trial_for(db, actor, number)


_ARRIVED: Final = """
    UPDATE trial_shipment SET delivered_at = :at WHERE trial_id = :trial AND delivered_at IS NULL
    AND (CAST(:one AS uuid) IS NULL OR id = :one)
"""


async def _begin(db: AsyncConnection, actor: Actor, trial: TrialView, at: datetime, *, assumed: bool) -> None:
    """The trial runs, or runs anew; a purchase is done with."""
    zone = (await current(db)).timezone
    ends_at = trial_ends(at, trial.trial_days + trial.extended_days, zone)
    begun: dict[str, Any] = {
        "delivered_at": at,
        "delivery_assumed": assumed,
        "ends_at": ends_at,
        "reminders_since": clock.now(),
    }
    if trial.status == T.SHIPPED:
        await move_to(db, actor, trial.id, T.DELIVERED, **begun)
    else:
        await run(db, _BEGIN_ANEW, id=trial.id, **begun)
        await history.record(db, actor, ("trial", trial.id, T.DELIVERED.value, {"reason": "real_day"}))
    await defer(db, "confirming.look_again", order_id=str(trial.order_id))
    if trial.mode == Mode.TRIAL:
        running = await trial_by_id(db, trial.id)
        if running is not None:
            await tell(db, running, "trial_delivered")


_BEGIN_ANEW: Final = """
    UPDATE trial SET delivered_at = :delivered_at, delivery_assumed = :delivery_assumed, ends_at = :ends_at,
        reminders_since = :reminders_since WHERE id = :id
"""
_LOST: Final = """
    SELECT t.id FROM trial t WHERE t.status = 'shipped'
    AND (SELECT max(s.shipped_at) FROM trial_shipment s WHERE s.trial_id = t.id)
        + make_interval(days => (t.policy->>'delivery_days')::int) <= :now ORDER BY t.id LIMIT :limit
"""


async def assume_delivered(db: AsyncConnection) -> int:
    """Begin the trials whose parcels must have arrived by now, though nobody said so; how many there were."""
    due = await run(db, _LOST, now=clock.now(), limit=_BATCH)
    for row in due:
        trial = await trial_by_id(db, row.id, lock=True)
        if trial is not None and trial.status == T.SHIPPED:
            await _begin(db, SYSTEM, trial, clock.now(), assumed=True)
    return len(due)


async def scanned_of(db: AsyncConnection, return_id: UUID, at: datetime) -> None:
    """As `scanned`, for the trial of a return, if it is one's."""
    rows = await run(db, "SELECT number FROM trial WHERE return_id = :id", id=return_id)
    if rows:
        await scanned(db, SYSTEM, rows[0].number, min(at, clock.now()))


async def scanned(db: AsyncConnection, actor: Actor, number: str, at: datetime) -> TrialView:
    """A carrier scanned the trial's label: what is on its way is not charged.

    Raises:
        NotFoundError: there is no such trial.
        InvalidError: the moment lies in the future.
    """
    actor.require("trials:write", "warehouse", "support")
    trial = await trial_for(db, actor, number, lock=True)
    if at > clock.now() + _SKEW:
        raise InvalidError(mark("This moment lies in the future."), field="scanned_at")
    if trial.return_scanned_at is None or trial.return_scanned_at < at:
        await run(db, "UPDATE trial SET return_scanned_at = :at WHERE id = :id", id=trial.id, at=at)
        await history.record(db, actor, ("trial", trial.id, "label_scanned", {}))
    return await trial_for(db, actor, number)
