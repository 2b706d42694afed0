"""Goods that are kept, and parcels with a label of the customer's own."""

from collections.abc import AsyncIterator

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.labels.actions import another
from returns_portal.policies.content import Conditions, Content, Effects, Postage, Rule
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.judging import judgement
from returns_portal.returns.models import RefundTo
from returns_portal.returns.proof import give_proof
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import DEFAULT
from tests.orders.samples import a_line
from tests.policies.test_postage import an_order, filed, promised
from tests.portal import API, Portal, at_once
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio
KEEP = Content(rules=(Rule("Not worth the trip", Conditions(skus=("SO-*",)), Effects(keep_it=True)),))
OWN = Content(postage=Postage.OWN_LABEL)
FEE = Content(postage=Postage.CUSTOMER, fees={"EUR": 490})
SOCKS = {"lines": [a_line(sku="SO-1", title="Socks", unit_price=900, tax=300, quantity=2)]}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def test_what_is_kept_is_refunded_at_once_and_put_nowhere(portal: Portal) -> None:
    await promised(portal, KEEP)
    number, [line] = await an_order(portal, **SOCKS)
    made = await filed(portal, number, Wanted(line, 2))
    assert (made.kept, made.status) == (True, "received")
    await portal.work()
    assert [(refund.status, refund.amount) for refund in await portal.refunds(made)] == [("succeeded", 2 * 900 + 490)]
    assert await portal.rows("SELECT id FROM label") == []
    assert await portal.rows("SELECT id FROM restock_event") == []
    assert [row.disposition for row in await portal.rows("SELECT disposition FROM parcel_item")] == [""]
    assert "checked_in" not in await portal.mails()


async def test_two_who_file_at_once_are_paid_once(portal: Portal) -> None:
    await promised(portal, KEEP)
    number, [line] = await an_order(portal, **SOCKS)
    answers = await at_once(*(filed(portal, number, Wanted(line, 2)) for _ in range(3)))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 2
    await portal.work()
    assert len(await portal.rows("SELECT id FROM refund")) == 1


async def test_beside_goods_that_travel_they_travel_too(portal: Portal) -> None:
    await promised(portal, Content(postage=Postage.CUSTOMER, fees={"EUR": 490}, rules=KEEP.rules))
    shoes = a_line(sku="KE-42", quantity=1, tax=2650)
    number, [sock, shoe] = await an_order(portal, lines=[*SOCKS["lines"], shoes])
    made = await filed(portal, number, Wanted(sock, 1), Wanted(shoe, 1))
    assert (made.kept, made.status, made.preview.fee) == (False, "filed", 490)


@pytest.mark.parametrize("content", [KEEP, OWN, FEE])
async def test_goods_that_are_here_already_are_neither_kept_nor_charged_for(portal: Portal, content: Content) -> None:
    await promised(portal, content)
    number, [line] = await an_order(portal, **SOCKS)
    async with portal.begin() as db:
        wanted = [Wanted(line, 1)]
        made = await file(db, API, portal.settings, DEFAULT, number, wanted, RefundTo.ORIGINAL, came_at=clock.now())
    assert (made.kept, made.postage, made.preview.fee) == (False, Postage.SHOP, 0)


async def test_goods_that_are_not_known_to_have_arrived_are_not_kept(portal: Portal) -> None:
    await promised(portal, KEEP)
    number, [line] = await an_order(portal, **SOCKS, delivered_at=None)
    assert not (await filed(portal, number, Wanted(line, 1))).kept


async def test_a_rule_speaks_of_products_by_their_handles_and_tags(portal: Portal) -> None:
    rules = (
        Rule("Winter", Conditions(tags=("winter",)), Effects(bonus_percent=50)),
        Rule("Sock", Conditions(products=("sock",)), Effects(return_days=14)),
    )
    await promised(portal, Content(rules=rules))
    variant = VariantInput(sku="SO-1", price=900, currency="EUR", size="42")
    sock = ProductInput(handle="sock", title="Sock", kind=ProductKind.CLOTHING, variants=[variant], tags=["Winter"])
    async with portal.begin() as db:
        await put_product(db, API, sock)
    number, [line] = await an_order(portal, **SOCKS)
    async with portal.begin() as db:
        order = await order_state(db, API, number)
        verdict = (await judgement(db, order, "UTC", clock.now())).verdicts[line]
    assert (verdict.bonus_percent, verdict.because["bonus_percent"].rule) == (50, "Winter")
    assert (verdict.return_days, verdict.because["return_days"].rule) == (14, "Sock")


