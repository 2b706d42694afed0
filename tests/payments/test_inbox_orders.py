"""Events come late, twice and out of order: whatever the order and the repetition, the end is the same."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import product
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.finance.books import check
from returns_portal.jobs import JobContext
from returns_portal.payments.gateway import GatewayCharge, GatewayDispute, GatewayRefund
from returns_portal.payments.inbox import store
from returns_portal.payments.models import FoundBy
from returns_portal.payments.reads import read_news
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.reading import read_event
from returns_portal.settings import Settings
from returns_portal.warehouse.models import Condition
from tests.finance.journey import PRICE, arrived, filed

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
REFUND = GatewayRefund(
    id="re_dashboard",
    status="pending",
    amount=3_000,
    currency="EUR",
    payment="pi_1",
    charge="ch_1",
    failure_reason=None,
    pending_reason=None,
    reference=None,
    our_id=None,
    created=MOMENT,
    livemode=False,
    balance_transaction=None,
)
DISPUTE = GatewayDispute(
    id="du_1",
    status="warning_needs_response",
    reason="fraudulent",
    amount=2_990,
    currency="EUR",
    withdrawn=0,
    payment="pi_1",
    charge="ch_1",
    evidence_due_by=MOMENT,
    created=MOMENT,
)
change = msgspec.structs.replace
DASHBOARD = [REFUND, change(REFUND, status="succeeded", reference="arn"), change(REFUND, status="failed")]
DISPUTED = [DISPUTE, change(DISPUTE, status="needs_response", withdrawn=2_990)]
WON = [*DISPUTED, change(DISPUTE, status="won")]
LOST = [*DISPUTED, change(DISPUTE, status="lost", withdrawn=2_990)]

EVENTS = {
    "dashboard": ("refund.created", "refund", "re_dashboard"),
    "ours": ("refund.updated", "refund", "re_ours"),
    "opened": ("charge.dispute.created", "dispute", "du_1"),
    "closed": ("charge.dispute.closed", "dispute", "du_1"),
    "charge": ("charge.refunded", "charge", "ch_1"),
}


class Gateway(StripeGateway):
    """A gateway whose objects go through their lives, one step at a time."""

    def __init__(
        self, ours: list[GatewayRefund], dashboard: list[GatewayRefund], disputed: list[GatewayDispute]
    ) -> None:
        super().__init__(key="sk_test_none", base="http://127.0.0.1:1")
        self._lives = {"re_ours": ours, "re_dashboard": dashboard}
        self._disputed = disputed
        self.step = -1

    async def read_refund(self, refund: str) -> GatewayRefund:
        lives = self._lives[refund]
        return lives[min(self.step, len(lives) - 1)]

    async def find_refunds(self, payment: str) -> list[GatewayRefund]:
        assert payment == "pi_1"
        return [await self.read_refund(refund) for refund in self._lives]

    async def read_charge(self, charge: str) -> GatewayCharge:
        return GatewayCharge(id=charge, payment="pi_1", disputed=True)

    async def read_dispute(self, dispute: str) -> GatewayDispute:
        assert dispute == "du_1"
        return self._disputed[min(self.step, len(self._disputed) - 1)]

    async def find_disputes(self, payment: str) -> list[GatewayDispute]:
        assert payment == "pi_1"
        return [await self.read_dispute("du_1")]


@pytest.fixture
def inside(db: AsyncConnection) -> Begin:
    @asynccontextmanager
    async def begin() -> AsyncIterator[AsyncConnection]:
        yield db

    return begin


@pytest.fixture
async def ours(db: AsyncConnection, settings: Settings) -> list[GatewayRefund]:
    """One refund of ours is pending at the gateway, another one planned; returns the life of the first."""
    journey = await filed(db, settings, "1001")
    (first,) = (await arrived(db, settings, journey, Condition.WORN, 1)).refund_ids
    await db.execute(text("UPDATE payment SET reference = 'pi_1', refunds_before = '{}'"))
    await transition(db, SYSTEM, first, RefundStatus.SUBMITTING)
    await transition(db, SYSTEM, first, RefundStatus.PENDING, gateway_id="re_ours")
    await db.execute(text("UPDATE parcel SET number = 2"))
    await arrived(db, settings, journey, Condition.RESELLABLE, 1)
    made = change(REFUND, id="re_ours", amount=PRICE, our_id=f"{first}:1")
    return [made, change(made, status="succeeded", reference="arn")]


async def outcome(db: AsyncConnection) -> dict[str, Any]:
    """The end, without ids and moments."""
    refunds = await db.execute(
        text(
            "SELECT kind, status, amount, failure_reason, held_at IS NOT NULL FROM refund ORDER BY kind, amount, status"
        )
    )
    disputes = await db.execute(text("SELECT status, withdrawn, closed_at IS NOT NULL FROM dispute"))
    books = await db.execute(
        text("SELECT account, sum(amount) FROM ledger_entry GROUP BY account HAVING sum(amount) <> 0 ORDER BY account")
    )
    return {
        "refunds": [tuple(row) for row in refunds],
        "disputes": [tuple(row) for row in disputes],
        "books": [tuple(row) for row in books],
    }


async def told(db: AsyncConnection, context: JobContext, names: Sequence[str]) -> None:
    """Deliver these events in this order, and have each handled; a repeated one is delivered and handled again."""
    gateway = context.service(Gateway)
    for name in names:
        gateway.step += 1
        type_, kind, object_id = EVENTS[name]
        body = {"id": f"evt_{name}", "type": type_, "created": 1, "data": {"object": {"object": kind, "id": object_id}}}
        await store(db, read_news(msgspec.json.encode(body)), FoundBy.WEBHOOK)
        row = (await db.execute(text("SELECT id FROM gateway_event WHERE event_id = :id"), {"id": body["id"]})).one()
        await read_event(context, row.id)


End = dict[str, Any]
ENDED = 10
"""A step at which all lives have come to their end."""


async def after(db: AsyncConnection, gateway: Gateway, inside: Begin, names: Sequence[str], step: int) -> End:
    """What comes of these events, told from this step of the gateway's objects on; and nothing stays of it."""
    gateway.step = step
    savepoint = await db.begin_nested()
    await told(db, JobContext(inside, gateway), names)
    found = await outcome(db)
    await savepoint.rollback()
    return found


