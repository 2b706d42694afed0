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
    page.locator("dialog.keylist[open]").wait_for()


def _open(page: Page, _live: Live) -> None:
    for summary in page.locator("main summary").all():
        summary.click()


def _press(button: str, /, **typed: str) -> Act:
    def act(page: Page, _live: Live) -> None:
        for field, value in typed.items():
            page.locator(f"[name={field}]").first.fill(value)
        page.get_by_role("button", name=button).first.click()

    return act


def _put_in(page: Page, _live: Live) -> None:
    page.locator("#body").fill("Guten Tag!")
    page.get_by_role("button", name="Put it in").click()
    page.get_by_role("button", name="Send the answer").click()
    page.locator("#body-error").wait_for()


def _the_text(page: Page, _live: Live) -> None:
    page.locator("ul.filed a").first.click()
    page.get_by_role("button", name="Take it away").wait_for()


_STEPS = {
    "sorry": "Guten Tag,\n\nes tut uns sehr leid, dass der Karton durchnässt ankam.",
    "heard": "Sie schreiben, dass die Stiefel Flecken haben.",
    "solution": "Ein neues Paar geht heute an Sie; das andere holen wir auf unsere Kosten ab.",
    "again": "Noch einmal: Es tut uns leid.\n\nMira, Nord & Sund",
}


def _a_letter(*names: str) -> Act:
    """Write all four steps, and press buttons."""

    def act(page: Page, _live: Live) -> None:
        for step, text in _STEPS.items():
            page.locator(f"#{step}").fill(text)
        for name in names:
            page.get_by_role("button", name=name).first.click()

    return act


INBOX: list[tuple[str, str, str, Act, str]] = [
    ("desk, a colleague has it open", _QUESTION, "support", _nothing, "desk"),
    ("desk, the keys", _QUESTION, "support", _list_of_keys, "desk"),
    ("desk, all of the customer", f"{_QUESTION}/customer", "support", _nothing, "desk"),
    ("desk, a text with a gap", _QUESTION, "support", _put_in, "question by mail"),
    ("amends", f"{_QUESTION}/amends", "support", _nothing, "desk"),
    ("amends, wrong", f"{_QUESTION}/amends", "support", _press("Give the points", points="many"), "desk"),
    ("amends, given", f"{_QUESTION}/amends", "support", _press("Give the points", points="5", why="Sorry"), "desk"),
    ("amends, no item chosen", f"{_QUESTION}/amends", "support", _press("Send it anew"), "desk"),
    ("amends, no order", f"{_QUESTION}/amends", "support", _nothing, "question by mail"),
    ("letter", f"{_QUESTION}/letter", "support", _open, "desk together"),
    ("letter, with a gap", f"{_QUESTION}/letter", "support", _press("Look at the letter"), "question promised"),
    ("letter, looked at", f"{_QUESTION}/letter", "support", _a_letter("Look at the letter"), "desk"),
    ("playbooks", "/staff/playbooks", "support", _nothing, ""),
    ("playbook", "/staff/playbooks/damaged", "support", _nothing, ""),
    ("playbook, wrong", "/staff/playbooks/late", "support", _press("Keep the next", **{"heard-de": "{x}"}), ""),
    ("rating", "/questions/{number}/rating?helped=no", "question answered", _nothing, ""),
    ("rating, said", "/questions/{number}/rating", "question closed", _press("Yes, I was helped"), ""),
    ("rating, too early", "/questions/{number}/rating", "question asked", _nothing, ""),
    ("prepared texts", "/staff/snippets", "support", _nothing, ""),
    ("prepared texts, one", "/staff/snippets", "support", _the_text, ""),
    ("prepared texts, wrong", "/staff/snippets/new", "support", _press("Keep it", name="A", **{"text-en": "{x}"}), ""),
]
