"""Files of orders: taken whole or refused by line and reason, the same again unchanged."""

import asyncio
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, text

from returns_portal.db import Begin
from returns_portal.errors import InvalidError
from returns_portal.imports import ImportReport, Rejection
from returns_portal.orders.importing import Format, import_orders
from returns_portal.settings import Settings
from tests.orders.samples import file_return
from tests.orders.test_shopify import FIXTURE, fixture

pytestmark = pytest.mark.anyio

HEADER = (
    "number,email,name,currency,placed_at,tax_included,address_line1,address_city,address_country,line_sku,"
    "line_title,line_quantity,line_unit_price,payment_tender,payment_amount,payment_reference,payment_method"
)


def portal_row(
    number: str, *, price: str = "10.00", sku: str = "A", reference: str = "", tender: str = "external"
) -> str:
    return (
        f"{number},a@example.com,Ana,EUR,2026-10-05T00:41:00Z,yes,Elm St 1,Boston,US,{sku},Derby,1,{price},"
        f"{tender},10.00,{reference},Stripe"
    )


class Shop:
    """A shop with its database, importing files."""

    def __init__(self, begin: Begin, settings: Settings, folder: Path) -> None:
        self.begin = begin
        self.settings = settings
        self.folder = folder

    async def load(
        self, path: Path, fmt: Format = "shopify", *, dry_run: bool = False, sandbox_payments: bool = False
    ) -> ImportReport:
        return await import_orders(
            self.begin,
            path,
            fmt=fmt,
            dry_run=dry_run,
            sandbox_payments=sandbox_payments,
            settings=self.settings,
        )

    async def portal(self, *rows: str, dry_run: bool = False, sandbox_payments: bool = False) -> ImportReport:
        path = self.folder / "portal.csv"
        path.write_text("\n".join([HEADER, *rows]) + "\n")
        return await self.load(path, "portal", dry_run=dry_run, sandbox_payments=sandbox_payments)

    async def rows(self, statement: str) -> list[Row[Any]]:
        async with self.begin() as db:
            return list(await db.execute(text(statement)))

    async def count(self, table: str) -> int:
        [row] = await self.rows(f"SELECT count(*) FROM {table}")  # noqa: S608 - a table's name in a test
        return int(row[0])


@pytest.fixture
def shop(begin: Begin, settings: Settings, tmp_path: Path) -> Shop:
    return Shop(begin, settings, tmp_path)


async def test_a_file_imported_twice_changes_nothing_the_second_time(shop: Shop) -> None:
    assert await shop.load(FIXTURE) == ImportReport(created=120)
    before = await shop.rows("SELECT * FROM orders ORDER BY number")
    assert await shop.load(FIXTURE) == ImportReport(unchanged=120)
    assert await shop.rows("SELECT * FROM orders ORDER BY number") == before
    assert await shop.count("history") == 120
    assert await shop.count("order_line") == sum(len(rows) for rows in fixture().values())
    assert await shop.count("procrastinate_jobs") == 0


async def test_what_is_stored_sums_to_the_totals_of_the_file(shop: Shop) -> None:
    await shop.load(FIXTURE)
    stored = await shop.rows(
        "SELECT o.number, o.currency, o.shipping_paid + sum(u) AS paid"
        " FROM orders o JOIN order_line l ON l.order_id = o.id, unnest(l.unit_paid) AS u GROUP BY o.id"
    )
    exponents = {"JPY": 1}
    for order in stored:
        assert order.paid == Decimal(fixture()[order.number][0]["Total"]) * exponents.get(order.currency, 100)
    assert len(stored) == 120


async def test_a_dry_run_tells_the_same_and_leaves_nothing(shop: Shop) -> None:
    assert await shop.load(FIXTURE, dry_run=True, sandbox_payments=True) == ImportReport(created=120)
    for table in ("orders", "payment", "history", "procrastinate_jobs"):
        assert await shop.count(table) == 0


async def test_every_paid_card_order_gets_a_payment_in_the_sandbox_when_that_is_asked_for(shop: Shop) -> None:
    assert await shop.load(FIXTURE, sandbox_payments=True) == ImportReport(created=120)
    paid = [rows[0] for rows in fixture().values() if rows[0]["Paid at"]]
    [made] = await shop.rows(
        "SELECT count(*) AS stripe, count(imported_reference) AS kept FROM payment"
        " WHERE tender = 'stripe' AND status = 'creating' AND reference IS NULL"
    )
    assert made.stripe == len(paid) == await shop.count("payment")
    assert made.kept == sum(row["Payment Reference"] != "" for row in paid)
    assert await shop.rows("SELECT DISTINCT task_name, count(*) FROM procrastinate_jobs GROUP BY 1") == [
        ("payments.create", len(paid))
    ]
    assert await shop.load(FIXTURE, sandbox_payments=True) == ImportReport(unchanged=120)
    assert await shop.load(FIXTURE) == ImportReport(unchanged=120)


async def test_payments_in_the_sandbox_can_be_asked_for_after_the_fact(shop: Shop) -> None:
    await shop.load(FIXTURE)
    report = await shop.load(FIXTURE, sandbox_payments=True)
    assert (report.created, report.updated, report.unchanged, report.rejected) == (0, 102, 18, [])
    assert await shop.load(FIXTURE, sandbox_payments=True) == ImportReport(unchanged=120)


