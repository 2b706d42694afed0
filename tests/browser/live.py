"""A portal that really serves: an imported file, staff, returns in every state, a web process and a worker."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import msgspec
from pydantic import SecretStr

from returns_portal.settings import Settings
from tests.browser.stage import Stage, set_up
from tests.environment import environment

FILE = Path(__file__).parents[1] / "fixtures" / "shopify_orders_export.csv"
_SECRET = "browser-secret-" * 4


class Live(msgspec.Struct, frozen=True):
    """Where the portal answers, what the import said, and what there is to see."""

    base: str
    imported: str
    stage: Stage


@contextmanager
def live_portal(database_url: str, sandbox_port: int, home: Path) -> Iterator[Live]:
    """The portal, from when it answers until its processes have ended."""
    settings = Settings(
        data_dir=home,
        secret_key=SecretStr(_SECRET),
        refund_delay=0,
        port=_free_port(),
        sandbox_port=sandbox_port,
        log_level="warning",
    )
    variables = {name.upper(): str(value) for name, value in settings.model_dump(exclude_unset=True).items()}
    variables["SECRET_KEY"] = _SECRET
    with ExitStack() as running:
        web = running.enter_context(_role("web", database_url, variables, home))
        imported = _import(database_url, sandbox_port)
        stage = asyncio.run(set_up(database_url, settings))
        # Only now: some refunds are made to stand still, which a worker would not let them.
        running.enter_context(_role("worker", database_url, variables, home))
        _await(web, settings.public_url, home)
        yield Live(settings.public_url, imported, stage)


def _import(database_url: str, sandbox_port: int) -> str:
    """What a shop does first, as it does it."""
    done = subprocess.run(
        [sys.executable, "-m", "returns_portal", "import-orders", str(FILE), "--sandbox-payments"],
        env=_environment(environment(database_url) | {"SANDBOX_PORT": str(sandbox_port)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of another portal."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return {**kept, **variables}


@contextmanager
def _role(
    name: str, database_url: str, variables: Mapping[str, str], home: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.roles", name, database_url],
            cwd=Path(__file__).parents[2],
            env=_environment(variables),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


def _await(process: "subprocess.Popen[bytes]", base: str, home: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{base}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise TimeoutError(f"The web process does not answer: {(home / 'web.log').read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
