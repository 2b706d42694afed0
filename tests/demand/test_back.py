"""What is back is told to those who wished it: once, the oldest first, a few for each piece, whatever way it came."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.catalog.actions import give_back_stock, put_product, take_stock
from returns_portal.catalog.keeping import Correction, correct_stock, set_listed
from returns_portal.demand import asking, telling
from returns_portal.demand.asking import Asked
from returns_portal.demand.models import Source
from returns_portal.notifications.choices import refuse
from returns_portal.notifications.models import Optional
from tests.catalog.shelves import SHOP, a_product, a_variant
from tests.demand.things import STRANGER, one, stock
from tests.exchanges.samples import a_boot
from tests.portal import Portal, at_once
from tests.service.things import asks

pytestmark = pytest.mark.anyio


async def wish(portal: Portal, *people: str, size: str = "43", **more: Any) -> None:  # noqa: ANN401 - fields
    for name in people:
        asked = Asked(
            source=Source.PRODUCT,
            locale="en",
            size=size,
            email=f"{name}@example.com",
            consent="yes",
            **({"product": "boot"} | more),
        )
        async with portal.begin() as db:
            await asking.ask(db, STRANGER, portal.settings, asked)


async def told(portal: Portal) -> list[str]:
    """Whom a run of the job has told so far, in the order in which they asked."""
    await telling.tell(portal.begin, portal.settings)
    rows = await portal.rows(
        "SELECT e.recipient FROM email e JOIN product_request r ON r.id = e.subject_id"
        " WHERE e.template = 'back_in_stock' ORDER BY r.id"
    )
    return [row.recipient.partition("@")[0] for row in rows]


async def test_a_few_for_each_piece_the_oldest_first_each_once(portal: Portal) -> None:
    await stock(portal)
    await wish(portal, *"abcdefgh")
    assert await told(portal) == []
    await stock(portal, s43=2)
    await at_once(*(telling.tell(portal.begin, portal.settings) for _worker in range(3)))
    assert await told(portal) == list("abcdef")
    # What was there already tells nobody anew: the rest stay waiting for what comes.
    await stock(portal, s43=2)
    assert await told(portal) == list("abcdef")
    await stock(portal, s43=3)
    assert await told(portal) == list("abcdefgh")
    await stock(portal, s43=9)
    assert await told(portal) == list("abcdefgh")
    states = await portal.rows("SELECT DISTINCT wish, told_at IS NOT NULL FROM product_request")
    assert [tuple(row) for row in states] == [("told", True)]
    mail = await one(portal, "SELECT values FROM email WHERE template = 'back_in_stock' LIMIT 1")
    assert mail.values["url"] == "/shop/boot?size=43&color=Black"
    assert await portal.rows("SELECT id FROM stock_rise") == []


async def test_what_comes_while_somebody_asks_finds_them(portal: Portal) -> None:
    await stock(portal)
    asked = Asked(source=Source.PRODUCT, locale="en", product="boot", size="43", email="ana@example.com", consent="yes")
    async with portal.begin() as db:
        await asking.ask(db, STRANGER, portal.settings, asked)
        coming = [asyncio.create_task(each(portal)) for each in (by_putting_back, by_catalogue, by_catalogue)]
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in coming)
    await asyncio.gather(*coming)
    assert await told(portal) == ["ana"]


async def by_count(portal: Portal) -> None:
    async with portal.begin() as db:
        await correct_stock(db, SHOP, "boot", {"boot-43": Correction(0, 1)})


async def by_putting_back(portal: Portal) -> None:
    variant = await one(portal, "SELECT id FROM variant WHERE sku = 'boot-43'")
    async with portal.begin() as db:
        await give_back_stock(db, {variant.id: 1})


async def by_catalogue(portal: Portal) -> None:
    await stock(portal, s43=1)


async def by_offering_it_again(portal: Portal) -> None:
    async with portal.begin() as db:
        await put_product(db, SHOP, a_product("boot", variants=[a_variant("boot-42")]))
    await stock(portal, s43=1)


@pytest.mark.parametrize("comes", [by_count, by_putting_back, by_catalogue, by_offering_it_again])
async def test_every_way_into_stock_is_told(portal: Portal, comes: Any) -> None:  # noqa: ANN401 - a call
    await stock(portal)
    await wish(portal, "ana")
    await wish(portal, "ivo", size="47")
    await comes(portal)
    assert await told(portal) == ["ana"]


async def test_a_size_that_is_new_is_told_to_those_who_asked_for_it(portal: Portal) -> None:
    await stock(portal)
    await wish(portal, "ana", size="47")
    variants = [*(a_variant(f"boot-{size}") for size in (42, 47)), a_variant("boot-43", stock=0)]
    async with portal.begin() as db:
        await put_product(db, SHOP, a_product("boot", variants=variants))
    assert await told(portal) == ["ana"]


async def test_what_is_gone_again_or_not_shown_is_not_told(portal: Portal) -> None:
    await stock(portal)
    await wish(portal, "ana")
    await stock(portal, s43=1)
    async with portal.begin() as db:
        await take_stock(db, {"boot-43": 1})
    assert await told(portal) == []
    async with portal.begin() as db:
        await set_listed(db, SHOP, "boot", False)
    await by_putting_back(portal)
    assert await told(portal) == []
    async with portal.begin() as db:
        await set_listed(db, SHOP, "boot", True)
    assert await told(portal) == ["ana"]


async def test_nothing_is_noted_where_nobody_waits(portal: Portal) -> None:
    await stock(portal)
    await stock(portal, s43=5)
    assert await portal.rows("SELECT id FROM stock_rise") == []


async def test_whoever_does_not_want_it_takes_no_place(portal: Portal) -> None:
    await stock(portal)
    await wish(portal, *"abcd")
    async with portal.begin() as db:
        await refuse(db, "a@example.com", {Optional.STOCK})
    ended = await one(portal, "SELECT id FROM product_request WHERE email = 'b@example.com'")
    async with portal.begin() as db:
        await asking.end(db, STRANGER, ended.id)
    await stock(portal, s43=1)
    assert await told(portal) == ["c", "d"]
    rows = await portal.rows("SELECT wish, email FROM product_request ORDER BY id LIMIT 2")
    assert [tuple(row) for row in rows] == [("ended", ""), ("ended", "")]


async def test_a_wish_ends_after_180_days_and_its_address_goes(portal: Portal) -> None:
    await stock(portal)
    await wish(portal, "ana", "ivo")
    await portal.rows(
        "UPDATE product_request SET asked_at = now() - interval '181 days' WHERE email = 'ana@example.com' RETURNING id"
    )
    await stock(portal, s43=1)
    assert await told(portal) == ["ivo"]
    async with portal.begin() as db:
        await telling.end_old(db)
    rows = await portal.rows("SELECT wish, email FROM product_request ORDER BY id")
    assert [tuple(row) for row in rows] == [("ended", ""), ("told", "ivo@example.com")]


async def test_who_orders_it_afterwards_came_back(portal: Portal) -> None:
    await stock(portal)
    before, after = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    await wish(portal, "ana", "eve", "kim")
    await wish(portal, "lea", product="", what="Gloves")
    orders = (
        ("1", "ana", before, "boot-41"),
        ("2", "ana", after, "boot-43"),
        ("3", "ana", after + timedelta(days=1), "boot-43"),
        ("4", "eve", after, "other"),
        ("5", "lea", after, "boot-43"),
    )
    for number, name, placed, sku in orders:
        lines = [a_boot(sku=sku)]
        await portal.order(number=number, email=f"{name}@Example.com", placed_at=placed, lines=lines, delivered_at=None)
    question_id = await asks(portal, email="pia@example.com")
    async with portal.begin() as db:
        asked = Asked(source=Source.QUESTION, locale="en", product="boot", size="43", question_id=question_id)
        await asking.ask(db, STRANGER, portal.settings, asked)
    await portal.order(number="6", email="pia@example.com", placed_at=after, lines=[a_boot()], delivered_at=None)
    assert await came_back(portal) == ["2", None, None, None, "6"]
    assert await came_back(portal) == ["2", None, None, None, "6"]
    await portal.rows("UPDATE orders SET cancelled_at = now() WHERE number IN ('2', '6') RETURNING id")
    assert await came_back(portal) == ["3", None, None, None, None]


async def came_back(portal: Portal) -> list[str | None]:
    """The orders with which those came back who had asked, in the order in which they did."""
    async with portal.begin() as db:
        await telling.note_who_came_back(db)
    rows = await portal.rows(
        "SELECT o.number FROM product_request r LEFT JOIN orders o ON o.id = r.came_back_order_id ORDER BY r.id"
    )
    return [row.number for row in rows]
