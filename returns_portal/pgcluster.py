"""The files and processes of the embedded PostgreSQL: made, started, found again and stopped.

What runs is recognised by a tag in the command line of each of the server's processes, never by the number in
`postmaster.pid` alone: after a crash it may be another program's. Command lines are readable where another
user's working folder is not (root without CAP_SYS_PTRACE, as in containers).
"""

import hashlib
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from returns_portal.pginstall import (
    EmbeddedError,
    ServerUser,
    binaries,
    binaries_major,
    make_system_folder,
    server_user,
)

SUPERUSER = "postgres"

_START_SECONDS = 120
"""How long a start may take: after a crash, PostgreSQL first replays its log."""
_STOP_SECONDS = 60
_ORPHAN_SECONDS = 5
"""How long the processes of a killed server may take to notice that; those who do not are ended."""
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES = 107
"""The longest path of a Unix socket on Linux (sun_path, without its final NUL)."""

_CONFIGURATION = """\
# Written anew at each start.
listen_addresses = ''
port = 5432
unix_socket_directories = {socket}
unix_socket_permissions = 0700
max_connections = 200

# Nothing that was confirmed is ever lost.
fsync = on
full_page_writes = on
synchronous_commit = on

# A small machine with a solid-state disk, and short transactions.
shared_buffers = 256MB
work_mem = 8MB
effective_cache_size = 1GB
min_wal_size = 256MB
max_wal_size = 1GB
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0

# One file per weekday, so that the log does not fill the disk. Neither the details of an error nor its
# statement are logged, for they may hold personal data.
logging_collector = on
log_directory = {log}
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_error_verbosity = terse
log_min_error_statement = panic
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


class Cluster:
    """A PostgreSQL data folder and the server on it. Callers hold the lock that guards start and stop."""

    def __init__(self, home: Path) -> None:
        if not Path("/proc/self/cmdline").exists():
            raise EmbeddedError("The embedded PostgreSQL needs Linux and its /proc. Set DATABASE_URL.")
        self.home = home
        self.folder = home / "postgres"
        self.data = self.folder / "data"
        self._socket_link = home / "socket"
        self._log = self.folder / "server.log"
        self._tag = f"returns_portal_{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"

    def make_home(self) -> None:
        """Make the home, enterable by the server's user, and the folder that this user owns.

        Raises:
            EmbeddedError: the server's user cannot reach it.
            OSError: it cannot be made.
        """
        user = server_user(self.folder)
        if user.switched:
            make_system_folder(self.home, 0o711)
        else:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_uid != user.uid:
            _give(self.folder, user)
        if user.switched and not user.can_execute(self.folder):
            raise EmbeddedError(
                f"DATA_DIR: PostgreSQL, which the user {user.name} runs for root, cannot reach {self.home}. "
                "Choose a folder whose parents everybody may enter."
            )

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket lies.

        Raises:
            EmbeddedError: the server was never started.
        """
        folder = self.folder / "socket"
        if _fits(folder):
            return folder
        try:
            return self._socket_link.readlink()
        except OSError as error:
            raise EmbeddedError(f"The embedded database in {self.home} was never started.") from error

    def bring_up(self, answers: Callable[[], bool], password_file: Path) -> None:
        """Start the server, or wait for one that another process began to start, until it answers.

        Raises:
            EmbeddedError: it does not come up; the message ends with what the server said.
        """
        user = server_user(self.folder)
        programs = binaries(user)
        self._make_data(user, programs, password_file)
        begun = time.monotonic()
        attempts = 0
        while not answers():
            processes = self._processes(user)
            waited = time.monotonic() - begun
            if waited > _START_SECONDS or (attempts == 2 and not processes):  # noqa: PLR2004 - one may meet a dying one
                raise EmbeddedError(f"The embedded PostgreSQL does not start:\n{self._last_words()}")
            if not processes:
                attempts += 1
                self._launch(user, programs)
                continue
            if waited > _ORPHAN_SECONDS and all(processes.values()):
                for pid in processes:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def shut_down(self) -> None:
        """Stop the server: transactions under way are rolled back, and everything is written to the disk.

        Raises:
            EmbeddedError: it does not end.
        """
        user = server_user(self.folder)
        mode = "fast"
        deadline = time.monotonic() + _STOP_SECONDS
        while processes := self._processes(user):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"The embedded PostgreSQL does not stop (process {min(processes)}).")
            if self._postmaster_pid() in processes:
                # Fast ends every session; immediate is for a server that does not manage even that, and is as
                # safe as a crash.
                self._pg_ctl(user, binaries(user), "stop", "-w", "-t", str(_STOP_SECONDS // 3), "-m", mode)
                mode = "immediate"
            time.sleep(0.02)

    def remove(self) -> None:
        """Remove everything; called when the server is stopped."""
        with suppress(OSError):
            shutil.rmtree(self._socket_link.readlink())
        shutil.rmtree(self.home)

    def is_alive(self) -> bool:
        """Whether the server's first process lives: a cheap look, without a connection."""
        pid = self._postmaster_pid()
        return pid is not None and self._tag.encode() in _command_line(pid)

    def _make_data(self, user: ServerUser, programs: Path, password_file: Path) -> None:
        """Make the data folder aside and rename it, so that one that was cut short is never started."""
        for stale in self.folder.glob("data.new-*"):
            shutil.rmtree(stale, ignore_errors=True)
        if self.data.exists():
            self._check_version()
            return
        draft = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.folder))
        _give(draft, user)
        password = draft / "password"
        password.write_text(password_file.read_text())
        _give(password, user)
        options = ["--auth=scram-sha-256", "--pwfile=password", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--username={SUPERUSER}"]
        outcome = user.run([programs / "initdb", *options, "cluster"], cwd=draft)
        if outcome.returncode != 0:
            raise EmbeddedError(f"The embedded PostgreSQL cannot make its data folder:\n{outcome.stdout}")
        with (draft / "cluster" / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists = 'portal.conf'\n")
        (draft / "cluster").rename(self.data)
        shutil.rmtree(draft)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != binaries_major():
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {made_by}, and {binaries_major()} is installed. Dump it "
                "with the former and restore it with the latter, or set DATA_DIR to another folder."
            )

    def _launch(self, user: ServerUser, programs: Path) -> None:
        """Start the server as a daemon; called when none of its processes lives.

        After a crash its lock files are still there. PostgreSQL would refuse to start beside them when the
        number in them is another program's by now, or that of a dead process that nobody has waited for.
        """
        socket = self._make_socket_folder(user)
        for lock in (self.data / "postmaster.pid", socket / f"{_SOCKET}.lock", socket / _SOCKET):
            lock.unlink(missing_ok=True)
        configuration = self.data / "portal.conf"
        log = self.folder / "log"
        configuration.write_text(_CONFIGURATION.format(socket=_quoted(f'"{socket}"'), log=_quoted(str(log))))
        _give(configuration, user)
        self._log.unlink(missing_ok=True)
        start = ("start", "-w", "-t", str(_START_SECONDS), "-l", self._log.name)
        self._pg_ctl(user, programs, *start, "-o", f"-c cluster_name={self._tag}")

    def _pg_ctl(self, user: ServerUser, programs: Path, *arguments: str) -> None:
        """Run pg_ctl, which hands paths to a shell: relative ones need no quoting there.

        Its exit code is not looked at, for the callers look at what they want to be true.
        """
        user.run([programs / "pg_ctl", "-D", "data", *arguments], cwd=self.folder)

    def _make_socket_folder(self, user: ServerUser) -> Path:
        """Make the folder of the socket: in the cluster, or if that path is too long, a short private one."""
        folder = self.folder / "socket"
        if not _fits(folder):
            with suppress(OSError):
                recorded = self._socket_link.readlink()
                if _is_private(recorded, user):
                    return recorded
            folder = Path(tempfile.mkdtemp(prefix="returns-portal-", dir="/run" if user.switched else "/tmp"))  # noqa: S108 - mkdtemp makes it private, and a socket's path must be short
            self._socket_link.unlink(missing_ok=True)
            self._socket_link.symlink_to(folder)
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, user)
        return folder

    def _postmaster_pid(self) -> int | None:
        """Return the process id that the server wrote down, which after a crash may be anybody's."""
        try:
            return int((self.data / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None

    def _processes(self, user: ServerUser) -> dict[int, bool]:
        """Return the processes of this cluster, and of each whether it is a server process's child."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                words = _command_line(int(entry.name))
                with suppress(OSError):  # It may end while we look.
                    if self._tag.encode() in words and entry.stat().st_uid == user.uid:
                        found[int(entry.name)] = words.startswith(b"postgres: ")
        return found

    def _last_words(self) -> str:
        """Return the last lines that the server logged."""
        lines: list[str] = []
        for path in sorted([*self.folder.glob("log/*.log"), self._log], key=_changed):
            with suppress(OSError):
                lines += path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


def _give(path: Path, user: ServerUser) -> None:
    if user.switched:
        os.chown(path, user.uid, user.gid)


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _quoted(value: str) -> str:
    """Quote a value for postgresql.conf, where a backslash escapes and a quote is doubled."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _fits(folder: Path) -> bool:
    """Whether a socket can lie here: its path is short, and free of what separates folders and hosts."""
    path = os.fsencode(folder / _SOCKET)
    return len(path) <= _SOCKET_PATH_BYTES and not set(path) & set(b',"')


def _is_private(folder: Path, user: ServerUser) -> bool:
    """Whether this is a real folder of the server's user that nobody else may enter."""
    try:
        entry = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(entry.st_mode) and entry.st_uid == user.uid and not entry.st_mode & 0o077
