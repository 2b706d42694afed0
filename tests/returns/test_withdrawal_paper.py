"""The acknowledgement of a withdrawal on paper: attached to its e-mail, for download, and what it is made of kept."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest
from sqlalchemy.exc import DBAPIError

from returns_portal import clock
from returns_portal.documents.pool import DocumentPool, DocumentTimeoutError
from returns_portal.documents.record import render
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.papers import withdrawal_paper
from returns_portal.shop.queries import DEFAULT
from tests.notifications.test_delivery import Postbox, serving
from tests.portal import Portal
from tests.returns.test_pages_withdrawal import STATED, withdraw
from tests.returns.visits import post
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


@pytest.fixture
async def pool() -> AsyncIterator[DocumentPool]:
    labels = LabelRenderer()
    yield labels.pool
    await labels.stop()


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())


async def test_it_is_for_the_browser_that_stated_it(browser: Browser) -> None:
    assert (await browser.get("/withdraw/received.pdf")).headers["location"] == "/withdraw"
    with clock.at(datetime(2026, 11, 3, 21, 59, 7, tzinfo=UTC)):
        _asked, _made, received = await withdraw(browser)
        assert "/withdraw/received.pdf" in received.text
        answer = await browser.get("/withdraw/received.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    said = text_of(answer.content)
    for part in ("Мария Георгиева", "1001", "kunde@example.com", "the <Derby>", "3 November 2026", "23:59:07"):
        assert part in said
    assert "Sandbox – no money moves" in said


async def test_it_goes_along_with_the_e_mail(browser: Browser, portal: Portal, pool: DocumentPool) -> None:
    await withdraw(browser, order_number="9001", details="")
    postbox = Postbox()
    async with serving(postbox) as mailer:
        mailer.documents = pool
        assert await deliver_due(portal.begin, mailer) == 1
    (attached,) = postbox.messages[0].iter_attachments()
    assert attached.get_filename() == "withdrawal.pdf"
    said = text_of(attached.get_content())
    assert "9001" in said
    assert "everything in this order" in said


class Broken(DocumentPool):
    """Prints nothing."""

    async def run(self, *_args: object, **_options: object) -> bytes:  # type: ignore[override]  # nothing is printed
        raise DocumentTimeoutError("too long")


async def test_a_letter_waits_for_its_paper_but_not_for_ever(browser: Browser, portal: Portal) -> None:
    await withdraw(browser)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        mailer.documents = Broken(1, lambda: None)
        for _ in range(3):
            assert await deliver_due(portal.begin, mailer) == 0
            await portal.rows("UPDATE email SET next_try_at = now() - interval '1 hour' RETURNING id")
        assert await deliver_due(portal.begin, mailer) == 1
    assert list(postbox.messages[0].iter_attachments()) == []
    assert "the <Derby>" in str(postbox.messages[0].get_body(("plain",)))


@pytest.mark.parametrize("locale", ["en", "de", "bg", "uk", "ru"])
async def test_the_same_statement_gives_the_same_bytes_in_every_language(portal: Portal, locale: str) -> None:
    content = {"name": "Олена Ткаченко", "order_number": "1001", "email": "o@example.org", "details": "=1+1"}
    stated_at = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    record = withdrawal_paper(locale, content, stated_at, DEFAULT, portal.settings).record
    assert render(record) == render(record)
    assert "Олена Ткаченко" in text_of(render(record))


async def test_a_statement_stays_as_it_was_made(browser: Browser, portal: Portal) -> None:
    await post(browser, "/withdraw/confirmation", {**STATED, "order_number": "9001"})
    for change in (
        "UPDATE withdrawal SET content = '{}'",
        "UPDATE withdrawal SET submitted_at = now()",
        "UPDATE withdrawal SET name = 'Somebody else'",
        "DELETE FROM withdrawal",
    ):
        with pytest.raises(DBAPIError, match="stays as it was made"):
            await portal.rows(change)
    await portal.rows("UPDATE withdrawal SET handled_at = now(), handled_by = 'staff:1' RETURNING id")
