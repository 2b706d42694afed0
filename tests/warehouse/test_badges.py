"""Badges: made once, good for a station where somebody works already, and for nothing but the dock."""

import re
from uuid import UUID

import pytest

from returns_portal.accounts.badges import Badge, issue_badge, take_over, withdraw_badge
from returns_portal.actor import Actor
from returns_portal.errors import ForbiddenError, NotFoundError
from returns_portal.warehouse.codes import is_badge
from returns_portal.web.signing import SESSION_COOKIE
from tests.labels.prints import codes, pages, text
from tests.portal import FINANCE, Portal
from tests.returns.visits import post, sign_in, words
from tests.warehouse.dock import BOSS, MIRA
from tests.webclient import Browser, add_staff, browsing

pytestmark = pytest.mark.anyio


async def a_badge(portal: Portal, *roles: str, email: str = "ivo@example.com") -> tuple[UUID, Badge]:
    async with portal.begin() as db:
        staff_id = await add_staff(db, email, *roles)
        return staff_id, await issue_badge(db, BOSS, staff_id)


async def test_the_person_changes_and_the_old_session_is_over(station: Browser, portal: Portal) -> None:
    _id, badge = await a_badge(portal, "warehouse")
    before = station.cookies[SESSION_COOKIE]
    asked = await station.get("/station", params={"code": badge.code.replace("-", ""), "typed": badge.code.lower()})
    assert "Your PIN, please" in words(asked)
    assert f'name="badge" value="{badge.code}"' in asked.text
    done = await post(station, "/station/badge", {"badge": badge.code, "pin": badge.pin})
    assert done.headers["location"] == "/station"
    assert station.cookies[SESSION_COOKIE] != before
    assert "You work here now." in words(await station.get("/station"))
    station.cookies.set(SESSION_COOKIE, before, domain="127.0.0.1")
    assert (await station.get("/station")).status_code == 303
    (told,) = await portal.rows("SELECT actor, data FROM history WHERE action = 'took_station'")
    assert told.data["from"].startswith("staff:")


async def test_a_badge_of_an_admin_opens_the_dock_and_no_more(station: Browser, portal: Portal) -> None:
    _id, badge = await a_badge(portal, "admin", "finance")
    await post(station, "/station/badge", {"badge": badge.code, "pin": badge.pin})
    assert (await station.get("/station")).status_code == 200
    for path in ("/finance", "/station/badges", "/station/rules"):
        assert (await station.get(path)).status_code == 403


async def test_pins_cannot_be_tried_out(station: Browser, portal: Portal) -> None:
    _id, badge = await a_badge(portal, "warehouse")
    wrong = f"{(int(badge.pin) + 1) % 10**6:06d}"
    for _ in range(5):
        answer = await post(station, "/station/badge", {"badge": badge.code, "pin": wrong})
        assert (answer.status_code, "Badge and PIN do not fit together" in words(answer)) == (422, True)
    limited = await post(station, "/station/badge", {"badge": badge.code, "pin": badge.pin})
    assert limited.status_code == 429
    assert (await station.get("/station")).status_code == 200


async def test_nobody_comes_in_from_outside(portal: Portal, database_url: str) -> None:
    _id, badge = await a_badge(portal, "warehouse")
    async with browsing(portal.settings, database_url) as stranger:
        answer = await post(stranger, "/station/badge", {"badge": badge.code, "pin": badge.pin})
        assert answer.headers["location"].startswith("/sign-in")
    with pytest.raises(ForbiddenError):
        async with portal.begin() as db:
            await take_over(db, Actor(kind="customer"), badge.code, badge.pin)


async def test_a_new_badge_ends_the_old_one_and_a_withdrawn_one_is_over(portal: Portal) -> None:
    staff_id, old = await a_badge(portal, "warehouse")
    async with portal.begin() as db:
        new = await issue_badge(db, BOSS, staff_id)
        assert await take_over(db, MIRA, old.code, old.pin) is None
        assert await take_over(db, MIRA, new.code, old.pin) is None
        assert await take_over(db, MIRA, new.code, new.pin) is not None
        await withdraw_badge(db, BOSS, staff_id)
        assert await take_over(db, MIRA, new.code, new.pin) is None
        with pytest.raises(NotFoundError):
            await withdraw_badge(db, BOSS, staff_id)
    kept = await portal.rows("SELECT count(*) AS n FROM staff_badge")
    assert kept[0].n == 0


async def test_only_an_admin_makes_one_and_only_for_who_works_at_the_dock(portal: Portal) -> None:
    async with portal.begin() as db:
        clerk = await add_staff(db, "fin@example.com", "finance")
        with pytest.raises(NotFoundError):
            await issue_badge(db, BOSS, clerk)
        for actor in (MIRA, FINANCE):
            with pytest.raises(ForbiddenError):
                await issue_badge(db, actor, clerk)


async def test_neither_code_nor_pin_is_kept(portal: Portal) -> None:
    _id, badge = await a_badge(portal, "warehouse")
    (row,) = await portal.rows("SELECT CAST(b AS text) AS everything FROM staff_badge b")
    assert badge.code not in row.everything
    assert badge.pin not in row.everything.replace("$", "")


async def test_the_card_has_the_code_as_bars_and_the_pin_on_a_piece_of_its_own(
    station: Browser, portal: Portal
) -> None:
    staff_id, _badge = await a_badge(portal, "warehouse")
    await sign_in(station, portal, "boss@example.com", "admin")
    assert "has a badge" in words(await station.get("/station/badges"))
    card = await post(station, f"/station/badges/{staff_id}")
    assert card.headers["content-type"] == "application/pdf"
    ((_kind, code),) = codes(pages(card.content)[0])
    assert is_badge(code)
    pin = re.search(r"PIN:(\d{6})", text(card.content))
    assert pin is not None
    async with portal.begin() as db:
        assert await take_over(db, MIRA, code, pin[1]) is not None
    await post(station, f"/station/badges/{staff_id}/removal")
    assert "The badge opens nothing any more." in words(await station.get("/station/badges"))


async def test_control_codes_are_printed_and_read(station: Browser) -> None:
    sheet = await station.get("/station/controls.pdf")
    read = {found for page in pages(sheet.content) for _kind, found in codes(page)}
    assert {"RP-DAMAGED", "RP-DONE", "RP-UNDO", "RP-MISSING", "RP-EMPTY"} <= read
    assert len(read) == 9
    assert "First a parcel" in words(await station.get("/station?code=RP-DONE"))
