"""The report: its sums against an independent computation, its days, its amounts, and its cells."""

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin, raw_connection
from returns_portal.errors import InvalidError
from returns_portal.finance.cells import safe
from returns_portal.finance.exports import export_refunds, stream_refunds
from returns_portal.finance.filters import Basis, Filters, day_begins, period
from returns_portal.finance.report import COLUMNS, page_rows, sums_by_day, totals
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.settings import Settings
from tests.finance.seed import START, expected, identity, stories

pytestmark = pytest.mark.anyio

NOVEMBER = Filters(first=date(2026, 11, 1), last=date(2026, 11, 30), zone="UTC")
PLACES = {"EUR": 2, "JPY": 0, "BHD": 3}


async def read(begin: Begin, filters: Filters) -> list[dict[str, str]]:
    """The export as a program reads it."""
    content = b"".join([chunk async for chunk in stream_refunds(begin, filters)])
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def test_sums_equal_an_independent_computation(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 3000)
    rows = await read(begin, NOVEMBER)
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in ("gross", "tax", "net", "shipping", "points_bonus", "quantity"):
            sums[row["currency"], name] += Decimal(row[name])
    wanted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for story in (expected(n) for n in range(1, 3001)):
        unit = Decimal(1).scaleb(-PLACES[story.currency])
        wanted[story.currency, "gross"] += story.gross * unit
        wanted[story.currency, "tax"] += story.tax * unit
        wanted[story.currency, "net"] += (story.gross - story.tax) * unit
        wanted[story.currency, "shipping"] += story.shipping * unit
        wanted[story.currency, "points_bonus"] += story.bonus * unit
        wanted[story.currency, "quantity"] += story.quantity
    assert len(rows) == 3000
    assert sums == wanted


async def test_a_row_says_everything(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 10, 10)
    (row,) = await read(inside, NOVEMBER)
    assert row == {
        "refund_id": str(identity("refund", 10)),
        "return_number": "R-10",
        "order_number": "N10",
        "ordered_at": "2026-10-12T09:10:00Z",
        "kind": "return",
        "reason": "",
        "status": "succeeded",
        "destination": "original",
        "currency": "JPY",
        "gross": "2511",
        "tax": "401",
        "net": "2110",
        "tax_rate": "19.00",
        "shipping": "490",
        "points_bonus": "0",
        "card_leg": "2511",
        "points_leg": "0",
        "transfer_leg": "0",
        "requested_at": "2026-10-22T09:10:00Z",
        "released_at": "2026-11-01T09:05:00Z",
        "submitted_at": "2026-11-01T09:09:00Z",
        "settled_at": "2026-11-01T09:10:00Z",
        "approver": "",
        "payment_tender": "stripe",
        "payment_reference": "pi_10",
        "imported_reference": "c10",
        "gateway_refund_id": "re_10",
        "acquirer_reference": "arn10",
        "failure_reason": "",
        "dispute_ids": "",
        "charge_id": "",
        "balance_transaction": "",
        "payout_id": "",
        "payout_date": "",
        "credit_note": "",
        "gl_account": "4100",
        "skus": "SKU-10×2",
        "quantity": "2",
        "conditions": "resellable",
        "livemode": "false",
        "fee": "",
        "fee_currency": "",
        "label_cost": "",
        "sale_receipt": "",
        "refund_receipt": "",
        "approved_at": "",
        "return_reason": "",
        "label_currency": "",
        "postage_fee": "0",
    }
    assert list(row) == [column.name for column in COLUMNS]


