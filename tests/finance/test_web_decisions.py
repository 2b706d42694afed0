"""Decisions about damaged and wrong items by HTTP: what is offered, what is refused, what comes of it."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.refunds.actions import correct
from returns_portal.settings import Settings
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.finance.journey import arrived, filed
from tests.webclient import Browser, send

pytestmark = pytest.mark.anyio


async def waiting_item(begin: Begin) -> UUID:
    async with begin() as db:
        found: UUID = (await db.execute(text("SELECT id FROM parcel_item WHERE acceptance = 'waiting'"))).scalar_one()
    return found


async def test_a_part_is_paid_and_what_was_typed_stays(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await arrived(db, settings, await filed(db, settings, "1001", quantity=1), Condition.DAMAGED, 1)
    item = await waiting_item(begin)
    shown = (await browser.get("/finance/decisions")).text
    assert "1 × Wool coat" in shown
    assert "Refund €59.90" in shown
    path = f"/finance/decisions/{item}"
    for amount, reason, sentence in (
        ("a lot", "A stain on the sleeve", "Give an amount in EUR"),
        ("30.001", "A stain on the sleeve", "Give an amount in EUR"),
        ("-5", "A stain on the sleeve", "Give an amount in EUR"),
        ("999", "A stain on the sleeve", "More cannot be refunded than was paid."),
        ("30", "", "Say why"),
    ):
        answer = await send(browser, path, {"decision": "part", "amount": amount, "reason": reason})
        assert answer.status_code == 422, answer.text
        assert sentence in answer.text
        assert f'value="{amount}"' in answer.text
        assert f'value="{reason}"' in answer.text
    assert await waiting_item(begin) == item
    answer = await send(browser, path, {"decision": "part", "amount": "30,50", "reason": "A stain on the sleeve"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/finance/decisions")
    async with begin() as db:
        assert (await db.execute(text("SELECT amount FROM refund"))).scalars().all() == [3050]
    # The other tab still shows it; its decision comes too late.
    answer = await send(browser, path, {"decision": "accept"})
    assert answer.status_code == 303
    assert "decided already" in (await browser.get("/finance/decisions")).text


async def test_some_of_several_are_accepted_and_the_rest_goes_on_waiting(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        await arrived(db, settings, await filed(db, settings, "1001"), Condition.WRONG_ITEM)
    item = await waiting_item(begin)
    await send(browser, f"/finance/decisions/{item}", {"decision": "accept", "quantity": "1"})
    rest = await waiting_item(begin)
    await send(browser, f"/finance/decisions/{rest}", {"decision": "send_back", "reason": "Not ours"})
    async with begin() as db:
        items = await db.execute(text("SELECT acceptance, quantity FROM parcel_item ORDER BY acceptance"))
        assert [tuple(row) for row in items] == [("accepted", 1), ("sent_back", 1)]
        assert (await db.execute(text("SELECT sum(amount) FROM refund"))).scalar_one() == 5990


OFFERS = ("Refund in full", "Refund a part", "Close, refund nothing", "Send it back, refund nothing")


def offered(page: str) -> list[str]:
    return [offer for offer in OFFERS if offer in page]


async def test_only_what_can_be_done_is_offered(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "1001")
        await arrived(db, settings, journey, Condition.DAMAGED)
    shown = (await browser.get("/finance/decisions")).text
    assert offered(shown) == [OFFERS[0], OFFERS[1], OFFERS[3]]
    async with begin() as db:
        await db.execute(text("UPDATE payment SET refunded_before = amount"))
    shown = (await browser.get("/finance/decisions")).text
    assert offered(shown) == [OFFERS[2], OFFERS[3]]
    assert "everything that was paid for this order has gone back already" in shown
    # Another tab still offers a part of it.
    path = f"/finance/decisions/{await waiting_item(begin)}"
    answer = await send(browser, path, {"decision": "part", "amount": "999", "reason": "A stain"})
    assert answer.status_code == 422
    assert "More cannot be refunded than was paid." in answer.text
    answer = await send(browser, path, {"decision": "accept"})
    assert answer.status_code == 303
    async with begin() as db:
        assert (await db.execute(text("SELECT count(*) FROM refund"))).scalar_one() == 0
        items = await db.execute(text("SELECT acceptance, quantity FROM parcel_item"))
        assert [tuple(row) for row in items] == [("accepted", 2)]


async def test_what_was_refunded_by_a_count_before_is_not_offered_again(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "1001")
        counted = await arrived(db, settings, journey, Condition.RESELLABLE)
    with clock.shifted(timedelta(minutes=5)):
        async with begin() as db:
            again = [Counted(journey.line_id, 2, Condition.DAMAGED)]
            await correct(db, SYSTEM, settings, counted.check_in_id, again, "Looked at again")
        shown = (await browser.get("/finance/decisions")).text
    assert offered(shown) == [OFFERS[2], OFFERS[3]]
    assert "this item was refunded before" in shown


async def test_nothing_is_refunded_for_what_cost_nothing(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "1001", quantity=1)
        await arrived(db, settings, journey, Condition.WRONG_ITEM, 1)
        await db.execute(text("UPDATE order_line SET unit_paid = '{0}', unit_tax = '{0}'"))
    shown = (await browser.get("/finance/decisions")).text
    assert offered(shown) == [OFFERS[2], OFFERS[3]]
    assert "nothing was paid for this item" in shown
