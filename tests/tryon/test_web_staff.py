"""What staff see and do: the list, a trial told in full, what is learnt, the shop's limits, finance's first page."""

from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.shop.queries import DEFAULT
from returns_portal.tryon import insight
from returns_portal.tryon.insight import ENOUGH, sentence_for
from returns_portal.tryon.pages.policy import BOUNDS
from returns_portal.tryon.queries import TrialView, policy
from returns_portal.warehouse.models import Condition
from tests.portal import Portal
from tests.returns.visits import post, sign_in, value, words
from tests.tryon.money import KEEP, RETURN, arrives, days_later, running, settled_now
from tests.tryon.samples import boots, decided, delivered, place, seen, shipped
from tests.tryon.test_placing import change_policy
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LIST = "/finance/trials"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def as_staff(browser: Browser, portal: Portal, *roles: str) -> None:
    await sign_in(browser, portal, f"{roles[0]}@shop.example", *roles)


async def test_an_empty_list_says_so(browser: Browser, portal: Portal) -> None:
    await as_staff(browser, portal, "support")
    assert "There is no such trial" in words(await browser.get(LIST))
    assert "Nothing is settled yet" in words(await browser.get(f"{LIST}/insight"))


async def test_trials_are_listed_and_filtered(browser: Browser, portal: Portal) -> None:
    skus = await boots(portal)
    first = await place(portal, skus[:2], trial_days=3)
    await portal.work()
    second = await place(portal, skus[:1], email="ana@example.com")
    await as_staff(browser, portal, "finance")
    everything = await browser.get(LIST)
    assert everything.text.index(second.number) < everything.text.index(first.number)
    assert "to be packed 2 2" in words(everything)
    found = await browser.get(f"{LIST}?status=authorised")
    assert first.number in found.text
    assert second.number not in found.text
    assert first.number in (await browser.get(f"{LIST}?status=nonsense")).text
    after = await browser.get(f"{LIST}?after={second.id}")
    assert second.number not in after.text
    assert first.number in after.text
    assert (await browser.get(f"{LIST}?after=x")).status_code == 422


async def test_one_is_told_with_the_reason_for_how_it_is_paid_and_every_charge(
    browser: Browser, portal: Portal
) -> None:
    trial = await seen(portal, await running(portal))
    await as_staff(browser, portal, "support")
    page = await browser.get(f"{LIST}/{trial.number}")
    said = words(page)
    assert "An amount is held on the card. The parcel takes 2 days, the trial 3" in said
    assert str(trial.charges[0].reference) in said
    assert "Hold on the card held" in said
    assert "What the customer agreed to" in said
    assert "It can be settled once the customer has decided about everything" in said
    assert f'action="{LIST}/{trial.number}/settlement"' not in page.text
    assert (await browser.get(f"{LIST}/T-0000-0000")).status_code == 404


async def test_of_a_card_on_file_nothing_is_said_to_be_held(browser: Browser, portal: Portal) -> None:
    trial = await running(portal, days=21)
    await as_staff(browser, portal, "support")
    said = words(await browser.get(f"{LIST}/{trial.number}")).split("Charges", 1)[1]
    assert "Card kept on file card on file" in said
    assert "Charge card on file" in said
    assert "held" not in said
    assert "€0.00" not in said


