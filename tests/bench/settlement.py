"""Two thousand trials that end in the same hour: how fast they are settled, and what the web's visitors notice."""

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.clock import now
from returns_portal.db import Begin, beginner, create_engine, run
from returns_portal.jobs import defer
from returns_portal.payments.holds import NewPayment
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.tryon import deciding, placing, shipping
from returns_portal.tryon.models import Decision
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.queries import TrialView, trial_for
from tests.bench.servers import BenchError, Portal, Server
from tests.bench.statements import logged
from tests.bench.table import Row
from tests.processes import wait_until

TRIALS: Final = 2_000
_COUNTED: Final = 60
_PRICE: Final = 4_990
_AT_ONCE: Final = 16
_SECONDS: Final = 600.0
_IDLE_SECONDS: Final = 6.0
_API: Final = Actor(kind="api", id="bench", grants=frozenset({"all"}))
_ADDRESS: Final = {"line1": "1 High Street", "city": "London", "postal_code": "N1", "country": "GB"}
_OPEN: Final = "SELECT count(*) FROM trial WHERE status <> 'settled' AND starts_with(number, 'B')"
_RIGHT: Final = """
    SELECT count(*) FROM orders o JOIN payment p ON p.order_id = o.id
    WHERE starts_with(o.number, 'B') AND p.amount = %(amount)s AND p.status = 'captured' AND o.total = p.amount
"""

# Each copy has rows of its own, made from those of one trial that went the ordinary way.
_COPIES: Final = """
    CREATE TEMP TABLE copy ON COMMIT DROP AS
    SELECT n, 'B' || CAST(:run AS text) || '-' || n AS number, gen_random_uuid() AS trial, gen_random_uuid() AS placed,
           gen_random_uuid() AS charge, (CAST(:references AS text[]))[n] AS reference
    FROM generate_series(1, cardinality(CAST(:references AS text[]))) AS n
"""
_LINES: Final = """
    CREATE TEMP TABLE line ON COMMIT DROP AS
    SELECT c.n, l.id AS before, gen_random_uuid() AS id FROM copy c, order_line l WHERE l.order_id = :placed
"""
_CLONE: Final = (
    """INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', c.placed, 'number', c.number))).*
       FROM copy c, orders o WHERE o.id = :placed""",
    """INSERT INTO order_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', m.id, 'order_id', c.placed))).*
       FROM copy c JOIN line m ON m.n = c.n JOIN order_line l ON l.id = m.before""",
    """INSERT INTO trial SELECT (jsonb_populate_record(t, jsonb_build_object('id', c.trial, 'number', c.number,
           'order_id', c.placed, 'return_id', NULL, 'ends_at', CAST(:at AS timestamptz)))).*
       FROM copy c, trial t WHERE t.id = :trial""",
    """INSERT INTO trial_item SELECT (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid(),
           'trial_id', c.trial, 'order_line_id', m.id))).*
       FROM copy c JOIN line m ON m.n = c.n JOIN trial_item i ON i.order_line_id = m.before""",
    """INSERT INTO trial_charge SELECT (jsonb_populate_record(x, jsonb_build_object('id', c.charge,
           'trial_id', c.trial, 'reference', c.reference))).*
       FROM copy c, trial_charge x WHERE x.trial_id = :trial""",
)


def measure(server: Server, here: Portal) -> list[Row]:
    """Measure."""
    with psycopg.connect(server.url, autocommit=True, application_name="bench") as connection:
        each = _statements(server, here, connection)
        with _visitor(here) as idle:
            time.sleep(_IDLE_SECONDS)
        asyncio.run(_prepare(server.url, here, TRIALS))
        with _visitor(here) as busy:
            began = time.monotonic()
            asyncio.run(_end(server.url))
            _wait(connection)
            passed = time.monotonic() - began
        right = _number(connection, _RIGHT, amount=2 * _PRICE)
    if right != TRIALS + _COUNTED:
        raise BenchError(f"Of {TRIALS + _COUNTED} trials, {right} are charged as they must be.")
    return [
        Row(f"trials settled/s, of {TRIALS:,}", TRIALS / passed),
        Row("statements of a settlement", each, at_most=40),
        Row("longest wait of a visitor, ms", max(busy) * 1000, max(idle) * 1000, "with nothing to do", at_most=1000),
    ]


