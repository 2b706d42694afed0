"""Photos on the spot, and another person at the same station."""

import io
import re

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
from PIL import Image

from tests.browser.conftest import Enter, chromium
from tests.browser.keyboards import strike
from tests.browser.live import Live
from tests.browser.test_station import at_the_station
from tests.catalog.pictures import a_picture
from tests.labels.prints import codes, pages

chromium()


def test_a_photo_of_an_item_is_kept_with_its_parcel(live: Live, enter: Enter) -> None:
    visitor = at_the_station(enter, live)
    page = visitor.page
    page.goto(f"/station?code={live.stage.cases['dock 10'].rma}")
    row = page.locator("#count > [data-row]").first
    row.locator("summary").click()
    upload = row.locator("input[type=file]")
    upload.set_input_files({"name": "shoe.jpg", "mimeType": "image/jpeg", "buffer": a_picture(size=(900, 600))})
    row.locator("[data-photos]").get_by_text("1").wait_for()
    upload.set_input_files({"name": "shoe.gif", "mimeType": "image/gif", "buffer": a_picture("GIF")})
    page.locator(".state.bad").get_by_text("This is no photo that can be read").wait_for()
    row.locator("button[data-condition=damaged]").click()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    if page.locator("#count").count():
        page.keyboard.press("Enter")
    page.locator(".photos img").wait_for()
    picture = visitor.download(page.locator(".photos a").get_attribute("href") or "")
    with Image.open(io.BytesIO(picture)) as kept:
        assert (kept.format, kept.size) == ("JPEG", (900, 600))


def test_a_badge_with_its_pin_changes_the_person_and_nothing_else_opens(live: Live, enter: Enter) -> None:
    admin = enter()
    admin.carry(live.stage.staff["admin"])
    admin.page.goto("/station/badges")
    token = admin.page.locator("[name=_csrf_token]").first.get_attribute("value") or ""
    bearer = admin.page.locator("section", has_text="finance@shop.example").count()
    assert bearer == 0
    section = admin.page.locator("section", has_text="support@shop.example")
    action = section.locator("form").first.get_attribute("action") or ""
    card = admin.page.request.post(f"{live.base}{action}", form={"_csrf_token": token}, headers={"Origin": live.base})
    assert card.status == 200
    with_words = pypdfium2.PdfDocument(card.body())[0].get_textpage().get_text_range()
    pin = re.search(r"PIN: (\d{6})", with_words)
    ((_kind, code),) = codes(pages(card.body())[0])
    assert pin is not None

    page = at_the_station(enter, live).page
    page.goto("/station")
    before = page.locator("#kept").get_attribute("data-for")
    strike(page, code, "German")
    page.locator("#pin:focus").fill("000000" if pin[1] != "000000" else "111111")
    page.keyboard.press("Enter")
    page.locator(".state.bad").get_by_text("do not fit together").wait_for()
    page.locator("#pin").fill(pin[1])
    page.keyboard.press("Enter")
    page.get_by_text("You work here now.").wait_for()
    assert page.locator("#kept").get_attribute("data-for") != before
    # The warehouse's session is over, and the new one is for the dock alone.
    assert page.request.get(f"{live.base}/finance", max_redirects=0).status == 403
    live.stage.staff["warehouse"] = live.stage.staff["support"]
