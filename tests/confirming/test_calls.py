"""Calls: who is on the list and why, two people at once, what comes of it, and what programs are told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.confirming import calling
from returns_portal.confirming.models import CallState, Outcome, Reason
from returns_portal.confirming.queries import CallView, call_of_order, list_calls
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import erase
from returns_portal.privacy.people import person_of
from returns_portal.shop.queries import DEFAULT
from returns_portal.tryon.calling_off import cancel
from tests.confirming.things import choose, new_order
from tests.portal import API, Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.service.things import hire
from tests.tryon import samples
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

EVERYTHING: dict[str, Any] = {
    "call_new_customers": True,
    "call_unclear_addresses": True,
    "call_from": {"EUR": 30_000},
}
SUPPORT = Actor(kind="system")


async def call(portal: Portal, number: str = "1042") -> CallView:
    async with portal.begin() as db:
        return await call_of_order(db, SYSTEM, number)


async def listed(portal: Portal, shown: Any = "now") -> list[str]:  # noqa: ANN401 - the name of a list
    async with portal.begin() as db:
        return [one.order_number for one in await list_calls(db, SUPPORT, shown, after=None, limit=50)]


async def says(
    portal: Portal,
    who: Actor,
    call_id: UUID,
    outcome: Outcome,
    seen: int = 0,
    **more: Any,  # noqa: ANN401 - fields
) -> None:
    async with portal.begin() as db:
        await calling.record(db, who, call_id, outcome, seen=seen, **more)


async def test_a_new_order_is_listed_once_with_why_and_the_next_of_its_customer_is_not_new(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    await new_order(portal, phone="+359 2 000 001")
    await new_order(portal, number="1043", placed_at=clock.now())
    assert await listed(portal) == ["1042", "1043"]
    assert (await call(portal)).reasons == [Reason.NEW_CUSTOMER, Reason.LARGE]
    assert (await call(portal, "1043")).reasons == [Reason.LARGE]
    assert (await call(portal)).items == ["2 × Derby, 42, Navy"]


async def test_an_earlier_order_that_was_called_off_makes_nobody_known(portal: Portal) -> None:
    await choose(portal, call_new_customers=True)
    await portal.order(number="1001", cancelled_at=clock.now())
    await new_order(portal)
    assert await listed(portal) == ["1042"]


async def test_a_trial_is_as_large_as_the_most_that_it_can_cost_and_ends_with_it(portal: Portal) -> None:
    await choose(portal, call_from={"EUR": 37_800})
    trial = await samples.place(portal, (await samples.boots(portal))[:2], phone="+359881234567")
    await portal.work()
    number = trial.number
    found = await call(portal, number)
    assert (found.reasons, found.value) == ([Reason.LARGE], 37_800)
    async with portal.begin() as db:
        await cancel(db, API, number)
    await portal.work()
    assert (await call(portal, number)).outcome is Outcome.NOT_NEEDED


async def test_nobody_is_called_about_a_trial_that_has_arrived(portal: Portal) -> None:
    await choose(portal, call_new_customers=True)
    trial = await samples.place(portal, (await samples.boots(portal))[:1])
    await portal.work()
    assert (await call(portal, trial.number)).state is CallState.WAITING
    await samples.shipped(portal, trial)
    await samples.delivered(portal, trial)
    await portal.work()
    assert (await call(portal, trial.number)).outcome is Outcome.NOT_NEEDED


async def test_what_the_shop_puts_right_needs_no_call_any_more(portal: Portal) -> None:
    await choose(portal, call_unclear_addresses=True)
    await new_order(portal, phone="")
    assert (await call(portal)).reasons == [Reason.NO_PHONE]
    await new_order(portal, phone="ask my mum")
    assert (await call(portal)).reasons == [Reason.BAD_PHONE]
    await new_order(portal, phone="+359 88 123 4567")
    found = await call(portal)
    assert (found.state, found.outcome, found.tries[0].name) == (CallState.OVER, Outcome.NOT_NEEDED, "")
    assert await listed(portal) == []
    assert await listed(portal, "over") == ["1042"]


@pytest.mark.parametrize("over", [{"cancelled_at": clock.now()}, {"delivered_at": clock.now()}])
async def test_nobody_is_called_about_what_is_over(portal: Portal, over: dict[str, Any]) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    await new_order(portal, **over)
    assert (await call(portal)).outcome is Outcome.NOT_NEEDED


async def test_who_is_not_reached_comes_again_later_and_tries_are_counted(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    olga, waiting = await hire(portal), await call(portal)
    await says(portal, olga, waiting.id, Outcome.NOT_REACHED)
    assert (await listed(portal), await listed(portal, "later")) == ([], ["1042"])
    with clock.shifted(timedelta(hours=2, minutes=1)):
        assert await listed(portal) == ["1042"]
        tomorrow = clock.now() + timedelta(days=1)
        await says(portal, olga, waiting.id, Outcome.NOT_REACHED, seen=1, again_at=tomorrow, note="Mailbox")
    found = await call(portal)
    assert (found.again_at, [one.note for one in found.tries]) == (tomorrow, ["", "Mailbox"])
    with clock.shifted(timedelta(days=2)):
        await says(portal, olga, waiting.id, Outcome.CONFIRMED, seen=2)
    assert (await call(portal)).outcome is Outcome.CONFIRMED
    told = await portal.rows("SELECT data ->> 'outcome' FROM history WHERE subject = 'order_call' ORDER BY at, id")
    assert [row[0] for row in told] == ["not_reached", "not_reached", "confirmed"]


async def test_two_people_do_not_call_at_once(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    olga, ivan, waiting = await hire(portal), await hire(portal, "ivan@example.com"), await call(portal)

    async def takes(who: Actor) -> None:
        async with portal.begin() as db:
            await calling.take(db, who, waiting.id)

    results = await at_once(takes(olga), takes(ivan))
    [refused] = [result for result in results if result is not None]
    assert isinstance(refused, ConflictError)
    assert refused.code == "taken"
    first, other = (olga, ivan) if results[0] is None else (ivan, olga)
    await takes(first)
    with pytest.raises(ConflictError):
        await says(portal, other, waiting.id, Outcome.CONFIRMED)
    with clock.shifted(calling.TAKEN_FOR + timedelta(minutes=1)):
        await takes(other)
    async with portal.begin() as db:
        await calling.give_back(db, other, waiting.id)
    await takes(first)
    await says(portal, first, waiting.id, Outcome.CONFIRMED)
    await says(portal, first, waiting.id, Outcome.CONFIRMED)
    found = await call(portal)
    assert (len(found.tries), found.taken_by) == (1, None)
    with pytest.raises(ConflictError) as late:
        await says(portal, other, waiting.id, Outcome.NOT_NEEDED, seen=1)
    assert late.value.code == "call_over"


async def test_what_was_noted_meanwhile_is_read_first(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    olga, ivan, waiting = await hire(portal), await hire(portal, "ivan@example.com"), await call(portal)
    await says(portal, olga, waiting.id, Outcome.NOT_REACHED)
    with pytest.raises(ConflictError) as crossed:
        await says(portal, ivan, waiting.id, Outcome.NOT_REACHED)
    assert crossed.value.code == "crossed"


async def test_a_change_says_what_changes(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    olga, waiting = await hire(portal), await call(portal)
    with pytest.raises(InvalidError):
        await says(portal, olga, waiting.id, Outcome.CHANGED, note=" ")
    with pytest.raises(InvalidError):
        await says(portal, olga, waiting.id, Outcome.CHANGED, note="x" * (calling.MAX_NOTE + 1))
    with pytest.raises(ForbiddenError):
        await says(portal, await hire(portal, "mira@example.com", "finance"), waiting.id, Outcome.CONFIRMED)
    await says(portal, olga, waiting.id, Outcome.CHANGED, note="Size 43, please")
    assert (await call(portal)).tries[0].note == "Size 43, please"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def test_the_pages_show_what_helps_and_keep_what_was_typed(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "olga@example.com", "support")
    assert "Nobody is called yet" in words(await browser.get("/staff/calls"))
    await choose(portal, **EVERYTHING)
    assert "Nobody is to be called now" in words(await browser.get("/staff/calls"))
    await new_order(portal, phone="+359 88 123 4567")
    page = await browser.get("/staff/calls")
    assert 'href="tel:+359881234567"' in page.text
    for said in ("1 customer is to be called.", "Order 1042", "new customer", "large order", "€322.90", " there"):
        assert said in words(page)
    path = f"/staff/calls/{(await call(portal)).id}"
    page = await browser.get(path)
    for said in ("Say hello", "2 × Derby, 42, Navy", "бул. Витоша 89 1463 София Bulgaria", "It is "):
        assert said in words(page)
    assert (await post(browser, f"{path}/taking")).headers["location"] == path
    assert "You are calling" in words(await browser.get(path))
    typed = {"seen": value(page, "seen"), "outcome": "changed", "note": "", "again_at": ""}
    wrong = await post(browser, f"{path}/outcome", typed)
    assert wrong.status_code == 422
    assert "Say what is to be different" in words(wrong)
    assert 'value="changed" checked' in wrong.text
    assert "Choose what came of the call." in words(await post(browser, f"{path}/outcome", {"note": "<b>"}))
    bad = await post(browser, f"{path}/outcome", typed | {"outcome": "not_reached", "again_at": "soon"})
    assert "Give a day and a time" in words(bad)
    done = await post(browser, f"{path}/outcome", typed | {"note": "Floor 3"})
    assert done.headers["location"] == "/staff/calls"
    assert "reached, something changes" in words(await browser.get("/staff/calls?show=over"))
    assert "Floor 3" in words(await browser.get(path))
    assert "No call is here" in words(await browser.get("/staff/calls?show=later"))


async def test_only_support_calls(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "irina@example.com", "warehouse", "finance")
    assert (await browser.get("/staff/calls")).status_code == 403


async def test_the_shops_program_is_told_what_came_of_it(browser: Browser, portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal, number="A/1")
    await new_order(portal, number="A/2", placed_at=clock.now())
    olga, waiting = await hire(portal), await call(portal, "A/1")
    await says(portal, olga, waiting.id, Outcome.CHANGED, note="Size 43, please")
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["orders:read"])
    browser.headers["Authorization"] = f"Bearer {key}"
    shown = (await browser.get("/api/v1/order-calls/A/1")).json()
    assert (shown["order_number"], shown["outcome"], shown["reasons"]) == ("A/1", "changed", ["new_customer", "large"])
    assert shown["tries"][0]["note"] == "Size 43, please"
    assert (await browser.get("/api/v1/order-calls/1001")).json()["code"] == "call_not_found"
    first = (await browser.get("/api/v1/order-calls?limit=1")).json()
    assert [one["order_number"] for one in first["items"]] == ["A/2"]
    rest = (await browser.get(f"/api/v1/order-calls?cursor={first['next_cursor']}")).json()
    assert ([one["order_number"] for one in rest["items"]], rest["next_cursor"]) == (["A/1"], None)
    waits = (await browser.get("/api/v1/order-calls?waiting=true")).json()
    assert [one["order_number"] for one in waits["items"]] == ["A/2"]
    assert (await browser.get("/api/v1/order-calls?limit=0")).status_code == 422
    async with portal.begin() as db:
        other = await create_api_key(db, SYSTEM, "labels", ["returns:read"])
    browser.headers["Authorization"] = f"Bearer {other}"
    assert (await browser.get("/api/v1/order-calls")).status_code == 403


async def test_a_person_gets_what_was_noted_and_can_have_it_forgotten(portal: Portal) -> None:
    await choose(portal, **EVERYTHING)
    await new_order(portal)
    await new_order(portal, number="1043", placed_at=clock.now())
    olga, waiting = await hire(portal), await call(portal)
    await says(portal, olga, waiting.id, Outcome.CHANGED, note="Leave it with my neighbour Petrov")
    async with portal.begin() as db:
        found = await everything_of(db, await person_of(db, "kunde@example.com"), DEFAULT)
    [called, other] = [msgspec.to_builtins(order)["calls"][0] for order in found.orders]
    assert called["outcome"] == "changed"
    assert called["tries"][0].endswith(": changed, Leave it with my neighbour Petrov")
    assert other["outcome"] is None
    async with portal.begin() as db:
        await erase(db, SYSTEM, "kunde@example.com")
    rows = await portal.rows(
        "SELECT c.state, c.outcome, coalesce(t.note, '-') FROM order_call c LEFT JOIN order_call_try t"
        " ON t.call_id = c.id ORDER BY c.id"
    )
    assert [tuple(row) for row in rows] == [("over", "changed", ""), ("over", "not_needed", "-")]
