"""The journal: balanced, with the shop's own codes, and safe for spreadsheets."""

import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError, InvalidError
from returns_portal.finance.codes import DEFAULTS, codes, set_codes
from returns_portal.finance.credit_notes import issue
from returns_portal.finance.exports import export_listing, stream
from returns_portal.finance.journal import in_period, journal_listing
from returns_portal.finance.listing import Listing
from returns_portal.ledger.models import Account
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.settings import Settings
from tests.finance.seed import expected, identity, stories
from tests.portal import FINANCE

pytestmark = pytest.mark.anyio

NOVEMBER = in_period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def listing() -> Listing:
    return journal_listing(NOVEMBER, "Europe/Sofia", livemode=False)


async def journal(begin: Begin) -> list[dict[str, str]]:
    chunks: AsyncIterator[bytes] = stream(begin, listing())
    file = b"".join([chunk async for chunk in chunks])
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


async def test_debits_and_credits_are_equal_in_each_transaction_and_currency(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 60)
        await transition(db, SYSTEM, identity("refund", 4), RefundStatus.FAILED, failure="declined")
    rows = await journal(begin)
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        assert (row["debit"] == "") != (row["credit"] == "")
        assert Decimal(row["debit"] or row["credit"]) > 0
        sums[row["transaction_id"], row["currency"]] += Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
    assert len(sums) == 121
    assert set(sums.values()) == {Decimal(0)}
    euros = sum(expected(n).gross for n in range(1, 61) if expected(n).currency == "EUR")
    owed = sum(
        Decimal(row["debit"] or 0) for row in rows if row["account"] == "sales_returns" and row["currency"] == "EUR"
    )
    assert owed * 100 == euros


async def test_a_row_says_when_what_and_whose(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 6, 6)
    await issue(begin)
    rows = await journal(begin)
    assert [(row["account"], row["account_code"], row["debit"], row["credit"]) for row in rows] == [
        ("sales_returns", "4100", "10.06", ""),
        ("refunds_payable", "2100", "", "10.06"),
        ("refunds_payable", "2100", "10.06", ""),
        ("gateway_clearing", "1200", "", "10.06"),
    ]
    owed, paid = rows[0], rows[2]
    assert (owed["document"], owed["text"]) == ("R-6", "refund owed, R-6, N6")
    assert paid["document"].startswith("CN-2026-")
    assert paid["text"] == "refund, R-6, N6"
    assert (paid["date"], paid["order_number"], paid["livemode"]) == ("2026-11-01", "N6", "false")


async def test_the_shops_own_codes_stand_in_it(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 6, 6)
        assert await codes(db) == DEFAULTS
        await set_codes(db, FINANCE, {"sales_returns": "8400", "gateway_clearing": "1360 Stripe"})
    rows = {row["account"]: row["account_code"] for row in await journal(begin)}
    assert (rows["sales_returns"], rows["gateway_clearing"], rows["refunds_payable"]) == ("8400", "1360 Stripe", "2100")


async def test_impossible_codes_are_refused(begin: Begin) -> None:
    async with begin() as db:
        for account, code in (
            ("cash", "1000"),
            ("sales_returns", ""),
            ("sales_returns", "=1+1"),
            ("breakage", "x" * 33),
        ):
            with pytest.raises(InvalidError) as refused:
                await set_codes(db, FINANCE, {account: code})
            assert refused.value.field == account
        with pytest.raises(ForbiddenError):
            await set_codes(db, Actor(kind="staff", id="s", grants=frozenset({"support"})), {"breakage": "1"})
        assert await codes(db) == DEFAULTS


def test_every_account_has_a_code_of_its_own() -> None:
    assert set(DEFAULTS) == set(Account)
    assert len(set(DEFAULTS.values())) == len(Account)


async def test_text_is_no_formula(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 6, 6)
        await db.execute(text("UPDATE orders SET number = '=1+1'"))
    rows = await journal(begin)
    assert {row["order_number"] for row in rows} == {"'=1+1"}


async def test_a_month_without_books_has_a_header(begin: Begin) -> None:
    chunks = [chunk async for chunk in stream(begin, listing())]
    assert b"".join(chunks).startswith(b"date,document,account_code,account,text,currency,debit,credit,")


async def test_it_is_written_to_a_file(begin: Begin, settings: Settings, database_url: str, tmp_path: Path) -> None:
    async with begin() as db:
        await stories(db, 1, 3)
    out = tmp_path / "journal.csv"
    settings = settings.model_copy(update={"database_url": database_url})

    async def find(_db: object, zone: str) -> Listing:
        assert zone == "Europe/Sofia"
        return listing()

    await export_listing(settings, out, find)
    assert len(out.read_text().splitlines()) == 13
