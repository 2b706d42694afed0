"""A change of mind after filing: other items until the goods are under way, other money until the refund is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.refunds.changing import change_destination, change_items
from returns_portal.refunds.filing import FiledReturn
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.orders.samples import a_line
from tests.portal import API, Portal, at_once
from tests.returns.visits import come_in, post, words
from tests.tryon import samples
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LINES = [
    a_line(),
    a_line(sku="SO-39", title="Wool Socks", size="39–42", color="Ecru", quantity=1, unit_price=1799, tax=300),
]
SHOE = 15900
WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def filed_one(portal: Portal, **changes: Any) -> tuple[FiledReturn, UUID, UUID, Actor]:  # noqa: ANN401 - the fields of an order
    """One of two pairs of shoes is to go back; shoes, socks, and their customer."""
    _order, [shoes, socks] = await portal.order(lines=LINES, **changes)
    await portal.work()
    filed = await portal.file("1001", (shoes, 1))
    [order] = await portal.rows("SELECT id FROM orders WHERE number = '1001'")
    return filed, shoes, socks, Actor(kind="customer", id="kunde", order_id=order.id)


async def announced(portal: Portal) -> dict[UUID, int]:
    rows = await portal.rows("SELECT order_line_id, quantity FROM return_line")
    return {row.order_line_id: row.quantity for row in rows}


async def change(browser: Browser, rma: str, *lines: UUID, **fields: str) -> Response:
    return await post(browser, f"/returns/{rma}/items", {"line": [str(line) for line in lines], **fields})


async def reroute(portal: Portal, actor: Actor, rma: str, to: RefundTo) -> bool:
    async with portal.begin() as db:
        return await change_destination(db, actor, rma, to, agreed=True)


async def test_items_are_added_and_taken_out_and_the_label_stays(browser: Browser, portal: Portal) -> None:
    filed, shoes, socks, _customer = await filed_one(portal)
    await come_in(browser, portal, "1001")
    assert "Add or take out items" in words(await browser.get(f"/returns/{filed.rma}"))
    fields = {f"quantity-{shoes}": "2"}
    shown = words(await change(browser, filed.rma, shoes, socks, step="preview", **fields))
    # With the last unit what was paid for delivery comes back, too.
    assert "2 × Derby, 42, Navy €318.00" in shown
    assert "What you paid for delivery €4.90" in shown
    assert "back to your card ending 4242 €340.89" in shown
    assert await announced(portal) == {shoes: 1}

    for said in ("Changed. Your label stays the same.", "Nothing was changed."):  # A double click.
        answer = await change(browser, filed.rma, shoes, socks, **fields)
        assert said in words(await browser.get(answer.headers["location"]))
    assert await announced(portal) == {shoes: 2, socks: 1}
    assert await portal.mails() == ["return_filed", "return_changed"]
    assert [row.code for row in await portal.rows("SELECT code FROM label")] == [filed.rma]
    [told] = await portal.rows("SELECT data FROM history WHERE action = 'items_changed'")
    assert told.data == {"before": {str(shoes): 1}, "after": {str(shoes): 2, str(socks): 1}}

    await change(browser, filed.rma, socks)
    await portal.receive(filed.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.amount, refund.status) == (1799, "succeeded")


async def test_taking_the_last_one_out_is_asked_about(browser: Browser, portal: Portal) -> None:
    filed, shoes, _socks, _customer = await filed_one(portal)
    await come_in(browser, portal, "1001")
    answer = await change(browser, filed.rma)
    assert answer.status_code == 422
    assert "Then nothing would be left in it." in words(answer)
    assert f'action="/returns/{filed.rma}/cancellation"' in answer.text.replace("&#x2f;", "/")
    assert await announced(portal) == {shoes: 1}


@pytest.mark.parametrize("typed", ["3", "0", "many"])
async def test_more_than_there_is_is_said_beside_the_items(browser: Browser, portal: Portal, typed: str) -> None:
    filed, shoes, _socks, _customer = await filed_one(portal)
    await come_in(browser, portal, "1001")
    answer = await change(browser, filed.rma, shoes, **{f"quantity-{shoes}": typed})
    assert answer.status_code == 422
    assert 'id="lines-error"' in answer.text
    assert await announced(portal) == {shoes: 1}


async def test_what_another_return_has_cannot_be_added(browser: Browser, portal: Portal) -> None:
    filed, shoes, socks, _customer = await filed_one(portal)
    await portal.file("1001", (socks, 1))
    await come_in(browser, portal, "1001")
    assert "Already on its way back." in words(await browser.get(f"/returns/{filed.rma}/items"))
    answer = await change(browser, filed.rma, shoes, socks)
    assert (answer.status_code, "Already on its way back." in words(answer)) == (409, True)


async def test_what_came_in_another_parcel_cannot_be_added_again(portal: Portal) -> None:
    """Of four pairs one return announced one, and three came in it: one pair is left for the other return."""
    _order, [shoes] = await portal.order(lines=[a_line(quantity=4)])
    await portal.work()
    first, second = await portal.file("1001", (shoes, 1)), await portal.file("1001", (shoes, 1))
    await portal.receive(first.rma, (shoes, 3, Condition.RESELLABLE))
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as caught:
            await change_items(db, API, DEFAULT, second.rma, [Wanted(shoes, 2)])
    assert caught.value.code == "already_returned"


async def test_the_window_is_that_of_the_day_of_the_first_statement(browser: Browser, portal: Portal) -> None:
    delivered = clock.now() - timedelta(days=89)
    filed, shoes, socks, _customer = await filed_one(portal, delivered_at=delivered, placed_at=delivered)
    with clock.shifted(timedelta(days=5)):
        await come_in(browser, portal, "1001")
        assert (await change(browser, filed.rma, shoes, socks)).status_code == 303
    assert await announced(portal) == {shoes: 1, socks: 1}


async def test_nothing_is_changed_once_a_carrier_has_the_parcel(browser: Browser, portal: Portal) -> None:
    filed, shoes, socks, customer = await filed_one(portal)
    await portal.rows("UPDATE label SET status = 'in_transit', first_scan_at = now() RETURNING id")
    await come_in(browser, portal, "1001")
    assert "Add or take out items" not in words(await browser.get(f"/returns/{filed.rma}"))
    assert (await browser.get(f"/returns/{filed.rma}/items")).status_code == 303
    answer = await change(browser, filed.rma, shoes, socks)
    assert "can no longer be changed" in words(await browser.get(answer.headers["location"]))
    assert await announced(portal) == {shoes: 1}
    # Where the money goes is another matter.
    assert await reroute(portal, customer, filed.rma, RefundTo.POINTS)


async def test_nobody_elses_return_can_be_changed(browser: Browser, portal: Portal) -> None:
    filed, shoes, _socks, _customer = await filed_one(portal)
    await portal.order(number="2002", email="other@example.com")
    for path in ("items", "refund-to"):
        assert (await post(browser, f"/returns/{filed.rma}/{path}")).headers["location"].startswith("/?next=")
    await come_in(browser, portal, "2002")
    assert (await browser.get(f"/returns/{filed.rma}/items")).status_code == 404
    for path in ("items", "refund-to"):
        assert (await post(browser, f"/returns/{filed.rma}/{path}", {"line": str(shoes)})).status_code == 404


async def test_a_trials_label_is_no_return_that_can_be_changed(portal: Portal) -> None:
    skus = await samples.boots(portal, stock=5)
    await samples.place(portal, skus[:2])
    await portal.work()
    query = "SELECT r.rma, a.order_line_id FROM returns r JOIN return_line a ON a.return_id = r.id LIMIT 1"
    [row] = await portal.rows(query)
    async with portal.begin() as db:
        with pytest.raises(ConflictError):
            await change_items(db, API, DEFAULT, row.rma, [Wanted(row.order_line_id, 1)])
    async with portal.begin() as db:
        with pytest.raises(ConflictError):
            await change_destination(db, API, row.rma, RefundTo.POINTS, agreed=True)


async def test_points_instead_of_the_card_and_back(browser: Browser, portal: Portal) -> None:
    filed, shoes, _socks, _customer = await filed_one(portal)
    await come_in(browser, portal, "1001")
    path = f"/returns/{filed.rma}"
    shown = words(await browser.get(path))
    assert "Take points instead 17,490 points to your points account +10 %" in shown
    missing = await post(browser, f"{path}/refund-to", {"to": "points"})
    assert (missing.status_code, 'id="agreed-error"' in missing.text) == (422, True)

    for _ in range(2):
        assert (await post(browser, f"{path}/refund-to", {"to": "points", "agreed": "yes"})).status_code == 303
    [row] = await portal.rows("SELECT refund_to, points_consent_at FROM returns")
    assert row.refund_to == "points"
    assert row.points_consent_at is not None
    assert "Take the money instead €159.00 back to your card ending 4242" in words(await browser.get(path))
    assert await portal.mails() == ["return_filed", "return_changed"]

    await post(browser, f"{path}/refund-to", {"to": "original"})
    [row] = await portal.rows("SELECT refund_to, points_consent_at FROM returns")
    assert (row.refund_to, row.points_consent_at) == ("original", None)
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.destination, refund.amount, refund.status) == ("original", SHOE, "succeeded")


async def test_what_is_planned_goes_the_other_way_too(browser: Browser, portal: Portal) -> None:
    filed, shoes, _socks, customer = await filed_one(portal)
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE), delay=600)
    await come_in(browser, portal, "1001")
    assert "Take points instead" in words(await browser.get(f"/returns/{filed.rma}"))
    assert await reroute(portal, customer, filed.rma, RefundTo.POINTS)
    [refund] = await portal.refunds(filed)
    assert (refund.destination, refund.amount, refund.bonus, refund.status) == ("points", SHOE, 1590, "planned")
    with clock.shifted(timedelta(minutes=11)):
        await portal.rows("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' RETURNING id")
        await portal.work()
    assert await portal.points("kunde@example.com") == {"EUR": SHOE + 1590}


async def test_what_has_started_stays(browser: Browser, portal: Portal) -> None:
    filed, shoes, _socks, customer = await filed_one(portal)
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    with pytest.raises(ConflictError) as caught:
        await reroute(portal, customer, filed.rma, RefundTo.POINTS)
    assert caught.value.code == "refund_started"
    await come_in(browser, portal, "1001")
    assert "Changed your mind?" not in words(await browser.get(f"/returns/{filed.rma}"))
    answer = await post(browser, f"/returns/{filed.rma}/refund-to", {"to": "points", "agreed": "yes"})
    assert "it goes where this page says" in words(await browser.get(answer.headers["location"]))


async def test_only_the_customer_chooses_points_and_only_where_money_was_paid(browser: Browser, portal: Portal) -> None:
    filed, _shoes, _socks, _customer = await filed_one(portal)
    with pytest.raises(ForbiddenError):
        await reroute(portal, API, filed.rma, RefundTo.POINTS)
    paid = [PaymentInput(tender=Tender.POINTS, amount=SHOE * 2 + 490)]
    _order, [other] = await portal.order(number="2002", payments=paid)
    bought = await portal.file("2002", (other, 1))
    await come_in(browser, portal, "2002")
    assert "Changed your mind?" not in words(await browser.get(f"/returns/{bought.rma}"))


@pytest.mark.parametrize("_round", range(3))
async def test_of_a_change_and_a_check_in_at_once_one_wins_and_the_money_follows(portal: Portal, _round: int) -> None:
    filed, shoes, _socks, customer = await filed_one(portal)
    changed, received = await at_once(
        reroute(portal, customer, filed.rma, RefundTo.POINTS),
        portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE), delay=600),
    )
    assert changed is True
    assert not isinstance(received, BaseException), received
    [row] = await portal.rows("SELECT refund_to FROM returns")
    [refund] = await portal.refunds(filed)
    assert (row.refund_to, refund.destination, refund.bonus) == ("points", "points", 1590)


async def test_a_check_in_that_waited_for_a_change_sees_it(portal: Portal) -> None:
    filed, shoes, _socks, customer = await filed_one(portal)
    async with portal.begin() as db:
        await change_destination(db, customer, filed.rma, RefundTo.POINTS, agreed=True)
        check_in = asyncio.ensure_future(portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE), delay=600))
        while not (await portal.rows(WAITING))[0].n:  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)
    assert [leg.destination for leg in (await check_in).plan.legs] == ["points"]


async def test_items_and_a_check_in_at_once(portal: Portal) -> None:
    filed, shoes, socks, customer = await filed_one(portal)

    async def add_socks() -> bool:
        async with portal.begin() as db:
            wanted = [Wanted(shoes, 1), Wanted(socks, 1)]
            return (await change_items(db, customer, DEFAULT, filed.rma, wanted)).anew

    changed, received = await at_once(
        add_socks(), portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE), delay=600)
    )
    assert not isinstance(received, BaseException), received
    if isinstance(changed, ConflictError):
        assert changed.code == "not_changeable"
        assert await announced(portal) == {shoes: 1}
    else:
        assert await announced(portal) == {shoes: 1, socks: 1}
