"""The customer's page of a trial: following it, deciding, reporting, paying; and nobody else's."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from httpx import Response
from PIL import Image
from sqlalchemy import text

from returns_portal import clock
from returns_portal.catalog.keeping import add_picture
from returns_portal.photos import MAX_BYTES, rebuilt
from returns_portal.tryon import settling
from returns_portal.tryon.models import Decision
from returns_portal.tryon.queries import TrialView
from returns_portal.web.signing import CSRF_COOKIE, SESSION_COOKIE
from tests.portal import API, Portal
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.tryon.money import days_later, running, settled_now
from tests.tryon.samples import boots, decided, delivered, place, seen, shipped
from tests.tryon.shopper import ASKING, REFUSED, TYPED, order
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def at_home(browser: Browser, portal: Portal, **changes: Any) -> TrialView:  # noqa: ANN401 - fields of a trial
    """Four sizes are at the customer's, who has come in."""
    trial = await running(portal, **changes)
    await come_in(browser, portal, trial.number)
    return await seen(portal, trial)


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "brown").save(out, "JPEG", comment=b"made at home")
    return out.getvalue()


async def report(
    browser: Browser,
    trial: TrialView,
    at: int = 0,
    photo: bytes | None = None,
    others: Mapping[str, str] | None = None,
    **fields: str,
) -> Response:
    """Press the button below an item, with its fields and others of the form."""
    await browser.get(f"/trials/{trial.number}")
    item = trial.items[at].id
    typed = {f"{name}-{item}": text for name, text in fields.items()} | dict(others or {})
    return await browser.post(
        f"/trials/{trial.number}/items/{item}/problem",
        data={"_csrf_token": browser.cookies[CSRF_COOKIE], **typed},
        files={f"photo-{item}": ("boot.jpg", photo if photo is not None else b"", "image/jpeg")},
    )


