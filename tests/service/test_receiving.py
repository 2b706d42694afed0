"""E-mails become questions: each once, into the right thread, machines without an echo."""

import re
from datetime import timedelta
from email.message import EmailMessage
from html import unescape
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer
from returns_portal.service.files import MOST, kept
from returns_portal.service.mail import read
from returns_portal.service.mailbox import Raw
from returns_portal.service.models import Fate
from returns_portal.service.receiving import MOST_AN_HOUR, forget_senders, take
from returns_portal.settings import Settings
from returns_portal.web.links import reply_address, thread_of
from tests.notifications.test_delivery import Postbox, by_smtp, serving
from tests.portal import Portal, at_once
from tests.returns.visits import sign_in, words
from tests.service.things import answers, asks, hire, letters, open_shop, story, view
from tests.webclient import browsing

pytestmark = pytest.mark.anyio

KEY = SecretStr("test-secret-" * 4)


@pytest.fixture
def post_office(settings: Settings) -> Settings:
    mailbox = {"imap_url": SecretStr("imaps://u:p@mail.example"), "imap_address": "help@shop.example"}
    return settings.model_copy(update=mailbox)


def mail(body: str = "Is it waterproof?", *, to: str = "help@shop.example", **headers: str) -> EmailMessage:
    message = EmailMessage()
    named = {"From": "Ana Petrova <Ana@example.com>", "To": to, "Subject": "A boot", "Message-ID": "<1@example.com>"}
    for name, value in {**named, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        message[name] = value
    message.set_content(body)
    return message


_uids = iter(range(1, 10**6))


async def taken(portal: Portal, settings: Settings, message: EmailMessage, uid: int | None = None) -> Fate | None:
    raw = Raw(7, uid or next(_uids), message.as_bytes())
    incoming = read(raw.data)
    async with portal.begin() as db:
        return await take(db, settings, raw, incoming, await kept(incoming.attachments))


async def threads(portal: Portal) -> list[Any]:
    return list(await portal.rows("SELECT * FROM question ORDER BY id"))


async def said(portal: Portal, question_id: UUID) -> list[tuple[str, str]]:
    query = "SELECT kind, body FROM question_message WHERE question_id = :id ORDER BY id"
    rows = await portal.rows(query, id=question_id)
    return [(row.kind, row.body) for row in rows]


async def test_an_email_begins_a_thread_and_is_acknowledged(portal: Portal, post_office: Settings) -> None:
    await open_shop(portal)
    message = mail(Accept_Language="de-DE, en")
    assert await taken(portal, post_office, message) is Fate.ASKED
    [question] = await threads(portal)
    assert (question.email, question.name, question.subject) == ("Ana@example.com", "Ana Petrova", "A boot")
    assert (question.source, question.locale, question.state) == ("email", "de", "waiting")
    [acknowledged] = await letters(portal)
    assert (acknowledged.template, acknowledged.recipient) == ("question_received", "Ana@example.com")


async def test_an_email_is_answered_in_the_language_of_its_writer(portal: Portal, post_office: Settings) -> None:
    for number in ("1001", "1002"):
        await portal.order(number=number, email="ana@example.com", locale="bg")
    said = {"ana@example.com": "Hello", "olha@example.com": "Чи є 38 розмір? Дякую.", "eve@example.com": "38?"}
    for sender, body in said.items():
        await taken(portal, post_office, mail(body, From=sender, Message_ID=f"<{sender}>"))
    found = {one.email: (one.locale, one.order_id) for one in await threads(portal)}
    assert found == {"ana@example.com": ("bg", None), "olha@example.com": ("uk", None), "eve@example.com": ("en", None)}


async def test_the_same_email_is_taken_once_whatever_happens(portal: Portal, post_office: Settings) -> None:
    # Committed, and not marked as seen; delivered twice; read by two at once.
    results = await at_once(*(taken(portal, post_office, mail(), 5) for _each in range(3)))
    assert sorted(map(str, results)) == ["None", "None", "asked"]
    assert await taken(portal, post_office, mail(), 6) is None
    nameless = mail()
    del nameless["Message-ID"]
    assert await taken(portal, post_office, nameless, 7) is Fate.ASKED
    assert await taken(portal, post_office, nameless, 8) is None
    assert len(await threads(portal)) == 2
    assert len(await letters(portal)) == 2


async def test_an_answer_goes_into_its_thread_by_the_signed_address(portal: Portal, post_office: Settings) -> None:
    await open_shop(portal)
    question_id = await asks(portal)
    await answers(portal, await hire(portal), question_id)
    address = reply_address(post_office, question_id)
    assert len(address.partition("@")[0]) <= 64
    again = mail(
        "And warm?\n\nOn Monday, Nord & Sund wrote:\n> It is.", to=f"Nord <{address.upper()}>", Message_ID="<2@x>"
    )
    assert await taken(portal, post_office, again) is Fate.WRITTEN
    assert await said(portal, question_id) == [
        ("customer", "Is it waterproof?"), ("staff", "It is."), ("customer", "And warm?"),
    ]  # fmt: skip
    assert (await view(portal, question_id)).state == "waiting"
    # From another address of theirs it is taken, too, and shown as what it is.
    other = mail("Me again", to=address, From="ana@work.example", Message_ID="<3@x>")
    assert await taken(portal, post_office, other) is Fate.WRITTEN
    assert (await view(portal, question_id)).email == "ana@example.com"
    # What is not signed by us leads nowhere.
    for forged in (address.replace("+", "+a"), address.replace("@", "a@"), "help+x@shop.example", "help@shop.example"):
        assert thread_of(post_office, forged) is None
    assert thread_of(post_office, address) == question_id
    moved = post_office.model_copy(
        update={"secret_key": SecretStr("another-secret-" * 4), "former_secret_keys": post_office.secret_key}
    )
    assert thread_of(moved, address) == question_id


async def test_an_answer_to_the_shops_address_goes_by_its_references(portal: Portal, post_office: Settings) -> None:
    await open_shop(portal)
    await taken(portal, post_office, mail())
    [question] = await threads(portal)
    [sent] = await portal.rows("SELECT id FROM email")
    by_ours = mail("One", Message_ID="<2@x>", In_Reply_To=f"<{sent.id}@shop.example>")
    by_theirs = mail("Two", Message_ID="<3@x>", References="<0@x> <1@example.com>")
    for message in (by_ours, by_theirs):
        assert await taken(portal, post_office, message) is Fate.WRITTEN
    assert [text for _kind, text in await said(portal, question.id)][1:] == ["One", "Two"]
    # A stranger who knows a Message-ID has a thread of their own.
    stranger = mail("Three", From="eve@example.com", Message_ID="<4@x>", In_Reply_To=f"<{sent.id}@shop.example>")
    assert await taken(portal, post_office, stranger) is Fate.ASKED
    assert len(await said(portal, question.id)) == 3


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto-submitted"),
        ({"Precedence": "bulk"}, "precedence"),
        ({"Return_Path": "<>"}, "return-path"),
        ({"X_Autoreply": "yes"}, "x-autoreply"),
        ({"From": "help@nordsund.example"}, "loop"),
        ({"From": "HELP@shop.example"}, "loop"),
        ({"From": "nobody"}, "no sender"),
    ],
)
async def test_machines_get_no_echo(portal: Portal, post_office: Settings, headers: dict[str, str], why: str) -> None:
    await open_shop(portal)
    question_id = await asks(portal)
    await answers(portal, await hire(portal), question_id)
    before = await letters(portal)
    assert await taken(portal, post_office, mail("I am away", Message_ID="<2@x>", **headers)) is Fate.IGNORED
    to = reply_address(post_office, question_id)
    assert await taken(portal, post_office, mail("I am away", to=to, Message_ID="<3@x>", **headers)) is Fate.NOTED
    assert await letters(portal) == before
    assert len(await threads(portal)) == 1
    # It is kept, and nobody waits because of it.
    assert (await said(portal, question_id))[-1] == ("machine", "I am away")
    assert (await view(portal, question_id)).state == "answered"
    assert (await story(portal, question_id))[-1] == "machine_wrote"
    assert {row.why for row in await portal.rows("SELECT why FROM inbound_mail")} == {why}


