"""What the customer says of each item: kept, going back, or something is wrong with it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.photos import Photo
from returns_portal.shop.queries import current
from returns_portal.tryon.announcing import expect
from returns_portal.tryon.claims import follow
from returns_portal.tryon.letters import described, tell
from returns_portal.tryon.models import Decision, Outcome, TrialStatus
from returns_portal.tryon.queries import Item, TrialView, trial_for
from returns_portal.tryon.rules import trial_ends

T = TrialStatus
DECIDABLE: Final = frozenset(
    {T.SHIPPED, T.DELIVERED, T.SETTLING, T.AUTHORISATION_EXPIRED, T.PAYMENT_ACTION_NEEDED, T.OVERDUE}
)
"""From the moment when it was sent, since a parcel may arrive before anybody says so, until all is settled."""
PROBLEMS: Final = ("damaged", "missing", "wrong")
_NOTE: Final = 1000
_MOST_PHOTOS: Final = 6


async def decide(
    db: AsyncConnection,
    actor: Actor,
    number: str,
    decisions: Mapping[UUID, Decision],
    problems: Mapping[UUID, tuple[str, str]] | None = None,
) -> TrialView:
    """Say what becomes of items, one by one or all together; it can be changed until an item is charged or back.

    `problems` names for items with a problem its kind (damaged, missing, wrong) and a note.

    Raises:
        NotFoundError: there is no such trial, or it is not the actor's.
        InvalidError: an item is not of this trial, or nothing is decided.
        ConflictError: it was not sent yet (`not_shipped`), or is settled or charged already (`already_settled`).
    """
    if actor.kind != "customer":
        actor.require("trials:write", "support")
    trial = await trial_for(db, actor, number, lock=True)
    known = {item.id: item for item in trial.items}
    changed = [_decided(known, item_id, decision) for item_id, decision in decisions.items()]
    if not changed:
        raise InvalidError(mark("Say of at least one item what becomes of it."), field="items", code="nothing_chosen")
    moved = [(item, decision) for item, decision in changed if item.decision != decision or item.id in (problems or {})]
    if not moved:
        return trial
    _require_open(trial, [item for item, _ in moved])
    for item, decision in moved:
        kind, note = (problems or {}).get(item.id, ("damaged", "")) if decision is Decision.PROBLEM else ("", "")
        if kind and kind not in PROBLEMS:
            raise InvalidError(mark("Say whether it is damaged, missing or another item."), field="problem")
        await run(
            db,
            _DECIDE,
            id=item.id,
            decision=decision.value,
            now=clock.now(),
            problem=kind,
            note=note.strip()[:_NOTE],
        )
    told = {str(item.id): decision.value for item, decision in moved}
    await history.record(db, actor, ("trial", trial.id, "decided", told))
    trial = await trial_for(db, actor, number)
    await expect(db, actor, trial)
    await follow(db, actor, trial, {item.id: item for item in trial.items if item.id in decisions})
    if trial.settling_at is not None:
        await defer(db, "tryon.settle", trial_id=str(trial.id))
    for item in trial.items:
        before = known[item.id]
        if item.decision == Decision.PROBLEM and before.decision != Decision.PROBLEM:
            await tell(db, trial, "trial_problem", item=described(item), problem=item.problem)
    return await trial_for(db, actor, number)


# What was not charged because of a problem is open again when the customer has changed their mind.
_DECIDE: Final = """
    UPDATE trial_item SET decision = :decision, decided_at = :now, problem = :problem, problem_note = :note,
        outcome = CASE outcome WHEN 'waived' THEN 'open' ELSE outcome END
    WHERE id = :id
"""


def _decided(known: Mapping[UUID, Item], item_id: UUID, decision: Decision) -> tuple[Item, Decision]:
    if item_id not in known:
        raise InvalidError(mark("This item is not part of the trial."), field="items", code="unknown_item")
    if decision == Decision.UNDECIDED:
        raise InvalidError(mark("Say whether the item is kept or goes back."), field="items")
    return known[item_id], decision


def _require_open(trial: TrialView, items: list[Item]) -> None:
    if trial.shipped_at is None:
        raise ConflictError(mark("Nothing of this trial was sent yet."), code="not_shipped")
    if trial.status not in DECIDABLE:
        raise ConflictError(
            mark("This trial is settled. What was kept can still be returned in the ordinary way."),
            code="already_settled",
        )
    for item in items:
        if item.outcome == Outcome.KEPT:
            raise ConflictError(
                mark("{title} in {size} is paid for already. It can still be returned in the ordinary way."),
                code="already_charged",
                title=item.title,
                size=item.size,
            )
        if item.received:
            raise ConflictError(
                mark("{title} in {size} is back with us already."),
                code="already_back",
                title=item.title,
                size=item.size,
            )


async def extend(db: AsyncConnection, actor: Actor, number: str) -> TrialView:
    """Give the customer more time, once.

    Raises:
        NotFoundError: there is no such trial, or it is not the actor's.
        ConflictError: it does not run, was prolonged before, or the shop does not allow it (`no_more_time`).
    """
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status != T.DELIVERED or trial.extended_days or not trial.policy.extension_days or trial.ends_at is None:
        raise ConflictError(mark("There is no more time to be had for this trial."), code="no_more_time")
    days = trial.policy.extension_days
    zone = (await current(db)).timezone
    began = trial.delivered_at or trial.ends_at - timedelta(days=trial.trial_days)
    # It may have been given more time already, because its reminders did not go out.
    ends_at = max(trial.ends_at, trial_ends(began, trial.trial_days + days, zone))
    await run(db, _EXTEND, id=trial.id, days=days, ends_at=ends_at, now=clock.now())
    await history.record(db, actor, ("trial", trial.id, "prolonged", {"days": days}))
    trial = await trial_for(db, actor, number)
    await tell(db, trial, "trial_extended")
    return trial


_EXTEND: Final = """
    UPDATE trial SET extended_days = :days, ends_at = :ends_at, reminders_since = :now, changed_at = :now WHERE id = :id
"""


async def add_photo(db: AsyncConnection, actor: Actor, number: str, item_id: UUID, photo: Photo) -> UUID:
    """Keep a photo of a problem; it was rebuilt from its pixels by the caller. Its id.

    Raises:
        NotFoundError: there is no such trial or item, or it is not the actor's.
        ConflictError: there are enough of this item (`too_many_photos`).
    """
    trial = await trial_for(db, actor, number, lock=True)
    if all(item.id != item_id for item in trial.items):
        raise NotFoundError(mark("This item is not part of the trial."), code="unknown_item")
    [row] = await run(db, "SELECT count(*) AS known FROM trial_photo WHERE item_id = :id", id=item_id)
    if row.known >= _MOST_PHOTOS:
        raise ConflictError(
            mark("There are {most} photos of this item already."), code="too_many_photos", most=_MOST_PHOTOS
        )
    photo_id = new_id()
    await run(
        db,
        _PHOTO,
        id=photo_id,
        item=item_id,
        width=photo.width,
        height=photo.height,
        data=photo.jpeg,
        now=clock.now(),
    )
    await history.record(db, actor, ("trial", trial.id, "photo_added", {"item": str(item_id)}))
    return photo_id


_PHOTO: Final = """
    INSERT INTO trial_photo (id, item_id, width, height, data, created_at)
    VALUES (:id, :item, :width, :height, :data, :now)
"""
