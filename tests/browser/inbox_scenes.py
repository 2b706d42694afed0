"""The pages of those who answer, in every state: name, path, who looks, what they do there, and of which case."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.live import Live

Act = Callable[[Page, Live], None]
_QUESTION = "/staff/questions/{number}"


def _nothing(_page: Page, _live: Live) -> None:
    """Looking is enough."""


def _list_of_keys(page: Page, _live: Live) -> None:
    page.locator("[data-keys-open]").wait_for()
    page.keyboard.press("?")
    page.locator("dialog.keys[open]").wait_for()


INBOX: list[tuple[str, str, str, Act, str]] = [
    ("desk, a colleague has it open", _QUESTION, "support", _nothing, "desk"),
    ("desk, the keys", _QUESTION, "support", _list_of_keys, "desk"),
    ("desk, all of the customer", f"{_QUESTION}/customer", "support", _nothing, "desk"),
]
