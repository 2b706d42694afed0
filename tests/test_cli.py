"""The command line."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from returns_portal import logs
from returns_portal.accounts.actions import sign_in
from returns_portal.accounts.queries import actor_for_key
from returns_portal.cli import cli
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.errors import UnauthorizedError
from returns_portal.notifications.actions import enqueue
from tests.environment import environment

FILE = Path(__file__).parent / "fixtures" / "shopify_orders_export.csv"
HEAVY = {"alembic", "litestar", "pydantic", "rich", "sqlalchemy", "stripe", "weasyprint"}

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database."""
    # Logging belongs to the test run here.
    monkeypatch.setattr(logs, "configure", lambda _level: None)

    def run(*arguments: str, typed: str | None = None, **changes: str) -> Result:
        return CliRunner().invoke(cli, arguments, input=typed, env=environment(database_url) | changes)

    return run


def on(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from returns_portal.cli import cli\n"
        "try: cli(['--help'])\n"
        f"finally: print('HEAVY', sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stderr
    for name in cli.list_commands(None):  # type: ignore[arg-type]  # the context is not looked at
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("name", cli.list_commands(None))  # type: ignore[arg-type]  # as above
def test_every_command_says_how_it_is_used(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage: ")


def test_wrong_settings_are_named_one_a_line(run: Run) -> None:
    done = run("shop", "show", PORT="many", LOG_LEVEL="loud")
    assert done.exit_code == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("PORT: ")
    assert second.startswith("LOG_LEVEL: ")


def test_a_database_that_is_not_there_is_one_sentence(run: Run) -> None:
    done = run("shop", "show", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.exit_code == 1
    assert done.stderr.startswith("The database cannot be used: ")
    assert "Traceback" not in done.stderr


def test_the_shop_is_shown_in_the_form_in_which_it_is_set(run: Run) -> None:
    shown = run("shop", "show").stdout
    assert "return_days=90\n" in shown
    assert run("shop", "set", *shown.splitlines()).stdout == shown
    changed = run("shop", "set", "return_days=100", "name=Bergschuh = Berg", "address.city=Plovdiv")
    assert changed.exit_code == 0
    after = run("shop", "show").stdout
    assert after == changed.stdout
    for line in ("return_days=100", "name=Bergschuh = Berg", "address.city=Plovdiv", "address.country=BG"):
        assert line in after.splitlines()


def test_the_policy_is_shown_in_the_form_in_which_it_is_set(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(run("policy", "show").stdout)
    assert run("policy", "set", str(file)).stdout == "version 1\n"
    rule = '{"name": "Socks", "when": {"skus": ["SO-*"]}, "then": {"keep_it": true}}'
    file.write_text(f'{{"return_days": 60, "rules": [{rule}]}}')
    assert run("policy", "set", str(file), "--note", "for the summer").stdout == "version 2\n"
    assert '"return_days": 60' in run("policy", "show").stdout
    assert '"return_days": 90' in run("policy", "show", "--version", "1").stdout
    assert "return_days=60" in run("shop", "show").stdout
    assert run("policy", "show", "--version", "7").exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "This file is no JSON"), ('{"rules": [{"name": ""}]}', "rules[0].name: Give the rule a name")],
)
def test_a_policy_that_cannot_be_is_refused_by_its_place(run: Run, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(content)
    done = run("policy", "set", str(file))
    assert done.exit_code == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        ("return_days=3", 1, "return_days: A whole number from 14 to 3650."),
        ("colour=green", 1, "colour: The shop has no setting colour."),
        ("return_days", 2, "is not like KEY=VALUE"),
    ],
)
def test_a_setting_of_the_shop_that_cannot_be_is_refused(run: Run, setting: str, code: int, said: str) -> None:
    done = run("shop", "set", setting)
    assert done.exit_code == code
    assert said in done.stderr
    assert "return_days=90\n" in run("shop", "show").stdout


def test_a_key_stands_alone_on_standard_output_and_opens_until_revoked(run: Run, database_url: str) -> None:
    async def holder(key: str) -> frozenset[str]:
        engine = create_engine(database_url, size=1)
        try:
            async with engine.begin() as db:
                return (await actor_for_key(db, key)).grants
        finally:
            await engine.dispose()

    made = run("api-key", "create", "ERP", "--scope", "orders:write", "--scope", "orders:read")
    assert made.exit_code == 0
    key = made.stdout.removesuffix("\n")
    assert key
    assert not any(letter.isspace() for letter in key)
    assert asyncio.run(holder(key)) == {"orders:write", "orders:read"}
    listed = run("api-key", "list").stdout
    assert "ERP" in listed
    assert key not in listed
    prefix = listed.split()[0]
    assert run("api-key", "revoke", prefix).exit_code == 0
    assert "revoked" in run("api-key", "list").stdout
    assert run("api-key", "revoke", prefix).exit_code == 1
    with pytest.raises(UnauthorizedError):
        asyncio.run(holder(key))


def test_an_unknown_scope_is_refused(run: Run) -> None:
    assert run("api-key", "create", "ERP", "--scope", "everything").exit_code == 2


