"""An order is shown to whom it belongs, with what of it can still be returned."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ForbiddenError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.orders import queries
from returns_portal.orders.actions import put_order
from returns_portal.settings import Settings
from tests.orders.samples import a_line, an_order, file_return

pytestmark = pytest.mark.anyio


async def test_what_is_in_a_return_cannot_be_returned_again_unless_it_was_cancelled(
    db: AsyncConnection, settings: Settings, statements: list[str]
) -> None:
    order = an_order(lines=[a_line(quantity=5, sku="A"), a_line(quantity=1, sku="B")])
    put = await put_order(db, SYSTEM, settings, order)
    first, second = (await queries.order_for(db, SYSTEM, "1001")).lines
    assert (first.returnable, second.returnable) == (5, 1)
    await file_return(db, put.order_id, first.line_id, 2)
    await file_return(db, put.order_id, first.line_id, 1, "received")
    await file_return(db, put.order_id, first.line_id, 2, "cancelled")
    statements.clear()
    shown = await queries.order_for(db, SYSTEM, "#1001")
    assert [line.returnable for line in shown.lines] == [2, 1]
    assert len(statements) == 1


async def test_nothing_of_a_cancelled_order_can_be_returned(db: AsyncConnection, settings: Settings) -> None:
    await put_order(db, SYSTEM, settings, an_order(cancelled_at=datetime(2026, 10, 6, tzinfo=UTC)))
    assert [line.returnable for line in (await queries.order_for(db, SYSTEM, "1001")).lines] == [0]


async def test_another_customers_order_does_not_exist(db: AsyncConnection, settings: Settings) -> None:
    put = await put_order(db, SYSTEM, settings, an_order())
    owner = Actor(kind="customer", order_id=put.order_id)
    stranger = Actor(kind="customer", order_id=new_id())
    assert (await queries.order_for(db, owner, "1001")).number == "1001"
    assert (await queries.lock_order(db, owner, put.order_id)).id == put.order_id
    for number in ("1001", "none"):
        with pytest.raises(NotFoundError):
            await queries.order_for(db, stranger, number)
        with pytest.raises(NotFoundError):
            await queries.lock_order(db, stranger, number)
    with pytest.raises(ForbiddenError):
        await queries.page_of_orders(db, owner)


async def test_the_list_goes_from_new_to_old_page_by_page(db: AsyncConnection, settings: Settings) -> None:
    for number in range(5):
        await put_order(db, SYSTEM, settings, an_order(number=str(number)))
    seen, cursor = [], None
    while True:
        page = await queries.page_of_orders(db, SYSTEM, cursor, limit=2)
        seen.append([item.number for item in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [["4", "3"], ["2", "1"], ["0"]]
    with pytest.raises(InvalidError):
        await queries.page_of_orders(db, SYSTEM, "no cursor")


async def test_lines_come_in_the_orders_order(db: AsyncConnection, settings: Settings) -> None:
    put = await put_order(db, SYSTEM, settings, an_order(lines=[a_line(sku=sku) for sku in "CAB"]))
    assert [line.sku for line in await queries.lines_of(db, put.order_id)] == ["C", "A", "B"]


async def test_an_order_is_found_by_indexes_alone(db: AsyncConnection, settings: Settings) -> None:
    await put_order(db, SYSTEM, settings, an_order())
    # Without this PostgreSQL would rightly read the whole of tables this small.
    await db.execute(text("SET LOCAL enable_seqscan = off"))
    for statement, values in (
        (queries._VIEW, {"number": "1001", "of_gifts": False}),
        (f"{queries._SUMMARY} ORDER BY id DESC LIMIT 9", {}),
    ):
        plan = "\n".join(row[0] for row in await db.execute(text(f"EXPLAIN {statement}"), values))
        assert "Seq Scan" not in plan
        assert "Sort Key: orders" not in plan
