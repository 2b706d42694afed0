"""A refund that did not go through: one of three ways is taken, once, and the money never goes out twice."""

from uuid import UUID

import pytest

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.finance.tasks import tasks
from returns_portal.orders.intake import LineInput, PaymentInput, ShippingInput
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import failed, settling
from returns_portal.refunds.deciding import decide
from returns_portal.refunds.filing import FiledReturn, sealed
from returns_portal.refunds.models import RefundStatus
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.queries import waiting_items
from tests.portal import FINANCE, Portal, at_once
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

SUPPORT = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
IBAN = "BG80 BNBG 9661 1020 3456 78"


async def customer(portal: Portal, number: str = "1001") -> Actor:
    [order] = await portal.rows("SELECT id FROM orders WHERE number = :n", n=number)
    return Actor(kind="customer", id=str(order.id), order_id=order.id)


async def refund_of(portal: Portal, filed: FiledReturn) -> UUID:
    [refund] = await portal.refunds(filed)
    return refund.id


async def came_back(portal: Portal, sandbox: SandboxProcess) -> FiledReturn:
    """A return whose refund succeeded, until the bank sent it back: the card was closed."""
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    sandbox.control("refund-outcomes", status="succeeded", then="failed", after=0.1)
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert refund.gateway_id is not None
    sandbox.settled(refund.gateway_id, "failed")
    answer = await portal.context.service(StripeGateway).read_refund(refund.gateway_id)
    await settling.record(portal.context, refund.id, answer)
    assert await portal.statuses(filed) == ["failed"]
    return filed


async def gone_back(portal: Portal, number: str = "1001") -> int:
    """What went back by the gateway's own account, in minor units."""
    [row] = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n"
        " AND p.tender = 'stripe'",
        n=number,
    )
    return (await portal.context.service(StripeGateway).read_payment(row.reference)).refunded


async def account(portal: Portal, name: str) -> int:
    [row] = await portal.rows(
        "SELECT coalesce(sum(amount), 0)::bigint AS sum FROM ledger_entry WHERE account = :name", name=name
    )
    return int(row.sum)


async def test_the_books_are_reversed_and_the_customer_is_told_what_they_can_do(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    filed = await came_back(portal, sandbox)
    assert await account(portal, "gateway_clearing") == 0
    assert await account(portal, "refunds_payable") == -15_900
    [mail] = await portal.rows("SELECT values FROM email WHERE template = 'refund_failed'")
    assert mail.values == {
        "rma": filed.rma,
        "order_number": "1001",
        "amount": 15_900,
        "currency": "EUR",
        "url": f"/returns/{filed.rma}",
        "failure": "expired_or_canceled_card",
        "card_last4": "4242",
        "bonus_percent": 10,
    }


async def test_points_with_consent_and_the_bonus_that_was_promised(portal: Portal, sandbox: SandboxProcess) -> None:
    filed = await came_back(portal, sandbox)
    refund_id, actor = await refund_of(portal, filed), await customer(portal)
    async with portal.begin() as db:
        ways = (await failed.ways_of(db, actor, [refund_id]))[refund_id]
        assert (ways.again, ways.points, ways.bonus, ways.transfer) == (True, 17_490, 1_590, True)
        with pytest.raises(InvalidError) as refused:
            await failed.take_points(db, actor, refund_id, agreed=False)
    assert refused.value.code == "no_consent"
    async with portal.begin() as db:
        await failed.take_points(db, actor, refund_id, agreed=True)
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.destination, refund.amount, refund.bonus) == ("succeeded", "points", 15_900, 1_590)
    assert refund.gateway_id is None
    [row] = await portal.rows("SELECT points_consent_at, attempt FROM refund")
    assert row.points_consent_at is not None
    assert row.attempt == 2
    assert await portal.points("kunde@example.com") == {"EUR": 17_490}
    assert await gone_back(portal) == 0
    actions = await portal.rows("SELECT action FROM history WHERE subject = 'refund' ORDER BY at, id")
    assert [row.action for row in actions] == ["submitting", "succeeded", "failed", "planned", "rerouted", "succeeded"]


async def test_a_transfer_with_the_customers_account_recorded_by_finance(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    filed = await came_back(portal, sandbox)
    refund_id, actor = await refund_of(portal, filed), await customer(portal)
    async with portal.begin() as db:
        await failed.take_transfer(db, actor, refund_id, sealed(portal.settings, IBAN))
    await portal.work()
    assert await portal.statuses(filed) == ["awaiting_transfer"]
    assert "transfer_needed" not in await portal.mails()
    [kept] = await portal.rows("SELECT bank_account FROM returns")
    assert kept.bank_account is not None
    assert "BNBG" not in kept.bank_account
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, refund_id, "SEPA 7")
    assert await portal.statuses(filed) == ["succeeded"]
    assert await account(portal, "bank_clearing") == -15_900
    assert await account(portal, "gateway_clearing") == 0
    [kept] = await portal.rows("SELECT bank_account FROM returns")
    assert kept.bank_account is None


