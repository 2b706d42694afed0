"""People say what they need and we have not: from a product's page, an exchange, a question."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from httpx import Response

from returns_portal.demand import asking
from returns_portal.demand.asking import Asked, InStockError
from returns_portal.demand.models import Source
from returns_portal.notifications.choices import refuse
from returns_portal.notifications.models import Optional
from tests.demand.things import LINK, STRANGER, one, place, stock
from tests.exchanges.samples import boots
from tests.portal import Portal
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

PAGE = "/shop/boot?color=Black&size=43"
REQUEST = "SELECT * FROM product_request"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await stock(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


def hidden(page: Response) -> dict[str, str]:
    return {name: value(page, name) for name in ("token", "product", "size", "color")}


def outbound(page: Response) -> list[str]:
    return [unescape(path) for path in re.findall(r'href="(&#x2f;elsewhere[^"]+|/elsewhere[^"]+)"', page.text)]


async def wants(browser: Browser, **typed: str) -> Response:
    """Say on the page of the boots that one needs size 43."""
    return await post(browser, "/wanted", {**hidden(await browser.get(PAGE)), **typed})


async def test_the_page_names_another_shop_at_once_and_keeps_the_wish(browser: Browser, portal: Portal) -> None:
    await place(portal)
    page = await browser.get(PAGE)
    assert "Size 43, Black: not in stock" in words(page)
    assert "Kestrel & Sons" in words(page)
    assert "€179.90" in words(page)
    assert LINK not in page.text
    assert 'rel="noopener nofollow"' in page.text
    sent = {**hidden(page), "words": "Wide <feet>", "email": "Ana@example.com"}
    answer = await post(browser, "/wanted", sent)
    assert (await post(browser, "/wanted", sent)).status_code == 303
    row = await one(portal, REQUEST)
    assert (row.what, row.size, row.color, row.words) == ("Chelsea <Boot>", "43", "Black", "Wide <feet>")
    assert (row.email, row.email_key, row.source, row.wish) == (
        "Ana@example.com",
        "ana@example.com",
        "product",
        "waiting",
    )
    assert "one click" in row.consent
    thanks = await browser.get(answer.headers["location"])
    assert "We write to Ana@example.com when it is back" in words(thanks)
    [path] = outbound(thanks)
    for _twice in range(2):
        assert (await browser.get(path)).headers["location"] == LINK
    referral = await one(portal, "SELECT shown, request_id, followed_at FROM referral")
    assert (referral.shown, referral.request_id) == ("page", row.id)
    assert referral.followed_at is not None
    assert (await portal.mails()) == ["request_kept"]


async def test_two_clicks_at_once_are_one(browser: Browser, portal: Portal) -> None:
    sent = hidden(await browser.get(PAGE))
    await asyncio.gather(*(post(browser, "/wanted", sent) for _click in range(2)))
    row = await one(portal, REQUEST)
    assert (row.email, row.consent, row.wish) == ("", "", "none")
    assert await portal.mails() == []


async def test_what_is_in_stock_is_shown_instead(browser: Browser, portal: Portal) -> None:
    assert "not in stock" not in words(await browser.get("/shop/boot?size=42"))
    answer = await post(browser, "/wanted", {"product": "boot", "size": "EU 42", "token": "x"})
    assert answer.headers["location"] == "/shop/boot?color=Black&size=42"
    assert "Good news: Chelsea <Boot> is in stock." in words(await browser.get(answer.headers["location"]))
    answer = await post(browser, "/wanted", {"product": "boot", "token": "y"})
    assert (answer.status_code, "Which size do you need?" in words(answer)) == (422, True)
    assert await portal.rows(REQUEST) == []


async def test_sizes_are_kept_as_the_product_has_them(portal: Portal) -> None:
    await stock(portal)
    async with portal.begin() as db:
        for size in ("EU 43", "43", "47"):
            asked = Asked(source=Source.PRODUCT, locale="en", product="boot", size=size, color="black")
            await asking.ask(db, STRANGER, portal.settings, asked)
        with pytest.raises(InStockError):
            await asking.ask(
                db, STRANGER, portal.settings, Asked(source=Source.PRODUCT, locale="en", product="boot", size="41")
            )
    rows = await portal.rows("SELECT size, color FROM product_request ORDER BY id")
    assert [tuple(row) for row in rows] == [("43", "Black"), ("43", "Black"), ("47", "black")]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"words": "x" * 1001}, "words"),
        ({"product": "", "what": " "}, "what"),
        ({"product": "", "what": "Boots", "size": "4" * 41}, "size"),
    ],
)
async def test_what_is_wrong_is_said_and_stays_typed(
    browser: Browser, portal: Portal, typed: dict[str, str], field: str
) -> None:
    answer = await wants(browser, **{"words": "For winter", **typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert typed.get("words", "For winter") in answer.text
    assert await portal.rows(REQUEST) == []


async def test_anything_can_be_named_in_words(browser: Browser, portal: Portal) -> None:
    page = await browser.get("/wanted?what=Warm+boots&size=39")
    assert 'value="Warm boots"' in page.text
    sent = {"token": value(page, "token"), "what": "Warm boots", "size": "39", "email": "ana@example.com"}
    answer = await post(browser, "/wanted", sent)
    row = await one(portal, REQUEST)
    assert (row.product_id, row.what, row.wish) == (None, "Warm boots", "none")
    assert "We know of no other shop" in words(await browser.get(answer.headers["location"]))


@pytest.mark.parametrize(
    ("typed", "topic"),
    [
        ({"product": "", "what": "You have won, see evil.example", "size": "evil.example"}, ""),
        ({"size": "evil.example"}, "Chelsea <Boot>, Black"),
        ({"color": "evil.example"}, "Chelsea <Boot>, Size 43"),
    ],
)
async def test_nothing_typed_goes_to_an_address_that_anybody_can_type(
    browser: Browser, portal: Portal, typed: dict[str, str], topic: str
) -> None:
    await wants(browser, email="victim@example.com", words="evil.example", **typed)
    mail = await one(portal, "SELECT template, values FROM email")
    assert (mail.template, mail.values["topic"]) == ("request_kept", topic)
    assert "evil" not in str(mail.values)


async def test_too_many_are_refused_and_nothing_typed_is_lost(browser: Browser, portal: Portal) -> None:
    for place_in_line in range(6):
        answer = await wants(browser, email="ana@example.com", words=f"Number {place_in_line}")
    assert answer.status_code == 429
    assert "Number 5" in answer.text
    assert len(await portal.rows(REQUEST)) == 5


async def test_one_click_ends_it_and_the_address_goes(browser: Browser, portal: Portal) -> None:
    await wants(browser, email="ana@example.com")
    mail = await one(portal, "SELECT values FROM email")
    path = mail.values["url"]
    assert path.startswith("/wanted/end/")
    assert "Write no more about it?" in words(await browser.get(path))
    assert (await one(portal, REQUEST)).wish == "waiting"
    for _twice in range(2):
        assert (await post(browser, path)).headers["location"] == path
    row = await one(portal, REQUEST)
    assert (row.wish, row.email, row.email_key, row.consent) == ("ended", "", "", "")
    assert "It is ended" in words(await browser.get(path))
    assert (await browser.get("/wanted/end/forged")).status_code == 404
    assert (await browser.get("/wanted/thanks/forged")).headers["location"] == "/wanted"
    # A link that shows one's request ends nothing.
    thanks = (await wants(browser)).headers["location"]
    assert (await post(browser, thanks.replace("thanks", "end"))).status_code == 404


async def test_whoever_switched_such_mails_off_gets_none(browser: Browser, portal: Portal) -> None:
    async with portal.begin() as db:
        await refuse(db, "ana@example.com", {Optional.STOCK})
    await wants(browser, email="ana@example.com")
    assert await portal.mails() == []


async def ask_by_question(browser: Browser, **typed: str) -> Response:
    token = value(await browser.get("/questions/new?topic=wanted&about=/shop/boot"), "token")
    sent = {"token": token, "topic": "wanted", "body": "Will you get it?", "about": "/shop/boot", "size": "43"}
    return await post(browser, "/questions/new", {**sent, "email": "ana@example.com", **typed})


@pytest.mark.parametrize(("tell", "wish", "email"), [("", "none", ""), ("yes", "waiting", "ana@example.com")])
async def test_a_question_is_counted_and_another_shop_named_at_once(
    browser: Browser, portal: Portal, tell: str, wish: str, email: str
) -> None:
    await place(portal)
    answer = await ask_by_question(browser, tell=tell)
    row = await one(portal, REQUEST)
    question = await one(portal, "SELECT id, product FROM question")
    assert (row.question_id, row.source, row.words, row.wish, row.email) == (question.id, "question", "", wish, email)
    thanks = words(await browser.get(answer.headers["location"]))
    assert "Kestrel & Sons" in thanks
    assert "A person reads your question" in thanks


async def test_a_question_about_what_is_there_stays_a_question(browser: Browser, portal: Portal) -> None:
    assert "We have your question" in words(await ask_by_question(browser, size="42"))
    assert len(await portal.rows("SELECT id FROM question")) == 1
    assert await portal.rows(REQUEST) == []
    assert "Which size" in words(await ask_by_question(browser, size=""))


async def test_in_an_exchange_what_is_out_stays_visible(browser: Browser, portal: Portal) -> None:
    await stock(portal, s41=0)
    order, _line = await boots(portal)
    await come_in(browser, portal, order.number)
    page = await browser.get(f"/orders/{order.number}")
    assert "Size 43, Black: not in stock" in words(page)
    assert re.search(r'value="boot-43" disabled', page.text)
    path = "/wanted?product=boot&from=exchange"
    assert path in unescape(page.text)
    form = await browser.get(path)
    sent = {"token": value(form, "token"), "product": "boot", "from": value(form, "from"), "size": "43"}
    assert (await post(browser, "/wanted", sent)).status_code == 303
    assert (await one(portal, REQUEST)).source == "exchange"
