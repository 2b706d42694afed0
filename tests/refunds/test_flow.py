"""From the parcel to the money, with the gateway's own account of it."""

from uuid import UUID

import pytest

from returns_portal.errors import ConflictError, InvalidError
from returns_portal.orders.intake import LineInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import actions, settling
from returns_portal.returns.models import RefundTo
from returns_portal.vault import Vault
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.portal import API, FINANCE, Portal, at_once
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

LIKE_NEW, WORN, DAMAGED, WRONG = Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM


async def paid_by_gateway(portal: Portal, number: str) -> tuple[int, int]:
    """What Stripe holds of an order's payment: captured, refunded."""
    [row] = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n", n=number
    )
    payment = await portal.context.service(StripeGateway).read_payment(row.reference)
    return payment.captured, payment.refunded


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


async def test_more_and_others_than_announced(portal: Portal) -> None:
    lines = [
        LineInput(sku="A", title="Derby", size="42", quantity=2, unit_price=5000),
        LineInput(sku="B", title="Boot", size="43", quantity=1, unit_price=7000),
    ]
    order, [first, second] = await portal.order(lines=lines, shipping=ShippingInput())
    filed = await portal.file(order.number, (first, 1))
    released = await portal.receive(filed.rma, (first, 3, LIKE_NEW), (second, 1, LIKE_NEW), (None, 1, WRONG))
    assert [(item.quantity, item.acceptance) for item in released.items] == [
        (2, "accepted"), (1, "surplus"), (1, "accepted"), (1, "surplus"),
    ]  # fmt: skip
    await portal.work()
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [17_000]


async def test_an_undone_check_in_pays_nothing_and_can_be_counted_anew(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    released = await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=60)
    async with portal.begin() as db:
        await actions.undo(db, API, released.check_in_id)
    await portal.receive(filed.rma, (line, 1, DAMAGED))
    await portal.work()
    assert await portal.statuses(filed) == ["canceled"]
    with pytest.raises(ConflictError, match="already"):
        async with portal.begin() as db:
            await actions.undo(db, API, released.check_in_id)


async def test_undo_is_refused_once_the_refund_is_due_and_correction_before(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    due = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await actions.undo(db, API, due.check_in_id)
    assert refused.value.code == "refund_due"
    other = await portal.file(order.number, (line, 1))
    early = await portal.receive(other.rma, (line, 1, LIKE_NEW), delay=60)
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await actions.correct(db, API, portal.settings, early.check_in_id, [], "")
    assert refused.value.code == "undo_instead"


async def test_a_correction_releases_more_and_never_pulls_back(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    await portal.work()
    async with portal.begin() as db:
        more = await actions.correct(
            db, API, portal.settings, first.check_in_id, [Counted(line, 2, LIKE_NEW)], "one was in the lining"
        )
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [15_900, 16_390]
    async with portal.begin() as db:
        less = await actions.correct(db, API, portal.settings, more.check_in_id, [Counted(line, 1, LIKE_NEW)], "")
    assert less.plan.total == 0
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded", "succeeded"]


async def test_damaged_waits_for_a_decision(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, DAMAGED))
    assert await portal.refunds(filed) == []
    [item] = await portal.rows("SELECT id FROM parcel_item")
    with pytest.raises(InvalidError):
        async with portal.begin() as db:
            await actions.decide(db, FINANCE, portal.settings, item.id, "part", amount=100)
    with pytest.raises(InvalidError):
        async with portal.begin() as db:
            await actions.decide(db, FINANCE, portal.settings, item.id, "part", amount=15_901, reason="x", quantity=1)
    async with portal.begin() as db:
        await actions.decide(
            db, FINANCE, portal.settings, item.id, "part", amount=9_000, reason="The sole is cut.", quantity=1
        )
    [rest] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'")
    async with portal.begin() as db:
        await actions.decide(db, FINANCE, portal.settings, rest.id, "accept")
    with pytest.raises(ConflictError, match="decided already"):
        async with portal.begin() as db:
            await actions.decide(db, FINANCE, portal.settings, rest.id, "send_back")
    await portal.work()
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [9_000, 16_390]


async def test_cash_on_delivery_awaits_a_transfer_and_forgets_the_account(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=32_290)])
    filed = await portal.file(order.number, (line, 2), bank_account="BG80 BNBG 9661 1020 3456 78")
    [stored] = await portal.rows("SELECT bank_account FROM returns")
    assert "BNBG" not in stored.bank_account
    assert portal.settings.secret_key is not None
    vault = Vault(portal.settings.secret_key.get_secret_value())
    assert "BNBG" in vault.open(stored.bank_account)
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.destination, refund.amount) == ("awaiting_transfer", "transfer", 32_290)
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, refund.id, "SEPA-2026-11-22/7")
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await portal.rows("SELECT bank_account FROM returns"))[0].bank_account is None
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await settling.confirm_transfer(db, FINANCE, refund.id, "again")


