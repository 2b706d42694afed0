"""Asking for one's data, and to be forgotten, in a browser: the link, once; the files; what stands in the way."""

import io
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape

import msgspec
import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.jobs import JobContext
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.privacy import exporting
from returns_portal.privacy.asking import LINK_LASTS
from returns_portal.privacy.data import Everything
from returns_portal.privacy.exporting import sweep
from tests.portal import Portal, at_once
from tests.privacy.lives import EMAIL, NAME, leave_traces, traces
from tests.returns.visits import come_in, post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


@pytest.fixture
async def labels() -> AsyncIterator[LabelRenderer]:
    made = LabelRenderer()
    yield made
    await made.stop()


async def ask(browser: Browser, wish: str, email: str = EMAIL) -> Response:
    return await post(browser, "/privacy", {"email": email, "wish": wish})


async def link(portal: Portal, template: str = "privacy_confirm") -> str:
    """The path of the newest link that was sent."""
    rows = await portal.rows(
        "SELECT values FROM email WHERE template = :t ORDER BY created_at DESC, id DESC", t=template
    )
    return str(rows[0].values["url"])


async def press(browser: Browser, path: str) -> Response:
    return await post(browser, "/privacy/confirm", {"token": path.rpartition("/")[2]})


async def make_files(portal: Portal, labels: LabelRenderer) -> None:
    """Do what the job does, twice: a job may."""
    context = JobContext(portal.begin, portal.settings, labels)
    for row in await portal.rows("SELECT id FROM privacy_request WHERE kind = 'export'"):
        await exporting.write(context, row.id)
        await exporting.write(context, row.id)


async def test_everything_as_json_and_as_pdf(browser: Browser, portal: Portal, labels: LabelRenderer) -> None:
    await leave_traces(portal)
    asked = await ask(browser, "export")
    assert (asked.status_code, asked.headers["location"]) == (303, "/privacy")
    confirm = await link(portal)
    assert "Make my files" in words(await browser.get(confirm))
    assert await portal.rows("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'privacy.write_export'") == []
    done = await press(browser, confirm)
    page = await browser.get(done.headers["location"])
    assert "Your files are being made." in words(page)
    await make_files(portal, labels)
    assert len(await portal.rows("SELECT 1 FROM email WHERE template = 'privacy_ready'")) == 1
    ready = await browser.get(await link(portal, "privacy_ready"))
    assert "Your files are ready." in words(ready)
    data, paper = (unescape(href) for href in sorted(re.findall(r'href="(/privacy/files/[^"]+)"', ready.text)))
    answer = await browser.get(data)
    found = msgspec.json.decode(answer.content, type=Everything)
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    [order] = found.orders
    assert (order.number, order.name, order.address["city"], order.total) == ("Z-1", NAME, "Plovdivgrad", 32290)
    [filed] = order.returns
    assert [line.quantity for line in filed.lines] == [1]
    assert filed.parcels[0].photos == 1
    assert filed.pickups[0].phone
    assert {refund.destination for refund in order.refunds} == {"points"}
    assert any("happy" in line.reason for line in found.points)
    assert found.withdrawals[0].details.startswith("I, Zlatica")
    assert {letter.about for letter in found.letters} >= {"return_filed", "withdrawal_received", ""}
    assert found.sessions[0].order_number == "Z-1"
    assert "digest" not in json.dumps(json.loads(answer.content))
    document = pypdfium2.PdfDocument(io.BytesIO((await browser.get(paper)).content))
    said = " ".join(part.get_textpage().get_text_range() for part in document)
    for part in ("Everything that we keep about you", NAME, "Z-1", filed.number, "Plovdivgrad"):
        assert part in said


async def test_the_link_works_once_and_not_for_long(browser: Browser, portal: Portal, database_url: str) -> None:
    await portal.order(email=EMAIL)
    await ask(browser, "export")
    confirm = await link(portal)
    with clock.shifted(LINK_LASTS + timedelta(seconds=1)):
        assert (await browser.get(confirm)).headers["location"] == "/privacy"
        assert "This link is not valid any more" in words(await browser.get("/privacy"))
    answers = await at_once(press(browser, confirm), press(browser, confirm))
    assert {answer.status_code for answer in answers} == {303}
    assert len(await portal.rows("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'privacy.write_export'")) == 1
    assert (await browser.get(confirm)).headers["location"] == "/privacy"
    # The same click from another browser is somebody else's, who found the link in a history.
    async with browsing(portal.settings, database_url) as other:
        assert (await press(other, confirm)).headers["location"] == "/privacy"
    with clock.shifted(timedelta(minutes=2)):
        assert (await press(browser, confirm)).headers["location"] == "/privacy"


