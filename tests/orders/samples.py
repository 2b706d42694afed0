"""Orders for the tests: ordinary ones by hand, and any that are possible by Hypothesis."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.ids import new_id
from returns_portal.money import allocate
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.payments.models import Tender

PLACED = datetime(2026, 10, 5, 0, 41, tzinfo=UTC)
ADDRESS = AddressInput(name="Мария Георгиева", line1="бул. Витоша 89", city="София", postal_code="1463", country="BG")


def a_line(**changes: Any) -> LineInput:  # noqa: ANN401 - the fields of a line
    return replace(
        LineInput(sku="KE-42", title="Derby", size="42", color="Navy", quantity=2, unit_price=15900, tax=5300),
        **changes,
    )


def an_order(**changes: Any) -> OrderInput:  # noqa: ANN401 - the fields of an order
    """An order of 2 × 159.00 + 4.90, paid by card; payments follow the total unless they are given."""
    order = OrderInput(
        number="1001",
        email="Kunde@Example.com",
        name="Мария Георгиева",
        phone="+359 2 000 000",
        currency="EUR",
        placed_at=PLACED,
        delivered_at=datetime(2026, 10, 8, tzinfo=UTC),
        shipping_address=ADDRESS,
        lines=[a_line()],
        shipping=ShippingInput(price=490),
        tax_included=True,
        payments=[],
    )
    order = replace(order, **changes)
    if "payments" in changes:
        return order
    return replace(order, payments=[PaymentInput(tender=Tender.STRIPE, amount=order.total)])


def body(order: OrderInput) -> dict[str, Any]:
    """The order as JSON has it."""
    return dict(msgspec.to_builtins(order))


async def file_return(
    db: AsyncConnection, order_id: object, line_id: object, quantity: int, status: str = "filed"
) -> None:
    """A return as the capability above writes it; orders only see that its rows are there."""
    return_id = new_id()
    await db.execute(
        text(
            "INSERT INTO returns (id, rma, order_id, status, refund_to, bonus_percent, refund_deadline, filed_by,"
            " created_at) VALUES (:id, :rma, :order_id, :status, 'original', 10, now(), 'system', now())"
        ),
        {"id": return_id, "rma": f"R-{return_id}", "order_id": order_id, "status": status},
    )
    await db.execute(
        text(
            "INSERT INTO return_line (id, return_id, order_line_id, quantity, reason)"
            " VALUES (:id, :return_id, :line_id, :quantity, '')"
        ),
        {"id": new_id(), "return_id": return_id, "line_id": line_id, "quantity": quantity},
    )


CURRENCIES = st.sampled_from(["EUR", "JPY", "BHD", "UAH", "VND", "USD"])
_PRICES = st.one_of(st.integers(0, 5), st.integers(0, 50_000), st.integers(0, 10**9))


@st.composite
def lines(draw: st.DrawFn, tax_included: bool) -> LineInput:
    quantity, unit_price = draw(st.integers(1, 50)), draw(_PRICES)
    gross = quantity * unit_price
    discount = draw(st.one_of(st.just(0), st.just(gross), st.integers(0, gross)))
    net = gross - discount
    most = net if tax_included else net // 2 + 3
    tax = draw(st.one_of(st.just(0), st.just(min(net // 6, most)), st.integers(0, most)))
    return LineInput(sku="S", title="T", quantity=quantity, unit_price=unit_price, discount=discount, tax=tax)


@st.composite
def shippings(draw: st.DrawFn, tax_included: bool) -> ShippingInput:
    price = draw(st.integers(0, 5000))
    discount = draw(st.one_of(st.just(0), st.just(price), st.integers(0, price)))
    net = price - discount
    return ShippingInput(
        price=price,
        discount=discount,
        tax=draw(st.integers(0, net if tax_included else net // 2)),
        standard_price=draw(st.one_of(st.none(), st.integers(0, 5000))),
    )


@st.composite
def orders(draw: st.DrawFn) -> OrderInput:
    """Any possible order: tax in or on top, discounts up to everything, free articles, one to several tenders."""
    tax_included = draw(st.booleans())
    order = an_order(
        currency=draw(CURRENCIES),
        tax_included=tax_included,
        lines=draw(st.lists(lines(tax_included), min_size=1, max_size=6)),
        shipping=draw(shippings(tax_included)),
        extras=draw(st.one_of(st.just(0), st.integers(0, 9999))),
        payments=[],
    )
    goods = order.goods
    order = replace(order, order_discount=draw(st.one_of(st.just(0), st.just(goods), st.integers(0, goods))))
    shares = allocate(order.total, draw(st.lists(st.integers(0, 9), min_size=1, max_size=3)))
    return replace(order, payments=[PaymentInput(tender=Tender.EXTERNAL, amount=share) for share in shares])
