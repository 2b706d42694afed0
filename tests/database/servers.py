"""A PostgreSQL of a test's own, which may be stopped, killed, and whose disk may be filled."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.pginstall import server_user
from returns_portal.settings import Settings

_SIZE: Final = "256m"
"""Room for the server's own files, some log of what is written, and the few orders of a test."""
_LITTLE_LOG: Final = ("ALTER SYSTEM SET min_wal_size = '32MB'", "ALTER SYSTEM SET max_wal_size = '64MB'")
"""Else the server keeps more of its log for later than there is room for, and the disk fills by itself."""


class Server:
    """The server, with the folder that is its disk."""

    def __init__(self, disk: Path, no_disk: str) -> None:
        self._postgres = EmbeddedPostgres(disk / "home")
        self._ballast = disk / "ballast"
        self.no_disk = no_disk
        """Why its disk cannot be filled: it is the machine's; empty where it has one of its own."""
        self.start()
        with self._postgres._superuser() as connection:
            for setting in (*_LITTLE_LOG, "SELECT pg_reload_conf()"):
                connection.execute(setting)

    def start(self) -> str:
        """Start it unless it runs; the address of its maintenance database."""
        return self._postgres.start()

    def stop(self, *, remove: bool = False) -> None:
        """Stop it in good order: what is under way is rolled back."""
        self._postgres.stop(remove=remove)

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would."""
        cluster = self._postgres._cluster
        for pid in cluster._processes(server_user(cluster.folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def fill_disk(self) -> None:
        """Leave not a byte."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(1 << 16)):
                pass

    def use_up_log(self) -> None:
        """Begin the next pieces of the log until there is none left that was used before; then nothing is committed."""
        with suppress(psycopg.OperationalError), self._postgres._superuser() as connection:
            for _ in range(64):
                connection.execute("SELECT pg_switch_wal(), txid_current()")
            raise RuntimeError("There is still room for the log.")

    def empty_disk(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def own_server() -> Iterator[Server]:
    """A server on a file system of its own, in memory, where one may be mounted; else in a folder."""
    kept = home_for(Settings())
    disk = kept.with_name(f"{kept.name}-disk-{os.getpid()}")
    disk.mkdir(mode=0o755, parents=True)
    no_disk = _mount(disk)
    try:
        server = Server(disk, no_disk)
        try:
            yield server
        finally:
            server.empty_disk()
            server.stop(remove=True)
    finally:
        if not no_disk:
            subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def _mount(folder: Path) -> str:
    """Mount a small file system; why not, where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "There is no mount here, so that no small disk can be made."
    return "" if done.returncode == 0 else f"No small disk can be mounted here: {done.stderr.strip()}"
