"""An order that has just come in is acknowledged once, at once; no other one is."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.confirming.receiving import look_at
from returns_portal.i18n import available
from returns_portal.notifications.rendering import Rendered, render_email
from returns_portal.orders.importing import import_orders
from returns_portal.shop.queries import DEFAULT
from returns_portal.tryon.models import Mode
from tests.confirming.things import choose, letters, new_order
from tests.portal import Portal, at_once
from tests.returns.visits import words
from tests.tryon import samples
from tests.webclient import browsing

pytestmark = pytest.mark.anyio


def rendered(portal: Portal, letter: Any, locale: str = "") -> Rendered:  # noqa: ANN401 - a row
    return render_email("order_received", locale or letter.locale, letter.values, DEFAULT, portal.settings)


async def test_a_new_order_is_acknowledged_once_with_items_sums_and_address(portal: Portal) -> None:
    await choose(portal, order_received_mail=True)
    await new_order(portal, locale="en")
    await new_order(portal, locale="en", phone="+359 88 1")
    [letter] = await letters(portal, "order_received")
    assert letter.recipient == "Kunde@Example.com"
    said = rendered(portal, letter).text
    for words_of_it in (
        "Order: 1042\n- 2 × Derby, 42, Navy: €318.00\n\nDelivery: €4.90\nTotal: €322.90",
        "Мария Георгиева\nбул. Витоша 89\n1463 София\nBulgaria\nTelephone: +359 2 000 000",
        "Call +359 700 12 345 or write to help@nordsund.example",
    ):
        assert words_of_it in said


async def test_looked_at_twice_it_is_told_once(portal: Portal) -> None:
    await choose(portal, order_received_mail=True)
    order_id = await new_order(portal)
    async with portal.begin() as db:
        await look_at(db, order_id)
    assert len(await letters(portal, "order_received")) == 1


@pytest.mark.parametrize("locale", available())
async def test_every_language_says_the_sum(portal: Portal, locale: str) -> None:
    await choose(portal, order_received_mail=True)
    await new_order(portal, locale=locale)
    [letter] = await letters(portal, "order_received")
    mail = rendered(portal, letter)
    assert re.search(r"322[.,]90", mail.text)
    assert re.search(r"322[.,]90", mail.html)
    assert "{" not in mail.text + mail.subject


async def test_the_link_leads_to_the_form_with_the_order_filled_in(portal: Portal, database_url: str) -> None:
    await choose(portal, order_received_mail=True)
    await new_order(portal, number="A/42 ü", locale="en")
    [letter] = await letters(portal, "order_received")
    links = re.findall(rf"{re.escape(portal.settings.public_url)}(/\S+)", rendered(portal, letter).text)
    async with browsing(portal.settings, database_url) as browser:
        answer = await browser.get(links[0])
        while answer.is_redirect:
            answer = await browser.get(answer.headers["location"])
        assert "It is about your order A/42 ü." in words(answer)
        answer = await browser.get(links[1])
        assert "A/42 ü" in words(await browser.get(answer.headers["location"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"placed_at": clock.now() - timedelta(days=3)},
        {"delivered_at": clock.now()},
        {"cancelled_at": clock.now()},
    ],
)
async def test_what_is_no_news_is_not_told(portal: Portal, changes: dict[str, Any]) -> None:
    await choose(portal, order_received_mail=True)
    await new_order(portal, **changes)
    assert await portal.mails() == []


async def test_a_shop_that_has_not_chosen_it_writes_nothing(portal: Portal) -> None:
    await new_order(portal)
    assert await portal.mails() == []


async def test_what_is_cancelled_before_it_is_looked_at_is_not_told(portal: Portal) -> None:
    await choose(portal, order_received_mail=True)
    fresh = {"placed_at": clock.now(), "delivered_at": None}
    await portal.order(**fresh)
    await portal.order(**fresh, cancelled_at=clock.now())
    await portal.work()
    assert await portal.mails() == []


@pytest.mark.parametrize("chosen", [True, False])
async def test_files_tell_of_new_orders_only_where_the_shop_wants_it(
    portal: Portal, tmp_path: Path, chosen: bool
) -> None:
    await choose(portal, order_received_mail=True, from_files=chosen)
    header = "number,email,name,currency,placed_at,tax_included,address_line1,address_city,address_country,line_sku,"
    header += "line_title,line_quantity,line_unit_price,payment_tender,payment_amount"
    old, new = (moment.isoformat() for moment in (clock.now() - timedelta(days=30), clock.now()))
    rows = [
        f"{n},{n}@example.com,Ana,EUR,{at},yes,Elm St 1,Boston,US,A,Derby,1,10.00,external,10.00"
        for n, at in (("1", old), ("2", new))
    ]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([header, *rows]))
    report = await import_orders(
        portal.begin, path, fmt="portal", dry_run=False, sandbox_payments=False, settings=portal.settings
    )
    assert report.created == 2
    await portal.work()
    told = [letter.recipient for letter in await letters(portal, "order_received")]
    assert told == (["2@example.com"] if chosen else [])


@pytest.mark.parametrize(
    ("mode", "total", "sentence"), [("trial", "At most: €378.00", True), ("purchase", "Total: €378.00", False)]
)
async def test_what_is_ordered_to_try_is_told_with_the_most_that_it_can_cost(
    portal: Portal, mode: str, total: str, sentence: bool
) -> None:
    await choose(portal, order_received_mail=True)
    skus = await samples.boots(portal)
    await samples.place(portal, skus[:2], mode=Mode(mode))
    await portal.work()
    [letter] = await letters(portal, "order_received")
    said = rendered(portal, letter).text
    assert "- 1 × Chelsea boot, 40, Black: €189.00" in said
    assert total in said
    assert ("pay for what you keep" in said) is sentence


async def test_looked_at_by_several_at_once_it_is_told_and_listed_once(portal: Portal) -> None:
    await choose(portal, order_received_mail=True, call_new_customers=True)
    await portal.order(number="1042", placed_at=clock.now(), delivered_at=None)
    [order] = await portal.rows("SELECT id FROM orders")

    async def looks() -> None:
        async with portal.begin() as db:
            await look_at(db, order.id)

    assert await at_once(*(looks() for _each in range(4))) == [None] * 4
    assert len(await letters(portal, "order_received")) == 1
    assert len(await portal.rows("SELECT id FROM order_call")) == 1
