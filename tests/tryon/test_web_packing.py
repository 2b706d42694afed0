"""The packing table: the pick list, the slip with boxes to tick and the label, and what has left."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.tryon.models import Mode
from tests.labels.prints import codes, pages, squeezed, text
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.tryon.samples import boots, place, seen
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

TABLE = "/station/packing"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "w@shop.example", "warehouse")
        yield browser


async def test_nothing_to_pack(browser: Browser) -> None:
    assert "Nothing waits to be packed" in words(await browser.get(TABLE))


async def test_only_what_the_bank_agreed_to_is_picked_the_oldest_first(browser: Browser, portal: Portal) -> None:
    skus = await boots(portal)
    first = await place(portal, skus[:2], trial_days=3)
    await portal.work()
    second = await place(portal, [skus[2], skus[2]], email="ana@example.com")
    await portal.work()
    waiting = await place(portal, skus[3:], email="ivo@example.com")
    page = await browser.get(TABLE)
    assert page.text.index(first.number) < page.text.index(second.number)
    assert waiting.number not in page.text
    said = words(page)
    assert "2 parcels to pack" in said
    assert "40 Chelsea boot, Black boot-40 41 Chelsea boot, Black boot-41" in said
    assert "2 × 42 Chelsea boot, Black boot-42" in said


async def test_packed_and_sent_by_three_scans(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:2], trial_days=3)
    await portal.work()
    one = await browser.get(f"{TABLE}?code={trial.number.lower()}")
    assert "All parcels" in words(one)
    answer = await post(browser, f"{TABLE}/{trial.number}/packed")
    page = await browser.get(answer.headers["location"])
    assert "Scan the carrier's label, and it is sent." in words(page)
    assert "autofocus" in page.text.split(f'id="tracking-{trial.number}"')[1][:120]
    sent = {"carrier": "Econt", "tracking": "1051602736482"}
    for _twice in range(2):
        await post(browser, f"{TABLE}/{trial.number}/shipped", sent)
    now = await seen(portal, trial)
    assert (now.status, [parcel.tracking for parcel in now.shipments]) == ("shipped", ["1051602736482"])
    assert "Nothing waits to be packed" in words(await browser.get(TABLE))
    assert (await portal.mails()).count("trial_shipped") == 1


async def test_one_more_parcel_follows(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:2], trial_days=3)
    await portal.work()
    answer = await post(browser, f"{TABLE}/{trial.number}/shipped", {"tracking": "1051", "more": "yes"})
    page = await browser.get(answer.headers["location"])
    assert "Sent: does one more parcel follow?" in words(page)
    assert "required autofocus" in page.text.split(f'id="tracking-{trial.number}"')[1][:120]
    answer = await post(browser, f"{TABLE}/{trial.number}/shipped", {"tracking": "1052"})
    assert answer.headers["location"] == TABLE
    assert [parcel.tracking for parcel in (await seen(portal, trial)).shipments] == ["1051", "1052"]
    assert "Sent: does one more parcel follow?" in words(await browser.get(f"{TABLE}?code={trial.number}"))
    assert "Nothing waits to be packed" in words(await browser.get(TABLE))


async def test_the_label_of_the_parcel_is_scanned_under_any_layout(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:1], trial_days=3)
    await portal.work()
    rma = (await seen(portal, trial)).rma
    for code in (trial.number, str(rma), trial.number.replace("T", "Е", 1)):
        assert trial.number in (await browser.get(f"{TABLE}?code={code}")).text
    for unknown in ("R-0000-0001", "4006381333931", "<b>"):
        await browser.get(f"{TABLE}?code={unknown}")
        assert "There is nothing to pack for" in words(await browser.get(TABLE))


async def test_what_the_bank_has_not_agreed_to_is_not_sent(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:1])
    for verb in ("packed", "shipped"):
        await post(browser, f"{TABLE}/{trial.number}/{verb}")
        assert "The bank has not agreed yet, so nothing must be sent." in words(await browser.get(TABLE))
    assert (await seen(portal, trial)).status == "placed"
    assert (await browser.get(f"{TABLE}/{trial.number}/slip.pdf")).status_code == 409


async def test_the_slip_has_every_size_the_last_day_and_the_label(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    answer = await browser.get(f"{TABLE}/{trial.number}/slip.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    said = text(answer.content)
    for part in ("Try it at home", "3 days, counted from", "the last day is", "I KEEP IT", "€756.00", trial.number):
        assert squeezed(part) in said
    for size in ("40", "41", "42", "43"):
        assert squeezed(f"{size} Chelsea boot") in said
    slip, label = pages(answer.content)
    rma = str((await seen(portal, trial)).rma)
    assert {code for _, code in codes(slip)} == {trial.number, f"{portal.settings.public_url}/?order={trial.number}"}
    assert {code for _, code in codes(label)} == {rma}


async def test_a_purchase_has_a_slip_without_boxes_and_without_a_label(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:1], mode=Mode.PURCHASE)
    await portal.work()
    answer = await browser.get(f"{TABLE}/{trial.number}/slip.pdf")
    assert len(pages(answer.content)) == 1
    said = text(answer.content)
    assert squeezed("Thank you for your order") in said
    assert squeezed("I KEEP IT") not in said


async def test_the_table_is_the_warehouses(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, (await boots(portal))[:1])
    await sign_in(browser, portal, "f@shop.example", "finance")
    assert (await browser.get(TABLE)).status_code == 403
    assert (await browser.get(f"{TABLE}/{trial.number}/slip.pdf")).status_code == 403


@pytest.mark.parametrize("size", ["a4", "letter"])
async def test_the_sheet_with_the_label_leaves_open_what_goes_back(browser: Browser, portal: Portal, size: str) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    rma = (await seen(portal, trial)).rma
    await sign_in(browser, portal, "s@shop.example", "support")
    said = text((await browser.get(f"/returns/{rma}/label.pdf?size={size}")).content)
    assert squeezed("Put what you do not keep into a parcel, as little or as much as that is") in said
    assert squeezed("MAY BE INSIDE") in said
    assert squeezed("GOES BACK") in said
    assert squeezed("listed below") not in said
    assert "PIECES" not in said
    slip = text((await browser.get(f"{TABLE}/{trial.number}/slip.pdf")).content)
    assert squeezed("Put what you do not keep into a parcel") in slip


async def test_sizes_stand_from_small_to_large_however_they_were_chosen(browser: Browser, portal: Portal) -> None:
    forty, forty_one, forty_two, _ = await boots(portal)
    trial = await place(portal, [forty_two, forty, forty_one], trial_days=3)
    await portal.work()
    said = words(await browser.get(TABLE))
    assert said.index("boot-40") < said.index("boot-41") < said.index("boot-42")
    slip = text((await browser.get(f"{TABLE}/{trial.number}/slip.pdf")).content)
    assert "Chelseaboot40BlackChelseaboot41BlackChelseaboot42Black" in slip
    await sign_in(browser, portal, "s@shop.example", "support")
    for path in (f"/trials/{trial.number}", f"/finance/trials/{trial.number}"):
        page = words(await browser.get(path))
        assert page.index("Size 40") < page.index("Size 41") < page.index("Size 42"), path
