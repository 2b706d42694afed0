"""What the shop makes of conditions, and where it sends goods."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.texts import one_line
from returns_portal.warehouse.models import Condition, Disposition

MAX_NAME: Final = 40
COUNTED: Final = (Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM)
"""The conditions that are counted, in the order of their keys at the station."""
SUBJECT_ID: Final = UUID(int=5)
"""The rules' id in the history, whose subjects are UUIDs."""


class DockRules(msgspec.Struct, frozen=True):
    """What the shop has set."""

    names: dict[str, str]
    """The shop's own words for conditions, where it has any."""
    defaults: dict[str, str]
    """By condition, where such goods go; empty where a person says so each time."""
    two_people: dict[str, bool]
    """By disposition that is offered, whether it takes two people to say so."""


_RULES: Final = """
    SELECT (SELECT coalesce(json_object_agg(condition, name), '{}'::json) FROM condition_rule) AS names,
           (SELECT coalesce(json_object_agg(condition, disposition), '{}'::json) FROM condition_rule) AS defaults,
           (SELECT coalesce(json_object_agg(disposition, second_person), '{}'::json) FROM disposition_rule
            WHERE offered) AS two_people
"""


async def dock_rules(db: AsyncConnection) -> DockRules:
    """What the shop has set."""
    [row] = await run(db, _RULES)
    return DockRules(row.names, row.defaults, row.two_people)


_SET: Final = """
    WITH conditions AS (
        INSERT INTO condition_rule (condition, name, disposition)
        SELECT * FROM unnest(CAST(:conditions AS text[]), CAST(:names AS text[]), CAST(:defaults AS text[]))
        ON CONFLICT (condition) DO UPDATE SET name = excluded.name, disposition = excluded.disposition)
    INSERT INTO disposition_rule (disposition, offered, second_person)
    SELECT * FROM unnest(CAST(:dispositions AS text[]), CAST(:offered AS bool[]), CAST(:two AS bool[]))
    ON CONFLICT (disposition) DO UPDATE SET offered = excluded.offered, second_person = excluded.second_person
"""


async def set_rules(
    db: AsyncConnection,
    actor: Actor,
    *,
    names: Mapping[str, str],
    defaults: Mapping[str, str],
    two_people: Mapping[str, bool],
) -> None:
    """Set all of it; what is not in `two_people` is no longer offered.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: a name is too long, or goods would go where nothing is sent.
    """
    actor.require("admin")
    if not two_people:
        raise InvalidError(mark("Goods have to go somewhere: tick at least one."), field="offered")
    for condition in COUNTED:
        if defaults.get(condition.value, "") not in {"", *two_people}:
            raise InvalidError(mark("The shop sends nothing there."), field=f"default-{condition.value}")
    values = {
        "conditions": [condition.value for condition in COUNTED],
        "names": [
            one_line(names.get(condition.value, ""), f"name-{condition.value}", MAX_NAME, required=False)
            for condition in COUNTED
        ],
        "defaults": [defaults.get(condition.value, "") for condition in COUNTED],
        "dispositions": [disposition.value for disposition in Disposition],
        "offered": [disposition.value in two_people for disposition in Disposition],
        "two": [two_people.get(disposition.value, False) for disposition in Disposition],
    }
    await run(db, _SET, **values)
    told = {"defaults": dict(defaults), "two_people": dict(two_people)}
    await history.record(db, actor, ("dock_rules", SUBJECT_ID, "changed", told))
