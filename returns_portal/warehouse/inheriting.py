"""What a correction takes over from the count before it: where people sent the goods, and what they noted of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.warehouse.models import Acceptance
from returns_portal.warehouse.rules import Item, Place, place

Kind = tuple[UUID | None, str, str, bool]
"""What units have in common: line, condition, what they are where they have no line, whether the order had them."""


class Placed(msgspec.Struct, frozen=True):
    """Units of the count before: where they went, who said so, and what was noted."""

    order_line_id: UUID | None
    condition: str
    description: str
    acceptance: str
    quantity: int
    disposition: str
    asked: str
    disposed_by: str
    disposed_at: datetime | None
    note: str

    @property
    def kind(self) -> Kind:
        """By which units of the new count are found again."""
        return self.order_line_id, self.condition, self.description, self.acceptance == Acceptance.SURPLUS

    @property
    def goes(self) -> str:
        """Where they went or shall go; empty where nobody said so, or a decision about the money did."""
        return "" if self.acceptance == Acceptance.SENT_BACK else self.disposition or self.asked


class Part(msgspec.Struct, frozen=True):
    """Units of the new count, and those of the old one that they are; None where they are more than it had."""

    of: int
    """The item of the new count, by its place."""
    item: Item
    was: Placed | None
    like: Placed | None
    """The old units of the same kind, where there were any."""


_PLACED: Final = """
    SELECT order_line_id, condition, description, acceptance, quantity, disposition, asked, disposed_by, disposed_at,
           note
    FROM parcel_item WHERE parcel_id = :id ORDER BY id
"""


async def placed_in(db: AsyncConnection, parcel_id: UUID) -> list[Placed]:
    """Where the units of a count went; the caller has shown that the actor may see it."""
    return [Placed(**row._asdict()) for row in await run(db, _PLACED, id=parcel_id)]


def parted(items: Sequence[Item], before: Sequence[Placed]) -> list[Part]:
    """The units of a new count, divided as those of the old one were: some of a kind may go elsewhere than others."""
    left = [placed.quantity for placed in before]
    parts: list[Part] = []
    for of, item in enumerate(items):
        kind = (item.line_id, item.condition.value, item.description[:200], item.acceptance is Acceptance.SURPLUS)
        units, like = item.quantity, None
        for index, placed in enumerate(before):
            if placed.kind != kind:
                continue
            like = placed
            if taken := min(units, left[index]):
                parts.append(Part(of, structs.replace(item, quantity=taken), placed, placed))
                left[index] -= taken
                units -= taken
        if units:
            parts.append(Part(of, structs.replace(item, quantity=units), None, like))
    return parts


def placement(part: Part, wanted: str | None, defaults: Mapping[str, str], two_people: Mapping[str, bool]) -> Place:
    """Where units go: where somebody says now, or as before, or where the shop sends what is in their condition.

    What two people had agreed on holds for as many units as they saw; for more of them it is asked again.
    """
    was, like = part.was, part.like
    if was is not None and was.goes and wanted in (None, was.goes):
        return Place(was.disposition, was.asked)
    return place(part.item, like.goes if wanted is None and like else wanted, defaults, two_people)


def said_before(part: Part, goes: Place) -> dict[str, Any]:
    """Who said so and when, where that was said of the count before."""
    was = part.was
    if was is None or not was.goes or goes != Place(was.disposition, was.asked):
        return {}
    return {"disposed_by": was.disposed_by, "disposed_at": was.disposed_at}
