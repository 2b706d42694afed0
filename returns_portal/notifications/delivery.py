"""Delivering what is due: claim a batch, send it outside of any transaction, record what came of it.

Delivery is at least once. A batch is claimed under a lease; whoever dies with it leaves the e-mails to the
next after the lease has run out, and what was sent twice has the same Message-ID, by which mail systems know it.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import aiosmtplib
import minijinja
import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.documents.pool import DocumentError
from returns_portal.notifications.mailer import BadAddressError, Conversation, Mailer, Outgoing, Send
from returns_portal.notifications.models import EmailStatus
from returns_portal.notifications.papers import Paper, paper_of
from returns_portal.notifications.rendering import Rendered, render_email
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web.links import reply_address

log = structlog.get_logger(__name__)

BATCH: Final = 100
LEASE: Final = timedelta(seconds=60)
SEND_SECONDS: Final = 30.0
"""How long one e-mail may take."""
_BATCH_SECONDS = 20.0
"""How long a batch goes on starting new e-mails; the last one still ends within the lease."""
_PAUSE_SECONDS = 0.005
"""Between two e-mails: refunds share this process, and come first."""
MAX_ATTEMPTS: Final = 10
SECRETS: Final = ("code",)
"""Values that are good for something by themselves; they leave the row with the e-mail."""

_PERMANENT = range(500, 600)
_PAPER_ATTEMPTS: Final = 3


class _Claimed(msgspec.Struct, frozen=True):
    id: UUID
    template: str
    recipient: str
    locale: str
    values: dict[str, object]
    attempts: int
    subject_id: UUID | None


class _Outcome(msgspec.Struct, frozen=True):
    """What came of one attempt. `permanent` says that another would end the same."""

    error: str = ""
    permanent: bool = False
    untried: bool = False


async def deliver_due(begin: Begin, mailer: Mailer) -> int:
    """Send everything that is due, batch by batch, and return how many e-mails were sent."""
    total = 0
    while True:
        async with begin() as db:
            shop = await current(db)
            letters = await _claim(db)
        if not letters:
            return total
        outcomes = await _send_all(mailer, shop, letters)
        async with begin() as db:
            # The demo's outbox shows what was written, as its reader would have got it.
            await _record(db, letters, outcomes, secrets=() if mailer.settings.is_demo else SECRETS)
        sent = sum(not outcome.error and not outcome.untried for outcome in outcomes)
        log.info("email.delivered", sent=sent, of=len(letters))
        total += sent


# The statuses are written out, because the index of what is due holds no others: asked by parameters, the database
# could not know that the index suffices, and would read every e-mail that was ever sent.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM email WHERE status IN ('queued', 'sending') AND next_try_at <= :now
        ORDER BY next_try_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE email e SET status = 'sending', next_try_at = :until, attempts = e.attempts + 1
    FROM due WHERE e.id = due.id
    RETURNING e.id, e.template, e.recipient, e.locale, e.values, e.attempts, e.subject_id
"""


async def _claim(db: AsyncConnection) -> list[_Claimed]:
    """Take what is due, and what another process took and did not finish within the lease."""
    moment = clock.now()
    rows = await run(db, _CLAIM, now=moment, until=moment + LEASE, most=BATCH)
    return [_Claimed(*row) for row in rows]


async def _send_all(mailer: Mailer, shop: ShopInfo, letters: list[_Claimed]) -> list[_Outcome]:
    """Try each letter in turn, over one connection; exactly one outcome for each."""
    started = time.monotonic()
    outcomes: list[_Outcome] = []
    try:
        async with mailer.session() as send:
            for letter in letters:
                late = time.monotonic() - started > _BATCH_SECONDS
                outcomes.append(_Outcome(untried=True) if late else await _send(mailer, send, shop, letter))
                await asyncio.sleep(_PAUSE_SECONDS)
    except (aiosmtplib.SMTPException, OSError) as error:
        # The server is away, or does not want us: nobody's letter in particular is at fault.
        log.warning("email.server_unavailable", reason=_reason(error))
        outcomes += [_Outcome(error=_reason(error))] * (len(letters) - len(outcomes))
    return outcomes


