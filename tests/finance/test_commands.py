"""Finance's commands: closing a month, the journal, credit notes, account codes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from returns_portal import logs
from returns_portal.cli import cli
from returns_portal.db import beginner, create_engine
from tests.environment import environment
from tests.finance.seed import stories

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database, which has ten refunds of last October."""
    monkeypatch.setattr(logs, "configure", lambda _level: None)
    asyncio.run(_seed(database_url))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=environment(database_url))

    return run


async def _seed(url: str) -> None:
    engine = create_engine(url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 10, start=datetime(2026, 10, 5, tzinfo=UTC))
    await engine.dispose()


def test_a_month_is_closed_once_and_its_files_are_there(run: Run, database_url: str) -> None:
    assert run("close-month", "2026-10").stdout == "2026-10 is closed.\n"
    assert run("close-month", "2026-10").stdout == "2026-10 was closed before; nothing has changed.\n"
    with psycopg.connect(database_url) as connection:
        kinds = connection.execute("SELECT kind FROM closed_file ORDER BY kind").fetchall()
    assert kinds == [("journal.csv",), ("refunds.csv",), ("refunds.xlsx",)]
    assert run("check-books").stdout == "The books are in order.\n"


@pytest.mark.parametrize(
    ("month", "said"), [("2027-13", "Give a month as YYYY-MM."), ("2026-08", "Months are closed in order: 2026-10")]
)
def test_a_month_that_cannot_be_closed_is_told(run: Run, month: str, said: str) -> None:
    done = run("close-month", month)
    assert done.exit_code == 1
    assert said in done.stderr


def test_the_journal_is_written_with_the_codes_that_were_set(run: Run, tmp_path: Path) -> None:
    assert "sales_returns=4100" in run("account-codes").stdout.splitlines()
    assert "sales_returns=8400" in run("account-codes", "sales_returns=8400").stdout.splitlines()
    assert run("account-codes", "cash=1").exit_code == 1
    assert run("account-codes", "cash").exit_code == 2
    out = tmp_path / "journal.csv"
    assert run("journal", "--from", "2026-10-01", "--to", "2026-10-31", "-o", str(out)).exit_code == 0
    lines = out.read_text().splitlines()
    # Of the ten one went as points, whose bonus is a line of its own.
    assert len(lines) == 1 + 10 * 4 + 1
    assert sum(",8400,sales_returns," in line for line in lines) == 10


def test_credit_notes_are_numbered(run: Run) -> None:
    assert run("credit-notes").stdout == "10 numbered.\n"
    assert run("credit-notes").stdout == "0 numbered.\n"


def test_a_workbook_is_written_by_its_name(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "october.xlsx"
    assert run("export-refunds", "--from", "2026-10-01", "--to", "2026-10-31", "-o", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"PK")
