"""Reading an e-mail: who wrote it, what it answers, what it says, whether a machine sent it. Pure, and never fails.

Whatever a stranger sends is read as far as it can be: half an e-mail that somebody reads is better than a lost one.
"""

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import Final, cast

import msgspec
import structlog

from returns_portal.service.mail_text import folded, text_of_html

log = structlog.get_logger(__name__)

MAX_TEXT: Final = 20_000
"""Characters of an e-mail that are kept."""
MAX_NAME: Final = 120
UNREADABLE: Final = "unreadable"
"""Why nothing is known of an e-mail; it lies in the mailbox still."""
_MOST_PARTS: Final = 200
_MOST_REFERENCES: Final = 50
_MOST_OF_HEADER: Final = 5000
_MOST_OF_CONTENT: Final = 1000
"""Characters of a header that says what a part is."""
_MOST_OF_FLAT: Final = 1_000_000
_STRUCTURE: Final = re.compile(rb"(content-|mime-version|--[^ ])", re.IGNORECASE)
_TO: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_BULK: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_AUTO: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-response-suppress", "x-failed-recipients")
_LISTS: Final = ("list-id", "list-unsubscribe")
_POSTMASTERS: Final = re.compile(r"(mailer-daemon|postmaster|no-?reply)(\+.*)?@", re.IGNORECASE)


class Attached(msgspec.Struct, frozen=True):
    """A file that came along."""

    name: str
    data: bytes


class Incoming(msgspec.Struct, frozen=True):
    """An e-mail as far as it could be read."""

    digest: bytes
    """SHA-256 of its Message-ID, or of all of it where it has none: the same e-mail has the same."""
    known_as: str
    """Its Message-ID with the angle brackets; empty where it has none."""
    references: list[str]
    """Message-IDs that it answers, the nearest first."""
    sender: str
    """The address in From; empty where there is none."""
    name: str
    recipients: list[str]
    subject: str
    languages: str
    """Of the writer's mail program, as an Accept-Language header has them."""
    machine: str
    """By what it was recognised that a machine sent it; empty for what a person wrote."""
    text: str
    quoted: str
    attachments: list[Attached]


class _Bounded(email.policy.EmailPolicy):
    """Headers no longer than anybody needs: over some that were broken on purpose, the library takes hours."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A header as it came, cut."""
        name, value = super().header_source_parse(sourcelines)
        most = _MOST_OF_CONTENT if name.lower().startswith("content-") else _MOST_OF_HEADER
        return name, value if len(value) <= most else value[:most].rstrip()


def read(raw: bytes) -> Incoming:
    """Read an e-mail as it came over the wire.

    What is nested deeper than the library can follow is read without its structure, and what cannot be read so either
    is a machine's: no e-mail holds up those that came after it.
    """
    for make in (_read, _read_flat):
        try:
            return make(raw)
        except Exception as error:  # noqa: BLE001 - whatever the library makes of what was broken on purpose
            log.warning("mail.not_readable", flat=make is _read_flat, error=type(error).__name__)
    digest = hashlib.sha256(raw).digest()
    return Incoming(digest, "", [], "", "", [], "", "", machine=UNREADABLE, text="", quoted="", attachments=[])


def _read_flat(raw: bytes) -> Incoming:
    """Its words and its headers, without comments and without what says how it is put together."""
    head, _blank, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    named = b"\n".join(_unstructured(re.sub(rb"\n[ \t]+", b" ", head)))
    said = b"\n".join(_unstructured(body[:_MOST_OF_FLAT]))
    plain = re.sub(rb"[()]", b" ", named) + b"\n\n" + said.strip()
    found = _read(plain)
    return found if found.known_as else msgspec.structs.replace(found, digest=hashlib.sha256(raw).digest())


def _unstructured(text: bytes) -> list[bytes]:
    return [line for line in text.split(b"\n") if not _STRUCTURE.match(line)]


