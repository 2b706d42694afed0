"""The links of a receiver's e-mails lead to what they send back, and to nothing of whoever gave it."""

import re

import pytest

from returns_portal.notifications.rendering import render_email
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.web.links import view_link
from tests.gifts.people import GIVER, PLACE, RECEIVER, arrives, coded, filed, given, receiver
from tests.portal import Portal
from tests.returns.visits import come_in, post, value, words
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


def link(portal: Portal, path: str) -> str:
    return view_link(portal.settings, path).removeprefix(portal.settings.public_url)


async def newest_code(portal: Portal) -> tuple[str, str]:
    """Where the newest code went, and the code."""
    rows = await portal.rows("SELECT recipient, values FROM email WHERE template = 'access_code' ORDER BY id")
    return rows[-1].recipient, rows[-1].values["code"]


async def test_the_link_of_an_e_mail_shows_the_return_and_changes_nothing_before_a_code(
    browser: Browser, portal: Portal
) -> None:
    shoes, _socks = await given(portal)
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    path = f"/returns/{sent.rma}"
    shown = await browser.get(link(portal, path))
    assert (shown.status_code, shown.headers["location"]) == (303, path)
    page = await browser.get(path)
    assert "Your label is ready" in words(page)
    assert "you see this return. Before something is changed, we ask for a code" in words(page)
    assert "My points" not in page.text
    for hidden in ("/orders/1001", "/claims/new/1001"):
        assert (await browser.get(hidden)).status_code == 404
    assert (await browser.get("/points")).headers["location"] == "/"
    asked = await post(browser, f"{path}/cancellation")
    assert (asked.status_code, "Is it you?" in words(asked)) == (403, True)
    assert [row.status for row in await portal.rows("SELECT status FROM returns")] == ["filed"]


async def test_a_code_to_their_own_address_lets_them_go_on_with_what_they_had_begun(
    browser: Browser, portal: Portal
) -> None:
    shoes, _socks = await given(portal)
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    path = f"/returns/{sent.rma}"
    await browser.get(link(portal, path))
    # The page on which something is chosen knows their address: it is shown after the code alone.
    assert (await browser.get("/gift/items")).headers["location"] == "/gift"
    door = await browser.get("/gift")
    assert "a link that shows what you send back" in words(door)
    asked = await post(browser, f"{path}/cancellation")
    carried = {"to": value(asked, "to"), "kept": value(asked, "kept")}
    assert "on its way to your e-mail address" in words(await post(browser, "/access/confirm", carried))
    recipient, code = await newest_code(portal)
    assert recipient == RECEIVER
    wrong = await post(browser, "/access/confirm/code", {**carried, "code": "000000" if code != "000000" else "1"})
    assert wrong.status_code == 422
    await post(browser, "/access/confirm/code", {**carried, "code": code})
    assert "My points" in (await browser.get("/gift/items")).text
    await post(browser, f"{path}/cancellation")
    assert [row.status for row in await portal.rows("SELECT status FROM returns")] == ["cancelled"]


async def test_the_code_of_a_gift_never_opens_the_order_of_whoever_gave_it(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await given(portal)
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    await browser.get(link(portal, f"/returns/{sent.rma}"))
    await post(browser, "/access/confirm", {"to": "/gift/items"})
    _recipient, code = await newest_code(portal)
    browser.cookies.delete("__Host-session")
    for path in ("/access/confirm/code", "/access/code", "/gift/code"):
        await post(browser, path, {"code": code, "to": "/orders/1001", "kept": ""})
    assert (await browser.get("/orders/1001")).status_code == 303  # To the door.


async def test_whoever_is_in_for_an_order_is_asked_before_they_leave_it(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await given(portal)
    sent = await filed(portal, await receiver(portal), (shoes, 1))
    await come_in(browser, portal, "1001")
    token = link(portal, f"/returns/{sent.rma}")
    asked = await browser.get(token)
    assert "You are looking at order 1001. This link shows something else." in words(asked)
    assert (await browser.get("/orders/1001")).status_code == 200
    gone = await post(browser, "/v", {"token": value(asked, "token")})
    assert gone.headers["location"] == f"/returns/{sent.rma}"
    assert (await browser.get("/orders/1001")).status_code == 404


async def test_no_e_mail_to_a_receiver_names_the_order_or_who_bought_it(portal: Portal) -> None:
    shoes, socks = await given(portal)
    actor = await receiver(portal)
    sent, idle = await filed(portal, actor, (shoes, 1)), await filed(portal, actor, (socks, 1))
    await portal.cancel(idle.rma)
    await portal.receive(sent.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    letters = await portal.rows("SELECT template, locale, values, recipient FROM email")
    assert {letter.template for letter in letters} >= {"gift_filed", "return_cancelled", "checked_in", "refunded"}
    for letter in letters:
        mail = render_email(letter.template, letter.locale, letter.values, DEFAULT, portal.settings)
        for text in (mail.subject, mail.text, mail.html):
            assert not re.search(r"\b1001\b|Георгиева", text), letter.template
            assert GIVER not in text


async def test_points_of_a_receiver_are_theirs_to_see_and_to_spend(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await given(portal)
    await arrives(browser, portal, code=await coded(portal))
    assert "You have no points yet." in words(await browser.get("/points"))
    page = await browser.get("/gift/items")
    assert "My points" in page.text
    fields = {"token": value(page, "token"), "line": str(shoes), "consent": "yes", **PLACE}
    rma = (await post(browser, "/gift/items", fields)).headers["location"].rpartition("/")[2]
    await portal.receive(rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    shown = await browser.get("/points")
    assert "12,990 points" in words(shown)
    assert f"Refund for return {rma}" in words(shown)
    for secret in ("1001", GIVER, "Георгиева"):
        assert secret not in shown.text
    made = await post(browser, "/points/codes", {"currency": "EUR", "amount": "1000", "token": "t"})
    assert made.headers["location"] == "/points"
    assert "11,990 points" in words(await browser.get("/points"))
    statement = await browser.get("/points/statement.pdf")
    assert statement.headers["content-type"] == "application/pdf"


async def test_every_link_in_the_text_of_their_e_mail_leads_somewhere(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await given(portal)
    await filed(portal, await receiver(portal), (shoes, 1))
    [mail] = await portal.rows("SELECT * FROM email WHERE template = 'gift_filed'")
    letter = render_email(mail.template, "en", mail.values, DEFAULT, portal.settings)
    links = re.findall(rf"{re.escape(portal.settings.public_url)}(/v/\S+)", letter.text)
    assert len(links) == 2
    for one in links:
        assert (await browser.get((await browser.get(one)).headers["location"])).status_code == 200
