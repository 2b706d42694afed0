"""A visitor chooses a language on any page, and keeps it."""

import pytest

from returns_portal.accounts.actions import open_session
from returns_portal.accounts.rules import CUSTOMER_SESSION
from returns_portal.orders.actions import put_order
from returns_portal.web.language import LANGUAGE_COOKIE, spoken
from returns_portal.web.signing import SESSION_COOKIE
from tests.orders.samples import an_order
from tests.portal import API, Portal
from tests.returns.visits import post, value
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("cookies", "accepted", "tag"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "fr, uk;q=0.5", "uk"),
        ("", "en-US, de;q=0.9", "en"),
        (f"{LANGUAGE_COOKIE}=bg", "de", "bg"),
        (f"a=b; {LANGUAGE_COOKIE}=bg; c=d", "", "bg"),
        (f"{LANGUAGE_COOKIE}=xx", "de", "de"),
        (f"{LANGUAGE_COOKIE}=", "de", "de"),
        (f"not{LANGUAGE_COOKIE}=bg", "de", "de"),
        (f'{LANGUAGE_COOKIE}="bg', "de", "de"),
        ("\xff\xfe", "ru", "ru"),
    ],
)
def test_what_was_chosen_counts_before_what_the_browser_asks_for(cookies: str, accepted: str, tag: str) -> None:
    assert spoken(cookies.encode("latin-1"), accepted.encode("latin-1")) == tag


async def test_a_page_is_read_in_the_language_of_the_browser(browser: Browser) -> None:
    page = await browser.get("/", headers={"accept-language": "de-DE,de;q=0.9"})
    assert '<html lang="de">' in page.text
    assert "Bestellnummer" in page.text


async def test_a_language_is_chosen_on_a_page_and_kept(browser: Browser) -> None:
    assert '<html lang="en">' in (await browser.get("/withdraw?order=1")).text
    answer = await post(browser, "/language", {"language": "uk", "back": "/withdraw?order=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/withdraw?order=1")
    page = await browser.get("/withdraw?order=1", headers={"accept-language": "de"})
    assert '<html lang="uk">' in page.text
    assert value(page, "back") == "/withdraw?order=1"
    assert 'lang="uk" aria-current="true"' in page.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
async def test_nobody_is_led_elsewhere(browser: Browser, back: str) -> None:
    answer = await post(browser, "/language", {"language": "de", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("language", ["xx", "", "../de", "d" * 5000])
async def test_a_language_that_there_is_not_changes_nothing(browser: Browser, language: str) -> None:
    answer = await post(browser, "/language", {"language": language, "back": "/"})
    assert answer.status_code in {303, 422}
    assert LANGUAGE_COOKIE not in browser.cookies


async def test_a_form_with_a_mistake_leads_back_to_its_page(browser: Browser) -> None:
    await browser.get("/sign-in")
    page = await browser.post(
        "/sign-in",
        data={"email": "", "password": "", "_csrf_token": browser.cookies["__Host-csrf"]},
        headers={"referer": "https://127.0.0.1/sign-in?next=/station"},
    )
    assert page.status_code == 422
    assert value(page, "back") == "/sign-in?next=/station"


async def test_e_mails_about_the_order_follow_and_the_shops_system_does_not_change_that(
    browser: Browser, portal: Portal
) -> None:
    order, lines = await portal.order(locale="en")
    [row] = await portal.rows("SELECT id FROM orders")
    async with portal.begin() as db:
        token = await open_session(db, lasting=CUSTOMER_SESSION, order_id=row.id)
    browser.cookies.set(SESSION_COOKIE, token)
    for _ in range(2):
        await post(browser, "/language", {"language": "bg", "back": "/returns"})
    async with portal.begin() as db:
        await put_order(db, API, portal.settings, an_order(locale="de", name="Somebody Else"))
    [row] = await portal.rows("SELECT locale, name FROM orders")
    assert (row.locale, row.name) == ("bg", "Somebody Else")
    told = await portal.rows("SELECT data FROM history WHERE action = 'language_chosen'")
    assert [each.data for each in told] == [{"locale": "bg"}]
    filed = await portal.file(order.number, (lines[0], 1))
    [mail] = await portal.rows("SELECT locale FROM email WHERE template = 'return_filed'")
    assert (mail.locale, filed.rma != "") == ("bg", True)
