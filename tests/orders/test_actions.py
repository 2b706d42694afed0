"""Taking orders in: once, whole, and never changed under a return's feet."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from returns_portal.settings import Settings
from tests.orders.samples import ADDRESS, a_line, an_order, file_return

pytestmark = pytest.mark.anyio

SHOP = Actor(kind="api", id="shop", grants=frozenset({"orders:write"}))
EXTERNAL = PaymentInput(tender=Tender.EXTERNAL, amount=32290)


async def rows(db: AsyncConnection, statement: str, **values: object) -> list[Row[Any]]:
    return list(await db.execute(text(statement), values))


async def lines(db: AsyncConnection) -> list[Row[Any]]:
    return await rows(db, "SELECT * FROM order_line ORDER BY position")


async def jobs(db: AsyncConnection) -> list[tuple[str, dict[str, str]]]:
    return [tuple(row) for row in await rows(db, "SELECT task_name, args FROM procrastinate_jobs ORDER BY id")]


async def test_a_new_order_is_two_statements_and_one_of_the_queue(
    db: AsyncConnection, settings: Settings, statements: list[str]
) -> None:
    order = an_order(lines=[a_line(sku=str(i)) for i in range(20)])
    put = await put_order(db, SHOP, settings, order)
    assert put.outcome == "created"
    assert len(statements) == 2, statements
    assert [name for name, _ in await jobs(db)] == ["payments.create"]


async def test_an_order_is_stored_with_its_units_payment_and_history(db: AsyncConnection, settings: Settings) -> None:
    put = await put_order(db, SHOP, settings, an_order())
    [order] = await rows(db, "SELECT * FROM orders")
    assert (order.id, order.number, order.email_key, order.locale) == (put.order_id, "1001", "kunde@example.com", "bg")
    assert (order.total, order.shipping_paid, order.fulfillment_status) == (32290, 490, "fulfilled")
    [line] = await lines(db)
    assert (line.unit_paid, line.unit_tax, line.shipped) == ([15900, 15900], [2650, 2650], 2)
    [payment] = await rows(db, "SELECT * FROM payment")
    assert (payment.tender, payment.status, payment.amount, payment.livemode) == ("stripe", "creating", 32290, False)
    assert await jobs(db) == [("payments.create", {"payment_id": str(payment.id)})]
    [entry] = await rows(db, "SELECT * FROM history")
    assert (entry.subject_id, entry.action, entry.actor) == (put.order_id, "created", "api:shop")


async def test_the_same_again_changes_nothing(db: AsyncConnection, settings: Settings) -> None:
    first = await put_order(db, SHOP, settings, an_order())
    before = await rows(db, "SELECT * FROM orders")
    second = await put_order(db, SHOP, settings, an_order(number="#1001"))
    assert second == (first.order_id, "unchanged")
    assert await rows(db, "SELECT * FROM orders") == before
    assert len(await rows(db, "SELECT id FROM history")) == 1


async def test_points_and_external_money_are_there_at_once_a_reference_is_verified_first(
    db: AsyncConnection, settings: Settings
) -> None:
    payments = [
        PaymentInput(tender=Tender.STRIPE, amount=30000, reference="pi_1"),
        PaymentInput(tender=Tender.POINTS, amount=2000),
        PaymentInput(tender=Tender.EXTERNAL, amount=290, method="Cash on Delivery"),
    ]
    await put_order(db, SHOP, settings, an_order(payments=payments))
    stored = await rows(db, "SELECT tender, status FROM payment ORDER BY amount DESC")
    assert [tuple(row) for row in stored] == [
        ("stripe", "unverified"),
        ("points", "captured"),
        ("external", "captured"),
    ]
    assert [name for name, _ in await jobs(db)] == ["payments.verify"]


async def test_a_live_stripe_payment_needs_its_reference(db: AsyncConnection, settings: Settings) -> None:
    live = Settings(stripe_secret_key="sk_live_x", smtp_url="smtp://localhost", mail_from="a@example.com")  # type: ignore[arg-type]  # pydantic coerces
    with pytest.raises(InvalidError) as caught:
        await put_order(db, SHOP, live, an_order())
    assert caught.value.field == "payments[0].reference"
    await put_order(db, SHOP, settings, an_order())


async def test_a_reference_belongs_to_one_order_only(db: AsyncConnection, settings: Settings) -> None:
    paid = [PaymentInput(tender=Tender.STRIPE, amount=32290, reference="pi_1")]
    await put_order(db, SHOP, settings, an_order(payments=paid))
    with pytest.raises(ConflictError) as caught:
        await put_order(db, SHOP, settings, an_order(number="1002", payments=paid))
    assert caught.value.code == "payment_reference_taken"


async def test_an_order_without_returns_can_change_and_keeps_the_ids_of_lines_that_stay(
    db: AsyncConnection, settings: Settings
) -> None:
    order = an_order(lines=[a_line(sku="A"), a_line(sku="B"), a_line(sku="B")], payments=[EXTERNAL])
    order = replace(order, payments=[replace(EXTERNAL, amount=order.total)])
    put = await put_order(db, SHOP, settings, order)
    before = {line.position: line.id for line in await lines(db)}
    changed = replace(
        order, lines=[a_line(sku="B"), a_line(sku="C"), a_line(sku="A", quantity=1)], email="new@example.com"
    )
    changed = replace(changed, payments=[replace(EXTERNAL, amount=changed.total)])
    assert await put_order(db, SHOP, settings, changed) == (put.order_id, "updated")
    after = {line.position: line.id for line in await lines(db)}
    assert (after[0], after[2]) == (before[1], before[0])
    assert after[1] not in before.values()
    [order_row] = await rows(db, "SELECT email_key, total FROM orders")
    assert tuple(order_row) == ("new@example.com", changed.total)
    assert [row.amount for row in await rows(db, "SELECT amount FROM payment")] == [changed.total]
    [_created, entry] = await rows(db, "SELECT data FROM history ORDER BY at, id")
    assert {"email", "lines", "payments", "total"} <= set(entry.data["changed"])


OPEN: list[dict[str, Any]] = [
    {"delivered_at": datetime(2026, 10, 9, tzinfo=UTC)},
    {"cancelled_at": datetime(2026, 10, 9, tzinfo=UTC)},
    {"shipping_address": replace(ADDRESS, line1="бул. Витоша 90")},
    {"phone": "+359 2 1", "locale": "en"},
    {"lines": [a_line(shipped=1)]},
]
CLOSED: list[tuple[str, dict[str, Any]]] = [
    ("lines", {"lines": [a_line(unit_price=15800)], "payments": [replace(EXTERNAL, amount=32090)]}),
    ("lines", {"lines": [a_line(quantity=1)], "payments": [replace(EXTERNAL, amount=16390)]}),
    ("currency", {"currency": "USD"}),
    ("order_discount", {"order_discount": 100, "payments": [replace(EXTERNAL, amount=32190)]}),
    ("extras_paid", {"extras": 100, "payments": [replace(EXTERNAL, amount=32390)]}),
    ("payments", {"payments": [replace(EXTERNAL, tender=Tender.POINTS)]}),
    ("payments", {"payments": [replace(EXTERNAL, refunded_before=1)]}),
    ("shipping_price", {"shipping": ShippingInput(price=590), "payments": [replace(EXTERNAL, amount=32390)]}),
    ("email", {"email": "somebody.else@example.com"}),
]


@pytest.mark.parametrize("changes", OPEN)
async def test_with_a_return_filed_what_changes_no_amount_may_change(
    db: AsyncConnection, settings: Settings, changes: dict[str, Any]
) -> None:
    put = await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))
    [line] = await lines(db)
    await file_return(db, put.order_id, line.id, 1)
    assert (await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL], **changes))).outcome == "updated"
    [after] = await lines(db)
    assert after.id == line.id
    wanted = an_order(payments=[EXTERNAL], **changes)
    assert (await put_order(db, SHOP, settings, wanted)).outcome == "unchanged"


@pytest.mark.parametrize(("field", "changes"), CLOSED)
async def test_with_a_return_filed_nothing_that_was_promised_may_change(
    db: AsyncConnection, settings: Settings, field: str, changes: dict[str, Any]
) -> None:
    put = await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))
    [line] = await lines(db)
    await file_return(db, put.order_id, line.id, 1)
    with pytest.raises(ConflictError) as caught:
        await put_order(db, SHOP, settings, an_order(**{"payments": [EXTERNAL], **changes}))
    assert caught.value.code == "order_frozen"
    assert field in caught.value.detail  # type: ignore[operator]  # a list of fields
    assert (await rows(db, "SELECT total, currency FROM orders"))[0].total == 32290


async def test_what_the_sandbox_holds_cannot_change(db: AsyncConnection, settings: Settings) -> None:
    await put_order(db, SHOP, settings, an_order())
    with pytest.raises(ConflictError, match="payments"):
        await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))
    assert (await put_order(db, SHOP, settings, an_order(phone="1"))).outcome == "updated"


async def test_money_that_comes_in_later_may_be_added_after_a_return(db: AsyncConnection, settings: Settings) -> None:
    unpaid = an_order(payments=[], financial_status=FinancialStatus.PENDING)
    put = await put_order(db, SHOP, settings, unpaid)
    [line] = await lines(db)
    await file_return(db, put.order_id, line.id, 1)
    assert (await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))).outcome == "updated"
    [order] = await rows(db, "SELECT financial_status FROM orders")
    assert order.financial_status == "paid"
    assert [row.amount for row in await rows(db, "SELECT amount FROM payment")] == [32290]


async def test_a_payment_stays_what_it_became_when_its_order_is_handed_in_again(
    db: AsyncConnection, settings: Settings
) -> None:
    paid: OrderInput = an_order(payments=[PaymentInput(tender=Tender.STRIPE, amount=32290, reference="pi_1")])
    await put_order(db, SHOP, settings, paid)
    await db.execute(text("UPDATE payment SET status = 'captured', refunded_before = 500"))
    assert (await put_order(db, SHOP, settings, replace(paid, phone="1"))).outcome == "updated"
    [payment] = await rows(db, "SELECT * FROM payment")
    assert (payment.status, payment.refunded_before) == ("captured", 500)


async def test_an_order_in_another_currency_is_paid_in_it(db: AsyncConnection, settings: Settings) -> None:
    await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))
    changed = an_order(payments=[EXTERNAL], currency="JPY")
    assert (await put_order(db, SHOP, settings, changed)).outcome == "updated"
    [payment] = await rows(db, "SELECT currency, amount FROM payment")
    assert tuple(payment) == ("JPY", 32290)


async def test_what_was_paid_in_the_sandbox_is_not_taken_for_real_money(
    db: AsyncConnection, settings: Settings
) -> None:
    await put_order(db, SHOP, settings, an_order(payments=[EXTERNAL]))
    live = Settings(stripe_secret_key="sk_live_x", smtp_url="smtp://localhost", mail_from="a@example.com")  # type: ignore[arg-type]  # pydantic coerces
    await put_order(db, SHOP, live, an_order(payments=[EXTERNAL], phone="1"))
    [payment] = await rows(db, "SELECT livemode FROM payment")
    assert payment.livemode