async def test_the_pages_say_that_the_goods_are_kept(browser: Browser, portal: Portal) -> None:
    await promised(portal, KEEP)
    number, [line] = await an_order(portal, **SOCKS)
    await come_in(browser, portal, number)
    page = await browser.get(f"/orders/{number}")
    fields = {"line": str(line), f"quantity-{line}": "1", "refund_to": "original", "token": value(page, "token")}
    looked = await post(browser, f"/orders/{number}", fields | {"step": "preview"})
    assert "You keep these items: nothing has to be sent. (Not worth the trip)" in words(looked)
    assert "Get my label" not in words(looked)
    sent = await post(browser, f"/orders/{number}", fields)
    assert sent.status_code == 303
    shown = await browser.get(sent.headers["location"])
    assert "You get your money without sending anything." in words(shown)
    assert "Open my label" not in words(shown)
    # Nor is there one for who asks without the page: it would be paid for by the shop.
    path = sent.headers["location"]
    assert (await browser.get(f"{path}/label.pdf")).status_code == 409
    assert (await post(browser, f"{path}/labels")).status_code in {303, 409}
    assert await portal.rows("SELECT id FROM label") == []


async def test_the_preview_names_the_fee_and_faulty_goods_have_none(browser: Browser, portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    await come_in(browser, portal, number)
    fields = {"line": str(line), f"quantity-{line}": "1", "refund_to": "original", "step": "preview"}
    looked = words(await post(browser, f"/orders/{number}", fields))
    assert "Return postage -€4.90 You get back €154.10" in looked
    assert "Postage of €4.90 is taken from your refund, as was said when you ordered." in looked
    faulty = words(await post(browser, f"/orders/{number}", fields | {"faulty": "yes"}))
    assert "You get back €159.00" in faulty
    assert "You pay no postage: faulty goods go back at our expense." in faulty


async def test_the_page_of_a_return_tells_what_is_taken_off(browser: Browser, portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    await come_in(browser, portal, number)
    shown = words(await browser.get(f"/returns/{made.rma}"))
    assert "€154.10" in shown
    assert "Return postage of €4.90 is taken off where your items are worth more than that." in shown
    [mail] = await portal.rows("SELECT template, values FROM email")
    assert (mail.values["fee"], mail.values["postage"]) == (490, "customer")


async def test_with_a_label_of_ones_own_the_page_says_where_to_and_takes_the_proof(
    browser: Browser, portal: Portal
) -> None:
    await promised(portal, OWN)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    await come_in(browser, portal, number)
    shown = words(await browser.get(f"/returns/{made.rma}"))
    assert "ul. Industrialna 11, hall 3" in shown
    assert "Open my label" not in shown
    assert (await browser.get(f"/returns/{made.rma}/label.pdf")).status_code == 409
    wrong = await post(browser, f"/returns/{made.rma}/proof", {"carrier": "DHL", "tracking": "?"})
    assert wrong.status_code == 422
    assert 'value="DHL"' in wrong.text
    assert 'id="tracking-error"' in wrong.text
    for _ in range(2):
        done = await post(browser, f"/returns/{made.rma}/proof", {"carrier": "DHL", "tracking": "00340 434"})
        assert done.status_code == 303
    assert "DHL, number 00340 434" in words(await browser.get(f"/returns/{made.rma}"))
    told = await portal.rows("SELECT data FROM history WHERE action = 'proof_given'")
    assert [row.data for row in told] == [{"carrier": "DHL", "tracking": "00340 434"}]


async def test_no_label_of_ours_is_made_for_it_and_no_proof_for_others(portal: Portal) -> None:
    await promised(portal, OWN)
    number, [line] = await an_order(portal)
    own = await filed(portal, number, Wanted(line, 1))
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await another(db, API, own.rma)
    assert refused.value.code == "own_label"
    order, [before] = await portal.order(number="1002")
    ours = await filed(portal, order.number, Wanted(before, 1))
    for actor, rma, error in (
        (API, ours.rma, ConflictError),
        (Actor(kind="customer", order_id=ours.id), own.rma, NotFoundError),
    ):
        with pytest.raises(error):
            async with portal.begin() as db:
                await give_proof(db, actor, rma, "DHL", "123")
    with pytest.raises(InvalidError):
        async with portal.begin() as db:
            await give_proof(db, API, own.rma, "", "123")
