"""The commands for wishes that come by letter."""

import json
from pathlib import Path

import pytest
from anyio import to_thread
from click.testing import CliRunner, Result

from returns_portal import logs
from returns_portal.cli import cli
from tests.environment import environment
from tests.portal import Portal
from tests.privacy.lives import EMAIL, NAME, leave_traces, traces

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    # Logging belongs to the test run here.
    monkeypatch.setattr(logs, "configure", lambda _level: None)


async def run(database_url: str, *arguments: str, typed: str | None = None) -> Result:
    """In a thread of its own, since a command has an event loop of its own."""
    invoke = CliRunner().invoke
    return await to_thread.run_sync(lambda: invoke(cli, arguments, input=typed, env=environment(database_url)))


async def test_everything_is_written_to_two_files(portal: Portal, database_url: str, tmp_path: Path) -> None:
    await leave_traces(portal)
    done = await run(database_url, "privacy", "export", EMAIL, "-o", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "my-data.json").read_text())["orders"][0]["name"] == NAME
    assert (tmp_path / "out" / "my-data.pdf").read_bytes().startswith(b"%PDF")


async def test_forgetting_asks_once_more_and_says_what_is_open(portal: Portal, database_url: str) -> None:
    _order, lines = await portal.order(number="Z-1", email=EMAIL)
    filed = await portal.file("Z-1", (lines[0], 1))
    assert (await run(database_url, "privacy", "erase", EMAIL, typed="n\n")).exit_code == 1
    refused = await run(database_url, "privacy", "erase", EMAIL, "--yes")
    assert refused.exit_code == 1
    assert filed.rma in refused.output
    await portal.rows("UPDATE returns SET status = 'cancelled', cancelled_at = now() RETURNING id")
    done = await run(database_url, "privacy", "erase", EMAIL.upper(), typed="y\n")
    assert (done.exit_code, "Orders without a name now: 1." in done.output) == (0, True)
    assert await traces(portal) == {}
