"""Taking e-mails out of the house by SMTP, or keeping them in the demo's outbox."""

import email.policy
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import msgspec

from returns_portal import clock
from returns_portal.documents.pictures import qr_png
from returns_portal.documents.pool import DocumentPool
from returns_portal.documents.record import render
from returns_portal.notifications.papers import Paper
from returns_portal.notifications.rendering import CODE_PICTURE, Rendered
from returns_portal.settings import Settings, SettingsError
from returns_portal.shop.queries import ShopInfo

COMMAND_SECONDS: Final = 20.0

Send = Callable[["Outgoing"], Awaitable[None]]
"""Sends one letter.

Raises BadAddressError where the recipient's address is none, aiosmtplib.SMTPException or OSError where it was not sent.
"""


class _Whole(UnstructuredHeader):
    """A header that is never folded: an address without a gap would be encoded word by word, and be none any more.

    Lines may have 998 characters (RFC 5322, 2.1.1).
    """

    def fold(self, *, policy: email.policy.Policy) -> str:
        """One line."""
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # of the class that it is mixed into


def _policy() -> "email.policy.EmailPolicy[EmailMessage]":
    headers = HeaderRegistry()
    headers.map_to_type("list-unsubscribe", _Whole)  # type: ignore[arg-type]  # a mixin, as the registry's own are
    return email.policy.SMTP.clone(header_factory=headers)


_POLICY: Final = _policy()


class Conversation(msgspec.Struct, frozen=True):
    """How an e-mail belongs to a thread: where its answer goes, and what it answers."""

    reply_to: str
    """Empty for the shop's own address."""
    references: list[str]
    """Message-IDs of others in angle brackets, the ids of our own e-mails as they are; the oldest first."""
    by_hand: bool
    """Whether a person wrote it, so that it calls for no care not to be answered by machines."""


class Outgoing(msgspec.Struct, frozen=True):
    """An e-mail that is ready to go."""

    id: UUID
    recipient: str
    render: Callable[[], Rendered]
    shop: ShopInfo
    paper: Paper | None = None
    """What goes along as PDF."""
    conversation: Conversation | None = None


class BadAddressError(ValueError):
    """The recipient's address is none; trying again would not mend it."""


class _Server(msgspec.Struct, frozen=True):
    host: str
    port: int
    use_tls: bool
    start_tls: bool | None
    username: str | None
    password: str | None


class Mailer:
    """The way out for e-mails, as the settings have it.

    Attributes:
        settings: The portal's.
        documents: What prints the papers that go along; without it, the letters go alone.
    """

    def __init__(self, settings: Settings) -> None:
        """Read SMTP_URL and MAIL_FROM.

        Raises:
            SettingsError: one of them cannot be used.
        """
        self.settings = settings
        self._server = _server(settings.smtp_url.get_secret_value()) if settings.smtp_url else None
        self._from = _mailbox(settings.mail_from) if settings.mail_from else None
        # Reading the system's certificates takes long enough to be done once.
        self._tls = ssl.create_default_context() if self._server else None
        self.documents: DocumentPool | None = None

    async def print(self, letter: Outgoing) -> bytes:
        """The paper that goes along with a letter as PDF; empty where none does.

        Raises:
            DocumentError: it could not be made now.
        """
        if letter.paper is None or self.documents is None:
            return b""
        return await self.documents.run(render, letter.paper.record)

    def compose(self, letter: Outgoing, pdf: bytes = b"") -> EmailMessage:
        """Make the message; however often it is sent, it has the same Message-ID (RFC 5322, 3.6.4).

        Raises:
            BadAddressError: the recipient's address is none.
        """
        shop, rendered = letter.shop, letter.render()
        sender = self._from or Address(addr_spec=shop.email)
        message = EmailMessage(policy=_POLICY)
        message["From"] = Address(sender.display_name or shop.name, sender.username, sender.domain)
        message["To"] = _recipient(letter.recipient)
        message["Reply-To"] = Address(shop.name, addr_spec=shop.email)
        message["Subject"] = rendered.subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
        if not letter.conversation:
            # No holiday answer, please (RFC 3834).
            message["Auto-Submitted"] = "auto-generated"
        else:
            _in_thread(message, letter.conversation, shop, sender.domain)
        if rendered.unsubscribe:
            # One click in the mail program, and no page to look for (RFC 8058).
            message["List-Unsubscribe"] = f"<{rendered.unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(rendered.text, cte="quoted-printable")
        message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
        if rendered.code:
            _add_picture(message, rendered.code)
        if pdf and letter.paper:
            message.add_attachment(pdf, "application", "pdf", filename=letter.paper.filename)
        return message

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Send]:
        """One connection to the mail server, for a batch; in the demo without one, sending is keeping.

        Raises:
            aiosmtplib.SMTPException: the server does not answer, or refuses us.
            OSError: it cannot be reached.
        """
        if self._server is None:
            yield _keep
            return
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.use_tls,
            start_tls=self._server.start_tls,
            tls_context=self._tls,
            timeout=COMMAND_SECONDS,
        )

        async def send(letter: Outgoing) -> None:
            await client.send_message(self.compose(letter, await self.print(letter)))

        async with client:
            yield send


