"""The commands that take products in."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from returns_portal import logs
from returns_portal.cli import cli
from tests.catalog.test_importing import FIXTURE
from tests.environment import environment

ORDERS = Path(__file__).parents[1] / "fixtures" / "shopify_orders_export.csv"
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on this test's database."""
    monkeypatch.setattr(logs, "configure", lambda _level: None)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=environment(database_url))

    return run


def count(url: str, table: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0]  # noqa: S608 - a table's name


def test_a_file_of_products_is_imported_once(run: Run, database_url: str) -> None:
    rehearsed = run("import-products", str(FIXTURE), "--currency", "EUR", "--dry-run")
    assert rehearsed.exit_code == 1
    assert rehearsed.stdout.splitlines()[-1] == (
        "5 created, 0 updated, 0 unchanged, 1 rejected (dry run: nothing was changed)"
    )
    assert count(database_url, "product") == 0
    first = run("import-products", str(FIXTURE), "--currency", "EUR")
    assert first.stdout.splitlines() == [
        "prices are in EUR",
        "3 pictures are named in the file and were not downloaded; add them at /shop-admin",
        "1 barcodes are no EAN and were left out",
        "line 10, product no-price: This is needed. (Variant Price)",
        "5 created, 0 updated, 0 unchanged, 1 rejected",
    ]
    assert "10/10" in first.stderr
    again = run("import-products", str(FIXTURE), "--currency", "EUR")
    assert again.stdout.splitlines()[-1] == "0 created, 0 updated, 5 unchanged, 1 rejected"


def test_a_file_that_is_none_or_names_no_currency_changes_nothing(run: Run, tmp_path: Path, database_url: str) -> None:
    none = tmp_path / "none.csv"
    none.write_text("a,b\n1,2\n")
    for arguments, words in (((str(none),), "lacks the columns"), ((str(FIXTURE),), "--currency EUR")):
        done = run("import-products", *arguments)
        assert (done.exit_code, words in done.stderr) == (2, True), done.stderr
    assert count(database_url, "product") == 0


def test_products_are_made_of_orders_and_the_currency_is_theirs(run: Run, database_url: str) -> None:
    assert run("import-orders", str(ORDERS)).exit_code == 0
    made = run("products-from-orders")
    assert made.exit_code == 0
    assert made.stdout.splitlines()[-1].startswith("10 products created, 0 updated, "), made.stdout
    products = count(database_url, "product")
    assert run("products-from-orders").stdout.splitlines()[-1].startswith("0 products created, 0 updated, 0 variants")
    assert count(database_url, "product") == products
    assert run("import-products", str(FIXTURE)).stdout.startswith("prices are in EUR\n")
