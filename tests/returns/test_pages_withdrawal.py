"""The withdrawal function, over HTTP: two steps, for everybody, and the same answer for all."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from httpx import Response
from msgspec.structs import replace

from returns_portal import clock
from returns_portal.notifications.rendering import render_email
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import viewed
from tests.orders.samples import ADDRESS
from tests.portal import Portal, at_once
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

STATED = {"name": "Мария Георгиева", "order_number": "#1001", "email": "kunde@example.com", "details": "the <Derby>"}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def withdraw(browser: Browser, **changes: str) -> tuple[Response, Response, Response]:
    """Both steps, and the page after them."""
    stated = STATED | changes
    asked = await post(browser, "/withdraw", stated)
    made = await post(browser, "/withdraw/confirmation", stated)
    return asked, made, await browser.get(made.headers["location"])


async def test_two_steps_and_an_acknowledgement_with_content_and_time(browser: Browser, portal: Portal) -> None:
    await portal.order()
    first = words(await browser.get("/withdraw"))
    assert "Withdraw from contract here" in first
    asked, made, received = await withdraw(browser)
    assert "Confirm withdrawal" in words(asked)
    assert "the &lt;Derby&gt;" in asked.text
    assert made.status_code == 303
    assert "Your withdrawal was received" in words(received)
    for part in (
        clock.now().astimezone().strftime("%Y"),
        "Мария Георгиева",
        "1001",
        "kunde@example.com",
        "the <Derby>",
    ):
        assert part in words(received)
    mail = (await portal.rows("SELECT * FROM email WHERE template = 'withdrawal_received'"))[0]
    assert mail.recipient == "kunde@example.com"
    assert mail.values["content"]["details"] == "the <Derby>"
    assert mail.values["submitted_at"].startswith(clock.now().date().isoformat())


async def test_nothing_is_stated_before_the_second_step(browser: Browser, portal: Portal) -> None:
    await post(browser, "/withdraw", STATED)
    assert await portal.rows("SELECT id FROM withdrawal") == []
    changed = await post(browser, "/withdraw", {**STATED, "step": "change"})
    assert (changed.status_code, 'value="#1001"' in changed.text) == (200, True)


@pytest.mark.parametrize(
    ("number", "email"),
    [("sf-1001", "strauße@example.com"), (" #SF-1001", "STRAUßE@example.com"), ("# sf-1001 ", " strauße@example.com")],
)
async def test_an_order_is_known_however_it_is_spelt(browser: Browser, portal: Portal, number: str, email: str) -> None:
    await portal.order(number="SF-1001", email="strauße@example.com")
    await withdraw(browser, order_number=number, email=email)
    assert await portal.rows("SELECT 1 FROM returns") != []


async def test_a_known_order_becomes_a_return_that_only_the_e_mail_tells(browser: Browser, portal: Portal) -> None:
    await portal.order()
    _asked, made, received = await withdraw(browser, details="")
    filed = (await portal.rows("SELECT rma, withdrawal_id, refund_to FROM returns"))[0]
    assert filed.refund_to == "original"
    assert filed.rma not in made.text + str(made.headers) + received.text
    # One e-mail acknowledges the statement and brings the label.
    (mail,) = await portal.rows("SELECT * FROM email")
    assert (mail.template, mail.recipient, mail.values["rma"]) == ("withdrawal_received", STATED["email"], filed.rma)
    assert not mail.values["in_part"]
    assert mail.values["url"] == f"/returns/{filed.rma}"
    assert [line["quantity"] for line in mail.values["lines"]] == [2]
    assert mail.values["total"] == 32290
    facts = await portal.rows("SELECT subject, action, data ->> 'rma' AS rma FROM history ORDER BY id")
    told = [tuple(fact) for fact in facts if fact.subject in {"withdrawal", "return"}]
    assert ("withdrawal", "stated", None) in told
    assert ("return", "filed", filed.rma) in told
    assert ("withdrawal", "acknowledged", filed.rma) in told
    statement = (await portal.rows("SELECT id, handled_at FROM withdrawal"))[0]
    assert statement.id == filed.withdrawal_id
    assert statement.handled_at is not None
    assert [row.quantity for row in await portal.rows("SELECT quantity FROM return_line")] == [2]


def told(answer: Response) -> tuple[object, ...]:
    """All that an answer tells, but for what is random in it or was typed."""
    headers = {name: text for name, text in answer.headers.items() if name not in ("x-request-id", "set-cookie")}
    cookies = [re.sub(r"=[^;]{20,}", "=…", cookie) for cookie in answer.headers.get_list("set-cookie")]
    text = re.sub(r'value="[0-9a-f]{128}"|\d\d:\d\d', "", answer.text)
    return answer.status_code, headers, cookies, text


async def test_the_answers_are_the_same_whether_or_not_the_order_exists(
    browser: Browser, portal: Portal, database_url: str
) -> None:
    await portal.order()
    async with browsing(portal.settings, database_url) as stranger:
        known = await withdraw(browser)
        # As long as the other, so that only what the portal itself tells could differ.
        unknown = await withdraw(stranger, order_number="#9001")
    for ours, theirs in zip(known, unknown, strict=True):
        assert str(told(ours)).replace("1001", "N") == str(told(theirs)).replace("9001", "N")
    assert len(await portal.rows("SELECT id FROM withdrawal WHERE handled_at IS NULL AND order_id IS NULL")) == 1
    waits = (await portal.rows("SELECT values FROM email WHERE values ->> 'order_number' = '9001'"))[0]
    assert waits.values["rma"] is None


async def test_a_part_that_is_named_in_words_is_read_by_a_person(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await withdraw(browser)
    # The label goes out at once, and the right is exercised; what the words mean, somebody reads.
    (mail,) = await portal.rows("SELECT * FROM email")
    assert (mail.values["content"]["details"], mail.values["in_part"]) == (STATED["details"], True)
    letter = render_email(mail.template, "en", mail.values, DEFAULT, portal.settings)
    assert "You named a part of the order. Send back just that" in letter.text
    await sign_in(browser, portal, "f@shop.example", "finance", "support")
    tasks = await browser.get("/finance")
    assert "A part of the order is named; the return holds all of it." in words(tasks)
    assert f"/returns/{mail.values['rma']}/items" in tasks.text
    await post(browser, f"/finance/statements/{mail.subject_id}/handling")
    assert "A part of the order is named" not in words(await browser.get("/finance"))


async def test_what_cannot_become_a_return_waits_for_a_person(browser: Browser, portal: Portal) -> None:
    await portal.order(delivered_at=clock.now() - timedelta(days=200), placed_at=clock.now() - timedelta(days=210))
    _asked, _made, received = await withdraw(browser)
    assert "Your withdrawal was received" in words(received)
    assert await portal.rows("SELECT id FROM returns") == []
    assert len(await portal.rows("SELECT id FROM withdrawal WHERE handled_at IS NULL")) == 1
    assert await portal.mails() == ["withdrawal_received"]
    assert len(await portal.rows("SELECT id FROM history WHERE action = 'acknowledged'")) == 1


async def test_the_acknowledgement_that_is_sent_holds_the_statement_and_the_link(
    browser: Browser, portal: Portal
) -> None:
    await portal.order()
    await withdraw(browser)
    await portal.work()
    filed = (await portal.rows("SELECT rma FROM returns"))[0]
    (mail,) = await portal.rows("SELECT * FROM email")
    assert mail.status == "sent"
    text = render_email(mail.template, mail.locale, mail.values, DEFAULT, portal.settings).text
    for part in ("the <Derby>", "2 × Derby"):
        assert part in text
    shown = re.search(r"/v/(\S+)", text)
    assert shown
    assert viewed(portal.settings, shown[1]) == f"/returns/{filed.rma}"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Please give your name."),
        ("order_number", " # ", "Please give the order number."),
        ("email", "kunde", "Please give an e-mail address"),
        ("details", "x" * 2001, "This is longer than 2000 characters."),
    ],
)
async def test_what_is_missing_is_said_beside_the_field(
    browser: Browser, portal: Portal, field: str, typed: str, sentence: str
) -> None:
    for path in ("/withdraw", "/withdraw/confirmation"):
        answer = await post(browser, path, {**STATED, field: typed})
        assert (answer.status_code, sentence in words(answer)) == (422, True)
    assert await portal.rows("SELECT id FROM withdrawal") == []


async def test_nobody_can_use_up_the_function_for_somebody_else(browser: Browser, portal: Portal) -> None:
    """Every statement is kept; what is limited are the e-mails to an address, and those of a known order come later."""
    await portal.order()
    strange = [STATED | {"order_number": "9001", "name": f"Nobody {n}"} for n in range(7)]
    ours = [STATED | {"name": f"Мария {n}"} for n in range(6)]
    for stated in (*strange, *ours):
        assert (await post(browser, "/withdraw/confirmation", stated)).status_code == 303
        assert "Your withdrawal was received" in words(await browser.get("/withdraw/received"))
    assert len(await portal.rows("SELECT id FROM withdrawal")) == 13
    mails = await portal.rows("SELECT values ->> 'order_number' AS number, next_try_at FROM email ORDER BY id")
    assert [mail.number for mail in mails].count("9001") == 5
    assert [mail.next_try_at > clock.now() for mail in mails if mail.number == "1001"] == [False] * 5 + [True]


async def test_a_statement_whose_button_is_pressed_twice_is_one(browser: Browser, portal: Portal) -> None:
    await portal.order()
    first = await post(browser, "/withdraw/confirmation", STATED)
    pressed = await at_once(*(post(browser, "/withdraw/confirmation", STATED) for _ in range(3)))
    assert [answer.status_code for answer in (first, *pressed)] == [303] * 4
    assert "Your withdrawal was received" in words(await browser.get("/withdraw/received"))
    assert len(await portal.rows("SELECT id FROM withdrawal")) == 1
    assert await portal.mails() == ["withdrawal_received"]
    # Another statement of the same person is another one.
    await post(browser, "/withdraw/confirmation", STATED | {"details": "the socks, too"})
    assert len(await portal.rows("SELECT id FROM withdrawal")) == 2


async def test_the_acknowledgement_is_shown_to_the_browser_that_made_it(browser: Browser) -> None:
    assert (await browser.get("/withdraw/received")).headers["location"] == "/withdraw"
    browser.cookies.set("__Host-withdrawal", "bm90IHNpZ25lZA", domain="127.0.0.1")
    assert (await browser.get("/withdraw/received")).headers["location"] == "/withdraw"


@pytest.mark.parametrize(
    ("days", "country", "said"),
    [
        (3, "BG", "By law you can withdraw from this purchase until"),
        (None, "BG", "By law you can withdraw from this purchase, without giving a reason."),
        (40, "BG", ""),
        (3, "CH", ""),
    ],
)
async def test_the_page_of_the_order_tells_of_the_right_while_it_runs(
    browser: Browser, portal: Portal, days: int | None, country: str, said: str
) -> None:
    delivered = None if days is None else clock.now() - timedelta(days=days)
    placed = clock.now() - timedelta(days=60)
    address = replace(ADDRESS, country=country)
    await portal.order(delivered_at=delivered, placed_at=placed, shipping_address=address)
    await come_in(browser, portal, "1001")
    shown = words(await browser.get("/orders/1001"))
    assert "Get my label" in shown
    assert (said in shown) if said else ("By law" not in shown)