async def _send(mailer: Mailer, send: Send, shop: ShopInfo, letter: _Claimed) -> _Outcome:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            render = partial(_rendered, letter, shop, mailer.settings)
            paper, thread = _paper(letter, shop, mailer.settings), _conversation(letter, mailer.settings)
            await send(Outgoing(letter.id, letter.recipient, render, shop, paper, thread))
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [refused.code for refused in error.recipients]
        return _Outcome(error=_reason(error), permanent=all(code in _PERMANENT for code in codes))
    except aiosmtplib.SMTPDataError as error:
        return _Outcome(error=_reason(error), permanent=error.code in _PERMANENT)
    except BadAddressError as error:
        return _Outcome(error=_reason(error), permanent=True)
    except (minijinja.TemplateError, DocumentError, ValueError, aiosmtplib.SMTPException, OSError) as error:
        return _Outcome(error=_reason(error))
    return _Outcome()


def _paper(letter: _Claimed, shop: ShopInfo, settings: Settings) -> Paper | None:
    """What goes along. A letter that waited for its paper in vain goes without: it says the same (Art. 11a(4))."""
    if letter.attempts > _PAPER_ATTEMPTS:
        return None
    return paper_of(letter.template, letter.locale, letter.values, shop, settings)


_BY_HAND: Final = frozenset({"question_answered", "question_delayed"})
"""What a person wrote."""


def _conversation(letter: _Claimed, settings: Settings) -> Conversation | None:
    """The thread in which a letter stands; None for what stands in none."""
    references = letter.values.get("references")
    if not isinstance(references, list) or letter.subject_id is None:
        return None
    return Conversation(reply_address(settings, letter.subject_id), references, letter.template in _BY_HAND)


def _rendered(letter: _Claimed, shop: ShopInfo, settings: Settings) -> Rendered:
    return render_email(letter.template, letter.locale, letter.values, shop, settings, recipient=letter.recipient)


def _reason(error: BaseException) -> str:
    """Name an error without what servers quote in their messages, which is people's addresses."""
    codes: list[int] = []
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
    elif isinstance(error, aiosmtplib.SMTPResponseException):
        codes = [error.code]
    return " ".join([type(error).__name__, *map(str, codes)])


def _next_try(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5, 15, 45 seconds … 9 hours.

    A code that is good for ten minutes gets four chances, and everything else outlives a night without a mail
    server.
    """
    # Not a secret: the spread only keeps retries from arriving together.
    return timedelta(seconds=5 * 3 ** (attempts - 1) * random.uniform(0.9, 1.1))  # noqa: S311


# Whoever took a letter over after our lease has raised its number; what we know is then old news. What is good for
# something by itself leaves the row when the e-mail has gone, or will never go.
_RECORD = """
    UPDATE email e SET status = n.status, attempts = n.attempts, error = n.error, next_try_at = n.next_try_at,
        sent_at = n.sent_at,
        values = CASE WHEN n.status IN ('sent', 'failed') THEN e.values - CAST(:secrets AS text[]) ELSE e.values END
    FROM json_populate_recordset(NULL::email, CAST(:rows AS json)) AS n
    JOIN json_to_recordset(CAST(:rows AS json)) AS c(id uuid, claim integer) ON c.id = n.id
    WHERE e.id = n.id AND e.status = 'sending' AND e.attempts = c.claim
"""


async def _record(
    db: AsyncConnection, letters: list[_Claimed], outcomes: list[_Outcome], *, secrets: Sequence[str]
) -> None:
    """Write what came of a batch, in one statement."""
    moment = clock.now()
    rows = [_row(letter, outcome, moment) for letter, outcome in zip(letters, outcomes, strict=True)]
    await run(db, _RECORD, rows=msgspec.json.encode(rows).decode(), secrets=list(secrets))


def _row(letter: _Claimed, outcome: _Outcome, moment: datetime) -> dict[str, object]:
    status, next_try_at, attempts = EmailStatus.SENT, moment, letter.attempts
    if outcome.untried:
        status, attempts = EmailStatus.QUEUED, letter.attempts - 1
    elif outcome.error:
        gives_up = outcome.permanent or letter.attempts >= MAX_ATTEMPTS
        status = EmailStatus.FAILED if gives_up else EmailStatus.QUEUED
        next_try_at = moment + _next_try(letter.attempts)
        log.warning(
            "email.gave_up" if gives_up else "email.not_sent",
            id=str(letter.id),
            template=letter.template,
            attempt=letter.attempts,
            reason=outcome.error,
        )
    return {
        "id": letter.id,
        "claim": letter.attempts,
        "status": status,
        "attempts": attempts,
        "error": outcome.error,
        "next_try_at": next_try_at,
        "sent_at": moment if status is EmailStatus.SENT else None,
    }
