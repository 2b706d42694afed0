"""What `make run` starts is ready, kept running, and stopped in order; a kill leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from returns_portal.children import Child, Output, Role
from returns_portal.embedded import EmbeddedPostgres
from tests.processes import free_ports

Serve = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).resolve().parent.parent
ROLES = ("stripe-sandbox", "worker", "web")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One database for all, since making it takes longer than a test."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "home"
    EmbeddedPostgres(folder / "home").stop()
    shutil.rmtree(folder)


@pytest.fixture
def ports() -> tuple[int, int]:
    web, sandbox = free_ports(2)
    return web, sandbox


@pytest.fixture
def serve(home: Path, ports: tuple[int, int]) -> Iterator[Serve]:
    """Starts the supervisor in a process group of its own, as a terminal does."""
    started = []

    def start(**environment: str) -> subprocess.Popen[str]:
        settings = {"DATA_DIR": str(home), "PORT": str(ports[0]), "SANDBOX_PORT": str(ports[1])}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.supervised"],
            cwd=ROOT,
            env=os.environ | settings | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Return the last lines up to the first that has this in it.

    What several processes write may meet in one line; and one of them may write faster than is good for our memory.
    """
    lines = deque[str](maxlen=1000)
    deadline = time.monotonic() + 60
    assert process.stdout
    for line in process.stdout:
        assert time.monotonic() < deadline, f"no {text!r} in a minute"
        lines.append(line.strip())
        if text in line:
            return list(lines)
    raise AssertionError(f"no {text!r} in {lines}, but {process.communicate()[1]}")


def _welcomed(process: subprocess.Popen[str]) -> dict[str, int]:
    """Wait for the welcome, and return the process of each role; a role may speak after the welcome is said."""
    pids: dict[str, int] = {}
    seen = False
    while not seen or len(pids) < len(ROLES):
        line = _read_until(process, "")[-1]
        seen = seen or line == "Click here"
        if line.split()[0] in ROLES:
            pids[line.split()[0]] = int(line.split()[1])
    return pids


def _eventually(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    """Whether a process runs: one that has ended, and that nobody has waited for, does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _postmaster(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


def test_it_welcomes_when_ready_and_stops_in_order(serve: Serve, home: Path, ports: tuple[int, int]) -> None:
    process = serve()
    _welcomed(process)

    with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/readyz") as answer:
        assert answer.status == 200
    process.terminate()
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest.splitlines() == ["web ended", "worker ended", "stripe-sandbox ended"]
    assert errors == ""
    assert not EmbeddedPostgres(home).is_running()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_that_comes_twice_stops_it_quietly(serve: Serve, home: Path, number: signal.Signals) -> None:
    process = serve()
    _welcomed(process)

    os.killpg(process.pid, number)
    time.sleep(0.05)
    os.killpg(process.pid, number)

    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest.splitlines() == ["web ended", "worker ended", "stripe-sandbox ended"]
    assert errors == ""
    assert not EmbeddedPostgres(home).is_running()


def test_a_signal_breaks_off_a_long_start(serve: Serve, home: Path) -> None:
    process = serve(LOADING_SECONDS="600")
    _read_until(process, "loading")

    os.killpg(process.pid, signal.SIGTERM)

    rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "stripe-sandbox ended\n", "")
    assert not EmbeddedPostgres(home).is_running()


def test_after_a_kill_nothing_is_left_but_the_database_and_it_starts_again(serve: Serve, home: Path) -> None:
    process = serve()
    pids = _welcomed(process)
    postmaster = _postmaster(home)

    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    _eventually(lambda: not any(_lives(pid) for pid in pids.values()))
    again = serve()
    _read_until(again, "Click here")
    assert _postmaster(home) == postmaster
    again.terminate()
    assert again.wait() == 0


def test_a_killed_role_is_started_again(serve: Serve) -> None:
    process = serve()
    pid = _welcomed(process)["worker"]

    os.kill(pid, signal.SIGKILL)

    assert _read_until(process, "worker ")[-1] == "worker ended (signal 9) and is started again."
    assert _read_until(process, "worker ")[-1] != f"worker {pid}"


def test_a_killed_database_is_started_again(serve: Serve, home: Path) -> None:
    process = serve()
    _read_until(process, "Click here")

    os.kill(_postmaster(home), signal.SIGKILL)

    _read_until(process, "The database ended")
    _eventually(EmbeddedPostgres(home).is_running)


def test_a_role_that_crashes_again_and_again_ends_it_with_the_reason(serve: Serve, home: Path) -> None:
    process = serve(CRASHES="worker")

    _, errors = process.communicate()

    assert process.returncode == 1
    assert errors.startswith("worker ends again and again. Its last lines:\nworker ")
    assert errors.endswith("the reason\n")
    assert not EmbeddedPostgres(home).is_running()


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_named_before_anything_starts(serve: Serve, ports: tuple[int, int], name: str) -> None:
    port = ports[name == "SANDBOX_PORT"]
    with socket.create_server(("127.0.0.1", port)):
        process = serve()
        output, errors = process.communicate()

    assert process.returncode == 1
    assert output == ""
    assert errors.startswith(f"{name}: port {port} of 127.0.0.1 is in use.")
    assert len(errors.splitlines()) == 1


def test_equal_ports_are_refused(serve: Serve, ports: tuple[int, int]) -> None:
    process = serve(SANDBOX_PORT=str(ports[0]))

    assert process.communicate() == ("", f"SANDBOX_PORT: must differ from PORT, which is {ports[0]}\n")
    assert process.returncode == 1


def test_it_stops_when_nobody_reads_its_output(serve: Serve, home: Path) -> None:
    process = serve(CHATTY="1")
    _read_until(process, "Click here")
    time.sleep(0.5)

    process.terminate()

    assert process.wait(timeout=9) == 0
    assert not EmbeddedPostgres(home).is_running()


def test_a_child_that_does_not_end_is_killed_with_what_it_started() -> None:
    script = "trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done"
    child = Child(Role("stubborn", ("/bin/sh", "-c", script), grace=0.2), output := _Kept())
    child.tend()
    _eventually(lambda: output.text.endswith("\n"))
    grandchild = int(output.text)
    assert _lives(grandchild)

    child.stop()

    _eventually(lambda: not _lives(grandchild))


class _Kept(Output):
    """Keeps what a child wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def pass_on(self, chunk: bytes) -> None:
        self.text += chunk.decode()
