"""From the parcel to the money, with the gateway's own account of it."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.refunds import actions
from returns_portal.returns.models import RefundTo
from tests.portal import FINANCE, Portal
from tests.refunds.samples import LIKE_NEW, WORN, paid_by_gateway

pytestmark = pytest.mark.anyio


async def test_what_was_counted_is_refunded_once_and_the_customer_is_told(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.amount, refund.destination, refund.card_last4) == (
        "succeeded",
        15900,
        "original",
        "4242",
    )
    assert await paid_by_gateway(portal, order.number) == (order.total, 15900)
    assert await portal.mails() == ["return_filed", "checked_in", "refunded"]


async def test_everything_back_brings_the_shipping_too(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.receive(filed.rma, (line, 1, WORN), number=2)
    await portal.work()
    await portal.work()
    assert [(r.amount, r.shipping) for r in await portal.refunds(filed)] == [(15900, 0), (16390, 490)]
    assert await paid_by_gateway(portal, order.number) == (order.total, order.total)


async def test_duties_and_tips_stay_with_the_shop_when_everything_comes_back(portal: Portal) -> None:
    order, [line] = await portal.order(extras=700)
    assert order.total == 32_990
    await portal.work()
    filed = await portal.file(order.number, (line, 2))
    assert filed.preview.total == 32_290
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=2)
    await portal.work()
    assert [refund.amount for refund in await portal.refunds(filed)] == [15_900, 16_390]
    assert await paid_by_gateway(portal, order.number) == (32_990, 32_290)


async def test_points_come_with_their_bonus_and_only_on_card_money(portal: Portal) -> None:
    payments = [PaymentInput(tender=Tender.STRIPE, amount=20_000), PaymentInput(tender=Tender.POINTS, amount=12_290)]
    order, [line] = await portal.order(payments=payments)
    filed = await portal.file(order.number, (line, 2), to=RefundTo.POINTS)
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    await portal.work()
    assert sorted((r.amount, r.bonus, r.status) for r in await portal.refunds(filed)) == [
        (12_290, 0, "succeeded"),
        (20_000, 2_000, "succeeded"),
    ]
    assert await portal.points("KUNDE@example.com") == {"EUR": 34_290}


async def test_points_stay_points_when_the_money_goes_back(portal: Portal) -> None:
    payments = [PaymentInput(tender=Tender.STRIPE, amount=20_000), PaymentInput(tender=Tender.POINTS, amount=12_290)]
    order, [line] = await portal.order(payments=payments)
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    await portal.work()
    assert sorted((r.destination, r.amount, r.bonus) for r in await portal.refunds(filed)) == [
        ("original", 20_000, 0),
        ("points", 12_290, 0),
    ]
    assert await portal.points(order.email) == {"EUR": 12_290}


async def test_what_was_never_shipped_is_refunded_without_a_parcel(portal: Portal) -> None:
    order, [line] = await portal.order(delivered_at=None, fulfilled=False)
    filed = await portal.file(order.number, (line, 2))
    async with portal.begin() as db:
        await actions.release_unshipped(db, FINANCE, portal.settings, filed.rma)
    await portal.work()
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [order.total]
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await actions.release_unshipped(db, FINANCE, portal.settings, filed.rma)
