"""The pages of labels, carriers and pick-ups, and the door where EasyPost tells of parcels."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from easypost.util import validate_webhook
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.carriers.easypost_news import signature_of
from returns_portal.labels import tracking
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.policy import carrier_rules
from returns_portal.shop.actions import update_shop
from tests.carriers.easypost_server import PDF
from tests.labels.carried import Carried
from tests.portal import at_once
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

SECRET = "easypost-secret-é"


@pytest.fixture
async def browser(carried: Carried, database_url: str) -> AsyncIterator[Browser]:
    settings = carried.portal.settings.model_copy(
        update={"easypost_webhook_secret": SecretStr(SECRET), "easypost_api_key": SecretStr("EZTK")}
    )
    async with browsing(settings, database_url) as client:
        yield client


def event(label: Any, **changes: str) -> bytes:  # noqa: ANN401 - a row
    tracker = {"id": "trk_1", "object": "Tracker", "shipment_id": label.shipment_ref, "tracking_code": label.tracking}
    body = {"id": "evt_1", "object": "Event", "description": "tracker.updated", "mode": "test", "result": tracker}
    return json.dumps({**body, **changes}).encode()


async def test_an_event_of_easypost_is_taken_in_once_and_only_with_its_signature(
    carried: Carried, browser: Browser
) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    carried.easypost.hand_in(label.shipment_ref, clock.now())
    body = event(label)
    signature = signature_of(body, SECRET)
    # The SDK's own check finds the signature right.
    assert validate_webhook(body, {"X-Hmac-Signature": signature}, SECRET)["id"] == "evt_1"
    path = "/webhooks/easypost"
    for forged in ("", "hmac-sha256-hex=00", signature_of(body + b" ", SECRET), signature_of(body, "other")):
        answer = await browser.post(path, content=body, headers={"X-Hmac-Signature": forged})
        assert answer.status_code == 400
    assert (
        await browser.post(path, content=b"{}", headers={"X-Hmac-Signature": signature_of(b"{}", SECRET)})
    ).status_code == 400
    answers = [await browser.post(path, content=body, headers={"X-Hmac-Signature": signature}) for _ in range(2)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "Stored."), (200, "Known already.")]
    await carried.portal.work()
    assert (await carried.label(filed)).status == "in_transit"


async def test_without_a_secret_there_is_no_door(carried: Carried, database_url: str) -> None:
    async with browsing(carried.portal.settings, database_url) as client:
        assert (await client.post("/webhooks/easypost", content=b"{}")).status_code == 404


async def test_the_customer_gets_the_carriers_label_as_it_is(carried: Carried, browser: Browser) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    await staff_signs_in(browser, carried.portal.begin, "support")
    answer = await browser.get(f"/returns/{filed.rma}/label.pdf?size=a4")
    assert (answer.status_code, answer.content) == (200, PDF)
    page = (await browser.get(f"/returns/{filed.rma}")).text
    assert "Print the label" in page
    assert "No printer?" not in page
    assert f"/returns/{filed.rma}/pickup" in page
    answer = await send(browser, f"/returns/{filed.rma}/labels", {})
    assert answer.headers["location"] == f"/returns/{filed.rma}"
    await carried.portal.work()
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf?parcel=2")).content == PDF
    assert "parcel=2" in (await browser.get(f"/returns/{filed.rma}")).text
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf?parcel=3")).status_code == 404
    # A parcel that is under way is told of, with the day on which it is expected.
    with clock.at(datetime(2026, 11, 18, 9, tzinfo=UTC)):
        carried.easypost.hand_in(label.shipment_ref, clock.now())
        await tracking.track(carried.context, label.id)
        page = (await browser.get(f"/returns/{filed.rma}")).text
    assert "Your parcel is on its way" in page
    assert "Friday" in page


async def test_while_the_label_is_made_the_page_says_so_and_there_is_none(carried: Carried, browser: Browser) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    await staff_signs_in(browser, carried.portal.begin, "support")
    page = (await browser.get(f"/returns/{filed.rma}")).text
    assert "Your label is being made" in page
    assert "label.pdf" not in page
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf")).status_code == 409


async def test_staff_see_a_label_and_give_it_back_and_the_customer_gets_another(
    carried: Carried, browser: Browser
) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    await staff_signs_in(browser, carried.portal.begin, "support")
    listed = (await browser.get("/staff/labels")).text
    assert filed.rma in listed
    assert "$5.45" in listed
    assert filed.rma not in (await browser.get("/staff/labels?show=lost")).text
    shown = (await browser.get(f"/staff/labels/{label.id}")).text
    assert label.tracking in shown
    await send(browser, f"/staff/labels/{label.id}/void", {})
    again = await send(browser, f"/staff/labels/{label.id}/void", {})
    assert again.status_code == 303
    await carried.portal.work()
    assert carried.easypost.server.calls.count("void") == 1
    page = (await browser.get(f"/returns/{filed.rma}")).text
    assert "Get a new label" in page
    await send(browser, f"/returns/{filed.rma}/labels", {"wanted": "again"})
    await carried.portal.work()
    new = await carried.label(filed)
    assert (new.number, new.status) == (1, "sent")
    assert new.id != label.id


def forms_of_labels(page: str) -> list[dict[str, str]]:
    """What the forms of a page that ask for a label send."""
    found = re.findall(r'<form method="post" action="/returns/[^"]*/labels".*?</form>', page, re.DOTALL)
    return [dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', each)) for each in found]


async def test_a_double_click_on_a_new_label_buys_one(carried: Carried, browser: Browser) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    await staff_signs_in(browser, carried.portal.begin, "support")
    await send(browser, f"/staff/labels/{label.id}/void", {})
    await carried.portal.work()
    [renewing] = forms_of_labels((await browser.get(f"/returns/{filed.rma}")).text)
    path = f"/returns/{filed.rma}/labels"
    answers = await at_once(*(send(browser, path, renewing) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    await carried.portal.work()
    await send(browser, path, renewing)
    await carried.portal.work()
    labels = await carried.portal.rows("SELECT number, status FROM label ORDER BY id")
    assert [tuple(each) for each in labels] == [(1, "voided"), (1, "sent")]
    assert len(carried.easypost.bought) == 2


@pytest.mark.parametrize("shown", ["/returns/{rma}", "/staff/labels/{id}"])
async def test_a_double_click_on_one_more_label_buys_one_more(carried: Carried, browser: Browser, shown: str) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    await staff_signs_in(browser, carried.portal.begin, "support")
    address = shown.format(rma=filed.rma, id=label.id)
    [wanted] = forms_of_labels((await browser.get(address)).text)
    answers = await at_once(*(send(browser, f"/returns/{filed.rma}/labels", wanted) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    await carried.portal.work()
    numbers = await carried.portal.rows("SELECT number FROM label ORDER BY number")
    assert [each.number for each in numbers] == [1, 2]
    # A page that was opened anew is another wish.
    [wanted] = forms_of_labels((await browser.get(address)).text)
    await send(browser, f"/returns/{filed.rma}/labels", wanted)
    await carried.portal.work()
    assert len(carried.easypost.bought) == 3


@pytest.mark.parametrize("chosen", ["", "stuck", "reused", "failed", "not_given_back", *LabelStatus, "nonsense"])
async def test_every_choice_shows_a_list_also_an_empty_one(carried: Carried, browser: Browser, chosen: str) -> None:
    await staff_signs_in(browser, carried.portal.begin, "warehouse")
    answer = await browser.get(f"/staff/labels?show={chosen}")
    assert answer.status_code == 200
    assert "There is no such label" in answer.text


async def test_costs_are_summed_by_month_carrier_and_currency(carried: Carried, browser: Browser) -> None:
    await carried.rule("easypost")
    with clock.at(datetime(2026, 10, 30, 9, tzinfo=UTC)):
        await carried.bought("1001")
        _, voided = await carried.bought("1002")
        await carried.portal.rows(
            "UPDATE label SET status = 'voided', void_status = 'refunded' WHERE id = :id RETURNING id", id=voided.id
        )
    with clock.at(datetime(2026, 11, 16, 9, tzinfo=UTC)):
        await staff_signs_in(browser, carried.portal.begin, "finance")
        written = (await browser.get("/staff/labels/costs.csv")).text
        assert written.splitlines() == [
            "month,carrier,currency,labels,cost,given_back,awaited,net",
            "2026-10,easypost,USD,2,10.90,5.45,0.00,5.45",
        ]
        page = (await browser.get("/staff/labels/costs")).text
        assert "October 2026" in page
        assert "$10.90" in page


RULE = {"carrier": "easypost", "service": "USPS", "countries": "bg, de", "max_weight_grams": "2000", "enabled": "yes"}


async def test_rules_are_added_ordered_changed_and_deleted(carried: Carried, browser: Browser) -> None:
    await staff_signs_in(browser, carried.portal.begin, "admin")
    assert "There are no rules" in (await browser.get("/staff/carriers")).text
    for carrier in ("easypost", "nova_poshta"):
        answer = await send(browser, "/staff/carriers/rules/new", {**RULE, "carrier": carrier})
        assert answer.headers["location"] == "/staff/carriers"
    async with carried.portal.begin() as db:
        first, second = await carrier_rules(db)
    assert (first.carrier, first.countries, first.max_weight_grams) == ("easypost", ["BG", "DE"], 2000)
    await send(browser, f"/staff/carriers/rules/{second.id}/up", {})
    await send(browser, f"/staff/carriers/rules/{second.id}/up", {})
    changed = {**RULE, "min_value": "10", "max_value": "500.00", "currency": "EUR"}
    await send(browser, f"/staff/carriers/rules/{first.id}", changed)
    async with carried.portal.begin() as db:
        found = await carrier_rules(db)
    assert [rule.carrier for rule in found] == ["nova_poshta", "easypost"]
    assert (found[1].min_value, found[1].max_value, found[1].currency) == (1000, 50000, "EUR")
    assert "up to €500.00" in (await browser.get("/staff/carriers")).text
    assert 'value="500.00"' in (await browser.get(f"/staff/carriers/rules/{first.id}")).text
    await send(browser, f"/staff/carriers/rules/{first.id}/deletion", {})
    async with carried.portal.begin() as db:
        assert [rule.carrier for rule in await carrier_rules(db)] == ["nova_poshta"]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("carrier", {"carrier": "prepaid"}),
        ("carrier", {"carrier": "horse"}),
        ("countries", {"countries": "Bulgaria"}),
        ("max_weight_grams", {"max_weight_grams": "2.5 kg"}),
        ("currency", {"max_value": "100"}),
        ("max_value", {"max_value": "1.001", "currency": "EUR"}),
        ("max_value", {"min_value": "5", "max_value": "4", "currency": "EUR"}),
        ("min_value", {"min_value": "-1", "currency": "EUR"}),
        ("service", {"service": "x" * 61}),
    ],
)
async def test_a_rule_that_cannot_be_comes_back_with_everything_typed(
    carried: Carried, browser: Browser, field: str, typed: dict[str, str]
) -> None:
    await staff_signs_in(browser, carried.portal.begin, "admin")
    answer = await send(browser, "/staff/carriers/rules/new", {**RULE, **typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    if field != "max_weight_grams":
        assert 'value="2000"' in answer.text
    async with carried.portal.begin() as db:
        assert await carrier_rules(db) == []


async def test_the_shops_patience_is_kept_within_bounds(carried: Carried, browser: Browser) -> None:
    await staff_signs_in(browser, carried.portal.begin, "admin")
    whole = {
        "stuck_days": "4",
        "lost_days": "15",
        "void_days": "20",
        "label_days": "90",
        "transit_days": "2",
        "item_grams": "500",
    }
    assert (await send(browser, "/staff/carriers", {**whole, "own_courier": "yes"})).status_code == 303
    [row] = await carried.portal.rows("SELECT * FROM carrier_policy")
    assert (row.stuck_days, row.own_courier) == (4, True)
    for wrong in ({"stuck_days": "15"}, {"label_days": "13"}, {"void_days": "0"}, {"item_grams": "heavy"}):
        assert (await send(browser, "/staff/carriers", {**whole, **wrong})).status_code == 422


@pytest.mark.parametrize("path", ["/staff/labels", "/staff/labels/costs", "/staff/pickups", "/staff/carriers"])
async def test_the_pages_are_for_staff(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).headers["location"].startswith("/sign-in")


async def test_carriers_are_the_admins(carried: Carried, browser: Browser) -> None:
    await staff_signs_in(browser, carried.portal.begin, "warehouse")
    assert (await browser.get("/staff/carriers")).status_code == 403
    assert (await browser.get("/staff/labels/costs")).status_code == 403


async def test_a_pick_up_is_asked_for_named_and_called_off_on_its_pages(carried: Carried, browser: Browser) -> None:
    await carried.rule("easypost")
    filed, _ = await carried.bought()
    await staff_signs_in(browser, carried.portal.begin, "support")
    where = f"/returns/{filed.rma}/pickup"
    page = (await browser.get(where)).text
    window = page.partition('<option value="')[2].partition('"')[0]
    typed = {"window": window, "line1": "ul. 1", "city": "Sofia", "postal_code": "1000"}
    answer = await send(browser, where, typed)
    assert answer.status_code == 422
    assert 'id="phone-error"' in answer.text
    assert 'value="ul. 1"' in answer.text
    assert (await send(browser, where, {**typed, "phone": "+359881234567"})).status_code == 303
    assert "We are asking the carrier" in (await browser.get(where)).text
    await carried.portal.work()
    assert "ul. 1" in (await browser.get("/staff/pickups")).text
    [row] = await carried.portal.rows("SELECT id FROM pickup")
    await send(browser, f"/staff/pickups/{row.id}/courier", {"name": "Oleksandr"})
    assert "Your courier is Oleksandr" in (await browser.get(where)).text
    await send(browser, f"{where}/cancellation", {})
    assert "Have it picked up" in (await browser.get(where)).text


async def test_a_program_reads_labels_and_says_in_which_parcel_goods_went_out(
    carried: Carried, browser: Browser
) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    async with carried.portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "test", ["returns:read", "orders:write"])
    headers = {"Authorization": f"Bearer {key}"}
    [found] = (await browser.get(f"/api/v1/returns/{filed.rma}/labels", headers=headers)).json()["items"]
    assert (found["tracking"], found["cost"], found["currency"]) == (label.tracking, 545, "USD")
    path = "/api/v1/outbound-parcels"
    parcel = {"order_number": "#1001", "carrier": "nova_poshta", "tracking": "20450000000001"}
    for _ in range(2):
        answer = await browser.post(path, headers=headers, json=parcel)
        assert answer.status_code == 200
    assert len(await carried.portal.rows("SELECT id FROM outbound_parcel")) == 1
    answer = await browser.post(path, headers=headers, json={**parcel, "order_number": "9999"})
    assert answer.status_code == 404


async def test_a_program_says_whichever_carrier_brought_a_parcel(carried: Carried, browser: Browser) -> None:
    await carried.filed()
    async with carried.portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "test", ["orders:write"])
    for carrier, status in (
        *((name, 200) for name in ("DHL Paket", " Нова пошта ", "econt", "nova_poshta", "easypost")),
        *((name, 422) for name in ("", " ", "+", "x" * 61, "a\x00b", "a\nb", None, 7)),
    ):
        sent = {"order_number": "1001", "carrier": carrier, "tracking": "20450000000001"}
        answer = await browser.post("/api/v1/outbound-parcels", headers={"Authorization": f"Bearer {key}"}, json=sent)
        assert answer.status_code == status, carrier
        if status == 200:
            assert answer.json()["carrier"] == str(carrier).strip()
    kept = await carried.portal.rows('SELECT carrier FROM outbound_parcel ORDER BY carrier COLLATE "C"')
    assert [row.carrier for row in kept] == ["DHL Paket", "easypost", "econt", "nova_poshta", "Нова пошта"]


async def test_a_program_says_which_warehouse_sent_a_parcel(carried: Carried, browser: Browser) -> None:
    await carried.filed()
    async with carried.portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "test", ["orders:write"])
    parcel = {"order_number": "1001", "carrier": "nova_poshta", "tracking": "20450000000001"}

    async def said(**more: str | None) -> tuple[int, str | None]:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await browser.post("/api/v1/outbound-parcels", headers=headers, json={**parcel, **more})
        return answer.status_code, answer.json().get("warehouse")

    assert await said() == (200, None)
    assert await said(warehouse=" Lviv ") == (200, "Lviv")
    assert await said(warehouse="Lviv") == (200, "Lviv")
    assert await said() == (200, "Lviv")
    assert await said(warehouse=None) == (200, "Lviv")
    assert await said(warehouse="Пловдив") == (200, "Пловдив")
    for wrong in ("", " ", "+", "x" * 61, "a\x00b", "a\nb"):
        assert (await said(warehouse=wrong))[0] in (400, 422), wrong
    told = await carried.portal.rows("SELECT data FROM history WHERE action = 'parcel_sent_out' ORDER BY id")
    assert [row.data.get("warehouse") for row in told] == [None, "Lviv", "Пловдив"]
    async with carried.portal.begin() as db:
        await update_shop(db, SYSTEM, warehouses=["Rousse"])
    assert await said(tracking="2") == (200, "Rousse")
    assert await said() == (200, "Пловдив")
