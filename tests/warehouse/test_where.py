"""In which warehouse a parcel was counted: asked where there are several, once for each station."""

from typing import Any

import pytest
from httpx import Response

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.errors import ForbiddenError, InvalidError
from returns_portal.refunds import actions
from returns_portal.shop.actions import update_shop
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.pages.where import WAREHOUSE_COOKIE
from returns_portal.warehouse.rules import Counted
from tests.portal import Portal
from tests.returns.visits import post, sign_in, value, words
from tests.warehouse.dock import BOSS, LIKE_NEW, LINES, MIRA, count, two_shoes
from tests.warehouse.test_offline import entry, send
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

ASKED = "In which warehouse is this station?"


async def houses(portal: Portal, *names: str) -> None:
    async with portal.begin() as db:
        await update_shop(db, BOSS, warehouses=list(names))


async def kept(portal: Portal) -> list[str | None]:
    return [row.warehouse for row in await portal.rows("SELECT warehouse FROM parcel WHERE undone_at IS NULL")]


async def close(station: Browser, rma: str, shoes: Any, **more: str) -> Response:  # noqa: ANN401 - an id
    seen = await station.get("/station", params={"code": rma})
    sent = {name: value(seen, name) for name in ("rma", "token", "warehouse")}
    return await post(station, "/station/check-ins", {**sent, f"count-{shoes}-resellable": "2", **more})


@pytest.mark.parametrize(("names", "written"), [((), None), (("Lviv",), "Lviv")])
async def test_with_none_or_one_nothing_is_asked(
    station: Browser, portal: Portal, names: tuple[str, ...], written: str | None
) -> None:
    await houses(portal, *names)
    filed, shoes, _socks = await two_shoes(portal)
    assert "arehouse" not in words(await station.get("/station"))
    assert (await close(station, filed.rma, shoes)).status_code == 303
    assert await kept(portal) == [written]


async def test_of_several_a_station_is_asked_for_one_once(station: Browser, portal: Portal, database_url: str) -> None:
    await houses(portal, "Lviv", "Пловдив & Söhne")
    filed, shoes, _socks = await two_shoes(portal)
    asked = await station.get("/station", params={"code": filed.rma})
    assert ASKED in words(asked)
    assert value(asked, "back").endswith(f"?code={filed.rma}")
    said = await post(station, "/station/warehouse", {"stands_in": "Пловдив & Söhne", "back": value(asked, "back")})
    assert said.headers["location"] == f"/station?code={filed.rma}"
    assert "Warehouse: Пловдив & Söhne" in words(await station.get("/station"))
    # Whoever works there next is not asked again, and another station is.
    await sign_in(station, portal, "ivo@example.com", "warehouse")
    assert ASKED not in words(await station.get("/station"))
    async with browsing(portal.settings, database_url) as other:
        await sign_in(other, portal, "eve@example.com", "warehouse")
        assert ASKED in words(await other.get("/station"))
    assert (await close(station, filed.rma, shoes)).status_code == 303
    assert await kept(portal) == ["Пловдив & Söhne"]


async def test_who_was_not_asked_yet_counts_all_the_same(station: Browser, portal: Portal) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    filed, shoes, _socks = await two_shoes(portal)
    assert (await close(station, filed.rma, shoes, warehouse="Atlantis")).status_code == 303
    assert await kept(portal) == [None]


async def test_a_warehouse_that_there_is_no_more_is_asked_for_again(station: Browser, portal: Portal) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    assert (await post(station, "/station/warehouse", {"stands_in": "Lviv"})).headers["location"] == "/station"
    await houses(portal, "Rousse", "Plovdiv")
    assert ASKED in words(await station.get("/station"))
    wrong = await post(station, "/station/warehouse", {"stands_in": "Lviv"})
    assert (wrong.status_code, WAREHOUSE_COOKIE in wrong.headers.get("set-cookie", "")) == (422, False)
    station.cookies.set(WAREHOUSE_COOKIE, "Rousse", domain="127.0.0.1")
    assert ASKED in words(await station.get("/station"))


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/finance", "/station\r\nX: y"])
async def test_it_leads_back_to_the_station_alone(station: Browser, portal: Portal, back: str) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    said = await post(station, "/station/warehouse", {"stands_in": "Lviv", "back": back})
    assert said.headers["location"] == "/station"


async def test_what_waited_for_the_network_was_counted_where_it_was(station: Browser, portal: Portal) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    filed, shoes, _socks = await two_shoes(portal)
    other = await portal.file("1001", (shoes, 1))
    await post(station, "/station/warehouse", {"stands_in": "Plovdiv"})
    await close(station, filed.rma, shoes, queued="2026-11-23T10:00:00Z", warehouse="Lviv")
    assert (await send(station, entry(other.rma, (LINES[0].sku, 1, "resellable")))).json()["outcome"] == "checked_in"
    assert sorted(map(str, await kept(portal))) == ["Lviv", "Plovdiv"]


async def test_a_correction_leaves_it_where_it_came(portal: Portal) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    filed, shoes, _socks = await two_shoes(portal)
    released = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), warehouse="Lviv")
    async with portal.begin() as db:
        counts, elsewhere = [Counted(shoes, 1, LIKE_NEW)], Circumstances(warehouse="Plovdiv")
        await actions.correct(db, MIRA, portal.settings, released.check_in_id, counts, "", elsewhere)
    assert await kept(portal) == ["Lviv"]


async def test_the_list_of_an_admin(station: Browser, portal: Portal) -> None:
    rules = {"offered-outlet": "yes"}
    assert (await post(station, "/station/rules", {**rules, "warehouses": "Lviv"})).status_code == 403
    await sign_in(station, portal, "boss@example.com", "admin")
    typed = " Lviv \r\n\r\nПловдив"
    assert (await post(station, "/station/rules", {**rules, "warehouses": typed})).status_code == 303
    assert (await portal.rows("SELECT warehouses FROM shop"))[0].warehouses == ["Lviv", "Пловдив"]
    assert ">Lviv\nПловдив</textarea>" in (await station.get("/station/rules")).text
    for wrong in ("Lviv\nlviv", "x" * 61, "+", "\n".join(f"Hall {number}" for number in range(21)), "a\x07b"):
        answer = await post(station, "/station/rules", {**rules, "warehouses": wrong})
        assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True), wrong
    assert (await portal.rows("SELECT warehouses FROM shop"))[0].warehouses == ["Lviv", "Пловдив"]


async def test_who_may_name_them(portal: Portal) -> None:
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await update_shop(db, MIRA, warehouses=["Lviv"])
        with pytest.raises(InvalidError):
            await update_shop(db, BOSS, warehouses=["Lviv", ""])


async def test_a_program_says_where_it_counted(station: Browser, portal: Portal) -> None:
    await houses(portal, "Lviv", "Plovdiv")
    filed, shoes, _socks = await two_shoes(portal)
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "dock", ["check-ins:write"])
    headers = {"Authorization": f"Bearer {key}"}
    parcel = {"code": filed.rma, "lines": [{"line_id": str(shoes), "quantity": 2, "condition": "resellable"}]}
    for wrong in ("", "+", "x" * 61):
        answer = await station.post("/api/v1/check-ins", headers=headers, json=parcel | {"warehouse": wrong})
        assert answer.status_code in {400, 422}
    answer = await station.post("/api/v1/check-ins", headers=headers, json=parcel | {"warehouse": " Plovdiv "})
    assert (answer.status_code, await kept(portal)) == (201, ["Plovdiv"])
