"""Staff's pages of an order, of approvals, and of refunds that did not go through."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.warehouse.models import Condition
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    """A browser in which support is signed in."""
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "sara@shop.example", "support")
        yield client


async def gesture(browser: Browser, **fields: str) -> str:
    """Send the form of the order's page; the page that follows, in words."""
    token = value(await browser.get("/staff/orders/1001"), "token")
    answer = await post(browser, "/staff/gestures", {"number": "1001", "token": token, **fields})
    if answer.status_code == 303:
        assert answer.headers["location"] == "/staff/orders/1001"
        return words(await browser.get("/staff/orders/1001"))
    assert answer.status_code == 422
    return words(answer)


async def test_an_order_is_found_by_its_number(browser: Browser, portal: Portal) -> None:
    await portal.order(number="A/17 b")
    assert (await browser.get("/staff/orders", params={"number": "#A/17 b"})).headers["location"] == (
        "/staff/orders/A%2F17%20b"
    )
    shown = words(await browser.get("/staff/orders/A%2F17%20b"))
    assert "Order A/17 b" in shown
    answer = await browser.get("/staff/orders", params={"number": "77"})
    assert answer.status_code == 404
    assert "There is no order of this number." in words(answer)
    assert (await browser.get("/staff/orders/77")).status_code == 404


