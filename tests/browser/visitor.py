"""Somebody in front of a browser, and what the browser complained about meanwhile."""

import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, WebError

from returns_portal.web.language import LANGUAGE_COOKIE
from returns_portal.web.signing import SESSION_COOKIE

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SMALL = {"width": 360, "height": 740}
ZOOMED = {"width": DESKTOP["width"] // 2, "height": DESKTOP["height"] // 2}
"""What is left of a desktop's window at 200 %."""
_REFUSAL = re.compile(r"status of (403|404|409|422)")


class Visitor:
    """One browser context: a page, the clicks that were made in it, and its complaints."""

    def __init__(
        self, browser: Browser, base: str, *, size: dict[str, int], scripts: bool = True, locale: str = "en-GB"
    ) -> None:
        self.base = base
        self.complaints: list[str] = []
        self.clicks: list[str] = []
        self._context = browser.new_context(
            base_url=base,
            viewport={"width": size["width"], "height": size["height"]},
            java_script_enabled=scripts,
            locale=locale,
        )
        self._context.on("console", self._heard)
        self._context.on("weberror", self._failed)
        self._context.set_default_timeout(20_000)
        self.page = self._context.new_page()
        self.page.on("request", self._asked)

    def close(self) -> None:
        """Leave, without a trace of the session."""
        self._context.close()

    def begin_again(self) -> None:
        """Be somebody else, at a desk: without a session, and without what pages keep in the browser's storage."""
        self._context.clear_cookies()
        if self.page.url.startswith(self.base):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        self.page.emulate_media(color_scheme="light")
        self.clicks.clear()
        self.complaints.clear()

    def carry(self, token: str) -> None:
        """Have come in before."""
        self._context.add_cookies(
            [
                {
                    "name": SESSION_COOKIE,
                    "value": token,
                    "url": self.base.replace("http:", "https:"),
                    "secure": True,
                    "httpOnly": True,
                }
            ]
        )

    def speak(self, language: str) -> None:
        """Have chosen a language before."""
        self._context.add_cookies(
            [
                {
                    "name": LANGUAGE_COOKIE,
                    "value": language,
                    "url": self.base.replace("http:", "https:"),
                    "secure": True,
                }
            ]
        )

    def another_page(self) -> Page:
        """A second tab: what is done in it is no click of the first."""
        return self._context.new_page()

    def download(self, path: str) -> bytes:
        """Follow a link to a file, which would open in the browser's own viewer."""
        self.clicks.append(f"GET {path}")
        answer = self._context.request.get(path)
        assert answer.status == 200, path
        return answer.body()

    def until(self, path: str, there: Callable[[Page], Locator], seconds: float = 30) -> Locator:
        """Look at a page again and again until it has this."""
        deadline = time.monotonic() + seconds
        self.page.goto(path)
        while not (found := there(self.page)).count():
            assert time.monotonic() < deadline, f"{path} only says: {self.page.inner_text('main')}"
            time.sleep(0.2)
            self.page.goto(path)
        return found

    def _asked(self, request: Request) -> None:
        # A redirect is no click, and neither is what a script asks for.
        if request.is_navigation_request() and request.redirected_from is None:
            self.clicks.append(f"{request.method} {urlsplit(request.url).path}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        # The browser notes every answer of 4xx; a page that refuses in words is meant to.
        own = not urlsplit(message.location.get("url", "")).path.startswith("/static/")
        if own and message.text.startswith("Failed to load resource") and _REFUSAL.search(message.text):
            return
        self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def _failed(self, error: WebError) -> None:
        self.complaints.append(str(error.error))