async def test_what_we_sent_ourselves_is_known_again(portal: Portal, post_office: Settings) -> None:
    await open_shop(portal)
    question_id = await asks(portal)
    [sent] = await portal.rows("SELECT id FROM email")
    echo = mail("Yours", From="forwarder@example.com", Message_ID=f"<{sent.id}@shop.example>")
    assert await taken(portal, post_office, echo) is Fate.IGNORED
    # A report of what could not be delivered names what it is about.
    report = mail("No such user", From="MAILER-DAEMON@mx.example", Message_ID="<9@x>", References=f"<{sent.id}@s>")
    assert await taken(portal, post_office, report) is Fate.NOTED
    assert (await said(portal, question_id))[-1] == ("machine", "No such user")


async def test_who_floods_the_mailbox_is_kept_without_an_answer(portal: Portal, post_office: Settings) -> None:
    await open_shop(portal)
    fates = [await taken(portal, post_office, mail(f"{n}", Message_ID=f"<{n}@x>")) for n in range(MOST_AN_HOUR + 3)]
    assert fates == [Fate.ASKED] * MOST_AN_HOUR + [Fate.NOTED] * 3
    assert len(await letters(portal)) == MOST_AN_HOUR
    assert await taken(portal, post_office, mail(From="eve@example.com", Message_ID="<e@x>")) is Fate.ASKED


