"""Taking e-mails out: by SMTP, by leases, with patience."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from pydantic import SecretStr
from sqlalchemy import Row, select, update
from sqlmodel import col

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError, NotFoundError
from returns_portal.notifications.actions import Letter, enqueue, enqueue_many, retry
from returns_portal.notifications.delivery import LEASE, MAX_ATTEMPTS, deliver_due
from returns_portal.notifications.mailer import BadAddressError, Mailer, Outgoing
from returns_portal.notifications.models import Email, EmailStatus
from returns_portal.notifications.queries import failed
from returns_portal.notifications.rendering import Rendered
from returns_portal.settings import Settings, SettingsError
from returns_portal.shop.queries import DEFAULT
from tests.notifications.samples import SAMPLES

pytestmark = pytest.mark.anyio

CODE = Letter("access_code", "olena@example.org", "en", SAMPLES["access_code"])
FILED = Letter("return_filed", "olena@example.org", "en", SAMPLES["return_filed"])


class Postbox:
    """A mail server that keeps what it is given, and refuses whom it is told to."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusal: str | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: object, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802 - as above
        assert isinstance(envelope.content, bytes)
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append([str(address) for address in envelope.rcpt_tos])
        return "250 OK"


@asynccontextmanager
async def serving(postbox: Postbox) -> AsyncIterator[Mailer]:
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(postbox, enable_SMTPUTF8=True, hostname="mail.test"), "127.0.0.1", 0
    )
    try:
        yield Mailer(by_smtp(server.sockets[0].getsockname()[1]))
    finally:
        server.close()
        await server.wait_closed()


def by_smtp(port: int) -> Settings:
    return Settings(
        demo=False,
        smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"),
        mail_from="Nord & Sund <returns@shop.example>",
    )


async def write(begin: Begin, *letters: Letter) -> None:
    async with begin() as db:
        await enqueue_many(db, letters)


async def rows(begin: Begin) -> list[Row[Any]]:
    async with begin() as db:
        return [*await db.execute(select(Email.__table__).order_by(col(Email.id)))]  # type: ignore[attr-defined]  # SQLModel's table


async def the_row(begin: Begin) -> Row[Any]:
    (row,) = await rows(begin)
    return row


async def test_a_mail_goes_out_once_and_leaves_no_secret(begin: Begin) -> None:
    await write(begin, CODE)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        assert await deliver_due(begin, mailer) == 1
        assert await deliver_due(begin, mailer) == 0
    row = await the_row(begin)
    assert (row.status, row.attempts, row.error) == ("sent", 1, "")
    assert row.sent_at is not None
    assert row._mapping["values"] == {"minutes": 10}
    (message,) = postbox.messages
    assert postbox.recipients == [["olena@example.org"]]
    assert message["Message-ID"] == f"<{row.id}@shop.example>"
    assert message["From"] == "Nord & Sund <returns@shop.example>"
    assert message["Reply-To"] == "Nord & Sund <help@nordsund.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.utcoffset() == timedelta()
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "482913" in text.get_content()
    assert "482913" in html.get_content()


async def test_letters_of_all_alphabets_arrive_as_written(begin: Begin) -> None:
    await write(begin, FILED)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        await deliver_due(begin, mailer)
    body = postbox.messages[0].get_body(("plain",))
    assert body is not None
    assert "Hello Олена," in body.get_content()


async def test_the_demo_keeps_what_it_would_send(begin: Begin, settings: Settings) -> None:
    await write(begin, CODE)
    await deliver_due(begin, Mailer(settings))
    row = await the_row(begin)
    assert row.status == "sent"
    assert row._mapping["values"]["code"] == "482913"


async def test_what_is_rolled_back_was_never_written(begin: Begin) -> None:
    async def fail() -> None:
        async with begin() as db:
            await enqueue(db, template="access_code", recipient="a@b.example", locale="en", values={"code": "1"})
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await rows(begin) == []


async def test_nobody_is_written_to_without_an_address(begin: Begin) -> None:
    await write(begin, Letter("access_code", "  ", "en", {}))
    assert await rows(begin) == []


async def test_a_server_that_is_away_is_tried_again_ever_later(begin: Begin) -> None:
    await write(begin, CODE, FILED)
    mailer = Mailer(by_smtp(1))
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        moment = max(row.next_try_at for row in await rows(begin))
        with clock.at(moment):
            assert await deliver_due(begin, mailer) == 0
        for row in await rows(begin):
            assert row.attempts == attempt
            assert row.error == "SMTPConnectError"
            assert row.status == ("failed" if attempt == MAX_ATTEMPTS else "queued")
        waits.append((await rows(begin))[0].next_try_at - moment)
    assert waits[0] < timedelta(seconds=6)
    assert all(later > 2 * sooner for sooner, later in pairwise(waits))
    assert sum(waits[:-1], timedelta()) > timedelta(hours=12)
    assert all("code" not in row._mapping["values"] for row in await rows(begin))


