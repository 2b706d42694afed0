"""The main job on a real file: import, return, check in, refund, export; the sums against the file itself."""

import csv
import io
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError
from returns_portal.finance.exports import stream_refunds
from returns_portal.finance.filters import Basis, Filters
from returns_portal.orders.importing import import_orders
from returns_portal.refunds.settling import confirm_transfer
from returns_portal.warehouse.models import Condition
from tests.portal import FINANCE, Portal

pytestmark = pytest.mark.anyio

FILE = Path(__file__).parent.parent / "fixtures" / "shopify_orders_export.csv"


def from_the_file() -> dict[str, Decimal]:
    """What can go back by currency, by nothing but the file: totals less what was refunded before."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            paid = row["Financial Status"] in {"paid", "partially_refunded"}
            if paid and not row["Cancelled at"]:
                sums[row["Currency"]] += Decimal(row["Total"]) - Decimal(row["Refunded Amount"])
    return dict(sums)


async def exported(portal: Portal) -> list[dict[str, str]]:
    today = clock.now().date()
    filters = Filters(first=today.replace(day=1), last=today, zone="UTC", basis=Basis.REQUESTED)
    content = b"".join([chunk async for chunk in stream_refunds(portal.begin, filters)])
    return list(csv.DictReader(io.StringIO(content.decode())))


async def send_everything_back(portal: Portal, number: str) -> None:
    """In two returns: the first unit alone, then the rest, as customers do."""
    lines = await portal.rows(
        "SELECT l.id, l.quantity FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.number = :n"
        " ORDER BY l.position",
        n=number,
    )
    first = lines[0].id
    alone = await portal.file(number, (first, 1))
    await portal.receive(alone.rma, (first, 1, Condition.RESELLABLE))
    rest = [(line.id, line.quantity - (line.id == first)) for line in lines]
    wanted = [(line_id, quantity) for line_id, quantity in rest if quantity]
    if wanted:
        filed = await portal.file(number, *wanted)
        await portal.receive(filed.rma, *((line_id, quantity, Condition.WORN) for line_id, quantity in wanted))


async def test_what_the_export_sums_to_is_what_the_file_says_was_paid(portal: Portal) -> None:
    report = await import_orders(
        portal.begin, FILE, fmt="shopify", dry_run=False, sandbox_payments=True, settings=portal.settings
    )
    assert (report.created, report.rejected) == (120, [])
    orders = await portal.rows(
        "SELECT number FROM orders WHERE cancelled_at IS NULL AND financial_status IN ('paid', 'partially_refunded')"
        " ORDER BY number"
    )
    for order in orders:
        await send_everything_back(portal, order.number)
    for _ in range(3):
        await portal.work()
    for row in await portal.rows("SELECT id FROM refund WHERE status = 'awaiting_transfer'"):
        async with portal.begin() as db:
            await confirm_transfer(db, FINANCE, row.id, "SEPA 1")

    rows = await exported(portal)
    assert Counter(row["status"] for row in rows) == {"succeeded": len(rows)}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += Decimal(row["gross"])
    assert dict(sums) == from_the_file()
    assert all("." not in row["gross"] for row in rows if row["currency"] == "JPY")


async def test_a_cancelled_order_is_not_returned_and_a_second_import_changes_nothing(portal: Portal) -> None:
    for outcome in ("created", "unchanged"):
        report = await import_orders(
            portal.begin, FILE, fmt="shopify", dry_run=False, sandbox_payments=False, settings=portal.settings
        )
        assert getattr(report, outcome) == 120
    cancelled, *_ = await portal.rows(
        "SELECT o.number, l.id FROM orders o JOIN order_line l ON l.order_id = o.id WHERE o.cancelled_at IS NOT NULL"
    )
    with pytest.raises(ConflictError) as refused:
        await portal.file(cancelled.number, (cancelled.id, 1))
    assert refused.value.code == "order_cancelled"
