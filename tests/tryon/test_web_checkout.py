"""The checkout: one order however often its form is sent, nothing of the card kept, nobody else's points told."""

import re
from collections.abc import AsyncIterator

import pytest

from returns_portal.accounts.rules import CUSTOMER_SESSION
from returns_portal.tryon.pages.basket import BASKET_COOKIE
from returns_portal.web.signing import SESSION_COOKIE
from tests.points.purse import give
from tests.portal import Portal, at_once
from tests.returns.visits import come_in, post, value, words
from tests.tryon.samples import MARIA
from tests.tryon.shopper import REFUSED, fill, order, typed
from tests.tryon.test_placing import change_policy
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

CARD = ("4242 4242 4242 4242", "4242424242424242", 'value="2031"', 'value="123"')


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def test_the_order_is_placed_and_the_browser_is_signed_in_for_it(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41", "42")
    said = words(await browser.get(path))
    assert "We are asking your bank" in said
    assert BASKET_COOKIE not in browser.cookies
    [row] = await portal.rows("SELECT number, mode, email_key, terms, payment_method FROM trial")
    assert path == f"/trials/{row.number}"
    assert (row.mode, row.email_key, row.payment_method) == ("trial", MARIA, "pm_card_visa")
    assert "without asking you again" in row.terms
    assert "at most €378.00" in row.terms
    await portal.work()
    assert "We are packing your parcel" in words(await browser.get(path))
    assert "trial_authorised" in await portal.mails()


async def test_the_terms_that_are_kept_are_those_that_were_shown(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", "42")
    shown = words(await browser.get("/checkout"))
    await post(browser, "/checkout", await typed(browser))
    [row] = await portal.rows("SELECT terms FROM trial")
    for paragraph in row.terms.split("\n\n"):
        assert paragraph in shown


async def test_terms_that_have_changed_meanwhile_are_read_again(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", "42")
    form = await typed(browser)
    await change_policy(portal, grace_days=5)
    answer = await post(browser, "/checkout", form)
    assert answer.status_code == 422
    assert "The prices or the terms have changed meanwhile." in words(answer)
    assert not re.search(r'id="consent"[^>]*checked', answer.text)
    assert not await portal.rows("SELECT FROM trial")
    again = form | {"terms": value(answer, "terms")}
    assert (await post(browser, "/checkout", again)).status_code == 303


async def test_consent_is_not_given_beforehand_and_is_needed(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41")
    assert not re.search(r'id="consent"[^>]*checked', (await browser.get("/checkout")).text)
    answer = await post(browser, "/checkout", await typed(browser, consent=""))
    assert answer.status_code == 422
    assert "Please read the terms and agree to them" in words(answer)
    assert not await portal.rows("SELECT FROM trial")


async def test_a_form_that_fails_keeps_everything_but_the_card(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41")
    answer = await post(browser, "/checkout", await typed(browser, email="nobody", postal_code="", country="RO"))
    assert answer.status_code == 422
    assert "Please give your e-mail address" in words(answer)
    for kept in ('value="Мария Георгиева"', 'value="бул. Витоша 89"', 'value="nobody"', 'value="RO" selected'):
        assert kept in answer.text
    assert "checked" in answer.text
    for secret in CARD:
        assert secret not in answer.text.replace("Test cards: 4242 4242 4242 4242 pays", "")


@pytest.mark.parametrize(
    ("field", "typed_in", "sentence"),
    [
        ("card_number", "5105 1051 0510 5100", "only test cards are taken"),
        ("card_number", "", "only test cards are taken"),
        ("card_month", "13", "Please give the month as a number"),
        ("card_year", "soon", "Please give the year"),
        ("card_year", "2020", "This card has expired."),
        ("card_cvc", "12a", "Please give the three or four digits"),
    ],
)
async def test_a_card_that_cannot_be_is_said_at_its_field(
    browser: Browser, portal: Portal, field: str, typed_in: str, sentence: str
) -> None:
    await fill(browser, portal, "41")
    answer = await post(browser, "/checkout", await typed(browser, **{field: typed_in}))
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert f'id="{field}-error"' in answer.text


async def test_a_second_click_places_nothing_more(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", "42")
    form = await typed(browser)
    first, second = await at_once(post(browser, "/checkout", form), post(browser, "/checkout", form))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert (await browser.get(first.headers["location"])).status_code == 200
    third = await post(browser, "/checkout", form)
    assert third.headers["location"] == first.headers["location"]
    assert len(await portal.rows("SELECT FROM trial")) == 1


async def test_a_limit_that_is_known_only_now_offers_to_buy(browser: Browser, portal: Portal) -> None:
    await change_policy(portal, open_trials=1)
    number = (await order(browser, portal, "41")).rpartition("/")[2]
    await portal.work()
    await fill(browser, portal, "42")
    answer = await post(browser, "/checkout", await typed(browser))
    assert answer.status_code == 422
    # Anybody can type an address: who has not shown that it is theirs learns nothing of what is under way with it.
    assert "We cannot send this to be tried just now." in words(answer)
    assert "under way already" not in words(answer)
    await come_in(browser, portal, number)
    answer = await post(browser, "/checkout", await typed(browser))
    assert "Trials that are under way already: 1." in words(answer)
    assert 'href="/checkout?mode=purchase"' in answer.text
    bought = await post(browser, "/checkout", await typed(browser, mode="purchase"))
    assert bought.status_code == 303


async def test_a_household_places_ten_orders_in_an_hour(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", stock=50)
    form = await typed(browser, mode="purchase")
    for number in range(11):
        await fill(browser, portal, "41", stock=50)
        answer = await post(browser, "/checkout", form | {"token": f"t{number}", "email": f"m{number}@example.com"})
        assert answer.status_code == (303 if number < 10 else 422)
    assert "Many orders came from your network just now." in words(answer)
    assert len(await portal.rows("SELECT FROM trial")) == 10


async def test_something_that_sold_out_meanwhile_keeps_the_form(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", stock=1)
    form = await typed(browser)
    await portal.rows("UPDATE variant SET stock = 0 RETURNING sku")
    answer = await post(browser, "/checkout", form)
    assert answer.status_code == 422
    assert "Sold out." in words(answer)
    assert 'value="Мария Георгиева"' in answer.text


async def test_only_the_countries_of_the_shop_are_offered(browser: Browser, portal: Portal) -> None:
    await change_policy(portal, countries=["BG", "DE"])
    await fill(browser, portal, "41")
    options = re.findall(r'<option value="([A-Z]{2})"', (await browser.get("/checkout")).text)
    assert options == ["BG", "DE"]
    answer = await post(browser, "/checkout", await typed(browser, country="FR"))
    assert "We do not send things to be tried to this country." in words(answer)
    assert len(re.findall("<option value=", (await browser.get("/checkout?mode=purchase")).text)) > 200


async def test_a_purchase_is_charged_at_once_and_says_so(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41", mode="purchase")
    await portal.work()
    said = words(await browser.get(path))
    assert "You have paid €189.00" in said
    assert "Cancel this order" in said
    assert "Save what I have decided" not in said


async def test_points_are_not_told_to_who_has_not_come_in(browser: Browser, portal: Portal) -> None:
    await give(portal, 5000, email=MARIA)
    await fill(browser, portal, "41")
    assert "Points to use" not in words(await browser.get("/checkout"))
    answer = await post(browser, "/checkout", await typed(browser, points="100"))
    assert answer.status_code == 422
    assert "Points can be used with the e-mail address by whose code you came in." in words(answer)
    assert "5,000" not in answer.text
    assert not await portal.rows("SELECT FROM trial")


async def test_points_of_a_customer_who_came_in_are_offered_and_not_chosen(browser: Browser, portal: Portal) -> None:
    await portal.order(email=MARIA)
    await give(portal, 5000, email=MARIA)
    await come_in(browser, portal, "1001")
    await fill(browser, portal, "41")
    form = await browser.get("/checkout")
    assert "You may use up to 5,000 points here, worth €50.00." in words(form)
    assert 'name="points" type="text" value=""' in form.text
    answer = await post(browser, "/checkout", await typed(browser, points="6000"))
    assert "At most 5000 points can be used here." in words(answer)
    answer = await post(browser, "/checkout", await typed(browser, points="2000"))
    assert answer.status_code == 303
    assert "Paid with points 2,000 points" in words(await browser.get(answer.headers["location"]))
    # The proof goes on: it is the same browser and the same address.
    assert (await browser.get("/points")).status_code == 200


async def test_points_of_one_address_do_not_pay_for_another(browser: Browser, portal: Portal) -> None:
    await portal.order(email="ana@example.com")
    await give(portal, 5000, email="ana@example.com")
    await come_in(browser, portal, "1001")
    await fill(browser, portal, "41")
    answer = await post(browser, "/checkout", await typed(browser, points="100", email=MARIA))
    assert answer.status_code == 422
    assert "Points can be used with the e-mail address" in words(answer)


async def test_who_types_a_strangers_address_sees_the_order_and_nothing_else(browser: Browser, portal: Portal) -> None:
    await give(portal, 5000, email=MARIA)
    await order(browser, portal, "41")
    points = await browser.get("/points")
    assert points.status_code == 303
    assert (await browser.get("/points/statement.pdf")).status_code == 303
    await fill(browser, portal, "42")
    assert "Points to use" not in words(await browser.get("/checkout"))
    assert "5,000" not in (await browser.get("/returns")).text


async def test_a_session_lasts_as_long_as_any_customers(browser: Browser, portal: Portal) -> None:
    await order(browser, portal, "41")
    assert SESSION_COOKIE in browser.cookies
    [row] = await portal.rows("SELECT expires_at - created_at AS lasts FROM web_session")
    assert row.lasts == CUSTOMER_SESSION


async def test_a_refused_card_leads_to_another_one(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41", card_number=REFUSED)
    await portal.work()
    said = words(await browser.get(path))
    assert "Your card could not be used" in said
    assert "The bank refused it, without saying why." in said


async def test_many_attempts_are_slowed_down(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41")
    form = await typed(browser, consent="")
    answers = [await post(browser, "/checkout", form) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [422] * 30 + [429]
