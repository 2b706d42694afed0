"""Who used the processor: the sandbox beside the portal's other processes and the database, by Linux's own account."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tests.bench.servers import BenchError, Server

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 15)
"""Where proc_pid_stat(5) has them, after the name: utime, stime, and those of children that ended."""


class Used(msgspec.Struct, frozen=True):
    """Seconds of processor time, since the processes began or between two moments."""

    sandbox: float = 0.0
    portal: float = 0.0
    database: float = 0.0
    """With what it did for the sandbox, whose tables it keeps."""

    def __add__(self, other: "Used") -> "Used":
        """Both together."""
        return Used(self.sandbox + other.sandbox, self.portal + other.portal, self.database + other.database)

    def __sub__(self, before: "Used") -> "Used":
        """What came since."""
        return Used(self.sandbox - before.sandbox, self.portal - before.portal, self.database - before.database)

    @property
    def share(self) -> float:
        """The sandbox's part of all."""
        return self.sandbox / (self.sandbox + self.portal + self.database)


class _Process(NamedTuple):
    parent: int
    seconds: float
    arguments: list[str]


def used(server: Server) -> Used:
    """What was used so far by the portal that this process started, and by the server.

    Raises:
        BenchError: one of them is not there.
    """
    processes = dict(_processes())
    ours = _below(processes, os.getpid())
    portals = [pid for pid in ours if processes[pid].arguments[-3:] == ["-m", "returns_portal", "serve"]]
    sandboxes = [pid for pid in ours if processes[pid].arguments[-1:] == ["stripe-sandbox"]]
    if not portals or not sandboxes:
        raise BenchError("The processes of the portal were not found.")
    sandbox = {below for pid in sandboxes for below in _below(processes, pid)}
    portal = {below for pid in portals for below in _below(processes, pid)} - sandbox
    database = _below(processes, _postmaster(server))
    return Used(*(sum(processes[pid].seconds for pid in tree) for tree in (sandbox, portal, database)))


def _postmaster(server: Server) -> int:
    (written,) = server.home.rglob("postmaster.pid")
    return int(written.read_text().split()[0])


def _processes() -> Iterator[tuple[int, _Process]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name is in brackets, and may hold anything.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue  # It ended meanwhile.
            seconds = sum(map(int, fields[_TIMES])) / _TICKS
            yield int(folder.name), _Process(int(fields[_PARENT]), seconds, arguments)


def _below(processes: dict[int, _Process], root: int) -> set[int]:
    """A process and all that came of it."""
    found, more = set(), {root}
    while more:
        found |= more
        more = {pid for pid, process in processes.items() if process.parent in more} - found
    return found & processes.keys()
