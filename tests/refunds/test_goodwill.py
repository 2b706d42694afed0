"""Gestures: money back without goods, within what is left, and never more than was paid in all."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.orders.intake import PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import settling
from returns_portal.refunds.failed import give_account
from returns_portal.refunds.filing import sealed
from returns_portal.refunds.gestures import plan_goodwill
from returns_portal.refunds.goodwill import Gesture, Given, give, limit_of
from returns_portal.refunds.models import Destination
from returns_portal.refunds.queries import refunds_of_order
from returns_portal.refunds.rules import OrderBalance, TenderBalance
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.orders.samples import a_line
from tests.portal import API, FINANCE, Portal, at_once

SUPPORT = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
SHOP = msgspec.structs.replace(DEFAULT, goodwill_limit=10**9)
"""A shop in which one person may give whatever is left."""


async def given_back(portal: Portal, **wish: Any) -> Given:  # noqa: ANN401 - the fields of a gesture
    async with portal.begin() as db:
        wanted = Gesture(**{"order_number": "1001", "reason": "The parcel came late.", **wish})
        return await give(db, SUPPORT, portal.settings, SHOP, wanted)


async def paid_by_gateway(portal: Portal) -> int:
    rows = await portal.rows("SELECT reference FROM payment WHERE tender = 'stripe'")
    gateway = portal.context.service(StripeGateway)
    return sum([(await gateway.read_payment(row.reference)).refunded for row in rows])


@pytest.mark.anyio
async def test_a_gesture_goes_back_to_the_card_and_says_why(portal: Portal) -> None:
    await portal.order()
    await portal.work()
    given = await given_back(portal, amount=1_000)
    await portal.work()
    [refund] = await portal.rows("SELECT id, status, kind, amount, tax, reason, return_id FROM refund")
    assert given.refund_ids == [refund.id]
    assert (refund.status, refund.kind, refund.amount, refund.tax, refund.return_id) == (
        "succeeded",
        "goodwill",
        1_000,
        0,
        None,
    )
    assert await paid_by_gateway(portal) == 1_000
    mails = await portal.rows("SELECT template, values FROM email ORDER BY created_at, id")
    assert [mail.template for mail in mails] == ["goodwill", "refunded"]
    assert mails[0].values["reason"] == "The parcel came late."
    assert (mails[1].values["rma"], mails[1].values["url"]) == ("", f"/refunds/{refund.id}")
    booked = await portal.rows(
        "SELECT account, sum(amount)::int AS sum FROM ledger_entry GROUP BY account ORDER BY account"
    )
    assert [(row.account, row.sum) for row in booked] == [
        ("gateway_clearing", -1_000),
        ("goodwill_expense", 1_000),
        ("refunds_payable", 0),
    ]


CASH = PaymentInput(tender=Tender.EXTERNAL, amount=32_290)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "JPY"},
        {"payments": [PaymentInput(tender=Tender.POINTS, amount=32_290)]},
        {"lines": [a_line(unit_price=15_800)], "payments": [PaymentInput(tender=Tender.EXTERNAL, amount=32_090)]},
        {"lines": [a_line(unit_price=16_145)], "shipping": ShippingInput()},
    ],
)
async def test_what_was_paid_cannot_change_any_more_under_a_gesture(portal: Portal, changes: dict[str, Any]) -> None:
    await portal.order(payments=[CASH])
    await given_back(portal, shipping=True)
    with pytest.raises(ConflictError) as caught:
        await portal.order(**{"payments": [CASH], **changes})
    assert caught.value.code == "order_frozen"
    await portal.order(payments=[CASH], delivered_at=clock.now(), phone="+359 2 1")


@pytest.mark.anyio
async def test_a_gesture_that_waits_for_a_second_person_holds_its_order_as_it_is(portal: Portal) -> None:
    await portal.order(payments=[CASH])
    careful = msgspec.structs.replace(SHOP, goodwill_limit=0, second_person=True)
    async with portal.begin() as db:
        wish = Gesture(order_number="1001", reason="The parcel came late.", amount=1_000)
        assert (await give(db, SUPPORT, portal.settings, careful, wish)).decision == "waiting"
    with pytest.raises(ConflictError, match="cannot change any more"):
        await portal.order(payments=[CASH], currency="JPY")


@pytest.mark.anyio
async def test_a_full_return_after_a_gesture_gives_back_exactly_the_rest(portal: Portal) -> None:
    order, [line] = await portal.order()
    await portal.work()
    await given_back(portal, amount=20_000)
    filed = await portal.file(order.number, (line, 2))
    assert filed.preview.total == order.total - 20_000
    await portal.receive(filed.rma, (line, 2, Condition.RESELLABLE))
    await portal.work()
    await portal.work()
    assert [refund.amount for refund in await portal.refunds(filed)] == [order.total - 20_000]
    assert await paid_by_gateway(portal) == order.total
    with pytest.raises(InvalidError) as refused:
        await given_back(portal, amount=1)
    assert refused.value.code == "more_than_left"


@pytest.mark.anyio
async def test_the_delivery_goes_back_once_and_not_again_with_the_goods(portal: Portal) -> None:
    order, [line] = await portal.order(shipping=ShippingInput(price=490, tax=80))
    await portal.work()
    given = await given_back(portal, shipping=True)
    assert given.amount == 490
    for again in (given_back(portal, shipping=True), given_back(portal, shipping=True)):
        with pytest.raises(InvalidError) as refused:
            await again
        assert refused.value.code == "no_shipping"
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, Condition.RESELLABLE))
    await portal.work()
    await portal.work()
    assert [(r.amount, r.shipping) for r in await portal.refunds(filed)] == [(31_800, 0)]
    [delivery] = await portal.rows("SELECT amount, tax, shipping FROM refund WHERE kind = 'goodwill'")
    assert (delivery.amount, delivery.tax, delivery.shipping) == (490, 80, 490)
    assert await paid_by_gateway(portal) == order.total


@pytest.mark.anyio
async def test_card_money_goes_back_first_and_points_stay_points(portal: Portal) -> None:
    payments = [PaymentInput(tender=Tender.POINTS, amount=12_290), PaymentInput(tender=Tender.STRIPE, amount=20_000)]
    order, _lines = await portal.order(payments=payments)
    await portal.work()
    await given_back(portal, amount=15_000)
    await given_back(portal, amount=10_000)
    await portal.work()
    rows = await portal.rows("SELECT destination, amount FROM refund ORDER BY destination, amount DESC")
    assert [(row.destination, row.amount) for row in rows] == [
        ("original", 15_000),
        ("original", 5_000),
        ("points", 5_000),
    ]
    assert await paid_by_gateway(portal) == 20_000
    assert await portal.points(order.email) == {"EUR": 5_000}


@pytest.mark.anyio
async def test_points_only_if_the_customer_agreed_and_without_a_bonus(portal: Portal) -> None:
    order, _lines = await portal.order()
    await portal.work()
    with pytest.raises(InvalidError) as refused:
        await given_back(portal, amount=500, refund_to=RefundTo.POINTS)
    assert (refused.value.code, refused.value.field) == ("no_consent", "points_consent")
    await given_back(portal, amount=500, refund_to=RefundTo.POINTS, points_consent=True)
    await portal.work()
    assert await portal.points(order.email) == {"EUR": 500}
    assert await paid_by_gateway(portal) == 0


@pytest.mark.anyio
async def test_cash_on_delivery_is_given_back_by_transfer_to_an_account_that_is_asked_for(portal: Portal) -> None:
    await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=32_290)])
    given = await given_back(portal, amount=700)
    await portal.work()
    assert await portal.mails() == ["goodwill", "transfer_needed"]
    [refund_id] = given.refund_ids
    [row] = await portal.rows("SELECT id FROM orders")
    customer = Actor(kind="customer", id=str(row.id), order_id=row.id)
    async with portal.begin() as db:
        await give_account(db, customer, refund_id, sealed(portal.settings, "BG80 BNBG 9661 1020 3456 78"))
        [view] = await refunds_of_order(db, customer, row.id)
        assert (view.status, view.has_account, view.rma) == ("awaiting_transfer", True, "")
        await settling.confirm_transfer(db, FINANCE, refund_id, "SEPA 1")
    [kept] = await portal.rows("SELECT status, bank_account FROM refund")
    assert (kept.status, kept.bank_account) == ("succeeded", None)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount": 100, "reason": "  "}, "no_reason"),
        ({"amount": 0}, "nothing"),
        ({"amount": -5}, "nothing"),
        ({"amount": 32_291}, "more_than_left"),
        ({"amount": 100, "reason": "x" * 501}, "invalid"),
    ],
)
@pytest.mark.anyio
async def test_what_cannot_be_given_is_refused_and_nothing_is_kept(
    portal: Portal, wish: dict[str, Any], code: str
) -> None:
    await portal.order()
    await portal.work()
    with pytest.raises(InvalidError) as refused:
        await given_back(portal, **wish)
    assert refused.value.code == code
    assert await portal.rows("SELECT id FROM goodwill UNION ALL SELECT id FROM refund") == []


@pytest.mark.anyio
async def test_who_may_not_and_what_is_not_there(portal: Portal) -> None:
    await portal.order(financial_status=FinancialStatus.PENDING, payments=[])
    wish = Gesture(order_number="1001", amount=100, reason="Late")
    warehouse = Actor(kind="staff", id="w", grants=frozenset({"warehouse"}))
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await give(db, warehouse, portal.settings, SHOP, wish)
        with pytest.raises(NotFoundError):
            await give(db, SUPPORT, portal.settings, SHOP, msgspec.structs.replace(wish, order_number="77"))
        with pytest.raises(ConflictError) as refused:
            await give(db, API, portal.settings, SHOP, wish)
    assert refused.value.code == "not_paid"


@pytest.mark.anyio
async def test_gestures_at_once_never_exceed_what_was_paid(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    answers = await at_once(
        *(given_back(portal, amount=10_000) for _ in range(10)),
        portal.receive(filed.rma, (line, 2, Condition.RESELLABLE)),
    )
    given = sum(answer.amount for answer in answers if isinstance(answer, Given))
    await portal.work()
    await portal.work()
    returned = sum(refund.amount for refund in await portal.refunds(filed))
    assert given + returned == order.total
    assert await paid_by_gateway(portal) == order.total


@given(
    tenders=st.lists(
        st.tuples(st.sampled_from(Tender), st.integers(1, 10_000), st.integers(0, 10_000)), min_size=1, max_size=4
    ),
    amount=st.integers(1, 40_000),
)
def test_a_gesture_is_shared_within_what_is_left_cards_first(
    tenders: list[tuple[Tender, int, int]], amount: int
) -> None:
    balances = tuple(TenderBalance(new_id(), kind, paid, min(paid, gone)) for kind, paid, gone in tenders)
    balance = OrderBalance("EUR", (), balances)
    left = sum(tender.left for tender in balances)
    if amount > left:
        with pytest.raises(InvalidError):
            plan_goodwill(balance, amount, refund_to=RefundTo.ORIGINAL)
        return
    planned = plan_goodwill(balance, amount, refund_to=RefundTo.ORIGINAL)
    assert planned.total == amount
    by_payment = {leg.payment_id: leg for leg in planned.legs}
    for tender in balances:
        leg = by_payment.get(tender.payment_id)
        assert leg is None or 0 < leg.amount <= tender.left
        assert leg is None or (leg.destination is Destination.POINTS) == (tender.tender is Tender.POINTS)
    if any(leg.destination is not Destination.CARD for leg in planned.legs):
        cards = [tender for tender in balances if tender.tender is Tender.STRIPE]
        assert all(by_payment[card.payment_id].amount == card.left for card in cards if card.left)


@pytest.mark.parametrize(("currency", "limit"), [("EUR", 5_000), ("JPY", 50), ("BHD", 50_000)])
def test_the_limit_is_the_same_number_in_every_currency(currency: str, limit: int) -> None:
    assert limit_of(DEFAULT, currency) == limit
