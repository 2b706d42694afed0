"""For whom the pages are: a slow phone, a keyboard, people whom motion makes ill, or who want it dark."""

import json
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.scenes import SCENES, look
from tests.browser.test_main_job import CLICKS, code_by_mail, purchase
from tests.browser.visitor import DESKTOP, PHONE, SMALL

chromium()

MOST: Final = 40_000
"""Bytes of the first page with everything that it loads, headers included."""

_SHIFTED: Final = """() => new Promise((told) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; }))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => told(sum), 300));
})"""
_MOVING: Final = """() => [...document.querySelectorAll("*")].filter((element) => {
  const style = getComputedStyle(element);
  return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
}).map((element) => element.outerHTML.slice(0, 80))"""


def test_the_first_page_is_small_and_nothing_on_it_jumps(enter: Enter) -> None:
    page = enter(size=SMALL).page
    session = page.context.new_cdp_session(page)
    received: dict[str, float] = {}
    session.on("Network.loadingFinished", lambda told: received.update({told["requestId"]: told["encodedDataLength"]}))
    session.send("Network.enable")
    page.goto("/", wait_until="networkidle")
    assert len(received) >= 2, "the page and its style sheet"
    assert 1_000 < sum(received.values()) <= MOST
    assert page.evaluate(_SHIFTED) == 0


def test_a_phone_can_keep_it_on_its_home_screen(enter: Enter) -> None:
    page = enter(size=PHONE, locale="de-DE").page
    page.goto("/")
    session = page.context.new_cdp_session(page)
    found: dict[str, Any] = session.send("Page.getAppManifest")
    assert found["errors"] == []
    told = json.loads(found["data"])
    assert (told["start_url"], told["display"], told["lang"]) == ("/", "minimal-ui", "de")
    assert {(icon["sizes"], icon["purpose"]) for icon in told["icons"]} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for icon in told["icons"]:
        answer = page.context.request.get(icon["src"])
        assert (answer.headers["content-type"], answer.body()[:4]) == ("image/png", b"\x89PNG")
        assert "immutable" in answer.headers["cache-control"]
    # Nothing is installed from a window that forgets, which each of these is.
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {problem["errorId"] for problem in problems} <= {"in-incognito"}


@pytest.mark.parametrize(
    "name", ["landing", "choose", "return, filed", "return, refunded", "station, found", "finance"]
)
def test_who_wants_no_motion_gets_none(live: Live, enter: Enter, name: str) -> None:
    visitor = enter(size=PHONE)
    visitor.page.emulate_media(reduced_motion="reduce")
    look(visitor, live, next(scene for scene in SCENES if scene.name == name))
    assert visitor.page.evaluate(_MOVING) == []


def test_who_wants_it_dark_gets_paper_and_ink_the_other_way_round(enter: Enter) -> None:
    page = enter(size=PHONE).page
    page.goto("/")
    tones = (
        "() => { const { backgroundColor, color } = getComputedStyle(document.body); return [backgroundColor, color]; }"
    )
    page.emulate_media(color_scheme="light")
    light = page.evaluate(tones)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(tones) == ["rgb(23, 22, 20)", "rgb(240, 237, 232)"]
    assert light == ["rgb(250, 248, 244)", "rgb(29, 28, 26)"]


def tab_to(page: Page, there: Locator) -> None:
    """Walk with the tabulator until the element has the focus, and see that the focus shows."""
    for _ in range(60):
        if there.evaluate("element => element === document.activeElement"):
            assert there.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no way by keyboard to {there}")


@pytest.mark.parametrize(
    ("number", "locale", "size"),
    [
        ("1013", "de-DE", PHONE),
        ("1026", "uk-UA", PHONE),
        ("1031", "de-DE", DESKTOP),
        ("1032", "uk-UA", DESKTOP),
    ],
)
def test_from_landing_to_label_by_keyboard_alone(enter: Enter, number: str, locale: str, size: dict[str, int]) -> None:
    order = purchase(number)
    customer = enter(size=size, locale=locale)
    page, keys = customer.page, customer.page.keyboard
    page.goto("/")
    assert page.locator("html").get_attribute("lang") == locale[:2]
    customer.clicks.clear()
    tab_to(page, page.locator("[name=number]"))
    keys.type(order.number)
    tab_to(page, page.locator("[name=email]"))
    keys.type(order.email)
    keys.press("Enter")
    page.locator("[name=code]").wait_for()
    code = code_by_mail(customer, order.email)
    tab_to(page, page.locator("[name=code]"))
    keys.type(code)
    keys.press("Enter")
    page.locator("form[data-preview]").wait_for()
    for item in page.locator("[name=line]").all():
        tab_to(page, item)
        if not item.is_checked():
            keys.press("Space")
    tab_to(page, page.locator("form[data-preview] button:not([name])"))
    keys.press("Enter")
    link = page.locator("main a.button[href*='label.pdf']")
    link.wait_for()
    tab_to(page, link)
    pdf = customer.download(link.get_attribute("href") or "")
    assert pdf.startswith(b"%PDF")
    assert len(customer.clicks) <= CLICKS, customer.clicks
