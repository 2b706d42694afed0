"""The embedded PostgreSQL, which serves when no DATABASE_URL is given.

Everything lies in one folder, its home::

    lock, users                      file locks: around start and stop; of those who use the server
    secret.key                       signs and encrypts
    password, superuser.password
    postgres/                        the cluster, owned by the user whom the server runs as

The server listens on a Unix socket alone, in a folder of mode 0700, and asks for a password there. Who uses
it holds a shared lock on `users`, and the last one out stops it: a command that ends does not pull the
database away from another, and a killed one leaves nothing behind: the kernel frees the locks of the dead.
"""

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from returns_portal.pgcluster import SUPERUSER, Cluster
from returns_portal.pginstall import SYSTEM_BASE, EmbeddedError, locked
from returns_portal.resources import checkout_root
from returns_portal.settings import Settings

__all__ = ["EmbeddedError", "EmbeddedPostgres", "database_url", "home_for", "running", "secret_key"]

_NAME = "returns_portal"
"""The name of the portal's database and of the role that owns it."""


class EmbeddedPostgres:
    """A PostgreSQL of the portal's own, whose files lie in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = Path(os.path.realpath(home))
        self._cluster = Cluster(self.home)
        self._lease: int | None = None

    @property
    def url(self) -> str:
        """The portal's database, as an URL for psycopg and SQLAlchemy.

        Its role owns the database and may create others, but is no superuser.

        Raises:
            EmbeddedError: the server was never started.
        """
        return self._url(_NAME, "password", _NAME)

    def start(self) -> str:
        """Use the server, starting it unless it runs, and return the URL of the portal's database.

        Raises:
            EmbeddedError: it does not come up; the message says why.
        """
        try:
            self._cluster.make_home()
            with locked(self.home / "lock"):
                self._join()
                try:
                    self._bring_up()
                except BaseException:
                    self._leave()
                    raise
        except OSError as error:
            raise EmbeddedError(f"The embedded database in {self.home} cannot be started: {error}") from error
        return self.url

    def stop(self, *, remove: bool = False) -> None:
        """Use the server no longer, and stop it unless somebody else still uses it.

        With `remove`, what it stopped is removed with all its data: for a database that served a test.

        Raises:
            EmbeddedError: it does not end.
        """
        if self.home.is_dir():
            with locked(self.home / "lock"):
                if self._leave():
                    self._cluster.shut_down()
                    if remove:
                        self._cluster.remove()

    def is_running(self) -> bool:
        """Whether a server answers, and names our data folder as its own."""
        try:
            with self._superuser() as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except (psycopg.OperationalError, EmbeddedError):
            return False
        return row is not None and Path(os.path.realpath(row[0])) == self._cluster.data

    def is_alive(self) -> bool:
        """Whether the server's first process lives: a cheap look, without a connection."""
        return self._cluster.is_alive()

    def _join(self) -> None:
        if self._lease is None:
            self._lease = os.open(self.home / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lease, fcntl.LOCK_SH)

    def _leave(self) -> bool:
        """Give the lease back, if any, and say whether nobody else holds one."""
        lease = self._lease
        if lease is None:
            lease = os.open(self.home / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lease = None
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lease)
        return True

    def _bring_up(self) -> None:
        for name in ("password", "superuser.password"):
            _secret(self.home / name)
        if not self.is_running():
            self._cluster.bring_up(self.is_running, self.home / "superuser.password")
        role = sql.Identifier(_NAME)
        password = sql.Literal(_secret(self.home / "password"))
        with self._superuser() as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [_NAME]).rowcount:
                create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                connection.execute(create.format(role, password))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [_NAME]).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))

    def _superuser(self) -> psycopg.Connection:
        url = self._url(SUPERUSER, "superuser.password", "postgres")
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def _url(self, role: str, password: str, database: str) -> str:
        try:
            word = (self.home / password).read_text()
        except FileNotFoundError:
            raise EmbeddedError(f"The embedded database in {self.home} was never started.") from None
        socket = quote(os.fsencode(self._cluster.socket_folder))
        return f"postgresql://{role}:{word}@/{database}?host={socket}&port=5432"


def home_for(settings: Settings) -> Path:
    """Return where the embedded database and its secrets lie.

    The place follows from the checkout, never from the current folder: `.data` in it for an ordinary user, a
    folder named after it for root, whose server's user must reach it. DATA_DIR overrides it, relative to the
    checkout. Without a checkout it is the user's data folder.
    """
    root = checkout_root()
    if settings.data_dir:
        return ((root or Path.cwd()) / settings.data_dir.expanduser()).resolve()
    if os.geteuid() == 0:
        return SYSTEM_BASE / _slug(root)
    if root and os.access(root, os.W_OK):
        return root / ".data"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "returns-portal" / _slug(root)


def database_url(settings: Settings) -> str:
    """Return DATABASE_URL, or the URL of the embedded database, which somebody else keeps running.

    Raises:
        EmbeddedError: the embedded database was never started.
    """
    return settings.database_url or EmbeddedPostgres(home_for(settings)).url


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Give the URL of a database that runs: DATABASE_URL, or the embedded one for as long as this lasts.

    Raises:
        EmbeddedError: the embedded database does not come up.
    """
    if settings.database_url:
        yield settings.database_url
        return
    server = EmbeddedPostgres(home_for(settings))
    url = server.start()
    try:
        yield url
    finally:
        server.stop()


def secret_key(home: Path) -> str:
    """Return the key that signs and encrypts, made once and kept in `home`: 64 hexadecimal digits.

    Raises:
        EmbeddedError: the server's user could not reach that place.
        OSError: it can be neither read nor made.
    """
    Cluster(home).make_home()
    return _secret(home / "secret.key")


def _secret(path: Path) -> str:
    """Read a secret, making it first when there is none; of several at once, one makes it for all."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def _slug(root: Path | None) -> str:
    """Name a checkout: readable, and different for each path."""
    if root is None:
        return "installed"
    words = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")
    return f"{words}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
