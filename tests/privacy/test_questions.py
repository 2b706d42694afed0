"""Questions among what is kept of people: whose they are, and what is forgotten of them."""

from email.message import EmailMessage
from uuid import UUID

import msgspec
import pytest

from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ConflictError
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import StillOpenError, erase
from returns_portal.privacy.people import person_of
from returns_portal.service.composing import keep_draft
from returns_portal.service.files import kept
from returns_portal.service.mail import read
from returns_portal.service.mailbox import Raw
from returns_portal.service.playbooks import Letter
from returns_portal.service.rating import rate
from returns_portal.service.receiving import take
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import reply_address, view_link
from tests.portal import Portal
from tests.privacy.lives import EMAIL, NAME, PHONE, traces
from tests.returns.visits import post
from tests.service.things import answers, asks, hire, open_shop, writes
from tests.webclient import browsing, staff_signs_in

pytestmark = pytest.mark.anyio


async def by_mail(portal: Portal, question_id: UUID) -> None:
    """Something more by e-mail, with a file, and one that belongs to no question."""
    settings = portal.settings.model_copy(update={"imap_address": "help@shop.example"})
    for uid, to in enumerate((reply_address(settings, question_id), "help@shop.example")):
        message = EmailMessage()
        message["From"], message["To"], message["Message-ID"] = f"{NAME} <{EMAIL}>", to, f"<{uid}-{EMAIL}>"
        if uid:
            message["Auto-Submitted"] = "auto-replied"
        message.set_content(f"See here\n\nOn Monday, {NAME} wrote:\n> {PHONE}")
        message.add_attachment(b"%PDF-1.7", "application", "pdf", filename=f"{NAME}.pdf")
        incoming = read(message.as_bytes())
        async with portal.begin() as db:
            raw = Raw(1, uid + 1, b"")
            await take(db, settings, raw, incoming, await kept(incoming.attachments))


async def test_what_was_asked_is_in_the_file_and_goes_once_it_is_answered(portal: Portal, database_url: str) -> None:
    await open_shop(portal)
    question_id = await asks(portal, f"Call me: {PHONE}. {NAME}", EMAIL, name=NAME)
    await by_mail(portal, question_id)
    other = await asks(portal, "Something else", "eve@example.com")
    with pytest.raises(StillOpenError) as refusal:
        async with portal.begin() as db:
            await erase(db, SYSTEM, EMAIL)
    assert [one.what for one in refusal.value.found] == ["question"]
    olga = await hire(portal)
    await answers(portal, olga, question_id, f"Dear {NAME}, it is")
    async with portal.begin() as db:
        await keep_draft(db, olga, question_id, Letter(sorry=f"Dear {NAME}"), looked=False)
        asker = Actor(kind="customer", question_id=question_id)
        await rate(db, asker, question_id, helped=False, comment=f"Call {PHONE}")
    async with portal.begin() as db:
        found = await everything_of(db, await person_of(db, EMAIL), DEFAULT)
        [asked] = msgspec.to_builtins(found)["questions"]
        assert [(one["by"], one["text"]) for one in asked["messages"]] == [
            ("customer", f"Call me: {PHONE}. {NAME}"),
            ("customer", "See here"),
            ("staff", f"Dear {NAME}, it is"),
        ]
        assert asked["messages"][1]["files"] == [f"{NAME}.pdf"]
        assert (asked["helped"], asked["comment"]) == (False, f"Call {PHONE}")
        await erase(db, SYSTEM, EMAIL)
    assert await traces(portal) == {}
    assert (await portal.rows("SELECT helped FROM question_rating"))[0].helped is False
    # That there was one, how soon it was answered and whether it helped stays; so does what others asked.
    rows = await portal.rows("SELECT id, first_reply_at IS NOT NULL AS answered FROM question ORDER BY id")
    assert [tuple(row) for row in rows] == [(question_id, True), (other, False)]
    # Nobody is left who could be answered: it says so, and is not taken for answered.
    with pytest.raises(ConflictError) as unsent:
        await answers(portal, olga, question_id, "One more thing")
    assert unsent.value.code == "forgotten"
    async with browsing(portal.settings, database_url) as browser:
        await staff_signs_in(browser, portal.begin, "support")
        page = (await browser.get(f"/staff/questions/{question_id}")).text
        assert "no address is left" in page
        assert "The customer gets it by e-mail." not in page
        assert "The customer gets it by e-mail." in (await browser.get(f"/staff/questions/{other}")).text


async def test_nothing_is_added_to_what_was_forgotten(portal: Portal, database_url: str) -> None:
    await open_shop(portal)
    question_id = await asks(portal, "Is it?", EMAIL, name=NAME)
    olga = await hire(portal)
    await answers(portal, olga, question_id, "It is")
    async with portal.begin() as db:
        await erase(db, SYSTEM, EMAIL)
    # Their mail program still knows the signed address: a question that nobody could answer, nor close, begins anew.
    await by_mail(portal, question_id)
    states = "SELECT id, state FROM question ORDER BY id"
    [(_first, before), (anew, after)] = [tuple(row) for row in await portal.rows(states)]
    assert (before, after) == ("answered", "waiting")
    await answers(portal, olga, anew, "It still is")
    # The link of an old e-mail leads to the form, where whoever has it can say who they are.
    path = view_link(portal.settings, f"/questions/{question_id}").rpartition("/")[2]
    async with browsing(portal.settings, database_url) as browser:
        for target in (f"/questions/link/{path}", f"/questions/link/{path}/rating"):
            assert (await browser.get(target)).headers["location"] == "/questions/new"
            sent = await post(browser, target, {"body": f"Call {PHONE}", "helped": "no", "comment": PHONE})
            assert sent.headers["location"] == "/questions/new"
    with pytest.raises(ConflictError) as refused:
        await writes(portal, question_id)
    assert refused.value.code == "forgotten"
    assert not await portal.rows("SELECT 1 FROM question_rating")
    assert (await portal.rows(states))[0].state == "answered"