@pytest.mark.parametrize("path", ["/privacy/confirm/x", "/privacy/files/x", "/privacy/files/x/data.json"])
async def test_a_link_that_leads_nowhere(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).headers["location"] == "/privacy"


async def test_one_link_is_not_good_for_the_other_thing(browser: Browser, portal: Portal) -> None:
    await portal.order(email=EMAIL)
    await ask(browser, "export")
    token = (await link(portal)).rpartition("/")[2]
    assert (await browser.get(f"/privacy/files/{token}")).headers["location"] == "/privacy"


async def test_the_answer_is_the_same_for_strangers(browser: Browser, portal: Portal) -> None:
    await portal.order(email=EMAIL)
    known = await ask(browser, "erasure")
    told = words(await browser.get("/privacy"))
    unknown = await ask(browser, "erasure", "nobody@example.com")
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert words(await browser.get("/privacy")) == told
    assert "If we keep anything under this address" in told
    assert len(await portal.rows("SELECT 1 FROM email WHERE template = 'privacy_confirm'")) == 1
    answers = [(await ask(browser, "erasure")).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]


@pytest.mark.parametrize(("email", "wish"), [("", "export"), ("zlatica", "erasure"), ("a@b.example", "everything")])
async def test_what_is_missing_is_said_and_kept(browser: Browser, email: str, wish: str) -> None:
    answer = await ask(browser, wish, email)
    assert answer.status_code == 422
    assert f'value="{email}"' in answer.text
    assert "Please" in words(answer)


async def test_being_forgotten_says_what_goes_and_ends_the_visit(browser: Browser, portal: Portal) -> None:
    await leave_traces(portal)
    await come_in(browser, portal, "Z-1")
    await ask(browser, "erasure")
    confirm = await link(portal)
    shown = words(await browser.get(confirm))
    for part in ("Shall we forget you?", "This is about 1 order", "nobody can spend them any more", "tax law"):
        assert part in shown
    assert await traces(portal) != {}
    answers = await at_once(press(browser, confirm), press(browser, confirm))
    assert {answer.headers["location"] for answer in answers} == {"/privacy/erased"}
    assert "We have forgotten you" in words(await browser.get("/privacy/erased"))
    assert await traces(portal) == {}
    assert (await browser.get("/orders/Z-1")).headers["location"] == "/"
    assert len(await portal.rows("SELECT 1 FROM history WHERE action = 'person_erased'")) == 1


async def test_what_is_open_is_named_and_the_link_stays_good(browser: Browser, portal: Portal) -> None:
    _order, lines = await portal.order(number="Z-1", email=EMAIL)
    await ask(browser, "erasure")
    confirm = await link(portal)
    filed = await portal.file("Z-1", (lines[0], 1))
    refused = await press(browser, confirm)
    assert refused.status_code == 409
    assert f"Return {filed.rma} is under way." in words(refused)
    assert "Forget me for good" not in words(refused)
    assert [row.email for row in await portal.rows("SELECT email FROM orders")] == [EMAIL]
    await portal.rows("UPDATE returns SET status = 'cancelled', cancelled_at = now() RETURNING id")
    assert (await press(browser, confirm)).headers["location"] == "/privacy/erased"


async def test_files_are_deleted_after_a_week(browser: Browser, portal: Portal, labels: LabelRenderer) -> None:
    await portal.order(email=EMAIL)
    await ask(browser, "export")
    await press(browser, await link(portal))
    await make_files(portal, labels)
    files = await link(portal, "privacy_ready")
    with clock.shifted(timedelta(days=6)):
        await sweep(portal.begin)
        assert (await browser.get(f"{files}/data.json")).status_code == 200
    with clock.shifted(timedelta(days=9)):
        await sweep(portal.begin)
        assert (await browser.get(files)).headers["location"] == "/privacy"
    assert await portal.rows("SELECT 1 FROM privacy_request") == []


async def test_who_is_forgotten_meanwhile_gets_no_file(browser: Browser, portal: Portal, labels: LabelRenderer) -> None:
    await portal.order(email=EMAIL)
    for wish in ("export", "erasure"):
        await ask(browser, wish)
        await press(browser, await link(portal))
    await make_files(portal, labels)
    assert await portal.rows("SELECT 1 FROM privacy_request WHERE kind = 'export'") == []
