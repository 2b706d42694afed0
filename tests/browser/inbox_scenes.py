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


def _press(name: str, **typed: str) -> Act:
    def act(page: Page, _live: Live) -> None:
        for field, value in typed.items():
            page.locator(f"[name={field}]").first.fill(value)
        page.get_by_role("button", name=name).first.click()

    return act


def _put_in(page: Page, _live: Live) -> None:
    page.locator("#body").fill("Guten Tag!")
    page.get_by_role("button", name="Put it in").click()
    page.get_by_role("button", name="Send the answer").click()
    page.locator("#body-error").wait_for()


def _the_text(page: Page, _live: Live) -> None:
    page.locator("ul.filed a").first.click()
    page.get_by_role("button", name="Take it away").wait_for()


INBOX: list[tuple[str, str, str, Act, str]] = [
    ("desk, a colleague has it open", _QUESTION, "support", _nothing, "desk"),
    ("desk, the keys", _QUESTION, "support", _list_of_keys, "desk"),
    ("desk, all of the customer", f"{_QUESTION}/customer", "support", _nothing, "desk"),
    ("desk, a text with a gap", _QUESTION, "support", _put_in, "question by mail"),
    ("prepared texts", "/staff/snippets", "support", _nothing, ""),
    ("prepared texts, one", "/staff/snippets", "support", _the_text, ""),
    ("prepared texts, wrong", "/staff/snippets/new", "support", _press("Keep it", name="A", **{"text-en": "{x}"}), ""),
]
