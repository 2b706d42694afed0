"""What a carrier tells of a parcel that we sent is announced: once, in time, and not over what a person said."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.carriers.easypost_news import Coming, coming, signed_news
from returns_portal.labels.inbox import store
from returns_portal.labels.outbound import sent_out
from returns_portal.privacy.erasing import erase
from tests.confirming.things import MONDAY, between, new_order, said, tell
from tests.portal import API, Portal

pytestmark = pytest.mark.anyio


def event(status: str = "out_for_delivery", **result: Any) -> bytes:  # noqa: ANN401 - fields of a tracker
    scans = [
        {"status": "in_transit", "datetime": "2026-11-22T20:00:00Z"},
        {"status": "out_for_delivery", "datetime": "2026-11-23T07:30:00Z"},
    ]
    tracker = {
        "object": "Tracker",
        "id": "trk_1",
        "status": status,
        "tracking_code": "9400100000",
        "est_delivery_date": "2026-11-23T00:00:00Z",
        "tracking_details": scans,
    }
    return json.dumps({"id": "evt_1", "description": "tracker.updated", "result": tracker | result}).encode()


EXACT: dict[str, Any] = {
    "carrier_detail": {"est_delivery_date_local": "2026-11-23", "est_delivery_time_local": "18:00:00"}
}


def test_of_a_carriers_news_the_day_and_the_time_of_the_place_are_read() -> None:
    since = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert coming(event()) == Coming(since, since.date())
    found = coming(event(**EXACT))
    assert found is not None
    assert str(found.by) == "18:00:00"
    assert coming(event("in_transit")) is None
    assert coming(b"{}") is None
    assert coming(event(tracking_details=[], updated_at=None)) is None
    assert coming(event(tracking_details=[{"status": "out_for_delivery", "datetime": "soon"}])) is None


async def hears(portal: Portal, body: bytes) -> None:
    """As EasyPost tells it, signed."""
    digest = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    async with portal.begin() as db:
        await store(db, "easypost", signed_news(body, f"hmac-sha256-hex={digest}", "secret"), body)
    await portal.work()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "Your courier comes today."),
        (EXACT, "Your courier is on the way and should be with you by 18:00."),
        ({"est_delivery_date": None}, "Your courier comes today."),
        ({"est_delivery_date": "2026-11-24T00:00:00Z"}, "Your courier comes on 24 November."),
    ],
)
async def test_what_a_carrier_brings_is_announced_once(portal: Portal, more: dict[str, Any], expected: str) -> None:
    await new_order(portal, locale="en")
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    with clock.at(MONDAY):
        await hears(portal, event(**more))
        await hears(portal, event(**more).replace(b"evt_1", b"evt_2"))
    assert await said(portal) == [expected]


@pytest.mark.parametrize("more", [{}, EXACT])
async def test_a_parcel_that_is_scanned_again_is_no_news(portal: Portal, more: dict[str, Any]) -> None:
    await new_order(portal, locale="en")
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    again = [{"status": "out_for_delivery", "datetime": "2026-11-23T09:10:00Z"}]
    with clock.at(MONDAY):
        await hears(portal, event(**more))
        await hears(portal, event(**more, tracking_details=again).replace(b"evt_1", b"evt_2"))
    assert len(await said(portal)) == 1


async def test_what_was_told_by_hand_of_one_parcel_says_nothing_of_another(portal: Portal) -> None:
    order_id = await new_order(portal)
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16), tracking="9400100001")
        await hears(portal, event())
    assert len(await said(portal)) == 2


@pytest.mark.parametrize(
    ("body", "later"),
    [
        (event("delivered"), timedelta()),
        (event(tracking_code="1"), timedelta()),
        (event(), timedelta(hours=12)),
        (event(est_delivery_date="2026-11-22T00:00:00Z"), timedelta()),
    ],
)
async def test_other_news_and_late_news_tell_nobody(portal: Portal, body: bytes, later: timedelta) -> None:
    await new_order(portal)
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    with clock.at(MONDAY + later):
        await hears(portal, body)
    assert await said(portal) == []


async def test_what_was_told_by_hand_stands_beside_what_a_carrier_says(portal: Portal) -> None:
    order_id = await new_order(portal)
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16), tracking="9400100000")
        await hears(portal, event())
    assert len(await said(portal)) == 1


async def test_what_a_carrier_told_goes_with_the_person(portal: Portal) -> None:
    await new_order(portal)
    async with portal.begin() as db:
        await sent_out(db, API, "1042", "easypost", "9400100000")
    with clock.at(MONDAY):
        await hears(portal, event("delivered"))
    async with portal.begin() as db:
        await erase(db, SYSTEM, "kunde@example.com")
    assert [row.body for row in await portal.rows("SELECT body FROM carrier_news")] == [None]
