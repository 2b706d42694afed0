"""How a trial is settled: what is charged now and by what, what still may come back, what is for a person. Pure.

Only one charge is under way at a time. Points pay first, then what the customer has paid already (the deposit), then
the card: by capturing the hold, once, and by charges of the card on file afterwards.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from returns_portal.payments.amounts import chargeable
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Decision, Outcome
from returns_portal.tryon.queries import Charge, Item, TrialView

C = ChargeStatus
REMINDERS: Final = 2
"""So many reminders go out before silence may mean keeping."""
PENDING: Final = frozenset({C.PLANNED, C.SUBMITTING, C.UNKNOWN, C.ACTION_NEEDED, C.CAPTURING, C.CANCELING})
"""Nobody knows yet whether something is charged by these; what is being released may have been captured elsewhere."""


class Facts(msgspec.Struct, frozen=True):
    """What the trial itself does not tell.

    Attributes:
        points: How many points are still held for it.
        in_doubt: Lines that the warehouse has, and of which a person has yet to say whether they are taken back.
        arrived_at: When the last parcel of its return was checked in.
    """

    points: int = 0
    in_doubt: frozenset[UUID] = frozenset()
    arrived_at: datetime | None = None


class Fate(StrEnum):
    """What is to become of an item now."""

    CHARGED = "charged"
    RETURNED = "returned"
    WAIVED = "waived"
    WAITING = "waiting"
    """It may still come back."""
    STUCK = "stuck"
    """It did not come back, and must not be charged without a person: a carrier lost it, or nobody agreed to pay."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done now. Amounts in minor units; points, deposit and card together are what the items cost."""

    returned: Sequence[Item] = ()
    waived: Sequence[Item] = ()
    waiting: Sequence[Item] = ()
    stuck: Sequence[Item] = ()
    charged: Sequence[Item] = ()
    """What is charged now, all at once."""
    unpaid: Sequence[Item] = ()
    """What is due, `charged` among it."""
    points: int = 0
    deposit: int = 0
    card: int = 0
    capture: Charge | None = None
    """The hold of which `card` is captured; None where the card on file is charged, or nothing is."""
    release: Charge | None = None
    """A hold of which nothing is captured."""
    under_way: bool = False
    """A charge is not done yet, so that none is begun."""
    look_at: datetime | None = None
    """When the next of the waiting items has waited long enough."""

    @property
    def due(self) -> int:
        """What all that is due costs."""
        return sum(item.price for item in self.unpaid)

    @property
    def ends(self) -> bool:
        """Whether nothing is open any more."""
        return not (self.unpaid or self.waiting or self.stuck or self.under_way or self.release)


def plan(trial: TrialView, facts: Facts, now: datetime, *, decided_only: bool = False) -> Plan:
    """Decide what is to be done about a trial that is being settled.

    Args:
        trial: The trial.
        facts: What it does not tell.
        now: The present moment.
        decided_only: The trial goes on: only what the customer has decided to keep is charged.
    """
    fates: dict[Fate, list[Item]] = {fate: [] for fate in Fate}
    for item in trial.items:
        if item.outcome == Outcome.OPEN:
            fates[fate_of(item, trial, facts, now, decided_only=decided_only)].append(item)
    due = fates[Fate.CHARGED]
    under_way = any(each.kind != ChargeKind.SETUP and each.status in PENDING for each in trial.charges)
    hold = next((each for each in trial.charges if each.kind == ChargeKind.HOLD and each.status == C.HELD), None)
    now_charged = [] if under_way else _fitting(due, trial, facts, hold)
    points, deposit, card = _shares(sum(item.price for item in now_charged), trial, facts)
    captured = hold if now_charged and card and hold and card <= hold.amount else None
    return Plan(
        returned=fates[Fate.RETURNED],
        waived=fates[Fate.WAIVED],
        waiting=fates[Fate.WAITING],
        stuck=fates[Fate.STUCK],
        charged=now_charged,
        unpaid=due,
        points=points,
        deposit=deposit,
        card=card,
        capture=captured,
        release=hold if not captured and not under_way and not decided_only else None,
        under_way=under_way,
        look_at=_patience(trial, facts, now) if fates[Fate.WAITING] else None,
    )


def fate_of(  # noqa: PLR0911 - each of them is one sentence of the terms
    item: Item, trial: TrialView, facts: Facts, now: datetime, *, decided_only: bool = False
) -> Fate:
    """What is to become of an open item."""
    if item.order_line_id in facts.in_doubt:
        return Fate.WAITING
    if item.received:
        return Fate.RETURNED
    if item.decision == Decision.PROBLEM:
        return Fate.WAIVED
    if item.decision == Decision.KEEP:
        return Fate.CHARGED
    if decided_only:
        return Fate.WAITING
    silent = item.decision == Decision.UNDECIDED
    moving = is_moving(trial, facts)
    if silent and trial.silence_keeps and trial.reminders >= REMINDERS and not moving:
        return Fate.CHARGED
    if (patience := _patience(trial, facts, now)) is None or now < patience:
        return Fate.WAITING
    return Fate.STUCK if moving or silent else Fate.CHARGED


def is_moving(trial: TrialView, facts: Facts) -> bool:
    """Whether a carrier has scanned the label, and the parcel has not come since."""
    scanned = trial.return_scanned_at
    return scanned is not None and (facts.arrived_at is None or facts.arrived_at < scanned)


def _patience(trial: TrialView, facts: Facts, now: datetime) -> datetime | None:
    """Until when something may take to come back; a scan proves that it is on its way, and gives it as long again."""
    until = trial.grace_ends_at
    if until is not None and trial.return_scanned_at is not None and is_moving(trial, facts):
        until = max(until, trial.return_scanned_at + timedelta(days=trial.policy.grace_days))
    return until if until is not None or trial.settling_at is None else now


def in_hand(trial: TrialView) -> int:
    """What the customer has paid beyond what was charged for: the deposit, or what is left of it."""
    done = [charge for charge in trial.charges if charge.status == C.CAPTURED]
    return sum(charge.captured + charge.points for charge in done) - trial.charged


def _fitting(due: Sequence[Item], trial: TrialView, facts: Facts, hold: Charge | None) -> Sequence[Item]:
    """All that is due; where a hold is too small for it, as much as it is enough for, and the rest by another charge.

    A hold is for all that can be charged; it is too small only where points were taken away that should have paid.
    """
    if hold is None:
        return due
    for count in range(len(due), 0, -1):
        _, _, card = _shares(sum(item.price for item in due[:count]), trial, facts)
        if card <= hold.amount:
            return due[:count]
    return due


def _shares(total: int, trial: TrialView, facts: Facts) -> tuple[int, int, int]:
    """How points, deposit and card share a sum. What is too little for a card to pay takes from the other two."""
    points = min(facts.points, total)
    deposit = min(max(0, in_hand(trial)), total - points)
    card = total - points - deposit
    more = min(chargeable(card, trial.currency) - card, points + deposit)
    less = min(more, deposit)
    return points - (more - less), deposit - less, card + more
