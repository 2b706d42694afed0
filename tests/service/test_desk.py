"""What stands beside a question, and who has it open."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ForbiddenError
from returns_portal.ids import new_id
from returns_portal.points.adjusting import open_account, request
from returns_portal.service.beside import NEWEST, Beside, beside
from returns_portal.service.presence import SILENCE, forget_absent, look_in
from returns_portal.service.queries import question_for
from tests.portal import FINANCE, Portal, at_once
from tests.returns.visits import post, sign_in, words
from tests.service.things import MONDAY, STRANGER, answers, asks, hire, open_shop
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

WAREHOUSE = Actor(kind="staff", id=str(new_id()), grants=frozenset({"warehouse"}))


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def known(portal: Portal, question_id: object, actor: Actor = SYSTEM, limit: int = NEWEST) -> Beside:
    async with portal.begin() as db:
        question = await question_for(db, SYSTEM, question_id)  # type: ignore[arg-type]  # rows have no types
        return await beside(db, actor, question, limit=limit)


async def test_beside_a_question_stands_what_its_address_has_and_nothing_of_others(portal: Portal) -> None:
    for number in range(1, 8):
        await portal.order(number=f"10{number}", email="Ana@example.com")
    await portal.order(number="999", email="eve@example.com")
    _order, [line, *_more] = await portal.order(number="108", email="ana@example.com")
    filed = await portal.file("108", (line, 1))
    async with portal.begin() as db:
        await request(db, FINANCE, await open_account(db, FINANCE, "ana@example.com"), "EUR", 500, "Sorry")
    earlier = await asks(portal, "An earlier one", "ANA@example.com")
    await asks(portal, "Of somebody else", "eve@example.com")
    question_id = await asks(portal)
    found = await known(portal, question_id)
    assert (len(found.orders), found.orders_count, found.is_all) == (NEWEST, 8, False)
    assert found.orders[0].number == "108"
    assert [(one.rma, one.status) for one in found.returns] == [(filed.rma, "filed")]
    assert [one.id for one in found.threads] == [earlier]
    assert [(one.points, one.currency) for one in found.points] == [(500, "EUR")]
    whole = await known(portal, question_id, limit=100)
    assert (len(whole.orders), whole.is_all) == (8, True)
    assert "999" not in {one.number for one in whole.orders}


async def test_what_stands_beside_a_question_is_found_by_indexes(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    question_id, told = await asks(portal), list[str]()

    async def explain(db: AsyncConnection, query: str, /, **values: object) -> Sequence[Any]:
        await run(db, "SET LOCAL enable_seqscan = off")
        told.extend(row[0] for row in await run(db, f"EXPLAIN {query}", **values))
        return await run(db, query, **values)

    monkeypatch.setattr("returns_portal.service.beside.run", explain)
    await known(portal, question_id)
    plan = "\n".join(told)
    assert "ix_returns_order" in plan, plan
    assert "Seq Scan on returns" not in plan, plan


async def test_it_is_for_those_who_answer_alone(portal: Portal) -> None:
    question_id = await asks(portal)
    for actor in (WAREHOUSE, STRANGER):
        with pytest.raises(ForbiddenError):
            await known(portal, question_id, actor)
        with pytest.raises(ForbiddenError):
            async with portal.begin() as db:
                await look_in(db, actor, question_id)


async def test_a_colleague_is_seen_until_a_minute_of_silence(portal: Portal) -> None:
    question_id, other = await asks(portal), await asks(portal)
    maria, olga = await hire(portal, "maria@example.com"), await hire(portal, "olga@example.com")

    async def others(who: Actor, where: object = question_id) -> list[tuple[str, object]]:
        async with portal.begin() as db:
            found = await look_in(db, who, where)  # type: ignore[arg-type]  # as above
        return [(one.name, one.since) for one in found]

    with clock.at(MONDAY):
        assert await others(maria) == []
        assert await others(olga) == [("Mira", MONDAY)]
        assert await others(olga, other) == []
    with clock.at(MONDAY + timedelta(seconds=40)):
        assert await others(maria) == [("Mira", MONDAY)]
    with clock.at(MONDAY + timedelta(seconds=90)):
        # The one has said so again meanwhile, the other has not; who comes back, comes anew.
        assert await others(maria) == []
        assert await others(olga) == [("Mira", MONDAY)]
    with clock.at(later := MONDAY + timedelta(seconds=90) + SILENCE):
        assert await others(olga) == []
        assert await others(maria) == [("Mira", later)]
    for days, left in ((0, 3), (2, 0)):
        with clock.at(later + timedelta(days=days)):
            async with portal.begin() as db:
                await forget_absent(db)
        assert len(await portal.rows("SELECT 1 FROM question_presence")) == left


async def test_those_who_come_back_at_the_same_moment_do_not_hold_each_other_up(portal: Portal) -> None:
    question_id = await asks(portal)
    people = [await hire(portal, f"{name}@example.com") for name in ("a", "b", "c")]

    async def comes(who: Actor) -> None:
        async with portal.begin() as db:
            await look_in(db, who, question_id)

    for minutes in (0, 5, 10):
        with clock.at(MONDAY + timedelta(minutes=minutes)):
            assert await at_once(*map(comes, people)) == [None, None, None]


async def test_the_page_says_who_has_it_open_and_what_the_customer_has(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001", email="ana@example.com", delivered_at=MONDAY - timedelta(days=3))
    with clock.at(MONDAY):
        question_id = await asks(portal)
        earlier = await asks(portal, "An earlier one")
        await answers(portal, maria := await hire(portal, "maria@example.com"), earlier)
        async with portal.begin() as db:
            await look_in(db, maria, question_id)
        await sign_in(browser, portal, "olga@example.com", "support")
        path = f"/staff/questions/{question_id}"
        page = await browser.get(path)
        said = words(page)
        assert "Mira has had this open since 10:00." in said
        assert "Orders (1)" in said
        assert 'href="/staff/orders/1001"' in page.text
        assert "delivered 20 Nov 2026" in said
        assert "Other questions (1) An earlier one" in said
        assert "All of it" not in said
    with clock.at(MONDAY + timedelta(minutes=2)):
        assert (await post(browser, f"{path}/presence")).json() == []
        assert "has had this open" not in words(await browser.get(path))
    for number in range(6):
        await portal.order(number=f"200{number}", email="ana@example.com")
    assert f'href="{path}/customer"' in (await browser.get(path)).text
    page = await browser.get(f"{path}/customer")
    assert ("Orders (7)" in words(page), "/staff/orders/1001" in page.text) == (True, True)
    assert "example" not in str(page.url)


async def test_other_roles_hear_nothing_of_it(browser: Browser, portal: Portal) -> None:
    path = f"/staff/questions/{await asks(portal)}"
    assert (await browser.get(f"{path}/customer")).headers["location"].startswith("/sign-in")
    await sign_in(browser, portal, "w@example.com", "warehouse")
    assert (await browser.get(f"{path}/customer")).status_code == 403
    assert (await post(browser, f"{path}/presence")).status_code == 403
    assert await portal.rows("SELECT 1 FROM question_presence") == []
    await sign_in(browser, portal, "s@example.com", "support")
    missing = f"/staff/questions/{new_id()}"
    assert (await browser.get(f"{missing}/customer")).status_code == 404
    assert (await post(browser, f"{missing}/presence")).status_code == 404
