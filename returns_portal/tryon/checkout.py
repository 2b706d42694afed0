"""What becomes of a trial when its bank has answered at checkout, or a hold was renewed or lost. Under the lock."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import insert_rows
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.jobs import defer
from returns_portal.tryon import shipping
from returns_portal.tryon.announcing import expect
from returns_portal.tryon.calling_off import cancel, set_aside
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Mode, Outcome, Strategy, TrialCharge, TrialStatus
from returns_portal.tryon.queries import TrialView, open_trials, policy
from returns_portal.tryon.recording import planned_charge
from returns_portal.tryon.settlement import in_hand
from returns_portal.tryon.steps import let_go

T = TrialStatus
C = ChargeStatus
DEAD: Final = frozenset({C.CANCELED, C.EXPIRED, C.FAILED, C.CANCELING})
_DONE: Final = frozenset({C.HELD, C.CAPTURED})
CARD_GIVEN_WITHIN: Final = timedelta(days=7)
"""A trial that was not sent when its hold was lost, and for which nobody has given a card by then, is called off."""
RUNNING: Final = frozenset({T.AUTHORISED, T.PACKED, T.SHIPPED, T.DELIVERED})
"""It goes on, and its hold must not end before it does."""


def needed(trial: TrialView) -> list[tuple[ChargeKind, int]]:
    """What the gateway must have agreed to before a trial is sent, and the amounts: the deposit last."""
    rest = trial.max_charge - trial.points - trial.deposit
    kinds: list[tuple[ChargeKind, int]] = []
    if rest:
        kinds.append((ChargeKind.HOLD, rest) if trial.strategy == Strategy.HOLD else (ChargeKind.SETUP, 0))
    if trial.deposit or not rest:
        kinds.append((ChargeKind.DEPOSIT, trial.deposit))
    return kinds


async def agreed(db: AsyncConnection, trial: TrialView) -> None:
    """The bank agreed to a hold, a setup or a deposit of a trial that was placed."""
    alive = [each for each in trial.charges if each.status not in DEAD]
    for charge in alive:
        if charge.status == C.PLANNED:
            await defer(db, "tryon.submit", charge_id=str(charge.id))
    done = {each.kind for each in alive if each.status in _DONE}
    if not done.issuperset(kind for kind, _ in needed(trial)):
        return
    try:
        await set_aside(db, trial)
    except (ConflictError, InvalidError, NotFoundError):
        # The bank took longer than its items were set aside, and somebody else has bought them.
        await cancel(db, SYSTEM, trial.number, reason="sold_out")
        return
    # Several may have been placed at once: as many as the shop allows go on, those first that a bank agreed to first.
    if trial.mode == Mode.TRIAL and await open_trials(db, trial.email_key) >= (await policy(db)).open_trials:
        await cancel(db, SYSTEM, trial.number, reason="too_many_trials")
        return
    await move_to(db, SYSTEM, trial.id, T.AUTHORISED, authorised_at=clock.now())
    if trial.mode == Mode.TRIAL:
        await expect(db, SYSTEM, trial)
    await tell(db, trial, "trial_authorised")


async def refused(db: AsyncConnection, trial: TrialView, reason: str) -> None:
    """The bank refused at checkout: everything else of it is let go, and the customer can give another card."""
    await move_to(db, SYSTEM, trial.id, T.AUTHORISATION_FAILED, reason=reason)
    for charge in trial.charges:
        await let_go(db, charge)
    await tell(db, trial, "trial_authorisation_failed", reason=reason)


async def hold_lost(db: AsyncConnection, trial: TrialView) -> None:
    """The hold ended and could not be renewed: the customer is asked for a card, and what was sent goes on.

    Again, after another try: they are asked again.
    """
    if trial.status != T.AUTHORISATION_EXPIRED:
        await move_to(db, SYSTEM, trial.id, T.AUTHORISATION_EXPIRED)
    since = trial.changed_at if trial.status == T.AUTHORISATION_EXPIRED else clock.now()
    until = since + CARD_GIVEN_WITHIN if trial.shipped_at is None else None
    await tell(db, trial, "trial_hold_expired", until=until)


async def plan_hold(
    db: AsyncConnection, trial: TrialView, *, status: ChargeStatus = C.PLANNED, unattended: bool = False
) -> bool:
    """Plan a hold for what may still be charged, less what came back; false where that is nothing."""
    still = sum(item.price for item in trial.items if item.outcome == Outcome.OPEN and not item.received)
    amount = still - trial.points - max(0, in_hand(trial))
    if amount <= 0:
        return False
    row = planned_charge(trial.id, ChargeKind.HOLD, trial.currency, amount)
    await insert_rows(db, (TrialCharge, [row | {"status": status, "unattended": unattended}]))
    if status == C.PLANNED:
        await defer(db, "tryon.submit", charge_id=str(row["id"]))
    return True


async def go_on(db: AsyncConnection, trial: TrialView) -> None:
    """With a new card a trial goes on where it was; what happened meanwhile is made up for."""
    if trial.shipped_at is None:
        await move_to(db, SYSTEM, trial.id, T.PACKED if trial.packed_at else T.AUTHORISED)
        return
    if trial.delivered_at is not None:
        await move_to(db, SYSTEM, trial.id, T.DELIVERED)
        return
    await move_to(db, SYSTEM, trial.id, T.SHIPPED)
    if trial.arrived_at is not None:
        await shipping.deliver(db, SYSTEM, trial.number, trial.arrived_at)


def ends_without_card(trial: TrialView) -> datetime | None:
    """When a trial that was sent ends, though its hold was lost and nobody gave a card."""
    if trial.ends_at is not None or trial.shipped_at is None:
        return trial.ends_at
    last = max(parcel.shipped_at for parcel in trial.shipments)
    arrived = trial.arrived_at or last + timedelta(days=trial.policy.delivery_days)
    return arrived + timedelta(days=trial.trial_days + trial.extended_days)
