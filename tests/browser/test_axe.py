"""Every page in every state, on phone and desktop, light and dark: axe finds nothing, nothing runs off the screen.

German has the longest words, so each page is looked at in it and in one more language; in which, takes turns, as does
the size in which it is looked at in the dark.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from returns_portal.i18n import available
from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.scenes import SCENES, Scene, look
from tests.browser.visitor import DESKTOP, PHONE, SMALL, ZOOMED, Visitor

chromium()

_AXE = Path(__file__).with_name("vendor") / "axe.min.js"
# The one frame holds an e-mail in which nothing may run, so that axe cannot look into it.
_RUN = """async (tags) => {
  const options = { iframes: false, resultTypes: ["violations"], ...(tags && { runOnly: tags }) };
  const { violations } = await axe.run(options);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}"""
_OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_COLOURS = ["cat.color"]
_LONGEST = "de"
_SIZES = (PHONE, DESKTOP)
_OTHERS = [language for language in available() if language not in {"en", _LONGEST}]


@pytest.fixture(scope="module")
def window(browser: Browser, live: Live) -> Iterator[Visitor]:
    """One window for all scenes: where each had its own, most of the time went into opening them."""
    visitor = Visitor(browser, live.base, size=DESKTOP)
    yield visitor
    visitor.close()


@pytest.fixture
def looker(window: Visitor) -> Visitor:
    window.begin_again()
    return window


@pytest.mark.parametrize(
    ("scene", "other", "dark"),
    [(scene, _OTHERS[place % len(_OTHERS)], _SIZES[place % 2]) for place, scene in enumerate(SCENES)],
    ids=[scene.name for scene in SCENES],
)
def test_axe_finds_nothing_and_nothing_runs_off_the_screen(
    live: Live, enter: Enter, looker: Visitor, scene: Scene, other: str, dark: dict[str, int]
) -> None:
    # The station keeps more in the browser than can be taken back from outside.
    visitor = enter() if scene.path.startswith("/station") else looker
    look(visitor, live, scene)
    assert visitor.page.locator("h1").inner_text()
    problems = found(visitor.page, dark=(dark,))
    for language in (_LONGEST, other):
        problems += overhanging(visitor, language)
    assert problems == []
    assert not visitor.complaints


def overhanging(visitor: Visitor, language: str) -> list[str]:
    """In which narrow windows the page that is open runs off the screen in a language."""
    page = visitor.page
    visitor.speak(language)
    # What a form was answered with is asked for once more, in the other language.
    page.reload(wait_until="domcontentloaded")
    assert page.locator("html").get_attribute("lang") == language
    problems = []
    for size in (ZOOMED, SMALL):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        if page.evaluate(_OVERHANG) > 0:
            problems.append(f"{language} at {size['width']} runs off the screen")
    return problems


def test_axe_finds_nothing_in_an_email(enter: Enter) -> None:
    visitor = enter()
    visitor.page.goto("/outbox")
    letter = visitor.page.locator("tbody a").first.get_attribute("href")
    visitor.page.goto("about:blank")
    visitor.page.set_content(visitor.download(f"{letter}/html").decode())
    # Landmarks are the mail program's.
    assert found(visitor.page, tags=["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]) == []


def test_axe_is_awake(enter: Enter) -> None:
    page = enter().page
    page.goto("/")
    page.evaluate("document.querySelector('label').remove()")
    page.evaluate("document.querySelector('h1').animate({ color: 'silver' }, { duration: 1, fill: 'forwards' })")
    problems = found(page)
    assert len([problem for problem in problems if "label:" in problem]) == 2
    assert {problem.split(" color-contrast", 1)[0] for problem in problems if " color-contrast" in problem} == {
        "390 light",
        "1280 light",
    }


def found(page: Page, tags: list[str] | None = None, *, dark: Sequence[dict[str, int]] = (PHONE, DESKTOP)) -> list[str]:
    """What axe says in each size and colour scheme, each with where; all its rules, or those of some tags.

    A scheme changes nothing but colours, so that the dark one is not asked about anything else, and in the `dark` sizes
    alone.
    """
    page.evaluate(_AXE.read_text())
    problems: list[str] = []
    for size in _SIZES:
        width = size["width"]
        page.set_viewport_size({"width": width, "height": size["height"]})
        page.emulate_media(color_scheme="light")
        problems += [f"{width} light {problem}" for problem in page.evaluate(_RUN, tags)]
        if size in dark:
            page.emulate_media(color_scheme="dark")
            problems += [f"{width} dark {problem}" for problem in page.evaluate(_RUN, _COLOURS)]
        if page.evaluate(_OVERHANG) > 0:
            problems.append(f"{width} runs off the screen")
    return problems
