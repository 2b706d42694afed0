"""The command that makes many labels into one file; ended in the middle, it goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from returns_portal import logs
from returns_portal.cli import cli
from returns_portal.cli import labels as command
from returns_portal.labels import runs
from tests.environment import environment
from tests.labels.many import AtHand, labels_in, returns
from tests.portal import Portal

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database, drawing here."""
    monkeypatch.setattr(logs, "configure", lambda _level: None)
    monkeypatch.setattr(command, "LabelRenderer", lambda **_options: AtHand())

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["labels", *arguments], env=environment(database_url))

    return run


@pytest.fixture
async def rmas(portal: Portal) -> list[str]:
    return await returns(portal, 7)


def written(folder: Path, rows: list[str], head: str = "rma") -> str:
    path = folder / "returns.csv"
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8-sig")
    return str(path)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.anyio
async def test_all_labels_are_in_the_file_and_the_exit_code_is_0(run: Run, rmas: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    done = await asyncio.to_thread(run, "--from-csv", written(tmp_path, rmas), "-o", str(out), "--size", "a4")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"7 labels, 0 returns without one; written to {out}\n"
    # Nobody looks at a terminal here: plain lines.
    assert done.stderr == "0 of 7 returns\n7 of 7 returns\n"
    assert labels_in(out) == rmas
    assert names_in(tmp_path) == ["out.pdf", "returns.csv"]


@pytest.mark.anyio
async def test_what_has_no_label_is_named_by_line_and_the_exit_code_is_1(
    run: Run, rmas: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.pdf"
    file = written(tmp_path, [rmas[0], "R-0000-0000", rmas[0], rmas[1]])
    done = await asyncio.to_thread(run, "--from-csv", file, "-o", str(out))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "line 3, return R-0000-0000: There is no return with this number.",
        f"line 4, return {rmas[0]}: This return stands further up already; its label is there.",
        f"2 labels, 2 returns without one; written to {out}",
    ]
    assert labels_in(out) == rmas[:2]


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("number", ["1"], "returns.csv: The file lacks the columns rma."),
        ("rma", [], "returns.csv: There is no return in it, so there is nothing to print."),
        ("", [], "returns.csv: The file is empty."),
    ],
)
def test_a_file_that_cannot_be_read_makes_nothing(
    run: Run, tmp_path: Path, head: str, rows: list[str], said: str
) -> None:
    done = run("--from-csv", written(tmp_path, rows, head), "-o", str(tmp_path / "out.pdf"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.strip() == said
    assert not (tmp_path / "out.pdf").exists()


def test_a_folder_that_is_not_there_is_told_before_anything_is_made(run: Run, tmp_path: Path) -> None:
    done = run("--from-csv", written(tmp_path, ["R-0000-0000"]), "-o", str(tmp_path / "none" / "out.pdf"))
    assert done.exit_code == 2
    assert "is no folder that can be written to" in done.stderr


def test_without_any_label_no_file_is_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    done = run("--from-csv", written(tmp_path, ["R-0000-0000"]), "-o", str(out))
    assert done.exit_code == 1
    assert done.stdout.endswith("0 labels, 1 returns without one; no file was written\n")
    assert not out.exists()


@pytest.mark.anyio
async def test_killed_and_started_again_it_goes_on_where_it_was(
    portal: Portal, database_url: str, tmp_path: Path
) -> None:
    """Killed, with SIGKILL, as soon as it has told of its first piece."""
    rmas = await returns(portal, 2 * runs.BATCH + 20)
    out = tmp_path / "out.pdf"
    arguments = ["labels", "--from-csv", written(tmp_path, rmas), "-o", str(out)]
    code = "from returns_portal.cli import main; main()"
    begun = await asyncio.to_thread(_killed_after_a_piece, [sys.executable, "-c", code, *arguments], database_url)
    assert begun == f"{runs.BATCH} of {len(rmas)} returns\n"
    assert not out.exists()
    with psycopg.connect(database_url) as db:
        before = db.execute("SELECT rows_done, (SELECT count(*) FROM label) FROM label_run").fetchall()
    assert before == [(runs.BATCH, len(rmas))]
    again = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment(database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert again.stderr.splitlines()[0] == f"{runs.BATCH} of {len(rmas)} returns"
    assert labels_in(out) == rmas
    with psycopg.connect(database_url) as db:
        after = db.execute("SELECT labels, (SELECT count(*) FROM label), wish FROM label_run").fetchall()
        assert after == [(len(rmas), len(rmas), "")]
        assert db.execute("SELECT count(*) FROM label_run_part").fetchall() == [(0,)]


def _killed_after_a_piece(command: list[str], database_url: str) -> str:
    """Start it in a group of its own and kill the group with its second line; that line."""
    process = subprocess.Popen(
        command,
        env=os.environ | environment(database_url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    with process:
        process.stderr.readline()
        line = process.stderr.readline()
        os.killpg(process.pid, signal.SIGKILL)
    return line
