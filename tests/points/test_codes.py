"""Points that are spent by a code: set aside here, typed at the shop's checkout, spent once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import DomainError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.points import redemptions
from returns_portal.points.codes import MOST_OPEN, by_code, make_code, open_codes, take_back
from tests.points.purse import balance, capture, give
from tests.portal import API, Portal, at_once
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser, add_order, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


@pytest.fixture
async def ana(portal: Portal) -> Actor:
    """A customer with a thousand points."""
    async with portal.begin() as db:
        order_id = await add_order(db, "77", "ana@example.com")
    await give(portal, 1_000)
    return Actor(kind="customer", id="ana", order_id=order_id, knows_inbox=True)


async def code_for(portal: Portal, actor: Actor, amount: int, currency: str = "EUR") -> str:
    async with portal.begin() as db:
        return await make_code(db, actor, currency, amount)


async def found(portal: Portal, code: str, actor: Actor = API) -> UUID:
    async with portal.begin() as db:
        return (await by_code(db, actor, code)).id


async def back(portal: Portal, actor: Actor, held: UUID) -> None:
    async with portal.begin() as db:
        await take_back(db, actor, held)


async def refused(call: Any) -> str:  # noqa: ANN401 - whatever is awaited
    with pytest.raises(DomainError) as caught:
        await call
    return caught.value.code


async def test_a_code_is_found_as_people_type_it_and_spent_once(portal: Portal, ana: Actor) -> None:
    code = await code_for(portal, ana, 600)
    assert (await balance(portal)).points == 400
    held = await found(portal, code.lower().replace("-", " "))
    # What the purchase does not need comes back.
    await capture(portal, held, 250, order="W-9")
    assert (await balance(portal)).points == 750
    assert await refused(found(portal, code)) == "code_over"
    assert await refused(back(portal, ana, held)) == "already_captured"
    assert await refused(found(portal, "P-0000-0001")) == "code_not_found"
    assert await refused(found(portal, "R-7K3M-9QXD")) == "code_not_found"


async def test_points_are_taken_back_or_come_back_by_themselves(portal: Portal, ana: Actor) -> None:
    first, second = await code_for(portal, ana, 600), await code_for(portal, ana, 400)
    assert await refused(code_for(portal, ana, 1)) == "too_few_points"
    held = await found(portal, first)
    for _ in range(2):
        await back(portal, ana, held)
    assert await refused(found(portal, first)) == "code_over"
    assert (await balance(portal)).points == 600
    with clock.shifted(timedelta(days=8)):
        assert await refused(found(portal, second)) == "code_over"
        await redemptions.release_overdue(portal.begin)
    assert (await balance(portal)).points == 1_000


async def test_what_cannot_be_set_aside_is_not(portal: Portal, ana: Actor) -> None:
    for amount, currency in ((0, "EUR"), (-5, "EUR"), (1_001, "EUR"), (10**12, "EUR"), (5, "JPY"), (5, "€")):
        with pytest.raises(InvalidError):
            await code_for(portal, ana, amount, currency)
    for _ in range(MOST_OPEN):
        await code_for(portal, ana, 1)
    assert await refused(code_for(portal, ana, 1)) == "too_many_codes"
    assert (await balance(portal)).points == 1_000 - MOST_OPEN


async def test_two_codes_at_once_share_what_there_is(portal: Portal, ana: Actor) -> None:
    answers = await at_once(*(code_for(portal, ana, 700) for _ in range(4)))
    assert len([answer for answer in answers if isinstance(answer, str)]) == 1
    assert (await balance(portal)).points == 300


async def test_a_code_is_its_owners_and_the_checkouts_alone(portal: Portal, ana: Actor) -> None:
    code = await code_for(portal, ana, 600)
    held = await found(portal, code)
    async with portal.begin() as db:
        other = await add_order(db, "78", "boris@example.com")
    boris = Actor(kind="customer", id="boris", order_id=other, knows_inbox=True)
    with pytest.raises(NotFoundError):
        await back(portal, boris, held)
    with pytest.raises(ForbiddenError):
        await found(portal, code, ana)
    unproven = Actor(kind="customer", id="ana", order_id=ana.order_id, knows_inbox=False)
    async with portal.begin() as db:
        with pytest.raises(NotFoundError):
            await open_codes(db, unproven)


async def test_on_the_page(browser: Browser, portal: Portal, ana: Actor) -> None:
    del ana
    await come_in(browser, portal, "77")
    shown = await browser.get("/points")
    assert "Spend points at our checkout" in words(shown)
    wrong = await post(browser, "/points/codes", {"currency": "EUR", "amount": "5000", "token": value(shown, "token")})
    assert (wrong.status_code, "You have fewer points than that." in words(wrong)) == (422, True)
    assert 'value="5000"' in wrong.text
    fields = {"currency": "EUR", "amount": "600", "token": value(shown, "token")}
    for _ in range(2):  # A double click.
        assert (await post(browser, "/points/codes", fields)).status_code == 303
    [row] = await portal.rows("SELECT id, code FROM points_redemption")
    shown = await browser.get("/points")
    assert f"Set aside for a purchase: {row.code}" in words(shown)
    assert f"{row.code} €6.00, good until" in words(shown)
    for _ in range(2):
        assert (await post(browser, f"/points/codes/{row.id}/return")).status_code == 303
    assert "Your codes" not in words(await browser.get("/points"))
    assert (await balance(portal)).points == 1_000


async def test_over_json(browser: Browser, portal: Portal, ana: Actor) -> None:
    code = await code_for(portal, ana, 600)
    async with portal.begin() as db:
        token = await create_api_key(db, SYSTEM, "checkout", ["points:write"])

    async def asked(typed: str) -> Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await browser.post("/api/v1/points/redemptions/by-code", json={"code": typed}, headers=headers)

    answer = await asked(code)
    assert (answer.status_code, answer.json()["amount"], answer.json()["status"]) == (200, 600, "held")
    assert (await asked("nope")).status_code == 404
    await capture(portal, UUID(answer.json()["id"]))
    assert ((await asked(code)).status_code, (await asked(code)).json()["code"]) == (409, "code_over")