async def test_the_order_says_what_is_left(browser: Browser, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await portal.work()
    shown = words(await browser.get("/staff/orders/1001"))
    assert "Derby, 42, Navy KE-42 2 1 €318.00" in shown
    assert "Card €322.90 €159.00 €163.90" in shown
    assert filed.rma in shown
    assert "€163.90 are left of the payments. Card money goes back first. Above €50.00 in all" in shown


async def test_something_is_given_back_and_stands_on_the_order(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    shown = await gesture(browser, amount="12,50", reason="It came late.", refund_to="original")
    assert "It is on its way, and the customer is told why by e-mail." in shown
    assert "Goodwill: It came late." in shown
    await portal.work()
    [row] = await portal.rows("SELECT id, amount, status FROM refund")
    assert (row.amount, row.status) == (1_250, "succeeded")
    shown = words(await browser.get(f"/finance/refunds/{row.id}"))
    assert "Reason It came late. Asked for by Mira" in shown
    assert "Goodwill €12.50" in shown


async def test_the_delivery_is_given_back(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    await gesture(browser, what="shipping", amount="", reason="It came late.")
    assert [(row.amount, row.shipping) for row in await portal.rows("SELECT amount, shipping FROM refund")] == [
        (490, 490)
    ]
    assert "What the delivery cost" not in words(await browser.get("/staff/orders/1001"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "a lot", "reason": "Late"}, "Give an amount in EUR, such as 12.50."),
        ({"amount": "5", "reason": " "}, "Say why: the customer reads the reason."),
        ({"amount": "400", "reason": "Late"}, "This is more than what is left of the payments of this order."),
        ({"amount": "5", "reason": "Late", "refund_to": "points"}, "only if the customer has expressly agreed to it."),
    ],
)
async def test_what_cannot_be_given_is_said_beside_what_was_typed(
    browser: Browser, portal: Portal, fields: dict[str, str], said: str
) -> None:
    await portal.order()
    token = value(await browser.get("/staff/orders/1001"), "token")
    answer = await post(browser, "/staff/gestures", {"number": "1001", "token": token, **fields})
    assert answer.status_code == 422
    assert said in words(answer)
    assert f'value="{fields["amount"]}"' in answer.text
    assert await portal.rows("SELECT id FROM goodwill") == []


async def test_a_double_click_gives_once(browser: Browser, portal: Portal) -> None:
    await portal.order()
    token = value(await browser.get("/staff/orders/1001"), "token")
    fields = {"number": "1001", "token": token, "amount": "5", "reason": "Late"}
    answers = await at_once(*(post(browser, "/staff/gestures", fields) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert len(await portal.rows("SELECT id FROM goodwill")) == 1


async def test_above_the_limit_finance_approves_and_nobody_else(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    assert "Nothing waits for approval" in words(await browser.get("/finance/approvals"))
    assert "somebody else approves it first" in await gesture(browser, amount="60", reason="The heel broke.")
    shown = words(await browser.get("/finance/approvals"))
    assert "€60.00" in shown
    assert "You asked for this, so somebody else decides it." in shown
    [row] = await portal.rows("SELECT id FROM goodwill")
    path = f"/finance/approvals/{row.id}"
    assert (await post(browser, f"{path}/approval")).status_code == 403
    await sign_in(browser, portal, "fin@shop.example", "finance")
    assert "1 gesture waits for a second person." in words(await browser.get("/finance"))
    answers = await at_once(*(post(browser, f"{path}/approval") for _ in range(10)))
    assert {answer.headers["location"] for answer in answers} == {"/finance/approvals"}
    await portal.work()
    [refund] = await portal.rows("SELECT id, status FROM refund")
    assert refund.status == "succeeded"
    assert "Approved by Mira" in words(await browser.get(f"/finance/refunds/{refund.id}"))


async def test_what_is_declined_says_why_on_the_order(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await gesture(browser, amount="60", reason="The heel broke.")
    [row] = await portal.rows("SELECT id FROM goodwill")
    await sign_in(browser, portal, "fin@shop.example", "finance")
    await post(browser, f"/finance/approvals/{row.id}/refusal", {"note": "A new pair was sent."})
    assert "€60.00 were declined by Mira. A new pair was sent." in words(await browser.get("/staff/orders/1001"))


async def failing(portal: Portal, failure: str) -> UUID:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    [refund_id] = (await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))).refund_ids
    await portal.rows("DELETE FROM procrastinate_jobs WHERE task_name = 'refunds.submit' RETURNING id")
    async with portal.begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure=failure)
    await portal.work()
    return refund_id


async def test_finance_pays_by_transfer_instead(browser: Browser, portal: Portal) -> None:
    refund_id = await failing(portal, "expired_or_canceled_card")
    path = f"/finance/refunds/{refund_id}"
    assert "Pay by transfer instead" not in words(await browser.get(path))
    assert (await post(browser, f"{path}/transfer")).status_code == 403
    await sign_in(browser, portal, "fin@shop.example", "finance")
    assert "Try again Pay by transfer instead" in words(await browser.get(path))
    await at_once(*(post(browser, f"{path}/transfer") for _ in range(5)))
    await portal.work()
    shown = words(await browser.get(path))
    assert "Record the transfer" in shown
    assert "another way was chosen" in shown
    answer = await post(browser, f"/finance/transfers/{refund_id}", {"reference": "SEPA 9"})
    assert answer.headers["location"] == "/finance/transfers"
    [row] = await portal.rows("SELECT status, attempt FROM refund")
    assert (row.status, row.attempt) == ("succeeded", 2)


async def test_a_balance_that_is_too_low_says_what_to_do(browser: Browser, portal: Portal) -> None:
    refund_id = await failing(portal, "insufficient_funds")
    await sign_in(browser, portal, "fin@shop.example", "finance")
    assert "Top the balance up in Stripe's dashboard, then try again." in words(await browser.get("/finance"))
    assert "Top the balance up" in words(await browser.get(f"/finance/refunds/{refund_id}"))
    await portal.rows("UPDATE refund SET status = 'pending', pending_reason = 'insufficient_funds' RETURNING id")
    for path in ("/finance", f"/finance/refunds/{refund_id}"):
        assert "The Stripe balance is too low" in words(await browser.get(path))
    await portal.rows("UPDATE refund SET pending_reason = 'not_told' RETURNING id")
    for path in ("/finance", f"/finance/refunds/{refund_id}"):
        assert "Stripe refuses to tell what became of" in words(await browser.get(path))
    await portal.rows("UPDATE refund SET status = 'failed' RETURNING id")


async def test_the_same_over_json(portal: Portal, database_url: str) -> None:
    await portal.order()
    await portal.work()
    async with portal.begin() as db:
        keys = [await create_api_key(db, SYSTEM, name, ["refunds:write"]) for name in ("shop", "books")]
        reading = await create_api_key(db, SYSTEM, "reader", ["refunds:read"])
    async with browsing(portal.settings, database_url) as program:
        shop, books, reader = ({"Authorization": f"Bearer {key}"} for key in (*keys, reading))
        body = {"order_number": "1001", "amount": 6_000, "reason": "The heel broke."}
        path = "/api/v1/refunds/goodwill"
        assert (await program.post(path, json=body, headers=reader)).status_code == 403
        made = [await program.post(path, json=body, headers=shop | {"Idempotency-Key": "1"}) for _ in range(2)]
        assert [answer.status_code for answer in made] == [201, 201]
        assert made[0].json() == made[1].json()
        assert made[0].json()["decision"] == "waiting"
        for wrong in ({"shipping": True}, {"amount": None}, {"amount": 0}, {"reason": ""}, {"refund_to": "points"}):
            assert (await program.post(path, json=body | wrong, headers=shop)).status_code in {400, 422}, wrong
        refused = await program.post(path, json=body | {"refund_to": "points"}, headers=shop)
        assert (refused.json()["code"], refused.json()["field"]) == ("no_consent", "points_consent")
        [item] = (await program.get("/api/v1/refunds/approvals", headers=books)).json()["items"]
        assert (item["amount"], item["order_number"]) == (6_000, "1001")
        path = f"/api/v1/refunds/approvals/{item['id']}"
        own = await program.post(path, json={"decision": "approve"}, headers=shop)
        assert (own.status_code, own.json()["code"]) == (403, "own_request")
        answers = await at_once(
            *(program.post(path, json={"decision": "approve"}, headers=books) for _ in range(10)),
        )
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
        assert (await program.get("/api/v1/refunds/approvals", headers=books)).json() == {"items": []}
        await portal.work()
        [refund] = (await program.get("/api/v1/refunds", headers=reader)).json()["items"]
        assert (refund["kind"], refund["status"], refund["reason"]) == ("goodwill", "succeeded", "The heel broke.")
