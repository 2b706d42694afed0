"""Many at once lead to one."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.errors import ConflictError
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput, PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.settings import Settings
from tests.orders.samples import an_order

pytestmark = pytest.mark.anyio


async def put_at_once(begin: Begin, settings: Settings, orders: list[OrderInput]) -> Counter[str]:
    async def put(order: OrderInput) -> str:
        try:
            async with begin() as db:
                return (await put_order(db, SYSTEM, settings, order)).outcome
        except ConflictError as error:
            return error.code

    return Counter(await asyncio.gather(*map(put, orders)))


async def test_fifty_identical_orders_at_once_are_one(begin: Begin, settings: Settings) -> None:
    assert await put_at_once(begin, settings, [an_order()] * 50) == {"created": 1, "unchanged": 49}
    async with begin() as db:
        counts = await db.execute(
            text(
                "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_line),"
                " (SELECT count(*) FROM payment), (SELECT count(*) FROM procrastinate_jobs)"
            )
        )
        assert tuple(counts.one()) == (1, 1, 1, 1)


async def test_twenty_orders_with_one_reference_are_one(begin: Begin, settings: Settings) -> None:
    paid = [PaymentInput(tender=Tender.STRIPE, amount=32290, reference="pi_1")]
    orders = [an_order(number=str(i), payments=paid) for i in range(20)]
    assert await put_at_once(begin, settings, orders) == {"created": 1, "payment_reference_taken": 19}


async def test_twenty_different_versions_of_one_order_leave_one_whole(begin: Begin, settings: Settings) -> None:
    paid = PaymentInput(tender=Tender.EXTERNAL, amount=32290)
    orders = [an_order(phone=str(i), payments=[paid]) for i in range(20)]
    assert await put_at_once(begin, settings, orders) == {"created": 1, "updated": 19}
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM order_line")) == 1
        assert await db.scalar(text("SELECT count(*) FROM payment")) == 1
