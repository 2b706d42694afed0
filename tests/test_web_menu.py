"""What stands at the top of every page of the staff: by what each may do, and nothing that leads nowhere."""

from collections.abc import AsyncIterator
from html import unescape

import pytest

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.i18n import speaking
from returns_portal.ids import new_id
from returns_portal.settings import Settings
from returns_portal.web.menu import FEW, Group, menu
from tests.webclient import Browser, browsing, staff_signs_in

pytestmark = pytest.mark.anyio
ROLES = ["warehouse", "support", "finance", "admin"]


def of(*roles: str, kind: str = "staff") -> list[Group]:
    return menu(Actor(kind=kind, id=new_id(), grants=frozenset(roles)))  # type: ignore[arg-type]  # one of its words


def names(groups: list[Group]) -> list[str]:
    return [place.words for group in groups for place in group.places]


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client


@pytest.mark.parametrize("role", ROLES)
async def test_whatever_a_role_is_led_to_is_open_to_it(browser: Browser, begin: Begin, role: str) -> None:
    await staff_signs_in(browser, begin, role)
    for group in of(role):
        for place in group.places:
            assert (await browser.get(place.path)).status_code == 200, place


def test_the_dock_has_everything_side_by_side_and_those_with_much_have_groups() -> None:
    (dock,) = of("warehouse")
    assert (dock.words, len(dock.places) <= FEW) == ("", True)
    for role in ("support", "finance", "admin"):
        groups = of(role)
        assert len(names(groups)) > FEW
        assert all((len(group.places) > 1) == bool(group.words) for group in groups)


@pytest.mark.parametrize("roles", [[role] for role in ROLES] + [["warehouse", "finance"], ["support", "finance"]])
def test_no_words_stand_for_two_places(roles: list[str]) -> None:
    told = names(of(*roles))
    assert len(told) == len(set(told))


def test_nobody_else_has_a_menu() -> None:
    assert of("all", kind="customer") == of("all", kind="api") == of() == []


def test_it_speaks_the_language_of_the_request() -> None:
    with speaking("de"):
        assert names(of("warehouse")) != names(of("admin"))
        assert of("admin")[0].words == "Lager"


async def test_the_page_that_is_open_is_marked(browser: Browser, begin: Begin) -> None:
    await staff_signs_in(browser, begin, "admin")
    page = unescape((await browser.get("/staff/questions")).text)
    assert '<a href="/staff/questions" aria-current="page">' in page
    assert page.split("<main", 1)[0].count("aria-current") == 1
