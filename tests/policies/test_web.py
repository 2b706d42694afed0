"""The admin's page of the policy: without scripts, with everything typed kept, and with a look before saving."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from returns_portal.actor import SYSTEM
from returns_portal.policies.actions import publish
from returns_portal.policies.content import read
from returns_portal.policies.queries import forget
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio
PAGE = "/staff/policies"
FIELDS = {
    "return_days": "60",
    "bonus_percent": "5",
    "outcomes": "original points",
    "postage": "customer",
    "fees": "EUR 4.90, usd 5,50",
    "based_on": "1",
}
SOCKS = {
    "rule-0-name": "Socks",
    "rule-0-skus": "KE-*",
    "rule-0-final_sale": "hygiene",
    "rule-0-price_to": "500",
    "rule-0-currency": "eur",
}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "admin@shop.example", "admin")
        yield browser


async def newest(portal: Portal) -> tuple[int, dict[str, Any]]:
    forget()
    [row] = await portal.rows("SELECT version, content FROM policy ORDER BY version DESC LIMIT 1")
    return row.version, row.content


async def test_the_page_shows_the_versions_and_the_policy_of_today(browser: Browser) -> None:
    shown = await browser.get(PAGE)
    assert shown.status_code == 200
    assert "1 in force the beginning" in words(shown)
    assert 'value="90"' in shown.text
    assert (await browser.get(f"{PAGE}?version=7")).status_code == 404


async def test_a_version_is_saved_once_however_often_it_is_sent(browser: Browser, portal: Portal) -> None:
    for _ in range(2):
        saved = await post(browser, PAGE, FIELDS | SOCKS)
        assert (saved.status_code, saved.headers["location"]) == (303, PAGE)
    version, content = await newest(portal)
    assert version == 2
    assert content["fees"] == {"EUR": 490, "USD": 550}
    assert content["rules"] == [
        {
            "name": "Socks",
            "when": {"skus": ["KE-*"], "currency": "EUR", "price_to": 50000},
            "then": {"final_sale": True, "exception": "hygiene"},
        }
    ]
    again = await browser.get(PAGE)
    assert 'value="EUR 4.90, USD 5.50"' in again.text
    assert 'value="Socks"' in again.text


async def test_rules_are_added_moved_and_removed_by_buttons(browser: Browser) -> None:
    added = await post(browser, PAGE, FIELDS | SOCKS | {"step": "add"})
    assert "Rule 2" in words(added)
    two = FIELDS | SOCKS | {"rule-1-name": "Shoes", "rule-1-keep_it": "yes"}
    moved = await post(browser, PAGE, two | {"step": "up-1"})
    assert moved.text.index('value="Shoes"') < moved.text.index('value="Socks"')
    removed = await post(browser, PAGE, two | {"step": "remove-0"})
    assert 'value="Shoes"' in removed.text
    assert 'value="Socks"' not in removed.text


async def test_what_it_says_of_an_order_is_shown_and_nothing_is_saved(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    shown = await post(browser, PAGE, FIELDS | SOCKS | {"step": "preview", "order_number": "#1001"})
    said = words(shown)
    assert "Can go back no, final sale (Socks)" in said
    assert "Postage the customer pays €4.90 (in general)" in said
    assert (await newest(portal))[0] == 1
    unknown = await post(browser, PAGE, FIELDS | {"step": "preview", "order_number": "9"})
    assert unknown.status_code == 422
    assert "There is no such order." in unknown.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("return_days", "13"),
        ("return_days", "soon"),
        ("bonus_percent", "101"),
        ("fees", "4.90"),
        ("fees", ""),
        ("rule-0-name", ""),
        ("rule-0-countries", "everywhere"),
        ("rule-0-currency", ""),
        ("rule-0-price_to", "much"),
        ("rule-0-days_to", "-1"),
        ("starts_on", "2001-01-01"),
        ("starts_on", "tomorrow"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    browser: Browser, portal: Portal, field: str, value: str
) -> None:
    shown = await post(browser, PAGE, FIELDS | SOCKS | {"note": "for the summer", field: value})
    assert shown.status_code == 422
    assert f'id="{field}-error"' in shown.text
    assert 'value="for the summer"' in shown.text
    assert (await newest(portal))[0] == 1


async def test_who_began_with_an_older_version_is_told_and_can_save_after_that(browser: Browser) -> None:
    assert (await post(browser, PAGE, FIELDS)).status_code == 303
    told = await post(browser, PAGE, FIELDS | {"return_days": "70"})
    assert told.status_code == 422
    assert "Somebody else has made version 2" in told.text
    assert (await post(browser, PAGE, FIELDS | {"return_days": "70", "based_on": "2"})).status_code == 303


async def test_what_was_never_a_version_or_a_day_is_no_fault_of_ours(browser: Browser) -> None:
    far = await post(browser, PAGE, FIELDS | {"starts_on": "9999-12-31"})
    assert (far.status_code, "A version starts within two years" in far.text) == (422, True)
    assert (await post(browser, PAGE, FIELDS | {"based_on": "9" * 5000})).status_code == 303


async def test_it_is_the_admins_alone(portal: Portal, database_url: str) -> None:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "mira@shop.example", "finance", "support")
        assert (await browser.get(PAGE)).status_code == 403


@pytest.mark.parametrize(
    ("content", "promised"),
    [
        ({}, True),
        ({"rules": [{"name": "Socks", "then": {"bonus_percent": 5}}]}, True),
        ({"postage": "customer", "fees": {"EUR": 500}}, False),
        ({"rules": [{"name": "Far", "when": {"countries": ["US"]}, "then": {"postage": "own_label"}}]}, False),
    ],
)
async def test_the_first_page_promises_postage_only_where_the_shop_pays_it_for_all(
    browser: Browser, portal: Portal, content: dict[str, object], promised: bool
) -> None:
    async with portal.begin() as db:
        await publish(db, SYSTEM, read(content))
    assert ("postage is on us" in (await browser.get("/")).text) is promised