async def test_finance_turns_to_a_transfer_and_the_customer_is_asked_for_the_account(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    filed = await came_back(portal, sandbox)
    refund_id = await refund_of(portal, filed)
    async with portal.begin() as db:
        await failed.take_transfer(db, FINANCE, refund_id)
    await portal.work()
    assert await portal.statuses(filed) == ["awaiting_transfer"]
    assert (await portal.mails())[-1] == "transfer_needed"
    async with portal.begin() as db:
        await failed.give_account(db, await customer(portal), refund_id, sealed(portal.settings, IBAN))
    [refund] = await portal.refunds(filed)
    assert refund.has_account


async def test_a_payment_that_could_not_be_looked_up_is_paid_by_transfer(portal: Portal) -> None:
    order, [line] = await portal.order(
        payments=[PaymentInput(tender=Tender.STRIPE, amount=32_290, reference="pi_nothing")]
    )
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    await portal.receive(filed.rma, (line, 2, Condition.RESELLABLE))
    await portal.work()
    assert await portal.statuses(filed) == ["planned"]
    refund_id = await refund_of(portal, filed)
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await failed.take_transfer(db, await customer(portal), refund_id)
    async with portal.begin() as db:
        await failed.take_transfer(db, FINANCE, refund_id)
    await portal.work()
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, refund_id, "SEPA 8")
    assert await portal.statuses(filed) == ["succeeded"]


async def test_the_failed_leg_of_a_split_refund_is_tried_again_alone(portal: Portal, sandbox: SandboxProcess) -> None:
    payments = [PaymentInput(tender=Tender.STRIPE, amount=20_000), PaymentInput(tender=Tender.POINTS, amount=12_290)]
    order, [line] = await portal.order(payments=payments)
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    sandbox.control("refund-outcomes", status="failed")
    await portal.receive(filed.rma, (line, 2, Condition.RESELLABLE))
    await portal.work()
    assert sorted((r.destination, r.status) for r in await portal.refunds(filed)) == [
        ("original", "failed"),
        ("points", "succeeded"),
    ]
    [card] = [refund for refund in await portal.refunds(filed) if refund.status == "failed"]
    async with portal.begin() as db:
        await failed.try_again(db, FINANCE, card.id)
    await portal.work()
    assert sorted((r.destination, r.amount, r.status) for r in await portal.refunds(filed)) == [
        ("original", 20_000, "succeeded"),
        ("points", 12_290, "succeeded"),
    ]
    assert await gone_back(portal) == 20_000
    assert await portal.points(order.email) == {"EUR": 12_290}