async def ends(
    db: AsyncConnection, context: JobContext, names: Sequence[str], length: int, *, repeat: bool
) -> list[tuple[tuple[str, ...], End]]:
    """What comes of every order of events up to a length; what has a beginning in common goes through it once."""
    found: list[tuple[tuple[str, ...], End]] = []
    for name in names if length else ():
        savepoint = await db.begin_nested()
        await told(db, context, [name])
        found.append(((name,), await outcome(db)))
        rest = names if repeat else [other for other in names if other != name]
        found += [((name, *more), end) for more, end in await ends(db, context, rest, length - 1, repeat=repeat)]
        await savepoint.rollback()
    return found


async def test_every_order_of_five_ends_the_same(db: AsyncConnection, inside: Begin, ours: list[GatewayRefund]) -> None:
    gateway = Gateway(ours, DASHBOARD[:2], LOST)
    gateway.step = ENDED
    found = await ends(db, JobContext(inside, gateway), [*EVENTS], 5, repeat=False)
    whole = [end for names, end in found if len(names) == 5]
    assert len(whole) == 120
    assert all(end == whole[0] for end in whole)
    assert whole[0] == {
        "refunds": [
            # The one of ours that was planned does not fit beside the dashboard's and what was lost.
            ("outside", "succeeded", 3_000, "", False),
            ("return", "failed", PRICE, "nothing_left", False),
            ("return", "succeeded", PRICE, "", False),
        ],
        "disputes": [("lost", 2_990, True)],
        "books": [
            ("dispute_losses", 2_990),
            ("gateway_clearing", -PRICE - 3_000 - 2_990),
            ("refunds_payable", -PRICE),
            ("sales_returns", 2 * PRICE + 3_000),
        ],
    }


@pytest.mark.parametrize(("disputed", "status"), [(DISPUTED, "needs_response"), (WON, "won")])
async def test_every_repetition_among_five_ends_the_same(
    db: AsyncConnection, inside: Begin, ours: list[GatewayRefund], disputed: list[GatewayDispute], status: str
) -> None:
    gateway = Gateway(ours, DASHBOARD[:1], disputed)
    gateway.step = ENDED
    found = await ends(db, JobContext(inside, gateway), ["dashboard", "ours", "closed"], 5, repeat=True)
    assert len(found) == 3 + 9 + 27 + 81 + 243
    by_objects: dict[frozenset[str], End] = {}
    for names, end in found:
        assert by_objects.setdefault(frozenset(names), end) == end, names
    assert len(by_objects) == 7
    assert by_objects[frozenset(["dashboard", "ours", "closed"])]["disputes"][0][0] == status
    await told(db, JobContext(inside, gateway), [*EVENTS])
    assert await check(inside) == []


async def test_events_between_the_changes_end_as_events_after_them(
    db: AsyncConnection, inside: Begin, ours: list[GatewayRefund]
) -> None:
    """The gateway's objects change from one event to the next; the last event of each object tells of its end."""
    gateway = Gateway(ours, DASHBOARD, LOST)
    final = ["dashboard", "ours", "closed"]
    expected = await after(db, gateway, inside, final, ENDED)
    for names in product(["dashboard", "opened", "charge"], repeat=3):
        assert await after(db, gateway, inside, [*names, *final], -1) == expected, names


async def test_what_was_read_early_is_not_written_late(
    db: AsyncConnection, inside: Begin, ours: list[GatewayRefund]
) -> None:
    """While one worker holds an old answer in its hands, another writes a newer one."""

    class Slow(Gateway):
        async def read_dispute(self, dispute: str) -> GatewayDispute:
            answer = await super().read_dispute(dispute)
            if self.step == 1:
                self.step = ENDED
                await read_event(context, (await db.execute(text("SELECT id FROM gateway_event"))).scalar_one())
            return answer

    context = JobContext(inside, Slow(ours, DASHBOARD, LOST))
    context.service(Slow).step = 0
    await told(db, context, ["opened"])
    [(status, withdrawn, _closed)] = (await outcome(db))["disputes"]
    assert (status, withdrawn) == ("lost", 2_990)
