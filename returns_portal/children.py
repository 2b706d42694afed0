"""Child processes: started, their output passed on, restarted when they die, ended with all they started.

Each child has a process group of its own, led by a guard: a shell that waits for the end of a pipe whose
other end only this process holds. When this process is gone, even by SIGKILL, the guard kills the group, so
that nothing goes on unseen or keeps a port. (PR_SET_PDEATHSIG would not reach what a child has started.)
"""

import os
import queue
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

_GUARD = ("/bin/sh", "-c", "trap '' HUP INT TERM; read -r _; kill -KILL 0")
_PATIENCE_SECONDS = 0.5
_TAIL_BYTES = 4096
_TAIL_LINES = 15

_FIRST_DELAY = 0.25
_LONGEST_DELAY = 5.0
_STEADY_SECONDS = 30
"""After living this long, a child that dies has not been dying all the time."""
_CRASHES = 5
"""So many crashes, none after a steady life, make a crash loop."""


class CrashLoopError(Exception):
    """A child ends again and again; the message holds the last lines of its output."""


@dataclass(frozen=True)
class Role:
    """What a child runs, and how many seconds it gets to end what it has begun."""

    name: str
    command: tuple[str, ...]
    grace: float = 10


class Output:
    """Writes to standard output from a thread of its own, so that a slow reader does not delay a stop."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=1000)
        threading.Thread(target=self._write, name="output", daemon=True).start()

    def pass_on(self, chunk: bytes) -> None:
        """Write what a child wrote. When nobody reads, the child waits a little, and then goes on without."""
        with suppress(queue.Full):
            self._chunks.put(chunk, timeout=_PATIENCE_SECONDS)

    def say(self, text: str) -> None:
        """Write a message; where children write more than is read, it takes the place of what waits longest."""
        message = f"{text}\n".encode()
        while True:
            try:
                return self._chunks.put_nowait(message)
            except queue.Full:
                with suppress(queue.Empty):
                    self._chunks.get_nowait()
                    self._chunks.task_done()

    def flush(self, seconds: float = 1) -> None:
        """Wait until everything is written, or nobody has read it for so long."""
        deadline = time.monotonic() + seconds
        while self._chunks.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)

    def _write(self) -> None:
        while True:
            chunk = self._chunks.get()
            # A terminal or pipe that is gone must not stop the portal.
            with suppress(OSError):
                while chunk:
                    chunk = chunk[os.write(1, chunk) :]
            self._chunks.task_done()


class Child:
    """One role's process. `tend` keeps it running."""

    def __init__(self, role: Role, output: Output) -> None:
        self.role = role
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._tail = b""
        self._crashes = 0
        self._delay = _FIRST_DELAY
        self._started = 0.0
        self._start_at = 0.0

    def tend(self) -> None:
        """Start the process when it does not run and its time has come.

        Raises:
            CrashLoopError: it has ended by itself several times within a short while. Being killed from
                outside does not count.
        """
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self._start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._end()
        if now - self._started >= _STEADY_SECONDS:
            self._crashes, self._delay = 0, _FIRST_DELAY
        if code not in (-signal.SIGKILL, -signal.SIGTERM):
            self._crashes += 1
        if self._crashes >= _CRASHES:
            raise CrashLoopError(f"{self.role.name} ends again and again. Its last lines:\n{self._last_lines()}")
        self._output.say(f"{self.role.name} ended ({_outcome(code)}) and is started again.")
        self._start_at = now + self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY)

    def stop(self) -> None:
        """Ask the process to end, and kill it and all that it started when its grace is over."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self.role.grace)
        self._end()

    def _start(self) -> None:
        self._guard = subprocess.Popen(  # noqa: S603 - a constant
            _GUARD,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._process = subprocess.Popen(  # noqa: S603 - the portal's own roles
            self.role.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            process_group=self._guard.pid,
        )
        self._started = time.monotonic()
        self._tail = b""
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout], daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := pipe.read(65536):
                self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
                self._output.pass_on(chunk)

    def _end(self) -> None:
        """Kill what is left of the group, the guard with it, and collect all three."""
        if self._guard and self._process and self._reader:
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._process.wait()
            self._guard.communicate()
            self._reader.join(timeout=1)
        self._process = self._guard = self._reader = None

    def _last_lines(self) -> str:
        return "\n".join(self._tail.decode(errors="replace").splitlines()[-_TAIL_LINES:])


def _outcome(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
