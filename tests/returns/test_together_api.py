"""Programs file into a parcel, too; and what finance, the dock and the person's own file say of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.finance.deadlines import due_within
from returns_portal.labels.arrivals import arrivals, expected
from returns_portal.labels.run_reading import TOGETHER, read_rows
from returns_portal.labels.sweeping import sweep
from returns_portal.refunds.actions import undo
from returns_portal.warehouse.models import Condition
from tests.portal import FINANCE, Portal
from tests.returns.test_together import labels, orders, seen, together
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio
MIRA = Actor(kind="staff", id="mira", grants=frozenset({"warehouse"}))


@pytest.fixture
async def program(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["returns:read", "returns:write"])
    async with browsing(portal.settings, database_url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_a_program_files_into_a_parcel(program: Browser, portal: Portal) -> None:
    first, second = await orders(portal, "2301", "2302")
    lead = await portal.file("2301", (first, 1))
    body = {"order_number": "2302", "lines": [{"line_id": str(second), "quantity": 1}], "in_parcel_of": lead.rma}
    unknown = await program.post("/api/v1/returns", json=body | {"in_parcel_of": "R-0000-0000"})
    assert unknown.status_code == 404
    answer = await program.post("/api/v1/returns", json=body)
    assert answer.status_code == 201, answer.text
    filed = answer.json()
    assert filed["in_parcel_of"] == lead.rma
    assert filed["label"]["pdf_url"] == f"/api/v1/returns/{lead.rma}/label.pdf"
    shown = (await program.get(f"/api/v1/returns/{lead.rma}")).json()
    assert (shown["in_parcel_of"], shown["parcel_with"]) == (None, [filed["rma"]])
    assert (await program.get(f"/api/v1/returns/{filed['rma']}/label.pdf")).status_code == 409


async def test_the_scan_of_the_one_label_is_that_of_all(portal: Portal) -> None:
    first, second = await orders(portal, "2306", "2307")
    lead = await portal.file("2306", (first, 1))
    follower = await together(portal, "2307", second, lead.rma)
    async with portal.begin() as db:
        today = clock.now().date()
        waiting = [each for day in range(12) for each in await arrivals(db, MIRA, today + timedelta(days=day))]
        assert [(each.rma, each.fellows, each.quantity) for each in waiting] == [(lead.rma, [follower.rma], 2)]
        counts = [await expected(db, MIRA, today + timedelta(days=day)) for day in range(12)]
        assert (sum(each.parcels for each in counts), sum(each.units for each in counts)) == (1, 2)
        [own, other] = await read_rows(db, SYSTEM, [(1, lead.rma), (2, follower.rma)], sandbox=True, renew=True)
        assert (own.problem, len(own.pieces), other.problem) == ("", 1, TOGETHER)

    await portal.rows("UPDATE label SET status = 'in_transit', first_scan_at = now() RETURNING id")
    assert (await seen(portal, follower.rma)).label_status == "in_transit"
    async with portal.begin() as db:
        due = {each.rma for each in await due_within(db, FINANCE, timedelta(days=60))}
    assert due == {lead.rma, follower.rma}, "the law's days run from the proof of sending of both"

    # What is counted of either says that the parcel has come; undone, it is on its way again.
    counted = await portal.receive(follower.rma, (second, 1, Condition.RESELLABLE), delay=3600)
    await sweep(portal.begin)
    assert await labels(portal) == [(lead.rma, "delivered")]
    async with portal.begin() as db:
        await undo(db, MIRA, counted.check_in_id)
    await sweep(portal.begin)
    assert await labels(portal) == [(lead.rma, "in_transit")]