def _read(raw: bytes) -> Incoming:
    message = cast("EmailMessage", email.message_from_bytes(raw, policy=_Bounded()))
    known_as = _message_id(_header(message, "message-id"))
    name, sender = parseaddr(_header(message, "from"))
    text, quoted = folded(_text(message)[:MAX_TEXT])
    return Incoming(
        digest=hashlib.sha256(known_as.encode() if known_as else raw).digest(),
        known_as=known_as,
        references=_references(message),
        sender=_line(sender),
        name=_line(name)[:MAX_NAME],
        recipients=[address for _name, address in getaddresses(_headers(message)) if "@" in address],
        subject=_line(_header(message, "subject")),
        languages=_header(message, "accept-language") or _header(message, "content-language"),
        machine=machine_of(message),
        text=text,
        quoted=quoted,
        attachments=list(_attachments(message)),
    )


def machine_of(message: EmailMessage) -> str:
    """By what an e-mail tells that no person wrote it (RFC 3834, and what was usual before); empty where by nothing."""
    submitted = _header(message, "auto-submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return "auto-submitted"
    if _header(message, "precedence").strip().lower() in _BULK:
        return "precedence"
    for name in (*_AUTO, *_LISTS):
        if name in message:
            return name
    if "return-path" in message and _header(message, "return-path").strip() in {"<>", ""}:
        return "return-path"
    if message.get_content_type() == "multipart/report":
        return "report"
    return "sender" if _POSTMASTERS.match(parseaddr(_header(message, "from"))[1]) else ""


def _header(message: EmailMessage, name: str) -> str:
    """A header's text; the library fails on some that were broken on purpose, and then it is read as it stands."""
    try:
        value = str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - whatever its parser ran into
        value = next((str(raw) for key, raw in message.raw_items() if key.lower() == name), "")
    return value.encode("utf-8", "replace").decode().replace("\x00", "")


def _headers(message: EmailMessage) -> list[str]:
    """All headers that say to whom it went, of which there can be several."""
    return [str(raw).replace("\n", " ").replace("\r", " ") for key, raw in message.raw_items() if key.lower() in _TO]


def _line(text: str) -> str:
    return "".join(symbol for symbol in " ".join(text.split()) if symbol.isprintable())


def _message_id(text: str) -> str:
    found = re.search(r"<[^<>\s]{1,500}>", text)
    return found[0] if found else ""


def _references(message: EmailMessage) -> list[str]:
    """What it answers, the nearest first: its In-Reply-To, then its References from the last one on."""
    answered = re.findall(r"<[^<>\s]{1,500}>", _header(message, "in-reply-to"))
    thread = re.findall(r"<[^<>\s]{1,500}>", _header(message, "references"))
    return list(dict.fromkeys([*answered, *reversed(thread)]))[:_MOST_REFERENCES]


def _text(message: EmailMessage) -> str:
    """What it says: its plain text, or that of its HTML where it has no other."""
    html = ""
    for part in _leaves(message):
        if part.is_attachment() or part.get_content_maintype() != "text":
            continue
        content = _content(part)
        if part.get_content_type() == "text/html":
            html = html or content
        elif content.strip():
            return content
    return text_of_html(html)


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold something, not those of an e-mail that came along."""
    waiting, seen = [message], 0
    while waiting and seen < _MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        if part.get_content_maintype() == "multipart":
            parts = part.get_payload()
            found = [one for one in parts if isinstance(one, EmailMessage)] if isinstance(parts, list) else []
            waiting = found + waiting
        else:
            yield part


def _content(part: EmailMessage) -> str:
    """The text of a part, also where it names an encoding that there is none of, or that is not its own."""
    text: object = None
    with suppress(Exception):
        text = part.get_content()
    if not isinstance(text, str):
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return text.encode("utf-8", "replace").decode().replace("\x00", "").replace("\r\n", "\n")


def _attachments(message: EmailMessage) -> Iterator[Attached]:
    """Files, and pictures within the text."""
    for part in _leaves(message):
        if part.get_content_maintype() == "text" and not part.is_attachment():
            continue
        data = part.get_payload(decode=True)
        if isinstance(data, bytes) and data:
            name: str | None = None
            with suppress(Exception):
                name = part.get_filename()
            yield Attached(_line(name or "")[:MAX_NAME], data)