async def test_there_are_no_made_up_payments_with_a_stripe_key(shop: Shop) -> None:
    shop.settings = Settings(stripe_secret_key="sk_live_x", smtp_url="smtp://localhost", mail_from="a@example.com")  # type: ignore[arg-type]  # pydantic coerces
    with pytest.raises(InvalidError):
        await shop.load(FIXTURE, sandbox_payments=True)
    assert (await shop.load(FIXTURE)).created == 120
    stored = await shop.rows("SELECT tender, status, count(*) FROM payment GROUP BY 1, 2 ORDER BY 1")
    assert [tuple(row) for row in stored] == [("external", "captured", 44), ("stripe", "unverified", 58)]


async def test_a_bad_order_is_refused_whole_with_line_number_and_reason_and_the_rest_is_taken(shop: Shop) -> None:
    report = await shop.portal(
        portal_row("1"),
        portal_row("2", price="9.99"),
        portal_row("#3", price="5.00"),
        "3,,,,,,,,,B,Boot,1,5.00,,,,",
        "4,a@example.com",
        portal_row("5").replace("Ana", "An\x00a"),
        portal_row("6").replace("a@example.com", ""),
        ",,,,,,,,,C,Orphan,1,5.00,,,,",
    )
    assert (report.created, report.exit_code) == (1, 1)
    assert [(rejection.line, rejection.key) for rejection in report.rejected] == [
        (3, "2"),
        (4, "3"),
        (5, "3"),
        (6, "4"),
        (7, "5"),
        (8, "6"),
        (9, ""),
    ]
    reasons = [rejection.reason for rejection in report.rejected]
    assert reasons[0] == (
        "The payments come to 1000, but the order is paid and its total is 999 (minor units). (payments)"
    )
    assert "first row" in reasons[2]
    assert reasons[3] == "Line 6 has not as many cells as there are columns."
    assert reasons[4] == "This contains characters that cannot be printed. (shipping_address.name)"
    assert reasons[5] == "This is needed. (email)"
    assert [row.number for row in await shop.rows("SELECT number FROM orders")] == ["1"]


async def test_one_order_that_the_database_refuses_does_not_take_its_batch_along(shop: Shop) -> None:
    report = await shop.portal(
        portal_row("1", tender="stripe", reference="pi_1"),
        portal_row("2"),
        portal_row("3", tender="stripe", reference="pi_1"),
    )
    assert report == ImportReport(
        created=2,
        rejected=[Rejection(4, "3", "A payment's reference belongs to another order already. (payments)")],
    )


async def test_of_two_different_orders_of_one_number_the_first_is_kept(shop: Shop) -> None:
    report = await shop.portal(portal_row("1"), portal_row("2"), portal_row("#1", sku="B"), portal_row("2"))
    assert (report.created, report.unchanged) == (2, 1)
    assert [(rejection.line, rejection.key) for rejection in report.rejected] == [(4, "1")]
    assert [row.sku for row in await shop.rows("SELECT sku FROM order_line ORDER BY id")] == ["A", "A"]


async def test_an_order_that_changed_in_the_shop_is_brought_up_to_date_unless_a_return_stands_on_it(shop: Shop) -> None:
    await shop.portal(portal_row("1"), portal_row("2"))
    [line] = await shop.rows(
        "SELECT l.id, l.order_id FROM order_line l JOIN orders o ON o.id = l.order_id WHERE number = '2'"
    )
    async with shop.begin() as db:
        await file_return(db, line.order_id, line.id, 1)
    report = await shop.portal(portal_row("1", sku="B"), portal_row("2", sku="B"), portal_row("3"))
    assert (report.created, report.updated) == (1, 1)
    assert [(rejection.line, rejection.key) for rejection in report.rejected] == [(3, "2")]


async def test_two_imports_of_the_same_orders_at_once_store_each_once(shop: Shop) -> None:
    await shop.portal(*(portal_row(str(i)) for i in range(0, 60, 3)))
    rows = [portal_row(str(i), sku="B") for i in range(60)]
    reports = []
    for name, order in (("up", rows), ("down", rows[::-1])):
        path = shop.folder / f"{name}.csv"
        path.write_text("\n".join([HEADER, *order]))
        reports.append(shop.load(path, "portal"))
    done = await asyncio.gather(*reports)
    assert sum(report.created for report in done) == 40
    assert sum(report.updated for report in done) == 20
    assert sum(report.unchanged for report in done) == 60
    assert await shop.count("order_line") == await shop.count("payment") == 60


async def test_a_file_that_breaks_off_changes_nothing(shop: Shop) -> None:
    with pytest.raises(InvalidError, match="not well-formed CSV"):
        await shop.portal(portal_row("1"), '2,"a')
    assert await shop.count("orders") == 0


async def test_progress_is_told_in_rows_and_ends_at_the_last(shop: Shop) -> None:
    told: list[tuple[int, int]] = []
    path = shop.folder / "many.csv"
    path.write_text("\n".join([HEADER, *(portal_row(str(i)) for i in range(450))]))
    await import_orders(
        shop.begin,
        path,
        fmt="portal",
        dry_run=False,
        sandbox_payments=False,
        settings=shop.settings,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(200, 450), (400, 450), (450, 450)]


async def test_memory_does_not_grow_with_the_file(shop: Shop) -> None:
    path = shop.folder / "many.csv"
    peaks = []
    for orders in (400, 1600):
        path.write_text("\n".join([HEADER, *(portal_row(f"{orders}-{i}") for i in range(orders))]))
        tracemalloc.start()
        report = await shop.load(path, "portal")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.created == orders
    assert peaks[1] < peaks[0] * 1.5
