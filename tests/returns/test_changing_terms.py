"""What a change of mind does to the terms of a return: the policy of the order's day, as on the day of filing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.policies.content import Conditions, Content, Effects, Postage, Rule
from returns_portal.refunds.changing import change_destination, change_items
from returns_portal.refunds.filing import FiledReturn
from returns_portal.returns.actions import Wanted
from returns_portal.returns.changing import Changed
from returns_portal.returns.models import RefundTo
from returns_portal.returns.proof import give_proof
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.claims import things
from tests.orders.samples import a_line
from tests.policies.test_postage import an_order, filed, promised
from tests.portal import API, Portal
from tests.returns.test_changing import WAITING
from tests.returns.visits import come_in, post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

SHOE, SOCKS = 15900, 1799
LINES = [
    a_line(quantity=1, tax=2650),
    a_line(sku="SO-39", title="Wool Socks", size="39–42", color="Ecru", quantity=1, unit_price=SOCKS, tax=300),
]
FEE = Content(postage=Postage.CUSTOMER, fees={"EUR": 490})


def of_socks(effects: Effects, **changes: Any) -> Content:  # noqa: ANN401 - the fields of a policy
    return Content(rules=(Rule("Small things", Conditions(skus=("SO-*",)), effects),), **changes)


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def ordered(portal: Portal, content: Content, **changes: object) -> tuple[str, UUID, UUID]:
    """An order of shoes and socks under this policy, its number first."""
    await promised(portal, content)
    number, [shoes, socks] = await an_order(portal, lines=LINES, **changes)
    await portal.work()
    return number, shoes, socks


async def changed(portal: Portal, made: FiledReturn, *lines: UUID) -> Changed:
    async with portal.begin() as db:
        return await change_items(db, API, DEFAULT, made.rma, [Wanted(line, 1) for line in lines])


async def refused(portal: Portal, made: FiledReturn, *lines: UUID) -> str:
    with pytest.raises(ConflictError) as caught:
        await changed(portal, made, *lines)
    return caught.value.code


async def terms(portal: Portal) -> tuple[str, int, int]:
    [row] = await portal.rows("SELECT postage, postage_fee, bonus_percent FROM returns")
    return row.postage, row.postage_fee, row.bonus_percent


async def labels(portal: Portal) -> list[str]:
    return [row.code for row in await portal.rows("SELECT code FROM label ORDER BY id")]


async def test_the_fee_is_asked_for_once_however_often_items_change(browser: Browser, portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, FEE)
    made = await filed(portal, number, Wanted(shoes, 1))
    await promised(portal, Content())  # What is promised later is for later orders.
    await come_in(browser, portal, number)
    fields = {"line": [str(shoes), str(socks)], "step": "preview"}
    looked = words(await post(browser, f"/returns/{made.rma}/items", fields))
    assert "Return postage -€4.90" in looked
    assert "Postage of €4.90 is taken from your refund, as was said when you ordered." in looked
    assert await terms(portal) == ("customer", 490, 10)

    await changed(portal, made, shoes, socks)
    await changed(portal, made, shoes)
    assert await terms(portal) == ("customer", 490, 10)
    mails = await portal.rows("SELECT values FROM email WHERE template = 'return_changed'")
    assert {(mail.values["fee"], mail.values["postage"]) for mail in mails} == {(490, "customer")}
    await portal.receive(made.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    assert [refund.amount for refund in await portal.refunds(made)] == [SHOE - 490]


async def test_something_faulty_makes_the_postage_free_as_long_as_it_goes_along(portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, FEE)
    made = await filed(portal, number, Wanted(socks, 1, faulty=True))
    assert await terms(portal) == ("shop", 0, 10)
    await changed(portal, made, shoes, socks)
    assert await terms(portal) == ("shop", 0, 10)
    await changed(portal, made, shoes)
    assert await terms(portal) == ("customer", 490, 10)
    assert await labels(portal) == [made.rma]


async def test_items_that_travel_at_the_shops_expense_bring_a_label_which_then_stays(
    browser: Browser, portal: Portal
) -> None:
    number, shoes, socks = await ordered(portal, of_socks(Effects(postage=Postage.OWN_LABEL)))
    made = await filed(portal, number, Wanted(socks, 1))
    assert (await terms(portal), await labels(portal)) == (("own_label", 0, 10), [])
    await come_in(browser, portal, number)
    path = f"/returns/{made.rma}"
    assert "your label stays the same" not in words(await browser.get(f"{path}/items"))
    answer = await post(browser, f"{path}/items", {"line": [str(shoes), str(socks)]})
    shown = words(await browser.get(answer.headers["location"]))
    assert "Changed: this page says how it is." in shown
    assert "Open my label" in shown
    assert (await terms(portal), await labels(portal)) == (("shop", 0, 10), [made.rma])

    assert (await changed(portal, made, socks)).label_stays
    assert (await terms(portal), await labels(portal)) == (("shop", 0, 10), [made.rma])


async def test_what_was_sent_with_a_label_of_ones_own_is_not_changed(browser: Browser, portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, Content(postage=Postage.OWN_LABEL))
    made = await filed(portal, number, Wanted(socks, 1))
    await changed(portal, made, shoes)
    async with portal.begin() as db:
        await give_proof(db, API, made.rma, "DHL", "JJD 0003")
    assert await refused(portal, made, shoes, socks) == "not_changeable"
    await come_in(browser, portal, number)
    assert "Add or take out items" not in words(await browser.get(f"/returns/{made.rma}"))


async def test_what_could_have_been_kept_travels_free_once_it_has_a_label(portal: Portal) -> None:
    content = of_socks(Effects(keep_it=True), postage=Postage.CUSTOMER, fees={"EUR": 490})
    number, shoes, socks = await ordered(portal, content)
    made = await filed(portal, number, Wanted(shoes, 1), Wanted(socks, 1))
    assert await terms(portal) == ("customer", 490, 10)
    await changed(portal, made, socks)
    assert await terms(portal) == ("shop", 0, 10)
    assert [row.status for row in await portal.rows("SELECT status FROM returns")] == ["filed"]


async def test_goods_that_are_kept_are_not_changed(portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, of_socks(Effects(keep_it=True)))
    made = await filed(portal, number, Wanted(socks, 1))
    assert await refused(portal, made, shoes, socks) == "not_changeable"


async def test_the_bonus_is_that_of_the_new_items(portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, of_socks(Effects(bonus_percent=0), bonus_percent=20))
    made = await filed(portal, number, Wanted(shoes, 1), to=RefundTo.POINTS)
    assert await terms(portal) == ("shop", 0, 20)
    await changed(portal, made, shoes, socks)
    assert await terms(portal) == ("shop", 0, 0)
    await changed(portal, made, shoes)
    await portal.receive(made.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    assert [(refund.amount, refund.bonus) for refund in await portal.refunds(made)] == [(SHOE, SHOE // 5)]


async def test_a_check_in_that_waited_for_other_items_pays_their_bonus(portal: Portal) -> None:
    number, shoes, socks = await ordered(portal, of_socks(Effects(bonus_percent=0), bonus_percent=20))
    made = await filed(portal, number, Wanted(shoes, 1), to=RefundTo.POINTS)
    async with portal.begin() as db:
        await change_items(db, API, DEFAULT, made.rma, [Wanted(shoes, 1), Wanted(socks, 1)])
        check_in = asyncio.ensure_future(portal.receive(made.rma, (shoes, 1, Condition.RESELLABLE), delay=600))
        while not (await portal.rows(WAITING))[0].n:  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)
    assert (await check_in).plan.bonus == 0


async def test_what_is_paid_back_as_points_only_does_not_become_money(browser: Browser, portal: Portal) -> None:
    delivered = clock.now() - timedelta(days=40)
    content = of_socks(Effects(outcomes=("points",)))
    number, shoes, socks = await ordered(portal, content, delivered_at=delivered)
    [order] = await portal.rows("SELECT id FROM orders WHERE number = :number", number=number)
    customer = Actor(kind="customer", id="kunde", order_id=order.id)
    as_points = await filed(portal, number, Wanted(socks, 1), to=RefundTo.POINTS)
    with pytest.raises(ConflictError) as caught:
        async with portal.begin() as db:
            await change_destination(db, customer, as_points.rma, RefundTo.ORIGINAL, agreed=True)
    assert caught.value.code == "outcome_not_offered"
    await come_in(browser, portal, number)
    assert "Changed your mind?" not in words(await browser.get(f"/returns/{as_points.rma}"))

    async with portal.begin() as db:
        await portal.rows("UPDATE returns SET status = 'cancelled', cancelled_at = now() RETURNING id")
    as_money = await filed(portal, number, Wanted(shoes, 1))
    assert "Changed your mind?" in words(await browser.get(f"/returns/{as_money.rma}"))
    assert await refused(portal, as_money, shoes, socks) == "outcome_not_offered"
    answer = await post(browser, f"/returns/{as_money.rma}/items", {"line": [str(shoes), str(socks)]})
    assert (answer.status_code, "cannot be refunded in this way (Small things)" in words(answer)) == (409, True)


async def test_what_follows_a_claim_is_about_these_very_items(browser: Browser, portal: Portal) -> None:
    shoes, socks = await things.delivered(portal)
    claim_id = await things.claim(portal, {socks: 1})
    await things.decided(portal, claim_id, "goods")
    [row] = await portal.rows("SELECT rma FROM returns")
    with pytest.raises(ConflictError) as caught:
        async with portal.begin() as db:
            await change_items(db, API, DEFAULT, row.rma, [Wanted(shoes, 1)])
    assert caught.value.code == "not_changeable"
    await come_in(browser, portal, "1001")
    assert "Add or take out items" not in words(await browser.get(f"/returns/{row.rma}"))