async def test_an_answer_that_is_lost_is_found_again_and_not_sent_twice(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", times=3)
    await portal.work()
    assert await portal.statuses(filed) == ["unknown"]
    [refund] = await portal.refunds(filed)
    await settling.submit(portal.context, refund.id)
    assert await portal.statuses(filed) == ["succeeded"]
    assert await paid_by_gateway(portal, order.number) == (order.total, 15_900)


async def test_a_refund_that_fails_later_is_reversed_and_can_be_tried_again(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    sandbox.control("refund-outcomes", status="succeeded", then="failed", after=0.1)
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert refund.status == "succeeded"
    assert refund.gateway_id is not None
    sandbox.settled(refund.gateway_id, "failed")
    gateway = portal.context.service(StripeGateway)
    await settling.record(portal.context, refund.id, await gateway.read_refund(refund.gateway_id))
    assert await portal.statuses(filed) == ["failed"]
    async with portal.begin() as db:
        await settling.retry(db, FINANCE, refund.id)
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    assert await portal.mails() == ["return_filed", "checked_in", "refunded", "refund_failed", "refunded"]


async def test_fifty_at_once_lead_to_one(portal: Portal) -> None:
    order, [line] = await portal.order(lines=[LineInput(sku="A", title="Derby", quantity=1, unit_price=10_000)])

    filed = await at_once(*(portal.file(order.number, (line, 1)) for _ in range(50)))
    [won] = [answer for answer in filed if not isinstance(answer, BaseException)]
    assert {type(answer) for answer in filed if answer is not won} == {ConflictError}
    received = await at_once(*(portal.receive(won.rma, (line, 1, LIKE_NEW)) for _ in range(50)))
    assert [isinstance(answer, ConflictError) for answer in received].count(False) == 1
    await portal.work()
    [refund] = await portal.refunds(won)
    await at_once(*(settling.submit(portal.context, refund.id) for _ in range(20)))
    assert await portal.statuses(won) == ["succeeded"]
    assert (await paid_by_gateway(portal, order.number))[1] == 10_490


async def test_two_returns_of_the_last_unit_cannot_both_be_paid(portal: Portal) -> None:
    order, [line] = await portal.order()
    first = await portal.file(order.number, (line, 1))
    second = await portal.file(order.number, (line, 1))
    await at_once(portal.receive(first.rma, (line, 2, LIKE_NEW)), portal.receive(second.rma, (line, 2, LIKE_NEW)))
    await portal.work()
    await portal.work()
    paid = [r.amount for filed in (first, second) for r in await portal.refunds(filed)]
    assert sum(paid) == order.total
    assert (await paid_by_gateway(portal, order.number))[1] == order.total


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


async def test_an_unknown_line_is_refused(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    with pytest.raises(InvalidError):
        await portal.receive(filed.rma, (UUID(int=5), 1, LIKE_NEW))


async def test_a_decision_after_a_correction_pays_no_unit_twice(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    async with portal.begin() as db:
        counts = [Counted(line, 1, LIKE_NEW), Counted(line, 1, DAMAGED)]
        corrected = await actions.correct(db, API, portal.settings, first.check_in_id, counts, "")
    [item] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'")
    async with portal.begin() as db:
        assert (await actions.decide(db, FINANCE, portal.settings, item.id, "accept")).plan.total == 0
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await actions.undo(db, API, corrected.check_in_id)
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [order.total]


async def test_a_payment_of_another_account_is_paid_back_by_transfer(portal: Portal) -> None:
    payment = PaymentInput(
        tender=Tender.STRIPE, amount=32_290, reference="pi_elsewhere", imported_reference="pi_elsewhere"
    )
    order, [line] = await portal.order(payments=[payment])
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    await portal.work()
    assert [(r.status, r.destination) for r in await portal.refunds(filed)] == [("awaiting_transfer", "transfer")]


async def test_a_payment_that_could_not_be_looked_up_is_still_owed(portal: Portal) -> None:
    payment = PaymentInput(tender=Tender.STRIPE, amount=32_290, reference="pi_nothing")
    order, [line] = await portal.order(payments=[payment])
    await portal.work()
    assert [row.status for row in await portal.rows("SELECT status FROM payment")] == ["failed"]
    filed = await portal.file(order.number, (line, 2))
    assert filed.preview.total == order.total
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    assert [(r.status, r.amount) for r in await portal.refunds(filed)] == [("planned", order.total)]


async def test_an_unpaid_order_is_not_settled_at_nothing(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[], financial_status=FinancialStatus.PENDING)
    with pytest.raises(ConflictError) as refused:
        await portal.file(order.number, (line, 1))
    assert refused.value.code == "not_paid"


async def test_an_order_that_the_shop_refunded_meanwhile_waits_for_a_person(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.order(cancelled_at=order.placed_at, financial_status=FinancialStatus.REFUNDED)
    released = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    assert [(item.acceptance, released.plan.total) for item in released.items] == [("waiting", 0)]


async def test_goods_that_a_correction_counted_away_are_received_later_and_not_paid_again(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    async with portal.begin() as db:
        await actions.correct(db, API, portal.settings, first.check_in_id, [Counted(line, 1, LIKE_NEW)], "")
    later = await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=2)
    assert [(item.acceptance, later.plan.total) for item in later.items] == [("accepted", 0)]