async def test_customer_and_finance_choose_at_the_same_moment_and_one_way_is_taken(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    filed = await came_back(portal, sandbox)
    refund_id, actor = await refund_of(portal, filed), await customer(portal)

    async def points() -> None:
        async with portal.begin() as db:
            await failed.take_points(db, actor, refund_id, agreed=True)

    async def transfer() -> None:
        async with portal.begin() as db:
            await failed.take_transfer(db, FINANCE, refund_id)

    async def again() -> None:
        async with portal.begin() as db:
            await failed.try_again(db, FINANCE, refund_id)

    answers = await at_once(*(way() for way in (points, transfer, again) * 8))
    assert answers.count(None) == 1
    assert {error.code for error in answers if isinstance(error, ConflictError)} == {"not_failed"}
    assert sum(isinstance(answer, BaseException) for answer in answers) == 23
    await portal.work()
    await at_once(*(settling.submit(portal.context, refund_id) for _ in range(10)))
    [refund] = await portal.refunds(filed)
    paid = await gone_back(portal) + (await portal.points("kunde@example.com")).get("EUR", 0)
    expected = {"points": 17_490, "transfer": 0, "original": 15_900}
    assert paid == expected[refund.destination]


async def test_while_nobody_knows_nothing_else_is_sent(portal: Portal, sandbox: SandboxProcess) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", times=3)
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await portal.work()
    assert await portal.statuses(filed) == ["unknown"]
    refund_id, actor = await refund_of(portal, filed), await customer(portal)

    async def points() -> None:
        async with portal.begin() as db:
            await failed.take_points(db, actor, refund_id, agreed=True)

    async def transfer() -> None:
        async with portal.begin() as db:
            await failed.take_transfer(db, FINANCE, refund_id)

    async def again() -> None:
        async with portal.begin() as db:
            await failed.try_again(db, actor, refund_id)

    for way in (points, transfer, again):
        with pytest.raises(ConflictError) as refused:
            await way()
        assert refused.value.code == "unknown"
    await settling.submit(portal.context, refund_id)
    assert await portal.statuses(filed) == ["succeeded"]
    assert await gone_back(portal) == 15_900


async def test_what_the_gateway_says_of_an_earlier_attempt_does_not_touch_the_next(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    filed = await came_back(portal, sandbox)
    [before] = await portal.rows("SELECT id FROM refund")
    gateway = portal.context.service(StripeGateway)
    [row] = await portal.rows("SELECT reference FROM payment")
    [late] = await gateway.find_refunds(row.reference)
    async with portal.begin() as db:
        await failed.take_points(db, await customer(portal), before.id, agreed=True)
    await portal.work()
    await settling.record(portal.context, before.id, late)
    assert await portal.statuses(filed) == ["succeeded"]
    assert await portal.points("kunde@example.com") == {"EUR": 17_490}


async def test_a_customer_cannot_try_a_closed_card_for_ever(portal: Portal, sandbox: SandboxProcess) -> None:
    filed = await came_back(portal, sandbox)
    refund_id, actor = await refund_of(portal, filed), await customer(portal)
    for _ in range(failed.CUSTOMER_ATTEMPTS - 1):
        sandbox.control("refund-outcomes", status="failed")
        async with portal.begin() as db:
            await failed.try_again(db, actor, refund_id)
        await portal.work()
        assert await portal.statuses(filed) == ["failed"]
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await failed.try_again(db, actor, refund_id)
    assert refused.value.code == "no_way"
    async with portal.begin() as db:
        await failed.try_again(db, FINANCE, refund_id)
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]


async def test_others_have_no_way(portal: Portal, sandbox: SandboxProcess) -> None:
    filed = await came_back(portal, sandbox)
    refund_id = await refund_of(portal, filed)
    await portal.order(number="1002", email="other@example.com")
    stranger = await customer(portal, "1002")
    async with portal.begin() as db:
        assert await failed.ways_of(db, stranger, [refund_id]) == {}
        with pytest.raises(NotFoundError):
            await failed.take_points(db, stranger, refund_id, agreed=True)
        with pytest.raises(ForbiddenError):
            await failed.take_transfer(db, SUPPORT, refund_id)
        with pytest.raises(ConflictError):
            await failed.take_points(db, FINANCE, refund_id, agreed=True)
        with pytest.raises(NotFoundError):
            await failed.try_again(db, FINANCE, UUID(int=5))


async def test_a_balance_that_is_too_low_is_told_to_finance_and_goes_on_by_itself(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    sandbox.control("refund-outcomes", status="pending", pending_reason="insufficient_funds")
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert refund.gateway_id is not None
    sandbox.http.post(f"/_sandbox/refunds/{refund.gateway_id}/settle", json={"status": "succeeded"})
    await settling.poll(portal.context)
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.pending_reason) == (RefundStatus.SUCCEEDED, None)


async def test_a_refund_of_which_nothing_is_told_does_not_keep_the_others_waiting(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    sandbox.control("refund-outcomes", status="pending", pending_reason="processing")
    for number in (1, 2):
        await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE), number=number)
    await portal.work()
    refunds = await portal.refunds(filed)
    known = [refund.gateway_id for refund in refunds]
    for gateway_id in known:
        sandbox.http.post(f"/_sandbox/refunds/{gateway_id}/settle", json={"status": "succeeded"})
    await portal.rows("UPDATE refund SET gateway_id = 're_nothere' WHERE id = :id RETURNING id", id=refunds[0].id)
    await settling.poll(portal.context)
    states = {refund.id: (refund.status, refund.pending_reason) for refund in await portal.refunds(filed)}
    assert states == {refunds[0].id: ("pending", "not_told"), refunds[1].id: ("succeeded", None)}
    async with portal.begin() as db:
        assert [refund.pending_reason for refund in (await tasks(db, FINANCE)).refunds] == ["not_told"]
    # Once it is told again, all is as if nothing had been.
    await portal.rows(
        "UPDATE refund SET gateway_id = :known WHERE id = :id RETURNING id", known=known[0], id=refunds[0].id
    )
    await settling.poll(portal.context)
    assert await portal.statuses(filed) == ["succeeded", "succeeded"]


async def test_what_stripe_cannot_be_told_is_paid_in_another_way(portal: Portal) -> None:
    """Thousandths of a dinar: units are cut so that each can be refunded, but a person may decide on any part."""
    line = LineInput(sku="S", title="T", quantity=3, unit_price=3_340, discount=20)
    order, [line_id] = await portal.order(currency="BHD", lines=[line], shipping=ShippingInput())
    await portal.work()
    filed = await portal.file(order.number, (line_id, 3))
    for number in (1, 2):
        await portal.receive(filed.rma, (line_id, 1, Condition.RESELLABLE), number=number)
    await portal.receive(filed.rma, (line_id, 1, Condition.DAMAGED), number=3)
    async with portal.begin() as db:
        [item] = await waiting_items(db, FINANCE)
        await decide(db, FINANCE, portal.settings, item.id, "part", amount=1_234, reason="A scratch.")
    await portal.work()
    refunds = [(r.status, r.amount, r.failure_reason) for r in await portal.refunds(filed)]
    assert refunds == [
        ("succeeded", 3_330, ""),
        ("succeeded", 3_330, ""),
        ("failed", 1_234, "amount_not_representable"),
    ]
    for actor in (await customer(portal), FINANCE):
        async with portal.begin() as db:
            [ways] = (await failed.ways_of(db, actor, [r.id for r in await portal.refunds(filed)])).values()
        assert (ways.again, ways.transfer) == (False, True)
