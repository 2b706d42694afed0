"""Parcels without a name: kept with a photo and a shelf, found by anything, refunded as on the day they came."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.errors import ConflictError, ForbiddenError
from returns_portal.labels.sweeping import sweep
from returns_portal.refunds import actions
from returns_portal.warehouse.finding import find_orders, find_returns
from returns_portal.warehouse.found import found_for, give_up, keep, nameless
from returns_portal.warehouse.rules import Counted
from tests.catalog.pictures import a_picture
from tests.orders.samples import PLACED
from tests.portal import FINANCE, Portal, at_once
from tests.returns.visits import post, value, words
from tests.warehouse.dock import LIKE_NEW, LINES, MIRA, count, two_shoes
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


async def kept(portal: Portal, *, days_ago: int = 0) -> UUID:
    async with portal.begin() as db:
        found_id = await keep(db, MIRA, shelf="A 3", description="a torn box", codes=["4006381333931"])
    moved = "UPDATE found_parcel SET found_at = found_at - make_interval(days => :days)"
    async with portal.begin() as db:
        await db.execute(text(moved), {"days": days_ago})
    return found_id


async def test_it_is_kept_until_it_has_a_name_and_counts_from_the_day_it_came(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    found_id = await kept(portal, days_ago=20)
    released = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), found_id=found_id)
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    (parcel,) = await portal.rows("SELECT checked_in_at, counted_at, found_id FROM parcel")
    assert clock.now() - parcel.checked_in_at > timedelta(days=19)
    assert clock.now() - parcel.counted_at < timedelta(minutes=1)
    assert parcel.found_id == found_id
    async with portal.begin() as db:
        assert await nameless(db, MIRA) == []
        view = await found_for(db, MIRA, found_id)
    assert view.rma == filed.rma
    assert released.plan.total > 0
    await sweep(portal.begin)
    (label,) = await portal.rows("SELECT status, delivered_at FROM label")
    assert (label.status, label.delivered_at) == ("delivered", parcel.checked_in_at)


async def test_more_than_a_page_of_them_is_read_to_the_end(station: Browser, portal: Portal) -> None:
    ids = []
    for each in range(53):
        async with portal.begin() as db:
            ids.append(await keep(db, MIRA, shelf=f"A {each}"))
    first = await station.get("/station/found")
    assert "To the first page" not in words(first)
    following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', first.text)
    assert following
    second = await station.get(unescape(following[1]))
    assert ('rel="next"' in second.text, "To the first page" in words(second)) == (False, True)
    listed = [re.findall(r'id="p-([0-9a-f-]{36})"', page.text) for page in (first, second)]
    assert [len(each) for each in listed] == [50, 3]
    assert [*listed[0], *listed[1]] == [str(each) for each in ids]
    assert (await station.get("/station/found?after=nobody")).status_code == 422


async def test_an_undone_recognition_makes_it_nameless_again(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    found_id = await kept(portal)
    released = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), delay=60, found_id=found_id)
    async with portal.begin() as db:
        await actions.undo(db, MIRA, released.check_in_id)
    async with portal.begin() as db:
        assert [parcel.id for parcel in await nameless(db, MIRA)] == [found_id]
    again = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), found_id=found_id)
    async with portal.begin() as db:
        await actions.correct(db, MIRA, portal.settings, again.check_in_id, [Counted(shoes, 1, LIKE_NEW)], "")
    live = await portal.rows("SELECT found_id FROM parcel WHERE undone_at IS NULL")
    assert [row.found_id for row in live] == [found_id]


async def test_a_correction_leaves_the_day_on_which_the_parcel_came(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), found_id=await kept(portal, days_ago=5))
    (before,) = await portal.rows("SELECT checked_in_at, counted_at FROM parcel")
    corrects = first.check_in_id
    for units in (1, 2):
        async with portal.begin() as db:
            counts = [Counted(shoes, units, LIKE_NEW)]
            corrects = (await actions.correct(db, MIRA, portal.settings, corrects, counts, "")).check_in_id
        (live,) = await portal.rows("SELECT * FROM parcel WHERE undone_at IS NULL")
        assert (live.checked_in_at, live.counted_at) == (before.checked_in_at, before.counted_at)
        assert live.corrected_at > before.counted_at
    assert before.checked_in_at < clock.now() - timedelta(days=4)


async def test_two_who_recognise_it_at_once_count_it_once(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    found_id = await kept(portal)
    answers = await at_once(
        *(
            count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), number=number, found_id=found_id)
            for number in (1, 2, 3)
        )
    )
    lost = [answer for answer in answers if isinstance(answer, ConflictError)]
    assert (len(lost), {answer.code for answer in lost}) == (2, {"found_already"})
    assert len(await portal.rows("SELECT id FROM parcel")) == 1


async def test_recognised_or_given_up_but_never_both(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    found_id = await kept(portal)

    async def off_the_list() -> None:
        async with portal.begin() as db:
            await give_up(db, MIRA, found_id, "the carrier took it back")

    answers = await at_once(count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), found_id=found_id), off_the_list())
    assert len([answer for answer in answers if isinstance(answer, ConflictError)]) == 1
    (row,) = await portal.rows("SELECT matched_at, closed_at FROM found_parcel")
    assert (row.matched_at is None) != (row.closed_at is None)
    with pytest.raises(ForbiddenError):
        async with portal.begin() as db:
            await keep(db, FINANCE, shelf="A")


async def test_it_is_found_by_number_name_address_and_article(station: Browser, portal: Portal) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    async with portal.begin() as db:
        sku = (await portal.rows("SELECT sku FROM order_line ORDER BY position LIMIT 1"))[0].sku
        await db.execute(
            text(
                "INSERT INTO product (id, handle, title, kind, brand, description, size_system, size_group, tax_rate,"
                " words, listed, created_at, updated_at) VALUES (gen_random_uuid(), 'x', 'X', 'shoe', '', '', 'eu',"
                " 'men', 0, 'x', true, now(), now())"
            )
        )
        await db.execute(
            text(
                "INSERT INTO variant (id, product_id, position, sku, size, color, price, currency, ean, weight_grams,"
                " stock) SELECT gen_random_uuid(), id, 0, :sku, '', '', 1, 'EUR', '4006381333931', 0, 0 FROM product"
            ),
            {"sku": sku},
        )
    for typed in ("1001", "#1001", "KUNDE@example.com", "георгиева", "4006381333931", "010400638133393121X"):
        async with portal.begin() as db:
            assert [found.rma for found in await find_returns(db, MIRA, typed)] == [filed.rma], typed
    async with portal.begin() as db:
        assert [order.number for order in await find_orders(db, MIRA, "kunde@example.com")] == ["1001"]
        assert await find_orders(db, MIRA, "георгиева") == []
    # Who opened a parcel before anybody knew whose it is scans what lies in it.
    scanned = await station.get("/station?code=4006381333931&typed=4006381333931")
    assert (scanned.status_code, "1 return" in words(scanned), filed.rma in words(scanned)) == (200, True, True)


async def test_an_order_without_a_return_is_found_as_its_number_is_typed(portal: Portal) -> None:
    await portal.order(number="AB1001")
    for typed in ("AB1001", "ab1001", "#AB1001", "# ab1001", " #ab1001 "):
        async with portal.begin() as db:
            assert [order.number for order in await find_orders(db, MIRA, typed)] == ["AB1001"], typed


async def test_the_whole_way_by_the_pages(station: Browser, portal: Portal) -> None:
    await portal.order(lines=LINES)
    wrong = await post(station, "/station/found", {"description": "a torn box"})
    assert (wrong.status_code, "Say where it lies" in words(wrong), "a torn box" in wrong.text) == (422, True, True)
    await station.get("/")
    token = station.cookies["__Host-csrf"]
    kept_now = await station.post(
        "/station/found",
        data={"shelf": "A 3", "codes": "999 4006381333931", "sender": "…gieva", "_csrf_token": token},
        files={"photo": ("box.jpg", a_picture(size=(400, 300)), "image/jpeg")},
    )
    page = await station.get(kept_now.headers["location"])
    assert "Shelf A 3" in words(page)
    assert 'src="/station/photos/' in page.text
    found_id = kept_now.headers["location"].rsplit("/", 1)[1]
    assert "Shelf A 3" in words(await station.get("/station/found"))

    searched = await post(station, "/station/search", {"words": "1001", "found": found_id})
    assert "No return was filed" in words(searched)
    assert f'href="/station/return?order=1001&amp;found={found_id}"' in searched.text
    form = await station.get(f"/station/return?order=1001&found={found_id}")
    lines = await portal.rows("SELECT id FROM order_line ORDER BY position")
    nothing = await post(station, "/station/return", {"order": "1001", "found": found_id})
    assert (nothing.status_code, "Choose at least one item" in words(nothing)) == (422, True)
    assert "3 of 3 can still come back" in words(form)
    fields = {"order": "1001", "found": found_id, f"units-{lines[0].id}": "1"}
    filed = await post(station, "/station/return", fields)
    counting = await station.get(filed.headers["location"])
    assert "1 item expected" in words(counting)
    assert value(counting, "found") == found_id
    sent = {name: value(counting, name) for name in ("rma", "parcel", "token", "found", "corrects")}
    done = await post(station, "/station/check-ins", sent | {f"count-{lines[0].id}-resellable": "1"})
    shown = await station.get(done.headers["location"])
    assert "1 of 1 here" in words(shown)
    # The photo from when nobody knew whose it is stands with the parcel.
    assert 'src="/station/photos/' in shown.text
    assert "Recognised" in words(await station.get(f"/station/found/{found_id}"))


async def test_goods_that_came_in_time_are_taken_back_however_late_somebody_knows_whose_they_are(
    station: Browser, portal: Portal
) -> None:
    await portal.order(lines=LINES, delivered_at=PLACED)
    shoes = (await portal.rows("SELECT id FROM order_line ORDER BY position"))[0].id
    async with portal.begin() as db:
        await db.execute(text("UPDATE orders SET delivered_at = now() - interval '100 days'"))
    late = await post(station, "/station/return", {"order": "1001", f"units-{shoes}": "1"})
    assert late.status_code == 422
    found_id = await kept(portal, days_ago=40)
    fields = {"order": "1001", f"units-{shoes}": "1", "found": str(found_id)}
    assert (await post(station, "/station/return", fields)).status_code == 303


async def test_giving_up_needs_a_reason(station: Browser, portal: Portal) -> None:
    found_id = await kept(portal)
    here = f"/station/found/{found_id}"
    refused = await post(station, f"{here}/closing", {"reason": ""})
    assert "Say what became of the parcel." in words(await station.get(refused.headers["location"]))
    await post(station, f"{here}/closing", {"reason": "The carrier took it back"})
    assert "The carrier took it back" in words(await station.get(here))
    assert "Every parcel has a name" in words(await station.get("/station/found"))
