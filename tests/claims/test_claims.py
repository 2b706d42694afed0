"""Claims: what may be claimed, what is decided, and that no unit is paid for or asked for twice."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.claims import actions
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.queries import claim_for, list_claims, waiting_claims
from returns_portal.claims.rules import ClaimWish, last_day
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.photos import Photo
from returns_portal.refunds import approvals
from returns_portal.returns.life import cancel_return
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.claims.things import CAREFUL, SHOE, SOCKS, SUPPORT, claim, decided, delivered, standing
from tests.portal import API, FINANCE, Portal, at_once
from tests.refunds.samples import paid_by_gateway

pytestmark = pytest.mark.anyio

PHOTO = Photo(1, 1, b"jpeg")


@pytest.mark.parametrize(
    ("delivered_at", "last"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), date(2028, 3, 1)),
        (datetime(2026, 2, 28, 22, 30, tzinfo=UTC), date(2028, 3, 1)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2030, 2, 28)),
        (None, None),
    ],
)
def test_the_seller_answers_for_two_years_from_delivery(delivered_at: datetime | None, last: date | None) -> None:
    assert last_day(delivered_at, "Europe/Sofia") == last


async def test_a_claim_comes_long_after_the_window_for_returns_and_not_after_two_years(portal: Portal) -> None:
    shoes, _socks = await delivered(portal, days=700)
    with pytest.raises(ConflictError) as caught:
        await portal.file("1001", (shoes, 1))
    assert caught.value.code == "window_closed"
    claim_id = await claim(portal, {shoes: 1})
    async with portal.begin() as db:
        await run(db, "UPDATE orders SET delivered_at = :then", then=clock.now() - timedelta(days=800))
        wish = ClaimWish(units={shoes: 1}, kind=Kind.FAULTY, remedy=Remedy.REFUND)
        with pytest.raises(ConflictError) as caught:
            await actions.file_claim(db, API, DEFAULT, "1001", wish)
    assert caught.value.code == "too_late"
    assert await standing(portal, claim_id) == "filed"
    assert "claim_received" in await portal.mails()


async def test_what_is_claimed_cannot_be_claimed_again_and_what_is_in_a_return_not_at_all(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    await portal.file("1001", (socks, 1))
    await claim(portal, {shoes: 1})
    await claim(portal, {shoes: 1})
    for units in ({shoes: 1}, {socks: 1}):
        with pytest.raises(ConflictError) as caught:
            await claim(portal, units)
        assert caught.value.code == "already_claimed"
    for wrong, code in (({}, "nothing_chosen"), ({shoes: 3}, "bad_quantity"), ({UUID(int=1): 1}, "unknown_line")):
        with pytest.raises(InvalidError) as bad:
            await claim(portal, wrong)
        assert bad.value.code == code


async def test_the_same_units_claimed_at_once_are_claimed_once(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    answers = await at_once(*(claim(portal, {shoes: 2}, Kind.MISSING) for _ in range(4)))
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert all(isinstance(answer, UUID | ConflictError) for answer in answers)


async def test_what_is_missing_is_paid_for_once_and_can_never_be_sent_back(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1}, Kind.MISSING, PHOTO)
    await portal.file("1001", (shoes, 1))
    with pytest.raises(ConflictError) as caught:
        await portal.file("1001", (shoes, 1))
    assert caught.value.code == "claimed"
    answers = await at_once(*(decided(portal, claim_id, "refund") for _ in range(4)))
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    await portal.work()
    assert await standing(portal, claim_id) == "refunded"
    assert (await paid_by_gateway(portal, "1001"))[1] == SHOE
    with pytest.raises(ConflictError):
        await portal.file("1001", (shoes, 1))
    # The last item completes the order: with it goes back what delivery cost, and nothing is paid for twice.
    rest = await portal.file("1001", (socks, 1))
    filed = await portal.rows("SELECT rma FROM returns ORDER BY id")
    await portal.receive(filed[0].rma, (shoes, 1, Condition.RESELLABLE))
    await portal.receive(rest.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    captured, refunded = await paid_by_gateway(portal, "1001")
    assert refunded == captured
    mails = await portal.rows("SELECT template, values FROM email WHERE template = 'goodwill'")
    assert [mail.values["reason"] for mail in mails] == ["Не пристигна."]


async def test_a_whole_order_that_never_came_is_paid_back_with_its_delivery(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    await decided(portal, await claim(portal, {shoes: 2, socks: 1}, Kind.MISSING), "refund")
    await portal.work()
    captured, refunded = await paid_by_gateway(portal, "1001")
    assert captured == refunded


async def test_points_that_paid_come_back_as_points(portal: Portal) -> None:
    _order, (line,) = await portal.order(
        delivered_at=clock.now() - timedelta(days=1), payments=[PaymentInput(tender=Tender.POINTS, amount=32_290)]
    )
    await decided(portal, await claim(portal, {line: 1}), "refund")
    await portal.work()
    assert [row.destination for row in await portal.rows("SELECT destination FROM refund")] == ["points"]


async def test_a_return_filed_meanwhile_pays_and_the_claim_does_not(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 2})
    filed = await portal.file("1001", (shoes, 1))
    with pytest.raises(ConflictError) as caught:
        await decided(portal, claim_id, "refund")
    assert caught.value.code == "in_a_return"
    async with portal.begin() as db:
        await cancel_return(db, API, filed.rma)
    await decided(portal, claim_id, "refund")
    assert await standing(portal, claim_id) == "refunded"


async def test_a_refund_and_a_return_of_the_same_unit_at_once_one_wins(portal: Portal) -> None:
    _shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {socks: 1})
    answers = await at_once(decided(portal, claim_id, "refund"), portal.file("1001", (socks, 1)))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
    assert sum(isinstance(answer, Exception) for answer in answers) == 1


async def test_goods_first_makes_a_return_with_a_label_whatever_the_window_and_the_claim_follows_it(
    portal: Portal,
) -> None:
    shoes, _socks = await delivered(portal, days=400)
    claim_id = await claim(portal, {shoes: 1})
    await decided(portal, claim_id, "goods", answer="We would like to see it.")
    async with portal.begin() as db:
        view = await claim_for(db, SUPPORT, claim_id)
    assert (view.standing, bool(view.rma)) == ("returning", True)
    assert await portal.mails() == ["claim_received", "return_filed", "claim_decided"]
    async with portal.begin() as db:
        await cancel_return(db, API, view.rma)
    assert await standing(portal, claim_id) == "filed"
    await decided(portal, claim_id, "goods")
    async with portal.begin() as db:
        rma = (await claim_for(db, SUPPORT, claim_id)).rma
    released = await portal.receive(rma, (shoes, 1, Condition.WORN))
    assert await standing(portal, claim_id) == "refunded"
    assert released.plan.total == SHOE
    await portal.work()
    async with portal.begin() as db:
        assert await actions.close_settled(db, SYSTEM) == 1
    async with portal.begin() as db:
        assert await actions.close_settled(db, SYSTEM) == 0
    with pytest.raises(ConflictError):
        await decided(portal, claim_id, "refusal", answer="No")


async def test_above_the_limit_a_second_person_decides_and_a_declined_claim_waits_again(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 2})
    await decided(portal, claim_id, "refund", shop=CAREFUL)
    assert await standing(portal, claim_id) == "approving"
    # While it waits, the unit is nobody's else.
    with pytest.raises(ConflictError):
        await portal.file("1001", (shoes, 1))
    [waiting] = await portal.rows("SELECT id FROM goodwill")
    async with portal.begin() as db:
        await approvals.decline(db, FINANCE, waiting.id, "Ask for a photo")
    assert await standing(portal, claim_id) == "filed"
    await decided(portal, claim_id, "refund", shop=CAREFUL)
    [second] = await portal.rows("SELECT id FROM goodwill WHERE decision = 'waiting'")
    # Meanwhile everything else came back: with the shoes, delivery would be paid back too, which nobody agreed to.
    filed = await portal.file("1001", (socks, 1))
    await portal.receive(filed.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as caught:
            await approvals.approve(db, FINANCE, portal.settings, second.id)
    assert caught.value.code == "worth_changed"
    async with portal.begin() as db:
        await approvals.decline(db, FINANCE, second.id, "")
    await decided(portal, claim_id, "refund", shop=CAREFUL)
    [third] = await portal.rows("SELECT id FROM goodwill WHERE decision = 'waiting'")
    async with portal.begin() as db:
        await approvals.approve(db, FINANCE, portal.settings, third.id)
    await portal.work()
    assert await standing(portal, claim_id) == "refunded"
    captured, refunded = await paid_by_gateway(portal, "1001")
    assert captured == refunded


async def test_a_reduction_is_of_what_was_paid_at_most(portal: Portal) -> None:
    _shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {socks: 1})
    for amount in (0, SOCKS + 1):
        with pytest.raises(InvalidError) as caught:
            await decided(portal, claim_id, "reduction", amount=amount)
        assert caught.value.field == "amount"
    await decided(portal, claim_id, "reduction", amount=500, answer="A stain that washes out.")
    await portal.work()
    assert await standing(portal, claim_id) == "reduced"
    assert (await paid_by_gateway(portal, "1001"))[1] == 500
    # It stays the customer's, who may still withdraw from the contract.
    await portal.file("1001", (socks, 1), to=RefundTo.ORIGINAL)


async def test_a_refusal_says_why_and_a_replacement_is_told(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    first, second = await claim(portal, {shoes: 1}), await claim(portal, {socks: 1}, Kind.WRONG)
    with pytest.raises(InvalidError):
        await decided(portal, first, "refusal", answer=" ")
    await decided(portal, first, "refusal", answer="Worn for a year.")
    await decided(portal, second, "replacement")
    assert [await standing(portal, each) for each in (first, second)] == ["refused", "replacing"]
    assert (await portal.mails()).count("claim_decided") == 2
    # Told anew, it is looked at anew.
    await claim(portal, {shoes: 2})


async def test_what_is_missing_cannot_come_back_first_nor_cost_less(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1}, Kind.MISSING)
    for decision in ("goods", "reduction"):
        with pytest.raises(InvalidError):
            await decided(portal, claim_id, decision, amount=1)
    async with portal.begin() as db:
        await actions.withdraw(db, SUPPORT, claim_id)
        with pytest.raises(ConflictError):
            await actions.withdraw(db, SUPPORT, claim_id)
    # It was found: now it can be sent back.
    await portal.file("1001", (shoes, 2))


async def test_what_has_not_left_the_shop_cannot_be_claimed(portal: Portal) -> None:
    _order, (line,) = await portal.order(shipped_at=None, delivered_at=None)
    with pytest.raises(ConflictError):
        await claim(portal, {line: 1}, Kind.MISSING)


async def test_an_order_stays_as_it_is_under_a_claim(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await claim(portal, {shoes: 1})
    with pytest.raises(ConflictError) as caught:
        await portal.order(currency="JPY")
    assert caught.value.code == "order_frozen"


async def test_a_claim_is_seen_by_its_customer_and_by_staff_alone(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1}, Kind.DAMAGED, PHOTO)
    stranger = Actor(kind="customer", order_id=UUID(int=7))
    async with portal.begin() as db:
        with pytest.raises(NotFoundError):
            await claim_for(db, stranger, claim_id)
        with pytest.raises(NotFoundError):
            await actions.withdraw(db, stranger, claim_id)
        with pytest.raises(ForbiddenError):
            await waiting_claims(db, stranger, after=None, limit=10)
        assert [view.id for view in await waiting_claims(db, SUPPORT, after=None, limit=10)] == [claim_id]
        assert await waiting_claims(db, SUPPORT, after=claim_id, limit=10) == []
        assert [view.id for view in await list_claims(db, API, standing="filed", limit=10)] == [claim_id]
        assert await list_claims(db, API, standing="refunded", limit=10) == []


async def test_photos_have_an_end(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1}, Kind.DAMAGED, PHOTO)
    async with portal.begin() as db:
        await actions.add_photos(db, SUPPORT, claim_id, [PHOTO] * 7)
        with pytest.raises(ConflictError) as caught:
            await actions.add_photos(db, SUPPORT, claim_id, [PHOTO])
    assert caught.value.code == "too_many_photos"
