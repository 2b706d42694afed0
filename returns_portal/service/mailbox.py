"""The mailbox in which e-mails to the shop lie, spoken to by IMAP; each call in a thread, never on the event loop."""

import asyncio
import imaplib
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from returns_portal.settings import Settings

MOST_AT_ONCE: Final = 50
"""E-mails of one look; the next one follows within half a minute."""
MAX_BYTES: Final = 25_000_000
"""Of one e-mail; of a longer one its beginning is read, in which its words stand."""
_SECONDS: Final = 30.0


class MailboxError(Exception):
    """The mailbox cannot be read now; the message names no address."""


class Raw(NamedTuple):
    """An e-mail as it lies there."""

    uidvalidity: int
    uid: int
    data: bytes


class Mailbox:
    """An open mailbox."""

    def __init__(self, client: imaplib.IMAP4, uidvalidity: int) -> None:
        """Keep the connection."""
        self._client = client
        self._uidvalidity = uidvalidity

    async def unseen(self) -> list[int]:
        """The e-mails that nobody has seen, by their UIDs, the oldest first."""
        return await asyncio.to_thread(self._unseen)

    def _unseen(self) -> list[int]:
        answer = _good(self._client.uid("SEARCH", "UNSEEN"))
        words = answer[0].split() if answer and isinstance(answer[0], bytes) else []
        return sorted(map(int, words))[:MOST_AT_ONCE]

    async def fetch(self, uid: int) -> Raw | None:
        """One e-mail, which stays unseen; None where it has gone meanwhile."""
        return await asyncio.to_thread(self._fetch, uid)

    def _fetch(self, uid: int) -> Raw | None:
        for part in _good(self._client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_BYTES}>)")):
            if isinstance(part, tuple):
                return Raw(self._uidvalidity, uid, part[1])
        return None

    async def mark_seen(self, uid: int) -> None:
        """Mark an e-mail as seen, once what became of it is committed."""
        await asyncio.to_thread(self._mark_seen, uid)

    def _mark_seen(self, uid: int) -> None:
        _good(self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Mailbox]:
    """The mailbox of IMAP_URL.

    Raises:
        MailboxError: it cannot be reached, or does not let us in.
    """
    url = settings.imap_url.get_secret_value() if settings.imap_url else ""
    try:
        client, uidvalidity = await asyncio.to_thread(_connect, url)
        try:
            yield Mailbox(client, uidvalidity)
        finally:
            await asyncio.to_thread(_leave, client)
    except (imaplib.IMAP4.error, OSError) as error:
        # Servers quote users' names in what they say.
        raise MailboxError(type(error).__name__) from error


def _connect(url: str) -> tuple[imaplib.IMAP4, int]:
    parts = urlsplit(url)
    host, user, password = parts.hostname or "", unquote(parts.username or ""), unquote(parts.password or "")
    client: imaplib.IMAP4
    if parts.scheme == "imaps":
        tls = ssl.create_default_context()
        client = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=tls, timeout=_SECONDS)
    else:
        client = imaplib.IMAP4(host, parts.port or 143, timeout=_SECONDS)
    try:
        client.login(user, password)
        folder = unquote(parts.path.removeprefix("/")) or "INBOX"
        _good(client.select('"' + folder.replace("\\", "").replace('"', "") + '"'))
        told = client.response("UIDVALIDITY")[1]
        found = re.search(rb"\d+", told[0]) if told and isinstance(told[0], bytes) else None
    except BaseException:
        _leave(client)
        raise
    return client, int(found[0]) if found else 0


def _good(answer: tuple[str, Any]) -> Any:  # noqa: ANN401 - as the library has it
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data


def _leave(client: imaplib.IMAP4) -> None:
    with suppress(imaplib.IMAP4.error, OSError):
        client.logout()
