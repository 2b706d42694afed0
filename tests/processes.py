"""Processes of the portal that tests and benches start, each a Python module that serves on a port."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from returns_portal.settings import Settings

CHECKOUT: Final = Path(__file__).parents[1]
_START_SECONDS: Final = 150.0
_STOP_SECONDS: Final = 40.0


class EndedError(Exception):
    """A process ended by itself; the message is the end of what it wrote."""


@contextmanager
def running(arguments: tuple[str, ...], settings: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python module as a process, until this ends. What it writes goes to the file `log`."""
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=CHECKOUT,
            env=environment_with(settings),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_answer(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path) -> None:
    """Wait until a process answers 200 on a path.

    Raises:
        EndedError: it ended instead.
        TimeoutError: it takes too long.
    """

    def answers() -> bool:
        if process.poll() is not None:
            raise EndedError(log.read_text(errors="replace")[-2000:])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    wait_until(answers, _START_SECONDS, f"an answer of {path}")


def wait_until(done: Callable[[], bool], seconds: float, what: str, *, every: float = 0.1) -> None:
    """Look until something is so.

    Raises:
        TimeoutError: it takes too long.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(every)


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings, and without those of another portal."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return {**kept, **settings}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on: held together, so that they differ, and let go just before their use."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()