async def test_what_the_gateway_took_and_why_the_goods_came_back(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 6)
    await db.execute(
        text("UPDATE return_line SET reason = 'too small' WHERE id = :id"), {"id": identity("return_line", 6)}
    )
    # The shop's balance is in yen, whatever was paid.
    await db.execute(
        text(
            "INSERT INTO gateway_line (id, type, category, source, currency, amount, fee, net, payment_currency,"
            " payment_amount, livemode, created_at, available_on) VALUES ('txn_6', 'refund', 'refund', 're_6', 'JPY',"
            " -1006, 25, -1031, 'EUR', -1006, false, now(), now())"
        )
    )
    rows = {row["order_number"]: row for row in await read(inside, NOVEMBER)}
    assert (rows["N6"]["fee"], rows["N6"]["fee_currency"]) == ("25", "JPY")
    assert (rows["N6"]["return_reason"], rows["N5"]["return_reason"]) == ("too small", "")
    assert (rows["N5"]["fee"], rows["N5"]["fee_currency"]) == ("", "")


async def test_amounts_have_the_places_of_their_currency(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 3)
    await db.execute(text("UPDATE refund SET amount = 7, tax = 0"))
    assert {row["currency"]: row["gross"] for row in await read(inside, NOVEMBER)} == {
        "JPY": "7",
        "BHD": "0.007",
        "EUR": "0.07",
    }


async def test_days_are_the_shops_own(db: AsyncConnection, inside: Begin) -> None:
    """Story n is settled n half hours after midnight UTC: in Sofia, in winter, two hours later."""
    midnight = datetime(2026, 11, 10, tzinfo=UTC)
    await stories(db, 1, 96, start=midnight, step=timedelta(minutes=30))
    sofia = Filters(first=date(2026, 11, 11), last=date(2026, 11, 11), zone="Europe/Sofia")
    numbers = [int(row["order_number"][1:]) for row in await read(inside, sofia)]
    # From 22:00 UTC on the 10th (story 44) up to, not including, 22:00 on the 11th (story 92); the newest first.
    assert numbers == list(range(91, 43, -1))


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 10, 25), "Europe/Sofia", 25),
        (date(2026, 3, 29), "Europe/Sofia", 23),
        (date(2026, 11, 11), "Europe/Sofia", 24),
        (date(2026, 9, 6), "America/Santiago", 23),  # Its midnight does not exist.
        (date(2026, 11, 1), "America/Havana", 25),  # Its midnight comes twice.
        (date(2011, 12, 30), "Pacific/Apia", 0),  # The whole day was left out.
    ],
)
def test_days_are_as_long_as_the_zone_makes_them(day: date, zone: str, hours: int) -> None:
    assert day_begins(day + timedelta(days=1), zone) - day_begins(day, zone) == timedelta(hours=hours)


async def test_a_day_of_25_hours_is_exported_whole_and_once(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 200, start=datetime(2026, 10, 24, tzinfo=UTC), step=timedelta(minutes=15))
    counts = [
        len(await read(inside, Filters(first=day, last=day, zone="Europe/Sofia")))
        for day in (date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26))
    ]
    assert counts == [83, 100, 17]


async def test_what_was_asked_for_is_what_comes(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 42)
    await db.execute(
        text("UPDATE refund SET status = 'failed', failure_reason = 'expired_or_canceled_card' WHERE id = :id"),
        {"id": identity("refund", 1)},
    )
    points = await read(
        inside, Filters(first=START.date(), last=START.date(), zone="UTC", destination=Destination.POINTS)
    )
    assert {row["order_number"] for row in points} == {f"N{n}" for n in range(7, 43, 7)}
    yen = await read(inside, Filters(first=START.date(), last=START.date(), zone="UTC", currency="JPY"))
    # Story 1, in yen, failed after it had succeeded: it does not count as a success any more.
    assert {row["order_number"] for row in yen} == {f"N{n}" for n in range(4, 43, 3)}
    failed = Filters(first=START.date(), last=START.date(), zone="UTC", status=RefundStatus.FAILED)
    assert [row["failure_reason"] for row in await read(inside, failed)] == ["expired_or_canceled_card"]
    filed = START.date() - timedelta(days=10)
    assert len(await read(inside, Filters(first=filed, last=filed, zone="UTC", basis=Basis.REQUESTED))) == 42


