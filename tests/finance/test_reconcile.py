"""Our card refunds beside the gateway's."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin
from returns_portal.finance.reconcile import check_gateway
from returns_portal.payments.gateway import GatewayRefund
from tests.finance.seed import CURRENCIES, START, expected, identity, stories

pytestmark = pytest.mark.anyio


class Account:
    """What the gateway knows."""

    def __init__(self, *refunds: GatewayRefund) -> None:
        self.refunds = refunds

    async def list_refunds(self, since: datetime) -> AsyncIterator[GatewayRefund]:
        for refund in self.refunds:
            assert refund.created >= since
            yield refund


def made(n: int, *, attempt: int = 1) -> GatewayRefund:
    """The gateway's side of story n."""
    return GatewayRefund(
        id=f"re_{n}",
        status="succeeded",
        amount=expected(n).gross,
        currency=CURRENCIES[n % 3],
        payment=f"pi_{n}",
        charge=None,
        failure_reason=None,
        pending_reason=None,
        reference=None,
        our_id=f"{identity('refund', n)}:{attempt}",
        created=START,
        livemode=False,
        balance_transaction=None,
    )


async def broken(begin: Begin, *refunds: GatewayRefund) -> set[str]:
    return {breach.invariant for breach in await check_gateway(begin, Account(*refunds))}


async def test_what_agrees_is_silent(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 3)
    elsewhere = msgspec.structs.replace(made(9), id="re_shop", our_id=None)
    assert await broken(inside, made(1), made(2), made(3), elsewhere) == set()


async def test_each_difference_has_its_name(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 3)
    one, two, three = made(1), made(2), made(3)
    change = msgspec.structs.replace
    assert await broken(inside, one, two) == {"gateway-has-it"}
    assert await broken(inside, one, two, three, change(three, id="re_again")) == {"gateway-once", "gateway-amount"}
    assert await broken(inside, one, two, change(three, amount=1)) == {"gateway-amount"}
    assert await broken(inside, one, two, change(three, currency="USD")) == {"gateway-amount"}
    assert await broken(inside, one, two, change(three, status="failed")) == {"gateway-status"}
    assert await broken(inside, one, two, three, made(4)) == {"gateway-known"}
    assert await broken(inside, one, two, three, change(three, id="re_2nd", our_id=f"{identity('refund', 3)}:2")) == {
        "gateway-known",
        "gateway-status",
    }


async def test_a_failed_refund_that_was_paid_after_all_is_found(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    await db.execute(text("UPDATE refund SET status = 'failed'"))
    assert await broken(inside, made(1)) == {"gateway-status"}
    assert await broken(inside, msgspec.structs.replace(made(1), status="failed")) == set()
    assert await broken(inside) == set()


async def test_what_failed_may_have_gone_another_way_or_for_less(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    failed = msgspec.structs.replace(made(1), status="failed")
    await db.execute(text("UPDATE refund SET destination = 'transfer', attempt = 2, gateway_id = NULL"))
    assert await broken(inside, failed) == set()
    assert await broken(inside, made(1)) == {"gateway-status"}
    assert await broken(inside, failed, made(1, attempt=2)) == {"gateway-known"}
    await db.execute(text("UPDATE refund SET destination = 'original', amount = 1, tax = 0, shipping = 0"))
    again = msgspec.structs.replace(made(1, attempt=2), id="re_again", amount=1)
    assert await broken(inside, failed, again) == set()
    assert await broken(inside, failed, msgspec.structs.replace(again, amount=2)) == {"gateway-amount"}


async def test_an_open_outcome_is_no_breach(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    for status in ("submitting", "unknown"):
        await db.execute(text("UPDATE refund SET status = :status, gateway_id = NULL"), {"status": status})
        assert await broken(inside) == set()
        assert await broken(inside, made(1)) == set()


async def test_without_any_payment_nothing_is_asked(inside: Begin) -> None:
    assert await broken(inside, made(1)) == set()
