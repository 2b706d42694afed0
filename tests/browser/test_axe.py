"""Every page in every state, on phone and desktop, light and dark: axe finds nothing, nothing runs off the screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.scenes import SCENES, Scene
from tests.browser.visitor import DESKTOP, PHONE

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


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_axe_finds_nothing(live: Live, enter: Enter, scene: Scene) -> None:
    visitor = enter()
    stage, page = live.stage, visitor.page
    if scene.who:
        visitor.carry(stage.staff[scene.who] if scene.who in stage.staff else stage.cases[scene.who].token)
    page.goto(scene.address(live))
    scene.act(page, live)
    assert page.locator("h1").inner_text()
    assert found(page) == []


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


def found(page: Page, tags: list[str] | None = None) -> list[str]:
    """What axe says in each size and colour scheme, each with where; all its rules, or those of some tags.

    A scheme changes nothing but colours, so that the dark one is not asked about anything else.
    """
    page.evaluate(_AXE.read_text())
    problems: list[str] = []
    for size in (PHONE, DESKTOP):
        width = size["width"]
        page.set_viewport_size({"width": width, "height": size["height"]})
        page.emulate_media(color_scheme="light")
        problems += [f"{width} light {problem}" for problem in page.evaluate(_RUN, tags)]
        page.emulate_media(color_scheme="dark")
        problems += [f"{width} dark {problem}" for problem in page.evaluate(_RUN, _COLOURS)]
        if page.evaluate(_OVERHANG) > 0:
            problems.append(f"{width} runs off the screen")
    return problems
