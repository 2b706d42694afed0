"""PostgreSQL is stopped, killed, or has no room left, while customers file and the warehouse counts.

What was acknowledged is there afterwards; what was not is asked for again under the same key and done once; money goes
back once, by the gateway's own account; and the books agree.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient

from returns_portal import jobs, migrate
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.app import create_app
from returns_portal.db import beginner, create_engine
from returns_portal.finance.books import check
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.database.servers import Server, own_server
from tests.databases import database
from tests.portal import Portal
from tests.sandboxes import SandboxProcess
from tests.webclient import ORIGIN
from tests.workers import until, working

pytestmark = pytest.mark.anyio

Line = tuple[str, UUID]
"""The number of an order, and its line of two units."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as server:
        yield server


@pytest.fixture
async def shop(
    server: Server,
    settings: Settings,
    gateway: StripeGateway,
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Portal]:
    """A portal on the server; a dead worker's jobs are taken over sooner than in earnest."""
    for name, seconds in {"HEARTBEAT_SECONDS": 0.5, "STALLED_SECONDS": 2.0, "SWEEP_SECONDS": 0.5}.items():
        monkeypatch.setattr(jobs, name, seconds)
    with database(server.start(), "shop") as url:
        migrate.upgrade(url)
        engine = create_engine(url)
        given = settings.model_copy(update={"sandbox_port": sandbox.port})
        yield Portal(beginner(engine), given, gateway, url)
        await engine.dispose()


async def stock(shop: Portal, count: int) -> list[Line]:
    """So many orders, whose payments the sandbox holds."""
    made = [await shop.order(number=str(number), email=f"c{number}@example.com") for number in range(count)]
    await shop.work()
    return [(order.number, line) for order, [line] in made]


class Caller:
    """A program that asks until it is answered, and notes what it was told."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self.refused: list[int] = []
        self.filed: dict[str, str] = {}
        self.counted: dict[str, str] = {}

    async def once(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask once; None without a yes."""
        answer = await self._client.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": key})
        if answer.status_code == 201:
            return dict(answer.json())
        assert answer.status_code >= 500, answer.text
        self.refused.append(answer.status_code)
        return None

    async def file(self, order: Line) -> bool:
        number, line = order
        body = {"order_number": number, "lines": [{"line_id": str(line), "quantity": 1}]}
        if done := await self.once("returns", f"file {number}", body):
            self.filed[number] = done["rma"]
        return bool(done)

    async def count(self, order: Line) -> bool:
        number, line = order
        counts = [{"line_id": str(line), "quantity": 1, "condition": "resellable"}]
        if done := await self.once("check-ins", f"count {number}", {"code": self.filed[number], "lines": counts}):
            self.counted[number] = done["id"]
        return bool(done)

    async def send_back(self, order: Line) -> None:
        """File and count one order, however long that takes."""
        for ask in (self.file, self.count):
            while True:
                if await ask(order):
                    break
                await asyncio.sleep(0.05)

    async def send_all_back(self, orders: list[Line]) -> None:
        """As four customers at once."""
        waiting = iter(orders)

        async def customer() -> None:
            for order in waiting:
                await self.send_back(order)

        await asyncio.gather(*(customer() for _ in range(4)))


@asynccontextmanager
async def calling(shop: Portal) -> AsyncIterator[Caller]:
    """The application on the shop's database, and a program with a key for everything."""
    async with shop.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["all"])
    app = create_app(shop.settings, database_url=shop._url)
    # Litestar's own test client blocks the loop until it is answered, so that nothing would happen at once.
    transport = ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]  # httpx has looser types for ASGI
    headers = {"Authorization": f"Bearer {key}"}
    async with app.lifespan(), AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        yield Caller(client)


async def prove(shop: Portal, gateway: StripeGateway, caller: Caller, count: int) -> None:
    """Everything that was acknowledged is there, once, and so is the money of all orders, in the end."""
    await until(shop, f"SELECT FROM refund HAVING count(*) FILTER (WHERE status = 'succeeded') = {count}", 40)
    rows = await shop.rows(
        "SELECT o.number, p.reference, array_agg(DISTINCT r.rma) AS rmas, array_agg(DISTINCT c.id) AS counts"
        " FROM orders o JOIN payment p ON p.order_id = o.id JOIN returns r ON r.order_id = o.id"
        " JOIN parcel c ON c.return_id = r.id GROUP BY o.number, p.reference"
    )
    assert {row.number: row.rmas for row in rows} == {number: [rma] for number, rma in caller.filed.items()}
    assert {row.number: row.counts for row in rows} == {number: [UUID(id_)] for number, id_ in caller.counted.items()}
    for row in rows:
        assert [refund.amount for refund in await gateway.find_refunds(row.reference)] == [15_900]
    assert await check(shop.begin) == []


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
async def test_it_goes_away_twice_under_load(
    server: Server, shop: Portal, gateway: StripeGateway, killed: bool
) -> None:
    # Enough that the load outlasts both.
    orders = await stock(shop, 32)
    async with calling(shop) as caller, working(shop, concurrency=4):
        async with asyncio.TaskGroup() as group:
            load = group.create_task(caller.send_all_back(orders))
            for share in (4, 16):
                while len(caller.counted) < share:
                    await asyncio.wait({load}, timeout=0.01)
                await asyncio.to_thread(server.kill if killed else server.stop)
                await asyncio.to_thread(server.start)
        assert caller.refused
        await prove(shop, gateway, caller, len(orders))


async def test_a_full_disk(server: Server, shop: Portal, gateway: StripeGateway) -> None:
    """First there is no room for more pages, then none for the log without which nothing can be committed."""
    if server.no_disk:
        pytest.skip(server.no_disk)
    orders = await stock(shop, 40)
    async with calling(shop) as caller, working(shop, concurrency=4):
        await caller.send_back(orders[0])
        server.fill_disk()
        try:
            for order in orders[1:]:
                # What was filed while there was room left is counted, so that money is on its way, too.
                if not (await caller.file(order) and await caller.count(order)):
                    break
            assert caller.refused
            told = {**caller.filed}, {**caller.counted}
            server.use_up_log()
            assert not await caller.file(orders[-1])
        finally:
            server.empty_disk()
        # It ends itself when it can no longer write its log, sooner or later: not in the middle of what follows.
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await caller.send_all_back(orders)
        # Asked again under the same key, what was acknowledged before is answered as it was.
        assert told[0].items() <= caller.filed.items()
        assert told[1].items() <= caller.counted.items()
        await prove(shop, gateway, caller, len(orders))