async def test_it_is_settled_now_when_all_is_decided(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    await as_staff(browser, portal, "support")
    path = f"{LIST}/{trial.number}"
    await post(browser, f"{path}/settlement")
    assert "Something is not decided yet." in words(await browser.get(path))
    await decided(portal, trial, *[KEEP] * 4)
    await post(browser, f"{path}/settlement")
    await portal.work()
    said = words(await browser.get(path))
    assert "Paid for what is kept €756.00" in said
    assert (await seen(portal, trial)).status == "settled"


async def test_it_is_cancelled_and_delivered_by_hand(browser: Browser, portal: Portal) -> None:
    skus = await boots(portal)
    gone, sent = await place(portal, skus[:1]), await place(portal, skus[1:2], trial_days=3)
    await portal.work()
    await as_staff(browser, portal, "support")
    await post(browser, f"{LIST}/{gone.number}/cancellation")
    assert "Cancelled. What was held is released" in words(await browser.get(f"{LIST}/{gone.number}"))
    await shipped(portal, sent)
    path = f"{LIST}/{sent.number}"
    typed = value_of_moment(await browser.get(path))
    for wrong in ("", "soon"):
        await post(browser, f"{path}/delivery", {"delivered_at": wrong})
        assert "Please give day and time." in words(await browser.get(path))
    await post(browser, f"{path}/delivery", {"delivered_at": typed})
    assert "3 days left" in words(await browser.get(path))


def value_of_moment(answer: object) -> str:
    text = str(getattr(answer, "text", ""))
    return text.split('type="datetime-local" value="', 1)[1].split('"', 1)[0]


async def test_what_is_overdue_stands_on_finances_first_page_and_is_written_off(
    browser: Browser, portal: Portal
) -> None:
    trial = await running(portal, payment_method="pm_card_chargeCustomerFail", days=21)
    await decided(portal, trial, *[KEEP] * 4)
    await days_later(portal, 22)
    await as_staff(browser, portal, "finance")
    assert "its charge did not go through" in words(await browser.get("/finance"))
    for days in (23, 27, 33, 41, 49):
        await days_later(portal, days)
    assert (await seen(portal, trial)).status == "overdue"
    with clock.shifted(timedelta(days=49)):
        await sign_in(browser, portal, "f2@shop.example", "finance")
        page = await browser.get("/finance")
        assert f"{trial.number} · €756.00" in words(page)
        assert "this neither came back nor was paid" in words(page)
        path = f"{LIST}/{trial.number}"
        assert "Ask the customer; then charge again" in words(await browser.get(path))
        await post(browser, f"{path}/write-off", {"reason": ""})
        assert "Please say why" in words(await browser.get(path))
        await post(browser, f"{path}/write-off", {"reason": "A gift to a loyal customer"})
        said = words(await browser.get(path))
        assert "written off" in said
        assert "A gift to a loyal customer" in said
        assert trial.number not in words(await browser.get("/finance"))


async def test_who_may_see_and_do_what(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    assert (await browser.get(LIST)).headers["location"].startswith("/sign-in")
    await as_staff(browser, portal, "warehouse")
    for path in (LIST, f"{LIST}/{trial.number}", f"{LIST}/insight", f"{LIST}/policy"):
        assert (await browser.get(path)).status_code == 403, path
    await as_staff(browser, portal, "support")
    assert (await browser.get(f"{LIST}/policy")).status_code == 403
    assert (await post(browser, f"{LIST}/{trial.number}/write-off", {"reason": "no"})).status_code == 403


async def test_an_admin_says_what_the_shop_allows(browser: Browser, portal: Portal) -> None:
    await as_staff(browser, portal, "admin")
    form = await browser.get(f"{LIST}/policy")
    typed = {name: field_value(form.text, name) for name in (*BOUNDS, "max_value", "max_values", "countries")}
    assert typed["max_value"] == "1500.00"
    wrong = await post(
        browser, f"{LIST}/policy", typed | {"max_items": "0", "trial_days": "soon", "countries": "Bulgaria"}
    )
    assert wrong.status_code == 422
    assert "A whole number from 1 to 50." in words(wrong)
    assert "Codes of two letters" in words(wrong)
    assert 'value="soon"' in wrong.text
    too_long = await post(browser, f"{LIST}/policy", typed | {"trial_days": "40"})
    assert "A trial cannot be longer than the longest one allowed." in words(too_long)
    for values in ("JPY", "JPY 12.5", "XX1 5", "GBP 0", "JPY 1 JPY 2"):
        unclear = await post(browser, f"{LIST}/policy", typed | {"max_values": values})
        assert unclear.status_code == 422, values
        assert "Currencies with amounts, such as" in words(unclear)
        assert f'value="{values}"' in unclear.text
    typed |= {"max_values": "jpy 240000 GBP 1300,50"}
    changed = typed | {"deposit_percent": "25", "max_value": "99,5", "countries": "de, bg", "offered": "yes"}
    assert (await post(browser, f"{LIST}/policy", changed)).status_code == 303
    async with portal.begin() as db:
        now = await policy(db)
    assert (now.deposit_percent, now.max_value, now.countries) == (25, 9950, ["BG", "DE"])
    assert now.max_values == {"JPY": 240_000, "GBP": 130_050}
    assert field_value((await browser.get(f"{LIST}/policy")).text, "max_values") == "GBP 1300.50 JPY 240000"
    assert (now.offered, now.silence_keeps) == (True, False)
    again = await browser.get(f"{LIST}/policy")
    assert field_value(again.text, "countries") == "BG DE"
    assert value(again, "_csrf_token")


def field_value(html: str, name: str) -> str:
    return html.split(f'name="{name}" type="text" value="', 1)[1].split('"', 1)[0]


async def settled_pair(portal: Portal, skus: list[str], number: int, *, keeps: int) -> TrialView:
    """Somebody tries two sizes, keeps one of them, and sends the other back."""
    trial = await place(portal, skus[:2], email=f"c{number}@example.com", trial_days=3)
    await portal.work()
    await shipped(portal, trial)
    await delivered(portal, trial)
    await decided(portal, trial, *(KEEP if at == keeps else RETURN for at in range(2)))
    await arrives(portal, trial, [1 - keeps])
    trial = await settled_now(portal, trial)
    assert trial.status == "settled"
    return trial


async def test_what_people_kept_is_said_once_enough_of_them_have(browser: Browser, portal: Portal) -> None:
    await change_policy(portal, open_trials=50)
    skus = await boots(portal, stock=50)
    [product] = await portal.rows("SELECT id FROM product")

    async def said() -> str:
        async with portal.begin() as db:
            return await sentence_for(db, product.id)

    for number in range(ENOUGH - 1):
        await settled_pair(portal, skus, number, keeps=0 if number < 3 else 1)
    assert await said() == ""
    await settled_pair(portal, skus, ENOUGH, keeps=1)
    assert await said() == "People who tried 40 and 41 kept 41."
    assert "People who tried 40 and 41 kept 41." in (await browser.get("/shop/boot")).text
    for number in range(2):
        await settled_pair(portal, skus, 100 + number, keeps=0)
    # Seven of twelve is no clear majority any more.
    assert await said() == ""
    await as_staff(browser, portal, "support")
    tables = words(await browser.get(f"{LIST}/insight"))
    assert "Chelsea boot 24 12 50 %" in tables
    assert "Chelsea boot 41 12 7 58 %" in tables
    assert "c1@example.com 2 1 50 %" in tables


async def test_people_are_counted_once_and_what_was_returned_later_was_not_kept(
    browser: Browser, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight, "ENOUGH", 2)
    skus = await boots(portal)
    [product] = await portal.rows("SELECT id FROM product")

    async def said() -> str:
        async with portal.begin() as db:
            return await sentence_for(db, product.id)

    for _again in range(2):
        await settled_pair(portal, skus, 1, keeps=1)
    assert await said() == ""
    last = await settled_pair(portal, skus, 2, keeps=1)
    assert await said() == "People who tried 40 and 41 kept 41."
    line = last.items[1].order_line_id
    filed = await portal.file(last.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE), delay=0)
    await portal.work()
    assert await said() == ""
    await as_staff(browser, portal, "support")
    assert "Chelsea boot 6 2 33 %" in words(await browser.get(f"{LIST}/insight"))


async def test_staff_note_what_the_customer_has_posted_and_it_is_not_charged(browser: Browser, portal: Portal) -> None:
    trial = await settled_now(portal, await decided(portal, await running(portal), KEEP, *[RETURN] * 3))
    await as_staff(browser, portal, "support")
    path = f"{LIST}/{trial.number}"
    today = clock.now().astimezone(ZoneInfo(DEFAULT.timezone)).date().isoformat()
    for _twice in range(2):
        answer = await post(browser, f"{path}/posted", {"posted_on": today, "receipt": "RR123456785BG"})
        assert answer.status_code == 303, answer.text
    said = words(await browser.get(path))
    assert "on its way since" in said
    assert said.count("RR123456785BG") == 1
    await days_later(portal, 16)
    now = await seen(portal, trial)
    assert (now.status, now.charged) == ("settling", now.items[0].price)


async def test_a_day_that_cannot_be_keeps_the_receipt(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    await as_staff(browser, portal, "support")
    path = f"{LIST}/{trial.number}/posted"
    for day, said in (
        ("", "Please give the day."),
        ("2999-01-01", "This day lies in the future."),
        ("2020-01-01", "On this day it had not been sent to the customer yet."),
    ):
        answer = await post(browser, path, {"posted_on": day, "receipt": "RR123456785BG"})
        assert answer.status_code == 422
        assert said in words(answer)
        assert 'value="RR123456785BG"' in answer.text
    assert (await seen(portal, trial)).return_scanned_at is None
    await arrives(portal, trial, [0, 1, 2, 3])
    await portal.work()
    assert "Nothing of this trial is to come back" in words(
        await browser.get((await post(browser, path, {"posted_on": "2020-01-01"})).headers["location"])
    )
