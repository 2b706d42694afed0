"""Every page in every state, on phone and desktop, light and dark: axe finds nothing, and nothing runs off the screen."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Enter
from tests.browser.live import Live
from tests.browser.scenes import SCENES, Scene
from tests.browser.visitor import DESKTOP, PHONE

_AXE = Path(__file__).with_name("vendor") / "axe.min.js"
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# The one frame holds an e-mail in which nothing may run, so that axe cannot look into it.
_RUN = """async () => {
  const { violations } = await axe.run({ iframes: false, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}"""
_OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


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


def found(page: Page) -> list[str]:
    """What axe says in each size and colour scheme, each with where."""
    page.evaluate(_AXE.read_text())
    problems: list[str] = []
    for size in (PHONE, DESKTOP):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        if page.evaluate(_OVERHANG) > 0:
            problems.append(f"runs off a screen of {size['width']}")
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            problems += [f"{size['width']} {scheme} {problem}" for problem in page.evaluate(_RUN)]
    return problems
