"""Where goods go, what takes two people, and what the shop system is told."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.refunds import actions
from returns_portal.refunds.deciding import decide
from returns_portal.warehouse.goods import homeless
from returns_portal.warehouse.items import send_to
from returns_portal.warehouse.restock import open_events, take
from returns_portal.warehouse.rules import Counted
from returns_portal.warehouse.settings import dock_rules, set_rules
from tests.portal import API, FINANCE, Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.warehouse.dock import BOSS, DAMAGED, IVO, LIKE_NEW, MIRA, WORN, count, stock, two_shoes
from tests.webclient import browsing

pytestmark = pytest.mark.anyio


async def item_of(portal: Portal, condition: str) -> UUID:
    rows = await portal.rows(
        "SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id"
        " WHERE condition = :c AND p.undone_at IS NULL ORDER BY i.id",
        c=condition,
    )
    found: UUID = rows[0].id
    return found


async def place(portal: Portal, item_id: UUID, to: str, by: object = MIRA) -> str:
    async with portal.begin() as db:
        return (await send_to(db, by, item_id, to)).disposition  # type: ignore[arg-type]  # an actor


async def test_goods_go_where_the_shop_sends_their_condition(portal: Portal) -> None:
    filed, shoes, socks = await two_shoes(portal)
    counts = [Counted(shoes, 1, LIKE_NEW), Counted(shoes, 1, WORN), Counted(socks, 1, DAMAGED)]
    await count(portal, filed.rma, *counts, notes={socks: "a hole"})
    rows = await portal.rows("SELECT condition, disposition, note FROM parcel_item ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("resellable", "restock", ""),
        ("worn", "clean_restock", ""),
        ("damaged", "repair", "a hole"),
    ]
    assert list((await stock(portal)).values()) == [2]


async def test_what_is_undone_or_corrected_is_taken_from_the_shelf_again(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), delay=60)
    assert list((await stock(portal)).values()) == [2]
    async with portal.begin() as db:
        await actions.undo(db, MIRA, first.check_in_id)
    assert list((await stock(portal)).values()) == [0]
    again = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW))
    async with portal.begin() as db:
        less = [Counted(shoes, 1, LIKE_NEW)]
        await actions.correct(db, MIRA, portal.settings, again.check_in_id, less, "one was ours")
    assert list((await stock(portal)).values()) == [1]


async def test_a_correction_leaves_goods_where_they_were_sent_with_what_was_noted(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    counted = Counted(shoes, 2, LIKE_NEW)
    first = await count(portal, filed.rma, counted, places={shoes: "outlet"}, notes={shoes: "scuffed"})
    async with portal.begin() as db:
        await actions.correct(db, MIRA, portal.settings, first.check_in_id, [Counted(shoes, 1, LIKE_NEW)], "")
    assert await stock(portal) == {}
    assert await live(portal) == [(1, "outlet", "", "scuffed", "staff:mira")]


async def test_what_two_people_agreed_on_holds_for_what_they_saw(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    item = await item_of(portal, "resellable")
    await place(portal, item, "destroy")
    await place(portal, item, "destroy", IVO)
    async with portal.begin() as db:
        await actions.correct(db, MIRA, portal.settings, first.check_in_id, [Counted(shoes, 2, LIKE_NEW)], "")
    assert list((await stock(portal)).values()) == [0]
    agreed, asked = await live(portal)
    assert agreed == (1, "destroy", "", "", "staff:ivo")
    assert asked == (1, "", "destroy", "", "staff:mira")


async def live(portal: Portal) -> list[tuple[object, ...]]:
    rows = await portal.rows(
        "SELECT i.quantity, disposition, asked, i.note, disposed_by FROM parcel_item i JOIN parcel p"
        " ON p.id = i.parcel_id WHERE p.undone_at IS NULL ORDER BY i.id"
    )
    return [tuple(row) for row in rows]


async def test_a_correction_shows_where_goods_went_and_can_change_it(portal: Portal, database_url: str) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), places={shoes: "outlet"}, notes={shoes: "worn"})
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "mira@example.com", "warehouse")
        form = await browser.get(f"/station?correct={first.check_in_id}")
        assert '<option value="outlet" selected>' in form.text
        assert 'maxlength="500" value="worn"' in form.text
        fields = {name: value(form, name) for name in ("rma", "parcel", "token", "corrects")}
        fields |= {f"count-{shoes}-resellable": "2", f"goes-{shoes}": "", f"note-{shoes}": ""}
        assert (await post(browser, "/station/check-ins", fields)).status_code == 303
    assert [row[1:4] for row in await live(portal)] == [("restock", "", "")]


async def test_a_damaged_item_goes_to_the_shelf_only_when_it_is_decided(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 2, DAMAGED), places={shoes: "restock"})
    assert await stock(portal) == {}
    item = await item_of(portal, "damaged")
    with pytest.raises(ConflictError, match="what the customer gets"):
        await place(portal, item, "outlet")
    async with portal.begin() as db:
        await decide(db, FINANCE, portal.settings, item, "accept", quantity=1)
    assert list((await stock(portal)).values()) == [1]
    rest = await portal.rows("SELECT id, disposition FROM parcel_item WHERE acceptance = 'waiting'")
    assert [row.disposition for row in rest] == ["restock"]
    async with portal.begin() as db:
        await decide(db, FINANCE, portal.settings, rest[0].id, "send_back")
    assert list((await stock(portal)).values()) == [1]
    gone = await portal.rows("SELECT disposition FROM parcel_item WHERE acceptance = 'sent_back'")
    assert [row.disposition for row in gone] == ["back_to_customer"]


async def test_a_long_list_of_goods_without_a_place_goes_on(portal: Portal) -> None:
    filed, shoes, socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), Counted(socks, 1, LIKE_NEW))
    for row in await portal.rows("SELECT id FROM parcel_item ORDER BY id"):
        await place(portal, row.id, "destroy")
    async with portal.begin() as db:
        whole = [item.id for item in await homeless(db, MIRA)]
        (first,) = await homeless(db, MIRA, limit=1)
        rest = await homeless(db, MIRA, after=first.id)
    assert [first.id, *(item.id for item in rest)] == whole
    assert len(whole) == 2


async def test_destroying_takes_two_people(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    item = await item_of(portal, "resellable")
    assert await place(portal, item, "destroy") == ""
    # It is off the shelf as soon as somebody doubts it, and waits for another one.
    assert list((await stock(portal)).values()) == [0]
    with pytest.raises(ForbiddenError, match="another person"):
        await place(portal, item, "destroy")
    async with portal.begin() as db:
        (waiting,) = await homeless(db, MIRA)
        assert (waiting.asked, waiting.mine) == ("destroy", True)
        (waiting,) = await homeless(db, IVO)
        assert not waiting.mine
    assert await place(portal, item, "destroy", IVO) == "destroy"
    async with portal.begin() as db:
        assert await homeless(db, MIRA) == []
    history = await portal.rows("SELECT actor, data FROM history WHERE action = 'placed' ORDER BY at")
    assert [(row.actor, row.data["agreed"]) for row in history] == [("staff:mira", False), ("staff:ivo", True)]


async def test_two_at_once_say_where_it_goes_and_the_stock_is_right(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW))
    item = await item_of(portal, "resellable")
    await at_once(*(place(portal, item, to) for to in ("outlet", "restock", "repair", "restock", "outlet")))
    (row,) = await portal.rows("SELECT disposition FROM parcel_item")
    assert list((await stock(portal)).values()) == [2 if row.disposition == "restock" else 0]


async def test_what_cannot_be(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), delay=60)
    item = await item_of(portal, "resellable")
    with pytest.raises(InvalidError):
        await place(portal, item, "the moon")
    with pytest.raises(NotFoundError):
        await place(portal, new_id(), "outlet")
    with pytest.raises(ForbiddenError):
        await place(portal, item, "outlet", FINANCE)
    async with portal.begin() as db:
        await actions.undo(db, MIRA, first.check_in_id)
    with pytest.raises(ConflictError, match="undone"):
        await place(portal, item, "outlet")


async def test_what_was_told_is_never_changed(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    for statement in ("UPDATE restock_event SET quantity = 5", "DELETE FROM restock_event"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with portal.begin() as db:
                await db.exec_driver_sql(statement)


async def test_the_shop_system_fetches_and_confirms(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW))
    async with portal.begin() as db:
        (event,) = await open_events(db, API)
        assert (event.quantity, event.rma) == (2, filed.rma)
        assert await take(db, API, [event.id, new_id()]) == 1
    async with portal.begin() as db:
        assert await open_events(db, API) == []
        assert await take(db, API, [event.id]) == 0


async def test_the_shop_sets_words_and_ways(portal: Portal) -> None:
    async with portal.begin() as db:
        names, defaults = {"worn": "Tried on"}, {"resellable": "outlet", "worn": ""}
        await set_rules(db, BOSS, names=names, defaults=defaults, two_people={"outlet": False, "destroy": True})
    async with portal.begin() as db:
        rules = await dock_rules(db)
        assert (rules.names["worn"], rules.two_people) == ("Tried on", {"outlet": False, "destroy": True})
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), Counted(shoes, 1, WORN))
    rows = await portal.rows("SELECT disposition FROM parcel_item ORDER BY id")
    assert [row.disposition for row in rows] == ["outlet", ""]
    assert await stock(portal) == {}
    faults: list[dict[str, Any]] = [{"defaults": {"worn": "repair"}}, {"two_people": {}}, {"names": {"worn": "x" * 41}}]
    for wrong in faults:
        given: dict[str, Any] = {"names": {}, "defaults": {}, "two_people": {"outlet": False}} | wrong
        with pytest.raises(InvalidError):
            async with portal.begin() as db:
                await set_rules(db, BOSS, **given)
    with pytest.raises(ForbiddenError):
        async with portal.begin() as db:
            await set_rules(db, MIRA, names={}, defaults={}, two_people={"outlet": False})


async def test_pages_and_file(portal: Portal, database_url: str) -> None:
    filed, shoes, socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), Counted(socks, 1, LIKE_NEW), places={socks: "donate"})
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "ana@example.com", "warehouse")
        shown = await browser.get("/station/goods")
        assert "Wool Socks, 39–42, Ecru" in words(shown)
        assert "Donation: waits for another person" in words(shown)
        done = await post(browser, f"/station/goods/{await item_of(portal, 'resellable')}", {"to": "nowhere"})
        assert "Choose where it goes." in words(await browser.get(done.headers["location"]))
        assert "Units 2" in words(await browser.get("/station/restock"))
        file = await browser.get("/station/restock.csv")
        (row,) = csv.DictReader(io.StringIO(file.text))
        assert (row["quantity"], row["disposition"], row["rma"], row["taken_at"]) == ("2", "restock", filed.rma, "")
        for day in ("9999-12-31", "0001-01-01", "yesterday"):
            for address in ("/station/restock", "/station/restock.csv", "/station/arrivals"):
                assert (await browser.get(address, params={"day": day})).status_code == 200, (address, day)
        assert (await browser.get("/station/rules")).status_code == 403
        await sign_in(browser, portal, "boss@example.com", "admin")
        assert "Your own word for it" in words(await browser.get("/station/rules"))
        wrong = await post(browser, "/station/rules", {"name-worn": "Tried on"})
        assert (wrong.status_code, 'value="Tried on"' in wrong.text) == (422, True)
        good = {"name-worn": "Tried on", "offered-outlet": "yes", "default-worn": "outlet"}
        assert (await post(browser, "/station/rules", good)).status_code == 303
        rma = (await portal.file("1001", (shoes, 1))).rma
        assert "Tried on" in words(await browser.get(f"/station?code={rma}"))
