"""A shop that surprises its customers, one verb a line."""

from typing import Any

from returns_portal.actor import SYSTEM, Actor
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.packing import Proposal, leave_out, proposals, put_in
from returns_portal.loyalty.proposing import propose
from returns_portal.tryon.queries import TrialView
from tests.portal import Portal
from tests.tryon.samples import boots, place

PACKER = Actor(kind="staff", id="ivo", grants=frozenset({"warehouse"}))


async def surprises(portal: Portal, **fields: Any) -> None:  # noqa: ANN401 - the fields of a programme
    """Everybody is surprised by a gift for 3.00 out of 10.00 a month, and nobody left out, unless it is said."""
    given = {"surprises": True, "currency": "EUR", "budget": 1_000, "costs": {"gift": 300}, "from_level": 0}
    async with portal.begin() as db:
        await change(db, SYSTEM, **{**given, "control_percent": 0, **fields})


async def waiting(portal: Portal, *emails: str) -> list[TrialView]:
    """Parcels that wait to be packed, one for each customer."""
    skus = await boots(portal, stock=100)
    placed = [await place(portal, skus[:1], trial_days=3, email=email) for email in emails]
    await portal.work()
    return placed


async def look(portal: Portal) -> int:
    """Propose what can be, unless the job has done so meanwhile; how many there are by now, those left out too."""
    await propose(portal.begin)
    return len(await portal.rows("SELECT id FROM surprise"))


async def at_the_table(portal: Portal) -> dict[str, Proposal]:
    async with portal.begin() as db:
        return await proposals(db, PACKER)


async def put(portal: Portal, found: Proposal) -> None:
    async with portal.begin() as db:
        await put_in(db, PACKER, found.id)


async def leave(portal: Portal, found: Proposal) -> None:
    async with portal.begin() as db:
        await leave_out(db, PACKER, found.id)