async def test_no_refunds_are_a_header_alone(inside: Begin) -> None:
    content = b"".join([chunk async for chunk in stream_refunds(inside, NOVEMBER, bom=True)])
    assert content.decode("utf-8-sig").strip() == ",".join(column.name for column in COLUMNS)
    assert content.startswith(b"\xef\xbb\xbf")


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\x01=1",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
]
FORMULAS += ["＝1", "＋1", "－1", "＠1", "　＝1", "﹦1", "−1", "\tplain", "\rplain"]
PLAIN = ["pi_1", "Ännchen", "Софія", "1=1", "a=b", "N-1", "#1", "'quoted'", 'say "so", twice', "two\nlines", "  plain"]


async def test_no_text_cell_is_a_formula(db: AsyncConnection, inside: Begin) -> None:
    values = FORMULAS + PLAIN
    await stories(db, 1, len(values))
    for n, value in enumerate(values, 1):
        await db.execute(
            text("UPDATE payment SET imported_reference = :value WHERE id = :id"),
            {"value": value, "id": identity("payment", n)},
        )
    rows = sorted(await read(inside, NOVEMBER), key=lambda row: int(row["order_number"][1:]))
    assert [row["imported_reference"] for row in rows] == [f"'{value}" for value in FORMULAS] + PLAIN
    assert [safe(value) for value in values] == [row["imported_reference"] for row in rows]


async def test_pages_hold_every_row_once(db: AsyncConnection) -> None:
    await stories(db, 1, 25, step=timedelta(0))
    driver = await raw_connection(db)
    seen: list[str] = []
    after = None
    while rows := await page_rows(driver, NOVEMBER, after=after, limit=10):
        seen += [row.order_number for row in rows]
        assert rows[-1].settled_at is not None
        after = (rows[-1].settled_at, rows[-1].refund_id)
    assert len(seen) == 25
    assert len(set(seen)) == 25


async def test_page_totals_and_days_agree_with_the_stories(db: AsyncConnection) -> None:
    await stories(db, 1, 100, step=timedelta(hours=3))
    driver = await raw_connection(db)
    for total in await totals(driver, NOVEMBER):
        mine = [expected(n) for n in range(1, 101) if expected(n).currency == total.currency]
        assert (total.count, total.gross) == (len(mine), sum(story.gross for story in mine))
        assert total.net == sum(story.gross - story.tax for story in mine)
        days = await sums_by_day(driver, NOVEMBER, total.currency)
        assert sum(gross for gross, _count in days.values()) == total.gross
        assert sum(count for _gross, count in days.values()) == total.count


async def test_a_reader_that_goes_away_leaves_the_connection_usable(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 3000)
    stream = stream_refunds(begin, NOVEMBER)
    assert await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert len(await read(begin, NOVEMBER)) == 3000


async def test_the_file_appears_whole(
    begin: Begin, settings: Settings, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begin() as db:
        await stories(db, 1, 5)
    out = tmp_path / "november.csv"
    out.write_text("before")
    settings = settings.model_copy(update={"database_url": database_url})
    with monkeypatch.context() as patched:
        patched.setattr("returns_portal.finance.exports.stream_refunds", _breaks_off)
        with pytest.raises(OSError, match="no space"):
            await export_refunds(settings, first="2026-11-01", last="2026-11-30", out=out)
    assert out.read_text() == "before"
    assert _names(tmp_path) == [out.name]
    await export_refunds(settings, first="2026-11-01", last="2026-11-30", out=out, bom=True)
    assert len(list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"), newline="")))) == 5


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _breaks_off(*_: object, **__: object) -> object:
    yield b"refund_id"
    raise OSError("no space left")


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-11-31", "2026-12-01", "from"),
        ("2026-11-01", "yesterday", "to"),
        ("2026-W01-1", "2026-12-01", "from"),
        ("0001-01-01", "2026-12-01", "from"),
        ("2026-11-02", "2026-11-01", "from"),
    ],
)
def test_a_period_that_is_none_is_refused_by_its_field(first: str, last: str, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        period(first, last, "UTC")
    assert refused.value.field == field