def _in_thread(message: EmailMessage, thread: Conversation, shop: ShopInfo, domain: str) -> None:
    """Let an e-mail stand in its thread, in mail programs and when it is answered (RFC 5322, 3.6.4)."""
    if thread.reply_to:
        del message["Reply-To"]
        message["Reply-To"] = Address(shop.name, addr_spec=thread.reply_to)
    if not thread.by_hand:
        message["Auto-Submitted"] = "auto-replied"
    known = [known_as if known_as.startswith("<") else f"<{known_as}@{domain}>" for known_as in thread.references]
    if known:
        message["In-Reply-To"] = known[-1]
        message["References"] = " ".join(known)


def _add_picture(message: EmailMessage, code: str) -> None:
    """Put a QR symbol beside the HTML that shows it: in the message, for nothing is loaded from anywhere."""
    html = message.get_body(("html",))
    if isinstance(html, EmailMessage):
        html.add_related(
            qr_png(code), "image", "png", cid=f"<{CODE_PICTURE}>", filename="code.png", disposition="inline"
        )


async def _keep(letter: Outgoing) -> None:
    """The outbox is the row itself, rendered when somebody looks at it.

    Raises:
        BadAddressError: the recipient's address is none at all.
    """
    if "@" not in letter.recipient:
        raise BadAddressError("no address")


def _server(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError("SMTP_URL: is no address") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError("SMTP_URL: must be like smtp://user:password@host:587 or smtps://host:465")
    secure = parts.scheme == "smtps"
    return _Server(
        host=parts.hostname,
        port=port or (465 if secure else 587),
        use_tls=secure,
        # A relay on this machine may have no certificate. Beyond it, nothing is sent in the clear.
        start_tls=False if secure else (None if _is_loopback(parts.hostname) else True),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mailbox(text: str) -> Address:
    """Read `Shop <address>` or an address alone."""
    header = EmailMessage(policy=email.policy.SMTP)
    try:
        header["From"] = text
        (address,) = header["From"].addresses
    except ValueError as error:
        raise SettingsError("MAIL_FROM: must be one address, such as Shop <help@shop.example>") from error
    if not address.username or "." not in address.domain:
        raise SettingsError("MAIL_FROM: must be one address, such as Shop <help@shop.example>")
    return Address(address.display_name, address.username, address.domain)


def _recipient(text: str) -> Address:
    """Read a bare address; a domain in letters of its own becomes what mail servers know (RFC 5891)."""
    local, at, domain = text.strip().rpartition("@")
    if not (at and local and domain):
        raise BadAddressError("no address")
    try:
        return Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (ValueError, IndexError) as error:
        raise BadAddressError("no address") from error