@pytest.mark.parametrize("way", ["asked", "piped"])
def test_staff_can_sign_in_with_the_password_given(run: Run, database_url: str, way: str) -> None:
    password = "a long pass phrase, with spaces"

    async def signed_in(begin: Begin) -> frozenset[str]:
        async with begin() as db:
            found = await sign_in(db, "vera@shop.example", password)
        assert found is not None
        return found[1].grants

    async def check() -> frozenset[str]:
        engine = create_engine(database_url, size=1)
        try:
            return await signed_in(beginner(engine))
        finally:
            await engine.dispose()

    arguments = ["staff", "add", "vera@shop.example", "--name", "Vera", "--role", "warehouse", "--role", "finance"]
    if way == "piped":
        done = run(*arguments, "--password-stdin", typed=f"{password}\n")
    else:
        done = run(*arguments, typed=f"{password}\n{password}\n")
    assert done.exit_code == 0, done.stderr
    assert password not in done.output
    assert asyncio.run(check()) == {"warehouse", "finance"}
    assert "vera@shop.example" in run("staff", "list").stdout
    again = run(*arguments, "--password-stdin", typed=f"{password}\n")
    assert again.exit_code == 1
    assert again.stderr.startswith("email: ")


def test_staff_who_leave_are_disabled(run: Run, database_url: str) -> None:
    arguments = ["staff", "add", "vera@shop.example", "--name", "Vera", "--role", "finance", "--password-stdin"]
    assert run(*arguments, typed="a long pass phrase\n").exit_code == 0
    done = run("staff", "disable", "Vera@shop.example")
    assert done.exit_code == 0, done.stderr
    assert "disabled" in run("staff", "list").stdout
    assert run("staff", "disable", "vera@shop.example").exit_code == 1
    assert run("staff", "disable", "nobody@shop.example").exit_code == 1
    assert run("staff", "enable", "vera@shop.example").exit_code == 0
    assert "in use" in run("staff", "list").stdout
    [(before,)] = on(database_url, "SELECT password_hash FROM staff")
    done = run("staff", "password", "vera@shop.example", "--password-stdin", typed="another pass phrase\n")
    assert done.exit_code == 0, done.stderr
    assert "another pass phrase" not in done.output
    assert on(database_url, "SELECT password_hash FROM staff") != [(before,)]


def test_orders_are_imported_once(run: Run, database_url: str) -> None:
    count = "SELECT count(*) FROM orders"
    rehearsed = run("import-orders", str(FILE), "--dry-run")
    assert rehearsed.stdout == "120 created, 0 updated, 0 unchanged, 0 rejected (dry run: nothing was changed)\n"
    assert on(database_url, count) == [(0,)]
    first = run("import-orders", str(FILE))
    assert first.exit_code == 0
    assert first.stdout == "120 created, 0 updated, 0 unchanged, 0 rejected\n"
    assert "266/266" in first.stderr
    second = run("import-orders", str(FILE))
    assert second.stdout == "0 created, 0 updated, 120 unchanged, 0 rejected\n"
    assert on(database_url, count) == [(120,)]


def test_a_bad_order_is_told_and_the_rest_taken(run: Run, tmp_path: Path) -> None:
    lines = FILE.read_text("utf-8-sig").splitlines(keepends=True)
    lines[1] = lines[1].replace(",EUR,", ",XXQ,")
    bad = tmp_path / "bad.csv"
    bad.write_text("".join(lines))
    done = run("import-orders", str(bad))
    assert done.exit_code == 1
    reason, summary = done.stdout.splitlines()
    assert reason.startswith("line 2, order 1001: ")
    assert summary == "119 created, 0 updated, 0 unchanged, 1 rejected"


def test_a_file_that_is_none_changes_nothing(run: Run, tmp_path: Path) -> None:
    none = tmp_path / "none.csv"
    none.write_text("a,b\n1,2\n")
    done = run("import-orders", str(none))
    assert done.exit_code == 2
    assert done.stderr.startswith("none.csv: ")
    assert run("import-orders", str(tmp_path / "missing.csv")).exit_code == 2


def test_an_empty_database_is_made_ready(run: Run, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    for _time in range(2):
        assert run("migrate").exit_code == 0
        assert on(database_url, "SELECT name FROM shop") == [("Nord & Sund",)]
    assert run("check-migrations").exit_code == 0


def test_a_difference_between_tables_and_migrations_is_told(run: Run, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE shop DROP COLUMN licence")
    done = run("check-migrations")
    assert done.exit_code == 1
    assert "licence" in done.stderr


def test_the_books_of_a_new_shop_are_in_order_and_its_report_is_empty(run: Run, tmp_path: Path) -> None:
    assert run("check-books").exit_code == 0
    out = tmp_path / "refunds.csv"
    done = run("export-refunds", "--from", "2026-01-01", "--to", "2026-12-31", "-o", str(out), "--bom")
    assert done.exit_code == 0, done.stderr
    (header,) = out.read_bytes().splitlines()
    assert header.startswith(b"\xef\xbb\xbfrefund_id,")
    wrong = run("export-refunds", "--from", "yesterday", "-o", str(out))
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.output


def test_mail_that_was_given_up_is_listed_without_addresses_and_sent_again(run: Run, database_url: str) -> None:
    async def write() -> None:
        engine = create_engine(database_url, size=1)
        async with engine.begin() as db:
            await enqueue(db, template="refund_failed", recipient="olena@example.org", locale="en", values={"rma": "R"})
        await engine.dispose()

    asyncio.run(write())
    assert run("mail", "failed").stdout == ""
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE email SET status = 'failed', attempts = 10, error = 'SMTPConnectError'")
    listed = run("mail", "failed").stdout
    assert "refund_failed" in listed
    assert "SMTPConnectError" in listed
    assert "olena" not in listed
    assert run("mail", "retry", listed.split()[0]).exit_code == 0
    assert on(database_url, "SELECT status, attempts FROM email") == [("queued", 0)]
    assert run("mail", "retry", listed.split()[0]).exit_code == 1


def test_the_sandbox_is_refused_beside_a_real_account(run: Run) -> None:
    done = run("stripe-sandbox", STRIPE_SECRET_KEY="sk_live_x")
    assert done.exit_code == 1
    assert "STRIPE_SECRET_KEY is set" in done.stderr