async def test_who_sent_what_belongs_to_no_thread_is_forgotten(portal: Portal, post_office: Settings) -> None:
    away = mail("Away", Auto_Submitted="auto-replied")
    for uid, message in enumerate((away, mail(Message_ID="<2@x>")), 1):
        await taken(portal, post_office, message, uid)
    for days, senders in ((89, ["Ana@example.com"] * 2), (91, ["", "Ana@example.com"])):
        with clock.at(clock.now() + timedelta(days=days)):
            async with portal.begin() as db:
                await forget_senders(db)
        assert [row.sender for row in await portal.rows("SELECT sender FROM inbound_mail ORDER BY uid")] == senders
    assert await taken(portal, post_office, away, 9) is None


async def test_a_thread_is_tied_to_the_order_and_return_that_it_names(portal: Portal, post_office: Settings) -> None:
    order, [line, *_more] = await portal.order(number="1001", email="ana@example.com", locale="uk")
    await portal.order(number="1002", email="ana@example.com", locale="bg")
    await portal.order(number="1003", email="eve@example.com", locale="en")
    filed = await portal.file(order.number, (line, 1))
    for number, text in enumerate(("Order 1001?", f"Where is {filed.rma}?", "Order 1003?", "Order 11001?")):
        await taken(portal, post_office, mail(text, Message_ID=f"<{number}@x>"))
    await taken(portal, post_office, mail("Hi", From="eve@example.com", Message_ID="<e@x>"))
    rows = await portal.rows(
        "SELECT o.number, r.rma, q.locale FROM question q LEFT JOIN orders o ON o.id = q.order_id"
        " LEFT JOIN returns r ON r.id = q.return_id ORDER BY q.id"
    )
    assert [tuple(row) for row in rows] == [
        ("1001", None, "uk"), ("1001", filed.rma, "uk"), (None, None, "bg"), (None, None, "bg"), ("1003", None, "en"),
    ]  # fmt: skip


def picture(fmt: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "brown").save(out, fmt, **({"comment": b"made at home"} if fmt == "JPEG" else {}))
    return out.getvalue()


