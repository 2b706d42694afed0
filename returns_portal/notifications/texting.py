"""SMS: written as a row by what causes them, sent by a job. Only what cannot wait for an e-mail is worth one.

An SMS that may have gone out is not sent again, and stays `unknown`, where an e-mail would be repeated.
"""

from typing import Final, Protocol
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

import aiohttp
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer
from returns_portal.notifications.models import Sms, SmsStatus
from returns_portal.settings import Settings

log = structlog.get_logger(__name__)

LONGEST: Final = 300
"""Characters: what three parts of an SMS in Cyrillic hold, with some to spare."""
_SECONDS: Final = 15.0


class TextRefusedError(Exception):
    """A definite no: the number is none, or the account may not send to it."""


class TextDelayedError(Exception):
    """It did not go out, and may be tried again."""


class TextUnknownError(Exception):
    """It may have gone out, and may not have."""


class Texter(Protocol):
    """Whoever sends an SMS."""

    async def send(self, recipient: str, text: str) -> None:
        """Send one. May raise `TextRefusedError`, `TextDelayedError` and `TextUnknownError`."""


class Twilio:
    """Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource): one POST, no idempotency key."""

    def __init__(self, *, account: str, token: str, sender: str, base: str) -> None:
        """Take the account, its token, the number that sends, and the address of the API."""
        self._headers = {"Authorization": aiohttp.encode_basic_auth(account, token)}
        self._sender = sender
        self._url = f"{base}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"

    async def send(self, recipient: str, text: str) -> None:
        """Send one.

        Raises:
            TextRefusedError: Twilio refuses the number.
            TextDelayedError: it was not reached, or is busy.
            TextUnknownError: it did not answer, or is out of order.
        """
        fields = {"To": recipient, "From": self._sender, "Body": text}
        limit = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.post(self._url, data=fields, headers=self._headers) as answer,
            ):
                status = answer.status
        except aiohttp.ClientConnectorError as error:
            raise TextDelayedError("not reached") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("sms.no_answer", error=type(error).__name__)
            raise TextUnknownError(type(error).__name__) from error
        if status in (429, 503):
            raise TextDelayedError(str(status))
        if 400 <= status < 500:  # noqa: PLR2004 - HTTP's refusals
            raise TextRefusedError(str(status))
        if status >= 500:  # noqa: PLR2004 - HTTP's faults of the server
            raise TextUnknownError(str(status))


class Outbox:
    """The demo's: what is written is kept, shown at `/outbox`, and sent to nobody."""

    async def send(self, recipient: str, text: str) -> None:
        """Send nothing: the row is all that there is to see."""
        del recipient, text


class _Nobody:
    """Whoever sends an SMS where the setting was taken away after it was written."""

    async def send(self, recipient: str, text: str) -> None:
        """Send nothing.

        Raises:
            TextRefusedError: always.
        """
        del recipient, text
        raise TextRefusedError("SMS_URL is not set")


def texter_of(settings: Settings) -> Texter | None:
    """The one that SMS_URL names, in the demo the outbox; None where nobody sends any."""
    if settings.sms_url is None:
        return Outbox() if settings.is_demo else None
    parts = urlsplit(settings.sms_url.get_secret_value())
    # Over http it is a server on the same machine, as tests have one.
    scheme = "http" if parts.scheme.endswith("+http") else "https"
    return Twilio(
        account=unquote(parts.username or ""),
        token=unquote(parts.password or ""),
        sender=parts.path.removeprefix("/"),
        base=f"{scheme}://{parts.netloc.rpartition('@')[2]}",
    )


def dialled(phone: str) -> str:
    """A telephone number as networks take it (E.164); empty for one without its country: nobody guesses who that is."""
    phone = phone.strip()
    digits = "".join(character for character in phone if character in "0123456789")
    if not phone.startswith("+"):
        if not digits.startswith("00"):
            return ""
        digits = digits[2:]
    return f"+{digits}" if _SHORTEST <= len(digits) <= _LONGEST_NUMBER else ""


_SHORTEST: Final = 8
_LONGEST_NUMBER: Final = 15


async def enqueue_sms(
    db: AsyncConnection, *, recipient: str, locale: str, text: str, subject_id: UUID | None = None
) -> None:
    """Write an SMS with the job that sends it; nothing where the number is no international one."""
    number = dialled(recipient)
    if not number:
        return
    row = {
        "id": new_id(),
        "recipient": number,
        "locale": locale,
        "text": text[:LONGEST],
        "subject_id": subject_id,
        "status": SmsStatus.QUEUED,
        "attempts": 0,
        "error": "",
        "created_at": clock.now(),
    }
    await insert_rows(db, (Sms, [row]))
    await defer(db, "notifications.send_sms", sms_id=str(row["id"]))


# Whoever takes it is the only one: a worker that dies with it may have sent it, so that nobody sends it again.
_CLAIM: Final = """
    UPDATE sms SET status = 'sending', attempts = attempts + 1 WHERE id = :id AND status = 'queued'
    RETURNING recipient, text
"""
_RECORD: Final = "UPDATE sms SET status = :status, error = :error, sent_at = :at WHERE id = :id AND status = 'sending'"


async def send(context: JobContext, sms_id: UUID) -> None:
    """Send an SMS, once.

    Raises:
        TextDelayedError: it did not go out; the job comes again.
    """
    texter = texter_of(context.service(Settings))
    async with context.begin() as db:
        claimed = await run(db, _CLAIM, id=sms_id)
    if not claimed:
        return
    status, error, delayed = SmsStatus.SENT, "", None
    try:
        await (texter or _Nobody()).send(claimed[0].recipient, claimed[0].text)
    except TextRefusedError as refused:
        status, error = SmsStatus.FAILED, str(refused)
    except TextUnknownError as silence:
        status, error = SmsStatus.UNKNOWN, str(silence)
    except TextDelayedError as away:
        status, error, delayed = SmsStatus.QUEUED, str(away), away
    async with context.begin() as db:
        at = clock.now() if status is SmsStatus.SENT else None
        await run(db, _RECORD, id=sms_id, status=status.value, error=error, at=at)
    if delayed is not None:
        raise delayed