def _statements(server: Server, here: Portal, connection: psycopg.Connection) -> float:
    """What the portal asks of the database for one trial, without what goes on by itself."""
    asyncio.run(_prepare(server.url, here, _COUNTED))
    with logged(server) as log:
        time.sleep(_IDLE_SECONDS)
        idle = log.take()
        began = time.monotonic()
        asyncio.run(_end(server.url))
        _wait(connection)
        busy, passed = log.take(), time.monotonic() - began
    return (busy.total("portal") - idle.total("portal") * passed / _IDLE_SECONDS) / _COUNTED


def _wait(connection: psycopg.Connection) -> None:
    wait_until(lambda: _number(connection, _OPEN) == 0, _SECONDS, "the trials to be settled", every=0.05)


def _number(connection: psycopg.Connection, query: str, **values: object) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _visitor(here: Portal) -> Iterator[list[float]]:
    """Somebody who looks at a list and at the shop's first page again and again; how long each answer took."""
    waits: list[float] = []
    stop = threading.Event()

    def look() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=60)
        while not stop.is_set():
            for path in ("/api/v1/trials?limit=10", "/"):
                began = time.monotonic()
                connection.request("GET", path, headers={"Authorization": f"Bearer {here.key}"})
                answer = connection.getresponse()
                answer.read()
                if answer.status >= http.client.INTERNAL_SERVER_ERROR:
                    raise BenchError(f"{path}: {answer.status}")
                waits.append(time.monotonic() - began)
            time.sleep(0.01)
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


async def _prepare(url: str, here: Portal, count: int) -> None:
    """Trials of which everything is kept, half of them with a hold and half with a card on file, and their time over.

    They lie in the future, until it is said that they end.
    """
    engine = create_engine(url, size=2, name="bench")
    settings = Settings(sandbox_port=here.sandbox_port)
    begin = beginner(engine)
    async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
        for days in (3, 21):
            trial = await _one(begin, settings, days)
            references = [f"seti_bench_{trial.number}_{n}" for n in range(count // 2)]
            if days == 3:
                references = await _holds(gateway, trial, count // 2)
            async with begin() as db:
                await _clone(db, trial, references)
    await engine.dispose()


async def _one(begin: Begin, settings: Settings, days: int) -> TrialView:
    sku = f"bench-{days}-{now().timestamp():.0f}"
    async with begin() as db:
        variant = VariantInput(sku=sku, size="42", color="", price=_PRICE, currency="EUR", stock=2)
        product = ProductInput(handle=sku, title="Boot", kind=ProductKind.SHOE, variants=[variant])
        await put_product(db, _API, product)
        wanted = TrialInput(
            email=f"{sku}@example.com",
            name="Bench",
            shipping_address=_ADDRESS,
            items=[Wanted(sku, 2)],
            payment_method="pm_card_visa",
            trial_days=days,
            terms="You pay for what you keep.",
        )
        number = (await placing.place(db, _API, settings, wanted)).number
    async with asyncio.timeout(30):
        while (trial := await _seen(begin, number)).status != "authorised":  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.1)
    async with begin() as db:
        await shipping.ship(db, _API, number)
        await shipping.deliver(db, _API, number, now())
        await deciding.decide(db, _API, number, {item.id: Decision.KEEP for item in trial.items})
    return await _seen(begin, number)


async def _seen(begin: Begin, number: str) -> TrialView:
    async with begin() as db:
        return await trial_for(db, _API, number)


async def _holds(gateway: StripeGateway, trial: TrialView, count: int) -> list[str]:
    """As many holds of the same card at the gateway."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def hold(n: int) -> str:
        payment = NewPayment(
            amount=2 * _PRICE,
            currency="EUR",
            customer=trial.customer or "",
            payment_method=trial.payment_method,
            metadata={"bench": str(n)},
            hold=True,
        )
        async with free:
            return (await gateway.create_payment(key=f"bench:{trial.id}:{n}", payment=payment)).id

    return list(await asyncio.gather(*(hold(n) for n in range(count))))


async def _clone(db: AsyncConnection, trial: TrialView, references: list[str]) -> None:
    ids: dict[str, Any] = {"trial": trial.id, "placed": trial.order_id, "at": trial.ends_at}
    await run(db, _COPIES, run=trial.number, references=references)
    await run(db, _LINES, placed=trial.order_id)
    for statement in _CLONE:
        await run(db, statement, **{name: value for name, value in ids.items() if f":{name}" in statement})


async def _end(url: str) -> None:
    """Their time is over."""
    engine = create_engine(url, size=1, name="bench")
    async with beginner(engine)() as db:
        await run(
            db, "UPDATE trial SET ends_at = :now WHERE starts_with(number, 'B') AND status = 'delivered'", now=now()
        )
        await defer(db, "tryon.end_trials")
    await engine.dispose()
