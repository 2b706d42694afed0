"""The rules by which carriers are chosen, and the shop's patience with them: read, and changed by an admin."""

import time
from datetime import timedelta
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.carriers.names import NAMES
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.labels.rules import Policy, Rule

CACHE_SECONDS: Final = 5.0
_habits: WeakKeyDictionary[Engine, tuple[float, "Habits"]] = WeakKeyDictionary()


class Habits(msgspec.Struct, frozen=True):
    """What nearly every filing and every page of a return asks of the rules."""

    asks: bool
    """Whether labels are asked of carriers, rather than being the prepaid one at once."""
    own_courier: bool
    """Whether somebody of the shop's fetches parcels, where the carrier does not."""
    label_life: timedelta
    """For how long a prepaid label can be used."""


_HABITS: Final = """
    SELECT EXISTS (SELECT FROM carrier_rule WHERE enabled) AS asks,
           p.own_courier, p.label_days FROM carrier_policy p
"""

_RULES: Final = f"SELECT {', '.join(Rule.__struct_fields__)} FROM carrier_rule ORDER BY position"  # noqa: S608 - our own columns
_POLICY: Final = f"SELECT {', '.join(Policy.__struct_fields__)} FROM carrier_policy"  # noqa: S608 - as above
_SETS: Final = ", ".join(f"{name} = :{name}" for name in Policy.__struct_fields__)
_SET_POLICY: Final = f"UPDATE carrier_policy SET {_SETS}, updated_at = :now"  # noqa: S608 - as above
_POLICY_ID: Final = UUID(int=1)
"""By which the history knows the one row."""


async def habits(db: AsyncConnection) -> Habits:
    """The shop's habits, at most `CACHE_SECONDS` old: asked for all the time, they change a few times a year."""
    kept, moment = _habits.get(db.sync_engine), time.monotonic()
    if kept is not None and moment - kept[0] < CACHE_SECONDS:
        return kept[1]
    [row] = await run(db, _HABITS)
    found = Habits(row.asks, row.own_courier, timedelta(days=row.label_days))
    _habits[db.sync_engine] = (moment, found)
    return found


async def carrier_rules(db: AsyncConnection) -> list[Rule]:
    """All rules, in their order."""
    return [Rule(*row) for row in await run(db, _RULES)]


async def carrier_policy(db: AsyncConnection) -> Policy:
    """The shop's patience."""
    [row] = await run(db, _POLICY)
    return Policy(*row)


async def set_policy(db: AsyncConnection, actor: Actor, changed: Policy) -> None:
    """Change the shop's patience; it holds from now on, for labels that are on their way, too.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: a parcel would be lost before it is stuck.
    """
    actor.require("admin")
    if changed.stuck_days >= changed.lost_days:
        raise InvalidError(mark("A parcel is stuck before it is lost."), field="lost_days")
    await run(db, _SET_POLICY, **msgspec.structs.asdict(changed), now=clock.now())
    _habits.clear()
    await history.record(db, actor, ("carrier_policy", _POLICY_ID, "changed", msgspec.structs.asdict(changed)))


_ADD: Final = """
    INSERT INTO carrier_rule (id, position, carrier, service, countries, max_weight_grams, min_value, max_value,
        currency, enabled)
    SELECT :id, coalesce(max(position), 0) + 1, :carrier, :service, :countries, :max_weight_grams, :min_value,
        :max_value, :currency, :enabled FROM carrier_rule
"""
_CHANGE: Final = """
    UPDATE carrier_rule SET carrier = :carrier, service = :service, countries = :countries,
        max_weight_grams = :max_weight_grams, min_value = :min_value, max_value = :max_value, currency = :currency,
        enabled = :enabled WHERE id = :id RETURNING id
"""


async def save_rule(db: AsyncConnection, actor: Actor, rule: Rule) -> UUID:
    """Change a rule, or add one behind the others where its id is nil; its position is `move_rule`'s to change.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: there is no such carrier.
        NotFoundError: there is no such rule.
    """
    actor.require("admin")
    if rule.carrier not in NAMES or rule.carrier == PREPAID:
        raise InvalidError(
            mark("Choose a carrier. The prepaid label needs no rule: it is what is left."), field="carrier"
        )
    values = msgspec.structs.asdict(rule)
    del values["position"]
    if rule.id.int:
        if not await run(db, _CHANGE, **values):
            raise _no_rule()
    else:
        await _alone(db)
        values["id"] = new_id()
        await run(db, _ADD, **values)
    _habits.clear()
    told = {name: value for name, value in values.items() if name != "id"}
    await history.record(db, actor, ("carrier_rule", values["id"], "changed" if rule.id.int else "added", told))
    return UUID(str(values["id"]))


async def move_rule(db: AsyncConnection, actor: Actor, rule_id: UUID) -> None:
    """Let a rule change places with the one before it; the first stays where it is.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such rule.
    """
    actor.require("admin")
    await _alone(db)
    rules = await carrier_rules(db)
    index = next((place for place, rule in enumerate(rules) if rule.id == rule_id), None)
    if index is None:
        raise _no_rule()
    if index:
        before, moved = rules[index - 1], rules[index]
        # No two rules have one position at any moment, so that one of them steps aside first.
        for rule, position in ((moved, rules[-1].position + 1), (before, moved.position), (moved, before.position)):
            await run(db, "UPDATE carrier_rule SET position = :position WHERE id = :id", position=position, id=rule.id)
        await history.record(db, actor, ("carrier_rule", rule_id, "moved", {"position": before.position}))


async def delete_rule(db: AsyncConnection, actor: Actor, rule_id: UUID) -> None:
    """Delete a rule; labels that were bought by it stay.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such rule.
    """
    actor.require("admin")
    if not await run(db, "DELETE FROM carrier_rule WHERE id = :id RETURNING id", id=rule_id):
        raise _no_rule()
    _habits.clear()
    await history.record(db, actor, ("carrier_rule", rule_id, "deleted", {}))


async def _alone(db: AsyncConnection) -> None:
    """Let two changes of the rules' order happen one after the other."""
    await run(db, "SELECT id FROM carrier_policy FOR UPDATE")


def _no_rule() -> NotFoundError:
    return NotFoundError(mark("There is no such rule."), code="rule_not_found")