async def test_while_the_bank_is_asked_the_page_looks_again_by_itself(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41")
    page = await browser.get(path)
    assert page.headers["refresh"] == "3"
    assert "<script" not in page.text
    await portal.work()
    page = await browser.get(path)
    assert "refresh" not in page.headers


async def test_nothing_is_taken_from_under_the_hands_of_who_is_typing(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await decided(portal, trial, Decision.KEEP, *[Decision.RETURN] * 3)
    async with portal.begin() as db:
        await settling.begin(db, API, trial.number, now_by_staff=True)
        await db.execute(text("UPDATE trial_charge SET status = 'submitting'"))
    page = await browser.get(f"/trials/{trial.number}")
    async with portal.begin() as db:
        await db.execute(text("UPDATE trial_charge SET status = 'held'"))
    assert "Look again" in words(page)
    assert "Report it" in words(page)
    assert "refresh" not in page.headers


async def test_the_label_of_a_trial_is_not_cancelled_but_decided_about(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    page = await browser.get(f"/returns/{trial.rma}")
    assert "Open my label" in words(page)
    assert f'href="/trials/{trial.number}"' in page.text
    assert "cancel this return" not in words(page)
    answer = await post(browser, f"/returns/{trial.rma}/cancellation", {})
    assert "Say on the trial's page what you keep" in words(await browser.get(answer.headers["location"]))
    assert (await seen(portal, trial)).return_status == "filed"


async def test_a_refused_card_is_told_and_another_one_taken(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41", card_number=REFUSED)
    await portal.work()
    assert "Your card could not be used" in words(await browser.get(path))
    wrong = await post(browser, f"{path}/card", {"card_number": "4111", "card_month": "8", "card_year": "31"})
    assert wrong.status_code == 422
    assert "only test cards are taken" in words(wrong)
    assert "4111" not in wrong.text.replace("4242", "")
    answer = await post(browser, f"{path}/card", TYPED)
    assert answer.status_code == 303
    assert "refresh" in (await browser.get(path)).headers
    await portal.work()
    assert "We are packing your parcel" in words(await browser.get(path))


@pytest.mark.parametrize(("answer", "said"), [("yes", "We are packing"), ("no", "Your card could not be used")])
async def test_a_bank_that_asks_is_answered_on_the_page(
    browser: Browser, portal: Portal, answer: str, said: str
) -> None:
    path = await order(browser, portal, "41", card_number=ASKING)
    await portal.work()
    page = await browser.get(path)
    assert "Your bank wants to hear from you" in words(page)
    assert "is this you?" in words(page)
    await post(browser, f"{path}/confirmation", {"answer": answer})
    await portal.work()
    assert said in words(await browser.get(path))
    assert (await post(browser, f"{path}/confirmation", {"answer": answer})).status_code == 404


async def test_what_is_sent_is_followed_with_dates(browser: Browser, portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    await come_in(browser, portal, trial.number)
    path = f"/trials/{trial.number}"
    assert "Cancel this order" in words(await browser.get(path))
    await shipped(portal, trial, tracking="1051602736482")
    said = words(await browser.get(path))
    assert "Your parcel is on its way" in said
    assert "Econt 1051602736482" in said
    assert "3 days after it has arrived" in said
    assert "Cancel this order" not in said
    await delivered(portal, trial)
    page = await browser.get(path)
    assert "What do you keep?" in words(page)
    assert "3 days left" in words(page)
    rma = (await seen(portal, trial)).rma
    assert f"/returns/{rma}/label.pdf?size=a4" in page.text
    assert f"QR code of return {rma}" in page.text


async def test_items_are_decided_one_by_one_and_minds_are_changed(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    path, (first, second, third, fourth) = f"/trials/{trial.number}", trial.items
    await post(browser, f"{path}/decisions", {f"item-{first.id}": "keep"})
    said = words(await browser.get(path))
    assert "Noted. 3 items are still open." in said
    assert "You keep so far, to be charged at the end €189.00" in said
    everything = {f"item-{item.id}": "return" for item in (first, second, third)} | {f"item-{fourth.id}": "keep"}
    await post(browser, f"{path}/decisions", everything)
    page = await browser.get(path)
    assert "Thank you, that is all we need" in words(page)
    assert page.text.count(" checked") == 4
    assert [item.decision for item in (await seen(portal, trial)).items] == ["return", "return", "return", "keep"]


async def test_nothing_said_changes_nothing(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    path = f"/trials/{trial.number}"
    for fields in ({}, {"item-1": "keep"}, {f"item-{trial.items[0].id}": "burn"}):
        answer = await post(browser, f"{path}/decisions", fields)
        assert answer.status_code == 422
        assert "Say of at least one item what becomes of it." in words(answer)
    assert {item.decision for item in (await seen(portal, trial)).items} == {"undecided"}


async def test_items_are_shown_with_the_picture_of_their_colour(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    async with portal.begin() as db:
        await add_picture(db, API, "boot", rebuilt(picture()), color="Black", alt="From the side")
    [row] = await portal.rows("SELECT id FROM product_picture")
    page = unescape((await browser.get(f"/trials/{trial.number}")).text)
    assert page.count(f'src="/shop/boot/pictures/{row.id}.jpg?w=480"') == 4
    assert (await browser.get(f"/shop/boot/pictures/{row.id}.jpg?w=480")).status_code == 200


async def test_what_was_chosen_is_not_lost_when_a_problem_is_reported(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    other = trial.items[1].id
    others = {f"item-{other}": "return", f"item-{trial.items[0].id}": "keep"}
    assert (await report(browser, trial, others=others, kind="damaged", note="")).status_code == 303
    assert [item.decision for item in (await seen(portal, trial)).items[:3]] == ["problem", "return", "undecided"]


async def test_words_that_were_not_sent_stay_when_decisions_are_saved(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    first, second = trial.items[0].id, trial.items[1].id
    typed = {f"item-{second}": "keep", f"note-{first}": "A seam is open", f"kind-{first}": "wrong"}
    answer = await post(browser, f"/trials/{trial.number}/decisions", typed)
    assert answer.status_code == 422
    assert "This is not sent yet: press the button below it" in words(answer)
    assert "A seam is open" in answer.text
    assert 'value="wrong" selected' in answer.text
    assert [item.decision for item in (await seen(portal, trial)).items[:2]] == ["undecided", "keep"]


async def test_words_that_were_sent_are_not_asked_for_again(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await report(browser, trial, kind="damaged", note="The sole is off\r\nand wet")
    said = {f"item-{trial.items[1].id}": "keep", f"note-{trial.items[0].id}": "The sole is off\r\nand wet"}
    assert (await post(browser, f"/trials/{trial.number}/decisions", said)).status_code == 303


async def test_a_refused_report_keeps_what_was_chosen_elsewhere(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    second, third = trial.items[1].id, trial.items[2].id
    others = {f"item-{second}": "return", f"note-{third}": "Scratched"}
    answer = await report(browser, trial, photo=b"no picture", others=others, kind="wrong", note="Two left ones")
    assert answer.status_code == 422
    assert "Two left ones" in answer.text
    assert "Scratched" in answer.text
    assert answer.text.count(" checked") == 1
    assert {item.decision for item in (await seen(portal, trial)).items} == {"undecided"}


async def test_a_report_that_comes_too_late_is_answered_with_its_words(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await settled_now(portal, await decided(portal, trial, *[Decision.KEEP] * 4))
    answer = await report(browser, trial, kind="damaged", note="The sole came off")
    assert answer.status_code == 422
    assert "Chelsea boot, Size 40, Black : This trial is settled." in words(answer)
    assert "You wrote: The sole came off" in words(answer)
    assert "Call us or write" in words(answer)


async def test_the_enter_key_saves_and_reports_nothing(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    form = (await browser.get(f"/trials/{trial.number}")).text.split("/decisions", 1)[1]
    assert form.index("<button hidden>") < form.index("formaction")


async def test_more_time_is_had_once(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    path = f"/trials/{trial.number}"
    assert "3 days more, once" in words(await browser.get(path))
    await post(browser, f"{path}/extension")
    said = words(await browser.get(path))
    assert "6 days left" in said
    assert "I need more time" not in said
    await post(browser, f"{path}/extension")
    assert "There is no more time to be had" in words(await browser.get(path))


async def test_a_problem_comes_with_a_photo_of_nothing_but_pixels(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    answer = await report(browser, trial, photo=picture(), kind="damaged", note="The sole is off")
    assert answer.status_code == 303, answer.text
    page = await browser.get(f"/trials/{trial.number}")
    assert "It came damaged. It is not charged." in words(page)
    assert "The sole is off" in words(page)
    [row] = await portal.rows("SELECT id, data FROM trial_photo")
    assert b"made at home" not in bytes(row.data)
    shown = await browser.get(f"/trials/{trial.number}/photos/{row.id}")
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/jpeg", bytes(row.data))
    assert "trial_problem" in await portal.mails()


async def test_a_problem_needs_no_photo_and_a_mind_may_change(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await report(browser, trial, kind="missing", note="")
    assert "It was not in the parcel. It is not charged." in words(await browser.get(f"/trials/{trial.number}"))
    await post(browser, f"/trials/{trial.number}/decisions", {f"item-{trial.items[0].id}": "keep"})
    assert (await seen(portal, trial)).items[0].decision == "keep"


async def test_what_is_no_photo_is_refused_and_the_words_are_kept(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    answer = await report(browser, trial, photo=b"<svg onload=alert(1)>", kind="wrong", note="It is a left and a left")
    assert answer.status_code == 422
    assert "This is no photo that can be read." in words(answer)
    assert "It is a left and a left" in answer.text
    assert not await portal.rows("SELECT FROM trial_photo")
    assert (await seen(portal, trial)).items[0].decision == "undecided"


async def test_a_photo_may_be_as_large_as_phones_make_them(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    large = picture() + b"\x00" * (MAX_BYTES - 10_000)
    assert (await report(browser, trial, photo=large)).status_code == 303


async def test_a_photo_that_is_too_large_is_refused_and_the_words_are_kept(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    other = trial.items[1].id
    answer = await report(
        browser,
        trial,
        photo=picture() + b"\x00" * (MAX_BYTES + 5_000_000),
        others={f"item-{other}": "return"},
        note="The sole is off",
    )
    assert answer.status_code == 422
    assert "This photo has more than 15 MB. Please send a smaller one." in words(answer)
    assert "The sole is off" in answer.text
    assert answer.text.count(" checked") == 1


async def test_photos_of_other_items_are_left_aside(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await browser.get(f"/trials/{trial.number}")
    first, second = trial.items[0].id, trial.items[1].id
    answer = await browser.post(
        f"/trials/{trial.number}/items/{first}/problem",
        data={"_csrf_token": browser.cookies[CSRF_COOKIE]},
        files={f"photo-{item}": ("boot.jpg", picture(), "image/jpeg") for item in (first, second)},
    )
    assert answer.status_code == 303
    [row] = await portal.rows("SELECT item_id FROM trial_photo")
    assert row.item_id == first


async def test_a_form_of_text_stays_small_also_where_photos_are_taken(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    fields = {"_csrf_token": "x", "note": "x" * 200_000}
    answer = await browser.post(f"/trials/{trial.number}/items/{trial.items[0].id}/problem", data=fields)
    assert answer.status_code == 413


async def test_what_is_kept_is_charged_and_told(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await decided(portal, trial, Decision.KEEP, *[Decision.RETURN] * 3)
    await settled_now(portal, trial)
    said = words(await browser.get(f"/trials/{trial.number}"))
    assert "Your trial is over" in said
    assert "3 items are still to come back to us." in said
    assert "You have paid €189.00" in said
    assert "card ending in 4242" in said


async def test_a_purchase_is_cancelled_before_it_is_sent(browser: Browser, portal: Portal) -> None:
    path = await order(browser, portal, "41")
    await portal.work()
    await post(browser, f"{path}/cancellation")
    said = words(await browser.get(path))
    assert "This order is cancelled" in said
    assert "You have paid €0.00" in said
    assert (await portal.rows("SELECT stock FROM variant WHERE sku = 'boot-41'"))[0].stock == 10


async def test_a_payment_that_needs_the_customer_is_confirmed_or_paid_by_another_card(
    browser: Browser, portal: Portal
) -> None:
    card = "pm_card_chargeCustomerFail"
    trial = await at_home(browser, portal, payment_method=card, days=21)
    await decided(portal, trial, *[Decision.KEEP] * 4)
    await days_later(portal, 22)
    path = f"/trials/{trial.number}"
    with clock.shifted(timedelta(days=22)):
        await come_in(browser, portal, trial.number)
        page = await browser.get(path)
        assert "Your payment needs you" in words(page)
        assert "€756.00 for what you keep could not be charged." in words(page)
        await post(browser, f"{path}/card", {**TYPED, "card_year": "2040"})
        await portal.work()
        assert "You have paid €756.00" in words(await browser.get(path))


async def test_strangers_are_asked_who_they_are_and_others_find_nothing(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    path = f"/trials/{trial.number}"
    for where in (path, "/trials/T-0000-0000"):
        answer = await browser.get(where)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?next={where.replace('/', '%2F')}")
    await portal.order()
    await come_in(browser, portal, "1001")
    item = trial.items[0].id
    assert (await browser.get(path)).status_code == 404
    assert (await browser.get(f"{path}/confirmed")).status_code == 404
    for verb in ("decisions", "extension", "cancellation", "card", "confirmation"):
        answer = await post(browser, f"{path}/{verb}", {**TYPED, f"item-{item}": "keep"})
        assert answer.status_code == 404, verb
    assert (await report(browser, trial, photo=picture())).status_code == 404
    assert (await seen(portal, trial)).items[0].decision == "undecided"


async def test_a_photo_is_of_its_own_trial_alone(browser: Browser, portal: Portal) -> None:
    trial = await at_home(browser, portal)
    await report(browser, trial, photo=picture())
    [row] = await portal.rows("SELECT id FROM trial_photo")
    await portal.order()
    await come_in(browser, portal, "1001")
    assert (await browser.get(f"/trials/{trial.number}/photos/{row.id}")).status_code == 404


async def test_the_look_up_of_an_order_leads_to_its_trial(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    path = f"/trials/{trial.number}"
    await browser.get(f"/?next={path}")
    await post(browser, "/access", {"number": trial.number, "email": trial.email, "next": path})
    [mail] = await portal.rows("SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code'")
    answer = await post(browser, "/access/code", {"code": mail.code})
    assert answer.headers["location"] == path
    for page in ("/returns", f"/orders/{trial.number}"):
        assert f'href="{path}"' in (await browser.get(page)).text
    await portal.order()
    await come_in(browser, portal, "1001")
    assert "/trials/" not in (await browser.get("/returns")).text


async def test_support_sees_what_the_customer_sees(browser: Browser, portal: Portal) -> None:
    trial = await running(portal)
    await sign_in(browser, portal, "s@shop.example", "support")
    path = f"/trials/{trial.number}"
    assert "What do you keep?" in words(await browser.get(path))
    await post(browser, f"{path}/decisions", {f"item-{trial.items[0].id}": "keep"})
    assert (await seen(portal, trial)).items[0].decision == "keep"


async def test_an_order_of_staff_for_a_customer_leaves_them_signed_in(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "s@shop.example", "support")
    before = browser.cookies[SESSION_COOKIE]
    path = await order(browser, portal, "41")
    assert browser.cookies[SESSION_COOKIE] == before
    assert (await browser.get(path)).status_code == 200
    assert value(await browser.get(path), "_csrf_token")
