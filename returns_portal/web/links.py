"""Links that prove something by themselves: signed, so that nobody makes one, and never with an address in them.

A link is signed with the newest key and opened with any that the portal has or had, so that what lies in mailboxes
outlives a change of SECRET_KEY.
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from returns_portal.settings import Settings
from returns_portal.web.signing import derive, seal, unseal

VIEW_LASTS: Final = timedelta(days=30)
MAX_TOKEN: Final = 900
"""Characters; nothing longer is looked at."""
_SHOWN: Final = ("/returns/", "/refunds/", "/trials/", "/orders/", "/claims/", "/exchanges/", "/questions/", "/ask/")


def view_link(settings: Settings, path: str) -> str:
    """The whole address by which an e-mail's reader sees a page of their order, without a session.

    It opens the order for reading alone: it lies in a mailbox for long, and e-mails are passed on. A path that is no
    page of an order, and any path where there is no key to sign with, leads to the page itself.
    """
    if path.startswith(_SHOWN) and settings.signing_keys:
        path = "/v/" + seal(derive(settings.signing_keys[0], "view"), path, lasting=VIEW_LASTS)
    return settings.public_url + path


def rating_link(settings: Settings, path: str) -> str:
    """The whole address at which an e-mail's reader says whether the answer to the question at `path` helped."""
    if settings.signing_keys:
        path = "/questions/link/" + seal(derive(settings.signing_keys[0], "view"), path, lasting=VIEW_LASTS)
    return f"{settings.public_url}{path}/rating"


def viewed(settings: Settings, token: str) -> str | None:
    """The path that a view link shows; None where it was not made here, or is too old."""
    found = opened(settings, "view", token)
    return found if isinstance(found, str) else None


def slip_link(settings: Settings, number: str) -> str:
    """What the code on a packing slip holds: the portal, with the number of the parcel's order filled in.

    It proves nothing. Who finds a parcel, or the paper, is asked for the order's e-mail address like everybody else.
    """
    return f"{settings.public_url}/?order={quote(number, safe='')}"


def opened(settings: Settings, purpose: str, token: str) -> Any:  # noqa: ANN401 - what was sealed
    """What was sealed for a purpose under any of the keys; None where it was not, or is too old."""
    if len(token) <= MAX_TOKEN and token.isascii():
        for key in settings.signing_keys:
            if (found := unseal(derive(key, purpose), token)) is not None:
                return found
    return None


_PLUS: Final = 8
"""Bytes of the signature in an address, which has room for 64 characters before its @ (RFC 5321, 4.5.3.1.1)."""


def reply_address(settings: Settings, thread_id: UUID) -> str:
    """Where an answer to a thread's e-mails goes: its sign is in the address, which every mail program keeps.

    Empty where no mailbox is read, or there is no key to sign with.
    """
    if not settings.imap_address or not settings.signing_keys:
        return ""
    name, _at, domain = settings.imap_address.partition("@")
    raw = thread_id.bytes + _signed(settings.signing_keys[0], thread_id)
    # Some mail systems write addresses in small letters, so that the sign has no others.
    return f"{name}+{base64.b32encode(raw).decode().rstrip('=').lower()}@{domain}"


def thread_of(settings: Settings, address: str) -> UUID | None:
    """The thread that an address was made for; None where it was not made here."""
    if not settings.imap_address:
        return None
    name, _at, domain = settings.imap_address.lower().partition("@")
    local, _at, at = address.strip().lower().rpartition("@")
    if at != domain or not local.startswith(f"{name}+"):
        return None
    token = local.removeprefix(f"{name}+").upper()
    try:
        raw = base64.b32decode(token + "=" * (-len(token) % 8))
    except ValueError:
        return None
    if len(raw) != 16 + _PLUS:
        return None
    thread_id = UUID(bytes=raw[:16])
    made = any(hmac.compare_digest(raw[16:], _signed(key, thread_id)) for key in settings.signing_keys)
    return thread_id if made else None


def _signed(key: bytes, thread_id: UUID) -> bytes:
    return hmac.digest(derive(key, "reply address"), thread_id.bytes, hashlib.sha256)[:_PLUS]


def unsubscribe_link(settings: Settings, address: str, kind: str) -> str:
    """Where a reader chooses which e-mails they get; `kind` is that of the e-mail. Empty without a key.

    The address is encrypted and not only signed, since links stand in logs. It does not age: a link of an old e-mail
    has to work as well as one of today's.
    """
    if not settings.signing_keys:
        return ""
    token = _locks(settings).encrypt(msgspec.msgpack.encode([address, kind])).decode().rstrip("=")
    return f"{settings.public_url}/unsubscribe/{token}"


def unsubscribing(settings: Settings, token: str) -> tuple[str, str] | None:
    """The address and the kind of e-mail of such a link; None where it was not made here."""
    if len(token) > MAX_TOKEN or not token.isascii() or not settings.signing_keys:
        return None
    try:
        found = msgspec.msgpack.decode(_locks(settings).decrypt(token + "=" * (-len(token) % 4)))
    except InvalidToken:
        return None
    address, kind = found
    return str(address), str(kind)


def _locks(settings: Settings) -> MultiFernet:
    keys = [base64.urlsafe_b64encode(derive(key, "unsubscribe")) for key in settings.signing_keys]
    return MultiFernet([Fernet(key) for key in keys])
