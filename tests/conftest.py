"""What all tests share: a real PostgreSQL, a migrated database for each test that commits, and settings.

`TEST_DATABASE_URL` names a server on which databases may be created; without it the embedded one is started.
"""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from returns_portal import clock, jobs, migrate
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.finance.books import check
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.databases import database
from tests.portal import Portal
from tests.sandboxes import KEY, SandboxProcess, running
from tests.spare import Spare

# A busy machine is slow now and then, which says nothing about what is tested.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


_LONGEST: Final = ("model/", "tryon/test_machine", "faults/test_schedules", "tryon/test_kills", "faults/", "browser/")
"""What takes minutes in one piece begins first, so that two processes end at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest pieces first; all others stay in their order."""

    def place(item: pytest.Item) -> int:
        path = item.nodeid.removeprefix("tests/")
        return next((rank for rank, start in enumerate(_LONGEST) if path.startswith(start)), len(_LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Let what was loaded be: looking through it again and again finds nothing, and takes its time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server, by the address of its maintenance database."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    from tests.server import embedded_server  # noqa: PLC0415 - not needed, nor installed everywhere, with a given server

    with embedded_server(tmp_path_factory.getbasetemp()) as url:
        yield url


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """A migrated database that the others are copied from, by its name."""
    with database(server_url, "template") as url:
        migrate.upgrade(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def spare_database(server_url: str, template_database: str) -> Iterator[Spare]:
    spare = Spare(server_url, template_database)
    yield spare
    spare.drop()


@pytest.fixture
def database_url(spare_database: Spare) -> Iterator[str]:
    """A migrated database of this test alone."""
    with spare_database.lent() as url:
        yield url


@pytest.fixture(scope="session")
def shared_database_url(server_url: str, template_database: str) -> Iterator[str]:
    """A migrated database for the tests that roll everything back."""
    with database(server_url, "test", template=template_database) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def begin(engine: AsyncEngine) -> Begin:
    """Opens transactions that commit, on this test's own database."""
    return beginner(engine)


@pytest.fixture
async def db(shared_database_url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction that is rolled back at the end."""
    engine = create_engine(shared_database_url, size=1)
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()
    await engine.dispose()


@pytest.fixture(scope="session")
def sandbox_database(server_url: str) -> Iterator[str]:
    """An empty database: the sandbox makes its own tables."""
    with database(server_url, "sandbox") as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_process(sandbox_database: str) -> Iterator[SandboxProcess]:
    with running(sandbox_database) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Iterator[SandboxProcess]:
    yield sandbox_process
    sandbox_process.http.delete("/_sandbox/faults")


@pytest.fixture
async def gateway(sandbox: SandboxProcess) -> AsyncIterator[StripeGateway]:
    async with StripeGateway(key=KEY, base=sandbox.base) as gateway:
        yield gateway


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The demo's settings: sandbox, loopback, embedded."""
    return Settings(data_dir=tmp_path, secret_key="test-secret-" * 4, refund_delay=0)  # type: ignore[arg-type]  # pydantic coerces


@pytest.fixture
async def portal(
    begin: Begin,
    settings: Settings,
    gateway: StripeGateway,
    sandbox: SandboxProcess,
    database_url: str,
    spare_database: Spare,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Portal]:
    """A portal whose books are proven when the test ends.

    What has failed is not tried again within the same work, however long a busy machine takes over it.
    """
    monkeypatch.setattr(jobs, "spread", lambda: 60.0)
    made = Portal(begin, settings.model_copy(update={"sandbox_port": sandbox.port}), gateway, database_url)
    yield made
    if not spare_database.proves(clock.minutes_ago(60)):
        breaches = await check(begin)
        assert not breaches, msgspec.json.encode(breaches).decode()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the database from now on, statement by statement, without the queue's own."""
    sent: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def note(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:  # noqa: ANN401 - the driver's
        if "procrastinate" not in str(query):
            sent.append(str(query))
        return await execute(cursor, query, *values, **options)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", note)
    return sent