async def test_files_are_known_by_their_bytes(portal: Portal, post_office: Settings, database_url: str) -> None:
    message = mail("See <b>here</b>")
    message.add_attachment(picture(), "application", "octet-stream", filename="tear.jpg")
    message.add_attachment(b"%PDF-1.7 x", "text", "html", filename="bill.html")
    message.add_attachment(b"<script>alert(1)</script>", "image", "jpeg", filename="evil.jpg")
    message.add_attachment(picture()[:100], "image", "jpeg", filename="half.jpg")
    for number in range(MOST):
        message.add_attachment(picture("PNG"), "image", "png", filename=f"{number}.png")
    await taken(portal, post_office, message)
    rows = await portal.rows("SELECT name, media_type, refused, data FROM question_attachment ORDER BY id")
    assert [(row.name, row.media_type, row.refused) for row in rows][:7] == [
        ("tear.jpg", "image/jpeg", ""),
        ("bill.html", "application/pdf", ""),
        ("evil.jpg", "", "kind"),
        ("half.jpg", "", "broken"),
        ("0.png", "image/jpeg", ""),
        ("1.png", "image/jpeg", ""),
        ("2.png", "", "many"),
    ]
    assert b"made at home" not in bytes(rows[0].data)
    [question] = await threads(portal)
    path = f"/staff/questions/{question.id}"
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "olga@example.com", "support")
        page = await browser.get(path)
        assert "See <b>here</b>" in words(page)
        assert "evil.jpg: not kept: only pictures and PDF are" in words(page)
        found = re.findall(r"/files/([0-9a-f-]+)", unescape(page.text))
        files = [await browser.get(f"{path}/files/{file_id}") for file_id in found]
        assert [file.headers["content-type"].split(";")[0] for file in files][:2] == ["image/jpeg", "application/pdf"]
        assert files[0].headers["content-disposition"].startswith("inline")
        assert files[1].headers["content-disposition"] == "attachment; filename*=UTF-8''bill.html"
        assert files[1].headers["content-security-policy"].startswith("sandbox")
        other = await asks(portal)
        assert (await browser.get(f"/staff/questions/{other}/files/{found[0]}")).status_code == 404
        await sign_in(browser, portal, "w@example.com", "warehouse")
        assert (await browser.get(f"{path}/files/{found[0]}")).status_code == 403


async def test_what_is_sent_stands_in_its_thread(portal: Portal) -> None:
    await open_shop(portal)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        box = {"imap_url": SecretStr("imaps://u:p@m.example"), "imap_address": "help@shop.example", "secret_key": KEY}
        settings = mailer.settings.model_copy(update=box)
        await taken(portal, settings, mail())
        [question] = await threads(portal)
        await deliver_due(portal.begin, Mailer(settings))
        await answers(portal, await hire(portal), question.id)
        await deliver_due(portal.begin, Mailer(settings))
    acknowledged, answered = postbox.messages
    assert acknowledged["Auto-Submitted"] == "auto-replied"
    assert answered["Auto-Submitted"] is None
    for message in postbox.messages:
        assert thread_of(settings, message["Reply-To"].addresses[0].addr_spec) == question.id
    assert acknowledged["In-Reply-To"] == "<1@example.com>"
    assert answered["In-Reply-To"] == acknowledged["Message-ID"]
    assert answered["References"].split() == ["<1@example.com>", acknowledged["Message-ID"]]
    # Answered as a mail program does it, it comes back to where it belongs.
    to = str(answered["Reply-To"].addresses[0].addr_spec)
    back = mail("Thanks!", to=to, Message_ID="<2@x>", In_Reply_To=str(answered["Message-ID"]))
    assert await taken(portal, settings, back) is Fate.WRITTEN


async def test_without_a_mailbox_answers_go_to_the_shops_own_address(portal: Portal) -> None:
    await open_shop(portal)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        await asks(portal)
        await deliver_due(portal.begin, mailer)
    [message] = postbox.messages
    assert message["Reply-To"].addresses[0].addr_spec == "help@nordsund.example"
    assert by_smtp(1).imap_address is None
