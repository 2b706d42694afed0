"""Finance's decision about a refund for which too little is left: the rest, or nothing; never by itself."""

import pytest

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.orders.intake import LineInput, PaymentInput, ShippingInput
from returns_portal.payments.models import Tender
from returns_portal.refunds import reading
from returns_portal.refunds.filing import FiledReturn
from returns_portal.refunds.lowering import left_for, lower
from tests.payments.webhooks import dashboard_refund
from tests.portal import FINANCE, Portal, at_once
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.refunds.test_goodwill import given_back
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio


async def stopped(portal: Portal, sandbox: SandboxProcess, amount: int, **order: object) -> tuple[str, FiledReturn]:
    """Everything of an order came back, and then so much was refunded in the dashboard, before ours was sent."""
    made, lines = await portal.order(**order)
    filed = await portal.file(made.number, *((line, 1) for line in lines))
    await portal.work()
    [payment] = await portal.rows("SELECT reference FROM payment WHERE tender = 'stripe'")
    await portal.receive(filed.rma, *((line, 1, LIKE_NEW) for line in lines))
    await reading.read(portal.context, "refund", dashboard_refund(sandbox, payment.reference, amount)["id"])
    return made.number, filed


async def test_what_is_left_goes_back_and_not_a_cent_more(portal: Portal, sandbox: SandboxProcess) -> None:
    lines = [
        LineInput(sku="A", title="Derby", quantity=1, unit_price=10_001, tax=1_667),
        LineInput(sku="B", title="Boot", quantity=1, unit_price=7_000, tax=1_167),
        LineInput(sku="C", title="Lace", quantity=1, unit_price=1, tax=0),
    ]
    number, filed = await stopped(
        portal, sandbox, 5_000, lines=lines, shipping=ShippingInput(price=490, tax=82, standard_price=490)
    )
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.amount) == ("failed", 17_492)
    async with portal.begin() as db:
        assert await left_for(db, [refund.id]) == {refund.id: 12_492}
        with pytest.raises(InvalidError):
            await lower(db, FINANCE, refund.id, 12_493)
        with pytest.raises(InvalidError):
            await lower(db, FINANCE, refund.id, -1)
        with pytest.raises(ForbiddenError):
            await lower(db, Actor(kind="staff", id="dock", grants=frozenset({"warehouse"})), refund.id, 0)
        with pytest.raises(NotFoundError):
            await lower(db, FINANCE, new_id(), 0)
        await lower(db, FINANCE, refund.id, 12_492)
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.amount, refund.shipping) == ("succeeded", 12_492, 490 * 12_492 // 17_492)
    [line] = await portal.rows("SELECT sum(amount) AS amount, sum(tax) AS tax FROM refund_line")
    assert (line.amount, line.tax) == (12_492, refund.tax)
    assert await paid_by_gateway(portal, number) == (17_492, 17_492)


async def test_nothing_more_closes_it_and_the_goods_stay_paid_for(portal: Portal, sandbox: SandboxProcess) -> None:
    _number, filed = await stopped(portal, sandbox, 32_000)
    [refund] = await portal.refunds(filed)
    async with portal.begin() as db:
        await lower(db, FINANCE, refund.id, 0)
    assert await portal.statuses(filed) == ["canceled"]
    rows = await portal.rows("SELECT account, sum(amount) AS sum FROM ledger_entry GROUP BY 1 HAVING sum(amount) <> 0")
    assert {row.account: row.sum for row in rows} == {"sales_returns": 32_000, "gateway_clearing": -32_000}
    assert [row.amount for row in await portal.rows("SELECT amount FROM refund_line WHERE voided_at IS NULL")] == [0]
    async with portal.begin() as db:
        with pytest.raises(ConflictError):
            await lower(db, FINANCE, refund.id, 0)


async def test_each_tender_is_lowered_by_itself(portal: Portal, sandbox: SandboxProcess) -> None:
    payments = [PaymentInput(tender=Tender.STRIPE, amount=20_000), PaymentInput(tender=Tender.POINTS, amount=12_290)]
    _number, filed = await stopped(portal, sandbox, 15_000, payments=payments)
    [card, points] = sorted(await portal.refunds(filed), key=lambda refund: refund.destination)
    assert (card.status, points.status) == ("failed", "planned")
    async with portal.begin() as db:
        await lower(db, FINANCE, card.id, 5_000)
    await portal.work()
    assert sorted((r.destination, r.amount, r.status) for r in await portal.refunds(filed)) == [
        ("original", 5_000, "succeeded"),
        ("points", points.amount, "succeeded"),
    ]


async def test_two_decisions_at_once_are_one(portal: Portal, sandbox: SandboxProcess) -> None:
    _number, filed = await stopped(portal, sandbox, 20_000)
    [refund] = await portal.refunds(filed)

    async def decide(amount: int) -> None:
        async with portal.begin() as db:
            await lower(db, FINANCE, refund.id, amount)

    answers = await at_once(*(decide(amount) for amount in (12_290, 0, 12_290, 0, 100)))
    assert [type(answer) for answer in answers].count(ConflictError) == 4
    await portal.work()
    assert (await portal.statuses(filed))[0] in {"succeeded", "canceled"}


async def test_a_gift_that_failed_is_lowered_or_closed_too(portal: Portal, sandbox: SandboxProcess) -> None:
    await portal.order()
    await portal.work()
    sandbox.control("refund-outcomes", status="failed")
    await given_back(portal, amount=1_000)
    await portal.work()
    [refund] = await portal.rows("SELECT id, status FROM refund")
    assert refund.status == "failed"
    async with portal.begin() as db:
        await lower(db, FINANCE, refund.id, 400)
    sandbox.control("refund-outcomes", status="failed")
    await portal.work()
    async with portal.begin() as db:
        await lower(db, FINANCE, refund.id, 0)
    [refund] = await portal.rows("SELECT status, amount FROM refund")
    assert (refund.status, refund.amount) == ("canceled", 400)
    assert await portal.rows("SELECT account FROM ledger_entry GROUP BY 1 HAVING sum(amount) <> 0") == []


async def test_what_the_dashboard_made_and_failed_is_closed(portal: Portal, sandbox: SandboxProcess) -> None:
    """Whoever made it there sees that it failed, and makes it again there, or not."""
    order, _lines = await portal.order()
    await portal.work()
    [payment] = await portal.rows("SELECT reference FROM payment")
    made = dashboard_refund(sandbox, payment.reference, 1_000)
    await reading.read(portal.context, "refund", made["id"])
    sandbox.control(f"refunds/{made['id']}/settle", status="failed")
    await reading.read(portal.context, "refund", made["id"])
    [refund] = await portal.rows("SELECT id FROM refund")
    async with portal.begin() as db:
        await lower(db, FINANCE, refund.id, 0)
    assert [row.status for row in await portal.rows("SELECT status FROM refund")] == ["canceled"]
    assert await paid_by_gateway(portal, order.number) == (order.total, 0)
