"""A portal that serves, and a Chromium that looks at it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.live import Live, live_portal
from tests.browser.visitor import DESKTOP, Visitor
from tests.databases import database
from tests.sandboxes import SandboxProcess

# Scoped to this folder: while Playwright runs, its event loop occupies the thread, and no test of another folder could
# have one of its own.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The system's Chromium. Every module asks for it, so that without one they are all skipped in one line."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "There is no Chromium: the browser tests are left out (on Debian: apt install chromium)"
        pytest.skip(reason, allow_module_level=True)
    return found


@pytest.fixture(scope="package")
def live_database_url(server_url: str, template_database: str) -> Iterator[str]:
    """A migrated database for all tests of this folder."""
    with database(server_url, "test", template=template_database) as url:
        yield url


@pytest.fixture(scope="package")
def live(
    live_database_url: str, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """The portal, with the fixture file imported and returns in every state."""
    with live_portal(live_database_url, sandbox_process.port, tmp_path_factory.mktemp("live")) as portal:
        yield portal


@pytest.fixture(scope="package")
def browser(live: Live) -> Iterator[Browser]:
    """Chromium, started after the portal, whose preparation needs an event loop of its own."""
    del live
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


Enter = Callable[..., Visitor]


@pytest.fixture
def enter(browser: Browser, live: Live) -> Iterator[Enter]:
    """Lets visitors in, each in a fresh context; when the test ends, none of them may have heard a complaint."""
    visitors: list[Visitor] = []

    def let_in(*, size: dict[str, int] = DESKTOP, scripts: bool = True, locale: str = "en-GB") -> Visitor:
        visitors.append(Visitor(browser, live.base, size=size, scripts=scripts, locale=locale))
        return visitors[-1]

    yield let_in
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.close()
    assert not complaints
