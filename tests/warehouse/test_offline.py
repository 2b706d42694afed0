"""Parcels that a station counted without the network: each lands once, whatever became of it meanwhile."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.warehouse.landing import QueuedItem, counts_of
from returns_portal.warehouse.queries import ScannedLine
from returns_portal.warehouse.rules import Counted
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.warehouse.dock import LIKE_NEW, LINES, count, found, two_shoes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


def entry(code: str, *items: tuple[str, int, str], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON has them
    scanned = [{"code": sku, "quantity": units, "condition": condition} for sku, units, condition in items]
    return {"id": str(uuid4()), "code": code, "items": scanned, **more}


async def send(station: Browser, queued: dict[str, Any]) -> Response:
    return await post(station, "/station/offline", {"entry": msgspec.json.encode(queued).decode()})


SHOES, SOCKS = LINES[0].sku, LINES[1].sku


async def test_it_is_checked_in_by_what_was_scanned(station: Browser, portal: Portal) -> None:
    filed, shoes, socks = await two_shoes(portal)
    queued = entry(filed.rma, (SHOES.lower(), 2, "resellable"), (SOCKS, 1, "worn"), ("4006381333931", 1, "resellable"))
    landed = (await send(station, queued)).json()
    assert (landed["outcome"], landed["rma"]) == ("checked_in", filed.rma)
    rows = await portal.rows("SELECT order_line_id, quantity, condition, acceptance FROM parcel_item ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (shoes, 2, "resellable", "accepted"),
        (socks, 1, "worn", "accepted"),
        (None, 1, "wrong_item", "surplus"),
    ]


async def test_however_often_and_by_whomever_it_is_sent_it_lands_once(
    station: Browser, portal: Portal, database_url: str
) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    queued = entry(filed.rma, (SHOES, 2, "resellable"))
    await station.get("/")
    async with browsing(portal.settings, database_url) as other:
        await sign_in(other, portal, "ivo@example.com", "warehouse")
        await other.get("/")
        answers = await at_once(*(send(each, queued) for each in (station, other, station, other)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await portal.rows("SELECT id FROM parcel")) == 1
    # Under the same id something else is not taken for the same.
    assert (await send(station, queued | {"note": "more"})).status_code == 409


async def test_the_letters_of_another_layout_are_read(station: Browser, portal: Portal) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    queued = entry("???", (SHOES, 1, "resellable"), typed=filed.rma)
    assert (await send(station, queued)).json()["outcome"] == "checked_in"


@pytest.mark.parametrize(
    ("scanned", "line"),
    [
        ("parka 38-navy_l", 0),
        ("PARKA38NAVYL", None),
        ("A B-1", None),
        ("AB_1", 1),
        ("A-B1", 2),
        ("AB1", None),
        ("-", None),
    ],
)
async def test_the_signs_between_letters_and_digits_may_be_others_where_that_is_plain(
    scanned: str, line: int | None
) -> None:
    lines = [ScannedLine(uuid4(), sku, "", 1) for sku in ("PARKA 38:NAVY_L", "AB-1", "A-B1", "::")]
    [found] = counts_of([QueuedItem(scanned, 1, "resellable")], lines)
    assert found.line_id == (None if line is None else lines[line].id)


async def test_what_nobody_knows_is_kept_with_what_was_counted(station: Browser, portal: Portal) -> None:
    queued = entry("R-0000-0001", (SHOES, 2, "damaged"), note="wet")
    landed = (await send(station, queued)).json()
    assert landed["outcome"] == "kept"
    again = (await send(station, queued)).json()
    assert again == landed
    (row,) = await portal.rows("SELECT codes, counts, description FROM found_parcel")
    assert row.codes == ["R-0000-0001", SHOES]
    assert (row.counts[0]["quantity"], "wet" in row.description) == (2, True)
    assert f"2 × {SHOES}" in words(await station.get(f"/station/found/{landed['id']}"))


@pytest.mark.parametrize(("days", "counted"), [(3, 3), (30, 7), (-2, 0)])
async def test_a_parcel_came_when_it_was_counted_and_not_when_the_network_did(
    station: Browser, portal: Portal, days: int, counted: int
) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    said = (clock.now() - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    for code in (filed.rma, "R-0000-0001"):
        sent = {"entry": msgspec.json.encode(entry(code, (SHOES, 1, "resellable"))).decode(), "queued": said}
        assert (await post(station, "/station/offline", sent)).status_code == 200
    for query in ("SELECT checked_in_at AS at FROM parcel", "SELECT found_at AS at FROM found_parcel"):
        (row,) = await portal.rows(query)
        assert abs(row.at - (clock.now() - timedelta(days=counted))) < timedelta(minutes=1)


async def test_one_strange_symbol_does_not_cost_the_rest_of_the_parcel(station: Browser, portal: Portal) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    strange = "HTTPS://EXAMPLE.COM/" + "Q" * 2000
    for code, outcome in ((filed.rma, "checked_in"), ("R-0000-0001", "kept"), (strange, "kept")):
        queued = entry(code, (SHOES, 2, "resellable"), (strange, 1, "wrong_item"))
        assert (await send(station, queued)).json()["outcome"] == outcome
    items = await portal.rows("SELECT quantity, description FROM parcel_item ORDER BY id")
    assert [tuple(item) for item in items] == [(2, ""), (1, strange[:128])]
    for row in await portal.rows("SELECT counts FROM found_parcel"):
        assert [each["code"] for each in row.counts] == [SHOES, strange[:128]]


async def test_what_somebody_else_counted_meanwhile_is_kept_beside_it(station: Browser, portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    landed = (await send(station, entry(filed.rma, (SHOES, 2, "resellable")))).json()
    assert (landed["outcome"], landed["rma"]) == ("kept", filed.rma)
    assert "A parcel of this return was counted already." in landed["words"]
    assert len(await portal.rows("SELECT id FROM parcel")) == 1
    assert filed.rma in (await portal.rows("SELECT description FROM found_parcel"))[0].description


async def test_a_form_that_was_queued_leaves_a_trace_where_it_came_too_late(station: Browser, portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    form = await station.get(f"/station?code={filed.rma}")
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    sent = {name: value(form, name) for name in ("rma", "parcel", "token", "corrects")}
    sent |= {f"count-{shoes}-resellable": "2", "queued": "2026-11-22T10:00:00Z"}
    for _ in range(2):
        assert (await post(station, "/station/check-ins", sent)).status_code == 409
    (kept,) = await portal.rows("SELECT data FROM history WHERE action = 'counted_twice'")
    assert kept.data == {"counts": {f"count-{shoes}-resellable": "2"}}


async def test_an_empty_box_is_empty_only_when_somebody_says_so(station: Browser, portal: Portal) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    assert (await send(station, entry(filed.rma))).status_code == 422
    assert (await send(station, entry(filed.rma, empty=True))).json()["outcome"] == "checked_in"
    assert await found(portal) == [("empty", 0)]


KNOWN = {"id": "0192f0c1-0000-7000-8000-000000000000", "code": "R", "items": []}


@pytest.mark.parametrize(
    "broken",
    [
        [],
        {},
        KNOWN | {"id": "x"},
        KNOWN | {"code": ""},
        KNOWN | {"more": 1},
        KNOWN | {"note": "\x00", "empty": True},
        KNOWN | {"items": [{"code": "A", "quantity": 0, "condition": "worn"}]},
        KNOWN | {"items": [{"code": "A", "quantity": 1, "condition": "eaten"}]},
        KNOWN | {"items": [{"code": "A", "quantity": 1, "condition": "worn"}] * 201},
    ],
)
async def test_what_no_station_has_queued_is_refused(station: Browser, portal: Portal, broken: object) -> None:
    assert (await post(station, "/station/offline", {"entry": msgspec.json.encode(broken).decode()})).status_code == 422
    assert await portal.rows("SELECT id FROM found_parcel") == []


async def test_the_worker_lies_where_it_works(station: Browser) -> None:
    answer = await station.get("/station/worker.js")
    assert answer.headers["service-worker-allowed"] == "/station"
    assert answer.headers["content-type"].startswith("application/javascript")
    assert answer.headers["cache-control"] == "no-cache"
