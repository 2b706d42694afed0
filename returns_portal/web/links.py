"""Links that prove something by themselves: signed, so that nobody makes one, and never with an address in them.

A link is signed with the newest key and opened with any that the portal has or had, so that what lies in mailboxes
outlives a change of SECRET_KEY.
"""

import base64
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from returns_portal.settings import Settings
from returns_portal.web.signing import derive, seal, unseal

VIEW_LASTS: Final = timedelta(days=30)
MAX_TOKEN: Final = 900
"""Characters; nothing longer is looked at."""
_SHOWN: Final = ("/returns/", "/refunds/", "/trials/", "/orders/", "/claims/", "/exchanges/", "/questions/")


def view_link(settings: Settings, path: str) -> str:
    """The whole address by which an e-mail's reader sees a page of their order, without a session.

    It opens the order for reading alone: it lies in a mailbox for long, and e-mails are passed on. A path that is no
    page of an order, and any path where there is no key to sign with, leads to the page itself.
    """
    if path.startswith(_SHOWN) and settings.signing_keys:
        path = "/v/" + seal(derive(settings.signing_keys[0], "view"), path, lasting=VIEW_LASTS)
    return settings.public_url + path


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
