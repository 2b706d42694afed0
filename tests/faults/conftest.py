"""A portal and a sandbox for the tests that kill: what the sandbox holds is compared with this portal alone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from returns_portal.db import beginner, create_engine
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.databases import database
from tests.faults.ground import Ground
from tests.faults.worker import SECRET
from tests.sandboxes import KEY, SandboxProcess, running


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the portal's processes have, which is the faster one too."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def ground_url(server_url: str, template_database: str) -> Iterator[str]:
    with database(server_url, "faults", template=template_database) as url:
        yield url


@pytest.fixture(scope="session")
def ground_sandbox(server_url: str) -> Iterator[SandboxProcess]:
    with database(server_url, "sandbox") as url, running(url) as process:
        yield process


@pytest.fixture
def ground_settings(tmp_path: Path, ground_sandbox: SandboxProcess) -> Settings:
    """The demo's settings, with the sandbox of these tests."""
    return Settings(data_dir=tmp_path, secret_key=SecretStr(SECRET), refund_delay=0, sandbox_port=ground_sandbox.port)


@pytest.fixture
async def ground(ground_url: str, ground_settings: Settings, ground_sandbox: SandboxProcess) -> AsyncIterator[Ground]:
    """The portal; its books are proven when the test ends, beside the gateway's own."""
    engine = create_engine(ground_url)
    async with StripeGateway(key=KEY, base=ground_sandbox.base) as gateway:
        made = Ground(beginner(engine), ground_settings, gateway, ground_url, ground_sandbox)
        yield made
        ground_sandbox.http.delete("/_sandbox/faults")
        await made.prove_books()
    await engine.dispose()