async def test_a_refused_recipient_is_final_and_a_busy_one_is_not(begin: Begin) -> None:
    await write(begin, FILED)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        postbox.refusal = "450 4.2.1 olena@example.org: try later"
        await deliver_due(begin, mailer)
        row = await the_row(begin)
        assert (row.status, row.error) == ("queued", "SMTPRecipientsRefused 450")
        postbox.refusal = "550 5.1.1 olena@example.org: no such user"
        with clock.shifted(timedelta(minutes=1)):
            await deliver_due(begin, mailer)
    row = await the_row(begin)
    assert (row.status, row.error) == ("failed", "SMTPRecipientsRefused 550")


async def test_one_bad_letter_does_not_keep_the_others(begin: Begin) -> None:
    nobody = Letter("access_code", "nobody", "en", SAMPLES["access_code"])
    empty = Letter("access_code", "a@b.example", "en", {})
    await write(begin, nobody, empty, FILED)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        assert await deliver_due(begin, mailer) == 1
    assert [(row.status, row.error) for row in await rows(begin)] == [
        ("failed", "BadAddressError"),
        ("queued", "TemplateError"),
        ("sent", ""),
    ]


async def test_a_lease_is_respected_and_runs_out(begin: Begin, settings: Settings) -> None:
    await write(begin, FILED)
    async with begin() as db:
        # As a process leaves it that was killed while it sent.
        await db.execute(update(Email).values(status=EmailStatus.SENDING, attempts=1, next_try_at=clock.now() + LEASE))
    assert await deliver_due(begin, Mailer(settings)) == 0
    with clock.shifted(LEASE + timedelta(seconds=1)):
        assert await deliver_due(begin, Mailer(settings)) == 1
    row = await the_row(begin)
    assert (row.status, row.attempts) == ("sent", 2)


async def test_many_processes_send_each_letter_once(begin: Begin) -> None:
    await write(begin, *[FILED] * 120)
    postbox = Postbox()
    async with serving(postbox) as mailer:
        sent = await asyncio.gather(*(deliver_due(begin, mailer) for _ in range(4)))
    assert sum(sent) == 120
    assert len({message["Message-ID"] for message in postbox.messages}) == len(postbox.messages) == 120


async def test_what_was_given_up_is_seen_and_sent_again(begin: Begin, settings: Settings) -> None:
    await write(begin, FILED, CODE)
    async with begin() as db:
        await db.execute(update(Email).values(status=EmailStatus.FAILED, attempts=MAX_ATTEMPTS, error="Away"))
    async with begin() as db:
        code, filed = await failed(db, SYSTEM)
        assert (filed.template, filed.error) == ("return_filed", "Away")
        await retry(db, SYSTEM, filed.id)
        with pytest.raises(NotFoundError):
            await retry(db, SYSTEM, code.id)
        with pytest.raises(ForbiddenError):
            await failed(db, Actor(kind="customer"))
    assert await deliver_due(begin, Mailer(settings)) == 1


@pytest.mark.parametrize(
    "address", ["", "nobody", "@b.example", "a@", "a@b.example\r\nBcc: c@d.example", "a b@c.example"]
)
async def test_what_is_no_address_is_refused(settings: Settings, address: str) -> None:
    with pytest.raises(BadAddressError):
        Mailer(settings).compose(Outgoing(UUID(int=1), address, lambda: Rendered("s", "t", "h"), DEFAULT))


async def test_a_domain_in_its_own_letters_is_understood(settings: Settings) -> None:
    message = Mailer(settings).compose(
        Outgoing(UUID(int=1), "help@münchen.example", lambda: Rendered("s", "t", "h"), DEFAULT)
    )
    assert message["To"] == "help@xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("smtp_url", "mail_from", "name"),
    [
        ("http://mail.example", "a@b.example", "SMTP_URL"),
        ("smtp://", "a@b.example", "SMTP_URL"),
        ("smtp://mail.example:port", "a@b.example", "SMTP_URL"),
        ("smtps://mail.example", "nobody", "MAIL_FROM"),
        ("smtps://mail.example", "a@b.example, c@d.example", "MAIL_FROM"),
    ],
)
async def test_wrong_settings_are_named(smtp_url: str, mail_from: str, name: str) -> None:
    settings = Settings(demo=False, smtp_url=SecretStr(smtp_url), mail_from=mail_from)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Mailer(settings)


@pytest.mark.parametrize(
    ("smtp_url", "port", "use_tls", "start_tls"),
    [
        ("smtps://u%40x:p%3Aw@mail.example", 465, True, False),
        ("smtp://u%40x:p%3Aw@mail.example", 587, False, True),
        ("smtp://u%40x:p%3Aw@127.0.0.1:1025", 1025, False, None),
    ],
)
async def test_mail_leaves_the_machine_only_encrypted(
    smtp_url: str, port: int, use_tls: bool, start_tls: bool | None
) -> None:
    server = Mailer(Settings(demo=False, smtp_url=SecretStr(smtp_url), mail_from="a@b.example"))._server
    assert server is not None
    assert (server.port, server.use_tls, server.start_tls) == (port, use_tls, start_tls)
    assert (server.username, server.password) == ("u@x", "p:w")
