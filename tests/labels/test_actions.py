"""Issuing a label, and what it says; filing with all that comes with it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.labels.queries import label_content
from returns_portal.orders.actions import put_order
from returns_portal.orders.queries import order_for
from returns_portal.refunds.filing import FiledReturn, cancel, file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from tests.orders.samples import an_order

pytestmark = pytest.mark.anyio


@pytest.fixture
async def filed(db: AsyncConnection, settings: Settings) -> FiledReturn:
    await put_order(db, SYSTEM, settings, an_order())
    line = (await order_for(db, SYSTEM, "1001")).lines[0]
    with clock.at(datetime(2026, 11, 16, 23, 30, tzinfo=UTC)):
        return await file(db, SYSTEM, settings, DEFAULT, "1001", [Wanted(line.line_id, 1)], RefundTo.ORIGINAL)


async def test_the_code_is_our_own_number_and_the_history_says_who_issued_it(
    db: AsyncConnection, filed: FiledReturn
) -> None:
    label = (await db.execute(text("SELECT * FROM label"))).one()
    assert (label.return_id, label.carrier, label.code) == (filed.id, "prepaid", filed.rma)
    assert filed.label_code == filed.rma
    told = (await db.execute(text("SELECT action, actor FROM history WHERE subject_id = :id"), {"id": filed.id})).all()
    assert sorted(told) == [("filed", "system"), ("label_issued", "system")]


async def test_what_a_label_says(db: AsyncConnection, filed: FiledReturn) -> None:
    content = await label_content(db, SYSTEM, filed.rma.lower(), shop=DEFAULT, sandbox=True)
    assert content.code == filed.rma
    assert content.sender.name == "Мария Георгиева"
    assert (content.sender.line2, content.sender.country) == ("", "BG")
    assert content.recipient.name == "Nord & Sund, Returns"
    assert content.licence == "BG-SOF-4471"
    assert [(item.quantity, item.title, item.size) for item in content.items] == [(1, "Derby", "42")]
    # Half past eleven in the evening in UTC is the next day in Sofia.
    assert content.issued.isoformat() == "2026-11-17"
    assert content.sandbox


async def test_a_label_is_only_its_customers(db: AsyncConnection, filed: FiledReturn) -> None:
    stranger = Actor(kind="customer", order_id=filed.id)
    with pytest.raises(NotFoundError):
        await label_content(db, stranger, filed.rma, shop=DEFAULT, sandbox=False)
    with pytest.raises(NotFoundError):
        await label_content(db, SYSTEM, "R-0000-0000", shop=DEFAULT, sandbox=False)


async def test_a_cancelled_return_has_no_label(db: AsyncConnection, filed: FiledReturn) -> None:
    await cancel(db, SYSTEM, filed.rma)
    with pytest.raises(ConflictError) as caught:
        await label_content(db, SYSTEM, filed.rma, shop=DEFAULT, sandbox=False)
    assert caught.value.code == "return_cancelled"
    mails = (await db.execute(text("SELECT template FROM email ORDER BY id"))).scalars().all()
    assert mails == ["return_filed", "return_cancelled"]


async def test_filing_takes_six_statements(
    db: AsyncConnection, settings: Settings, filed: FiledReturn, statements: list[str]
) -> None:
    assert filed.preview.total == 15900
    line = (await order_for(db, SYSTEM, "1001")).lines[0]
    statements.clear()
    await file(db, SYSTEM, settings, DEFAULT, "1001", [Wanted(line.line_id, 1)], RefundTo.POINTS)
    assert len(statements) == 6, statements


async def test_the_account_number_is_stored_sealed(db: AsyncConnection, settings: Settings) -> None:
    await put_order(db, SYSTEM, settings, an_order())
    line = (await order_for(db, SYSTEM, "1001")).lines[0]
    wanted = [Wanted(line.line_id, 1), Wanted(line.line_id, 1)]
    filed = await file(
        db, SYSTEM, settings, DEFAULT, "1001", wanted, RefundTo.ORIGINAL, bank_account="BG80BNBG96611020345678"
    )
    stored = (await db.execute(text("SELECT bank_account FROM returns WHERE id = :id"), {"id": filed.id})).scalar_one()
    assert "20345678" not in stored
    # Everything comes back, so the delivery does too.
    assert filed.preview.total == 15900 * 2 + 490
