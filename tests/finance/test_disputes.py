"""Disputes on finance's pages: what is open, what is known of it, and what has to be decided when it is over."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.finance.books import check
from returns_portal.payments.gateway import GatewayDispute, GatewayRefund
from returns_portal.refunds.disputed import record
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.outside import _book
from returns_portal.returns.withdrawals import state_withdrawal
from returns_portal.settings import Settings
from returns_portal.tryon import shipping
from returns_portal.warehouse.models import Condition
from tests.finance.journey import PRICE, arrived, filed, status_of
from tests.portal import API, Portal
from tests.tryon.money import kept_first, settled_now
from tests.tryon.samples import boots, delivered, place, shipped
from tests.webclient import PASSWORD, Browser, add_staff, browsing, send

pytestmark = pytest.mark.anyio

DISPUTE = GatewayDispute(
    id="du_1",
    status="needs_response",
    reason="product_not_received",
    amount=2 * PRICE,
    currency="EUR",
    withdrawn=2 * PRICE,
    payment="pi_1",
    charge="ch_1",
    evidence_due_by=datetime(2100, 1, 1, tzinfo=UTC),
    created=datetime(2026, 11, 20, tzinfo=UTC),
)
DASHBOARD = GatewayRefund(
    id="re_dashboard",
    status="succeeded",
    amount=9_000,
    currency="EUR",
    payment="pi_1",
    charge="ch_1",
    failure_reason=None,
    pending_reason=None,
    reference="arn",
    our_id=None,
    created=datetime(2026, 11, 20, tzinfo=UTC),
    livemode=False,
    balance_transaction=None,
)
change = msgspec.structs.replace


async def sign_in(browser: Browser, begin: Begin, *roles: str) -> None:
    async with begin() as db:
        await add_staff(db, f"{roles[0]}@shop.example", *roles)
    answer = await send(browser, "/sign-in", {"email": f"{roles[0]}@shop.example", "password": PASSWORD})
    assert answer.status_code == 303, answer.text


@pytest.fixture
async def browser(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    """A browser in which finance is signed in; the books are proven in the end."""
    async with browsing(settings, database_url) as client:
        await sign_in(client, begin, "finance")
        yield client
    assert await check(begin) == []


async def came_back(db: AsyncConnection, settings: Settings) -> UUID:
    """An order of two, one of which came back damaged in a way that is refunded; its refund is planned."""
    journey = await filed(db, settings, "1001")
    await db.execute(
        text("UPDATE payment SET reference = 'pi_1', refunds_before = '{}', card_last4 = '4242' WHERE order_id = :id"),
        {"id": journey.order_id},
    )
    (refund_id,) = (await arrived(db, settings, journey, Condition.WORN, 1)).refund_ids
    return refund_id


async def test_without_any_there_is_a_sentence(browser: Browser) -> None:
    answer = await browser.get("/finance/disputes")
    assert answer.status_code == 200
    assert "No payment is disputed" in answer.text
    assert (await browser.get(f"/finance/disputes/{UUID(int=1)}")).status_code == 404
    assert (await browser.get("/finance/disputes?after=x")).status_code == 422


async def test_who_may_look(settings: Settings, database_url: str, begin: Begin) -> None:
    async with browsing(settings, database_url) as browser:
        assert (await browser.get("/finance/disputes")).status_code == 303
        await sign_in(browser, begin, "warehouse")
        assert (await browser.get("/finance/disputes")).status_code == 403
    async with browsing(settings, database_url) as browser:
        await sign_in(browser, begin, "support")
        assert (await browser.get("/finance/disputes")).status_code == 200
        answer = await send(browser, f"/finance/refunds/{UUID(int=1)}/lowering", {"amount": "0"})
        assert answer.status_code == 403


async def test_all_that_is_known_stands_on_one_page(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await came_back(db, settings)
        await state_withdrawal(
            db, SYSTEM, name="Ana Petrova", order_number="1001", email="ana@example.com", details="It never came <b>!"
        )
        assert await record(db, DISPUTE, seen=0)
        rma = (await db.execute(text("SELECT rma FROM returns"))).scalar_one()
        code = (await db.execute(text("SELECT code FROM label"))).scalar_one()
    first = unescape((await browser.get("/finance")).text)
    assert "Dispute of order 1001" in first
    assert "needs an answer: the goods did not arrive." in first
    assert "1 refund of €59.90 waits" in first
    listed = unescape((await browser.get("/finance/disputes")).text)
    path = re.search(r'href="(/finance/disputes/[0-9a-f-]{36})"', listed)
    assert path is not None
    page = (await browser.get(path[1])).text
    assert "<b>!" not in page
    shown = unescape(page)
    for sentence in (
        "€119.80 disputed",
        "The bank has taken back €119.80.",
        "1 refund of €59.90 waits for the end of it.",
        "It never came <b>!",
        f"label {code} issued",
        rma,
        "Parcel 1 scanned at the dock",
        "1 × Wool coat: worn",
        "held",
        "•• 4242",
        "pi_1",
        "du_1",
        "ul. 1",
        "Open disputes",
    ):
        assert sentence in shown, sentence
    assert "style=" not in page
    async with begin() as db:
        assert await record(db, change(DISPUTE, status="won", withdrawn=0), seen=1)
    assert "The money is the shop's again" in unescape((await browser.get(path[1])).text)
    assert "Dispute of order" not in (await browser.get("/finance")).text
    assert ">1001</a>" in (await browser.get("/finance/disputes")).text


async def test_what_a_lost_dispute_leaves_is_decided_by_a_person(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        refund_id = await came_back(db, settings)
        lost = change(DISPUTE, status="lost", amount=9_000, withdrawn=9_000)
        assert await record(db, lost, seen=0)
        assert await status_of(db, refund_id) == "failed"
    shown = unescape((await browser.get("/finance")).text)
    assert "€29.80 are left of the payment" in shown
    for wrong in ("", "2981", "-1", "x"):
        answer = await send(browser, f"/finance/refunds/{refund_id}/lowering", {"amount": wrong})
        assert answer.status_code in {303, 422}
    async with begin() as db:
        assert await status_of(db, refund_id) == "failed"
    answer = await send(browser, f"/finance/refunds/{refund_id}/lowering", {"amount": "2980"})
    assert answer.headers["location"] == "/finance"
    assert "It goes out with what is left" in (await browser.get("/finance")).text
    async with begin() as db:
        row = (await db.execute(text("SELECT status, amount FROM refund"))).one()
    assert tuple(row) == ("planned", 2_980)
    story = unescape((await browser.get(f"/finance/refunds/{refund_id}")).text)
    assert "lowered to what is left of the payment" in story
    # A second click finds nothing to decide any more.
    await send(browser, f"/finance/refunds/{refund_id}/lowering", {"amount": "0"})
    assert "has not failed (any more)" in (await browser.get("/finance")).text


async def test_a_dispute_of_what_was_refunded_is_a_case_for_finance(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        refund_id = await came_back(db, settings)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED, gateway_id="re_1")
    async with begin() as db:
        assert await record(db, DISPUTE, seen=0)
    shown = unescape((await browser.get("/finance")).text)
    assert "€59.90 more went back than the €119.80 that came in." in shown
    assert "The bank has taken €119.80, and the dispute is open" in shown
    assert await check(begin) == []
    async with begin() as db:
        assert await record(db, change(DISPUTE, status="won", withdrawn=0), seen=1)
    assert "more went back than" not in (await browser.get("/finance")).text


async def test_a_dashboard_refund_stops_ours_and_nothing_more_may_be_paid(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        refund_id = await came_back(db, settings)
        await _book(db, DASHBOARD)
    shown = unescape((await browser.get("/finance?basis=requested&from=2026-11-01&to=2026-12-31")).text)
    assert "€29.80 are left of the payment" in shown
    await send(browser, f"/finance/refunds/{refund_id}/lowering", {"amount": "0"})
    assert "nothing more is paid" in (await browser.get("/finance")).text
    async with begin() as db:
        assert await status_of(db, refund_id) == "canceled"
        outside = (await db.execute(text("SELECT id FROM refund WHERE kind = 'outside'"))).scalar_one()
    story = unescape((await browser.get(f"/finance/refunds/{outside}")).text)
    assert "€90.00" in story


async def test_what_the_dashboard_paid_beside_points_is_shown_until_reviewed(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        refund_id = await came_back(db, settings)
        await db.execute(text("UPDATE refund SET destination = 'points', points_consent_at = now()"))
        await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)
        await _book(db, DASHBOARD)
        payment = (await db.execute(text("SELECT id FROM payment"))).scalar_one()
    shown = unescape((await browser.get("/finance")).text)
    assert "€30.10 more went back than the €119.80 that came in." in shown
    assert "€90.00 were refunded in Stripe's dashboard." in shown
    await send(browser, f"/finance/payments/{payment}/review", {})
    assert "more went back than" not in (await browser.get("/finance")).text


async def test_an_outcome_unknown_for_long_comes_first_with_since_when(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        others = [await filed(db, settings, f"20{n}") for n in range(3)]
        for other in others:
            (failed,) = (await arrived(db, settings, other, Condition.WORN)).refund_ids
            await transition(db, SYSTEM, failed, RefundStatus.SUBMITTING)
            await transition(db, SYSTEM, failed, RefundStatus.FAILED, failure="expired_or_canceled_card")
        refund_id = await came_back(db, settings)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.UNKNOWN)
    assert "Nobody knows yet" in (await browser.get("/finance")).text
    with clock.shifted(timedelta(minutes=14)):
        # Asked again and again, it is no younger for that.
        async with begin() as db:
            await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        assert "nobody knows whether" not in (await browser.get("/finance")).text
    with clock.shifted(timedelta(minutes=16)):
        shown = unescape((await browser.get("/finance")).text)
        assert "Since " in shown
        assert "nobody knows whether this refund went out" in shown
        assert "nothing is sent a second time" in shown
        assert shown.index("nobody knows whether") < shown.index("the card was closed")
        async with begin() as db:
            await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)


async def test_of_a_trial_it_shows_what_was_sent_and_what_the_carriers_told(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    await shipped(portal, trial, tracking="EC-OUT-1")
    await settled_now(portal, await kept_first(portal, await delivered(portal, trial)))
    [payment] = await portal.rows("SELECT p.reference, p.amount FROM payment p JOIN orders o ON o.id = p.order_id")
    async with portal.begin() as db:
        await shipping.scanned(db, API, trial.number, clock.now())
        amounts = {"amount": payment.amount, "withdrawn": payment.amount}
        assert await record(db, change(DISPUTE, payment=payment.reference, **amounts), seen=0)
    [dispute] = await portal.rows("SELECT id FROM dispute")
    shown = unescape((await browser.get(f"/finance/disputes/{dispute.id}")).text)
    for sentence in (
        trial.number,
        "The customer agreed",
        "Econt",
        "EC-OUT-1",
        "· arrived",
        "All of it was delivered",
        "A carrier scanned the return label",
    ):
        assert sentence in shown, sentence
    assert (await browser.get(f"/finance/trials/{trial.number}")).status_code == 200
