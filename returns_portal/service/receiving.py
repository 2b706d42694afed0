"""Taking e-mails into threads: each once, whatever crashes when; those of machines without an acknowledgement.

An e-mail belongs to the thread whose signed address it was sent to; else to that of the message which it answers, where
its sender is the thread's. Any other begins one.
"""

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from email.utils import parseaddr
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history, i18n
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.service import asking
from returns_portal.service.asking import Asked
from returns_portal.service.files import Kept, kept
from returns_portal.service.mail import UNREADABLE, Incoming, read
from returns_portal.service.mailbox import Mailbox, MailboxError, Raw, opened
from returns_portal.service.models import Fate, Kind, Source
from returns_portal.service.tongues import language_of
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web.links import thread_of

log = structlog.get_logger(__name__)

MOST_AN_HOUR: Final = 20
"""E-mails of one address that begin or continue threads like any; beyond that they are kept without an answer."""
NOTHING: Final = "–"
"""What stands where an e-mail says nothing, and has but files."""


async def receive(begin: Begin, settings: Settings) -> int:
    """Read what lies unseen in the mailbox; how many e-mails were taken.

    Raises:
        Exception: the first that befell an e-mail, once all others were taken.
    """
    taken, failures = 0, list[Exception]()
    try:
        async with opened(settings) as mailbox:
            for uid in await mailbox.unseen():
                try:
                    taken += await _receive_one(begin, settings, mailbox, uid)
                except (DomainError, SQLAlchemyError, ValueError, RecursionError) as error:
                    # One that cannot be taken holds no other up. It stays unseen, and the job fails until it is.
                    failures.append(error)
    except MailboxError as error:
        # The next look follows within half a minute; what was taken until now is marked.
        log.warning("mailbox.unavailable", reason=str(error))
    if failures:
        raise failures[0]
    return taken


async def _receive_one(begin: Begin, settings: Settings, mailbox: Mailbox, uid: int) -> int:
    raw = await mailbox.fetch(uid)
    if raw is None:
        return 0
    incoming = await asyncio.to_thread(read, raw.data)
    files = await kept(incoming.attachments)
    async with begin() as db:
        fate = await take(db, settings, raw, incoming, files)
    # Only now: whoever dies before finds it unseen again, and its row says that it was taken.
    await mailbox.mark_seen(uid)
    # A person may have written it: whoever runs the portal is told where it lies.
    tell = log.warning if incoming.machine == UNREADABLE else log.info
    tell("mail.read", uid=uid, fate=fate.value if fate else "repeated", why=incoming.machine)
    return 1 if fate else 0


_CLAIM: Final = """
    INSERT INTO inbound_mail (id, uidvalidity, uid, digest, repeated, known_as, sender, fate, why, read_at)
    VALUES (:id, :uidvalidity, :uid, :digest, :repeated, :known_as, :sender, 'ignored', '', :now)
    ON CONFLICT DO NOTHING RETURNING id
"""
_TOLD: Final = """
    UPDATE inbound_mail SET fate = :fate, why = :why, question_id = :question_id, message_id = :message_id
    WHERE id = :id
"""


async def take(db: AsyncConnection, settings: Settings, raw: Raw, incoming: Incoming, files: list[Kept]) -> Fate | None:
    """Take one e-mail; what became of it, None where it was taken before.

    A twin that takes it at the same time waits at the unique index until this transaction ends.
    """
    known = {"uidvalidity": raw.uidvalidity, "uid": raw.uid, "digest": incoming.digest, "sender": incoming.sender}
    mail_id = new_id()
    for repeated in (False, True):
        row = {**known, "id": mail_id, "known_as": incoming.known_as, "repeated": repeated, "now": clock.now()}
        if await run(db, _CLAIM, **row):
            break
    else:
        return None
    if repeated:
        return None
    shop = await current(db)
    why = incoming.machine or await _own(db, settings, shop, incoming)
    question_id = await _thread(db, settings, incoming, anybody=bool(why))
    if not why and not is_email(incoming.sender):
        why = "no sender"
    if not why and await _floods(db, incoming.sender):
        why, question_id = "flood", question_id or await _last_of(db, incoming.sender)
    fate, question_id, message_id = await _deal(db, shop, incoming, question_id, why)
    await run(db, _TOLD, id=mail_id, fate=fate.value, why=why, question_id=question_id, message_id=message_id)
    if message_id is not None:
        await _keep(db, message_id, files)
    return fate


async def _deal(
    db: AsyncConnection, shop: ShopInfo, incoming: Incoming, question_id: UUID | None, why: str
) -> tuple[Fate, UUID | None, UUID | None]:
    """Put it where it belongs: what became of it, in which thread, as which message."""
    text = incoming.text or NOTHING
    if why:
        if question_id is None:
            return Fate.IGNORED, None, None
        row = await asking.keep(db, question_id, Kind.MACHINE, text, incoming.quoted)
        await history.record(db, SYSTEM, ("question", question_id, "machine_wrote", {"why": why}))
        return Fate.NOTED, question_id, row
    if question_id is not None:
        return Fate.WRITTEN, question_id, await asking.add(db, SYSTEM, question_id, text, incoming.quoted)
    question_id, message_id = await asking.begin_thread(db, SYSTEM, shop, await _asked(db, incoming, text))
    return Fate.ASKED, question_id, message_id


async def _asked(db: AsyncConnection, incoming: Incoming, text: str) -> Asked:
    """What an e-mail asks that begins a thread, tied to what it names of its own address."""
    orders = await run(db, _ORDERS, key=email_key(incoming.sender))
    said = f"{incoming.subject}\n{text}"
    named = [order for order in orders if re.search(rf"(?<!\w){re.escape(order.number)}(?!\w)", said)]
    returned = await _return_in(db, said, {row.id for row in orders})
    named = [order for order in orders if returned and order.id == returned.order_id] or named
    order = named[0] if named else (orders[0] if len(orders) == 1 else None)
    # Whoever has ordered reads in the language of what they ordered last, also where nothing says which order it is.
    latest = order or (orders[0] if orders else None)
    return Asked(
        body=text,
        quoted=incoming.quoted,
        known_as=incoming.known_as,
        email=incoming.sender,
        name=incoming.name,
        subject=incoming.subject,
        locale=latest.locale if latest else _language(incoming, said),
        source=Source.EMAIL,
        order_id=order.id if order else None,
        return_id=returned.id if returned else None,
    )


def _language(incoming: Incoming, said: str) -> str:
    """A stranger's language: what their mail program asks for, or, as most do not, that of what they write."""
    return i18n.preferred(incoming.languages) if incoming.languages else i18n.supported(language_of(said))


_ORDERS: Final = """
    SELECT id, number, locale FROM orders WHERE email_key = :key ORDER BY placed_at DESC, id DESC LIMIT 50
"""


async def _return_in(db: AsyncConnection, said: str, orders: set[UUID]) -> ReturnView | None:
    """The return of one of these orders whose number stands in a text."""
    for found in re.findall(r"\bR-[0-9A-Z]{4}-[0-9A-Z]{4}\b", said.upper())[:5]:
        with suppress(NotFoundError):
            view = await return_for(db, SYSTEM, found)
            if view.order_id in orders and view.gift_id is None:
                return view
    return None


async def _own(db: AsyncConnection, settings: Settings, shop: ShopInfo, incoming: Incoming) -> str:
    """`loop` for what we sent ourselves, and for what comes from an address of ours; else nothing."""
    own = {shop.email.lower(), (settings.imap_address or "").lower(), parseaddr(settings.mail_from or "")[1].lower()}
    if incoming.sender.lower() in own or thread_of(settings, incoming.sender):
        return "loop"
    sent = _sent_id(incoming.known_as)
    return "loop" if sent and await run(db, "SELECT id FROM email WHERE id = :id", id=sent) else ""


def _sent_id(known_as: str) -> UUID | None:
    """The id of an e-mail that we may have sent, as it stands in a Message-ID."""
    with suppress(ValueError):
        return UUID(known_as.strip("<>").partition("@")[0])
    return None


async def _thread(db: AsyncConnection, settings: Settings, incoming: Incoming, *, anybody: bool) -> UUID | None:
    """The thread that it belongs to; None where to none. What a machine sends may come from `anybody`."""
    for address in incoming.recipients:
        question_id = thread_of(settings, address)
        if question_id and await run(db, _KNOWN, id=question_id):
            return question_id
    sent = [one for one in map(_sent_id, incoming.references) if one]
    key = email_key(incoming.sender)
    rows = await run(db, _ANSWERED, sent=sent, known=incoming.references, key=key, anybody=anybody)
    found: UUID | None = rows[0].id if rows else None
    return found


# Who was forgotten has no thread left that could be answered: what they send now begins another.
_KNOWN: Final = "SELECT id FROM question WHERE id = :id AND position('@' IN email) > 0"
# What is not signed is believed of the address that the thread is with, and of nobody else.
_ANSWERED: Final = """
    SELECT q.id FROM question q WHERE (q.email_key = :key OR :anybody) AND q.id IN (
        SELECT e.subject_id FROM email e WHERE e.id = ANY(CAST(:sent AS uuid[]))
        UNION SELECT m.question_id FROM inbound_mail m WHERE m.known_as = ANY(CAST(:known AS text[])))
    ORDER BY q.id DESC LIMIT 1
"""
_COUNT: Final = """
    SELECT count(*) AS count FROM inbound_mail WHERE lower(sender) = :key AND read_at > :since
"""


async def _floods(db: AsyncConnection, sender: str) -> bool:
    since = clock.minutes_ago(60)
    [row] = await run(db, _COUNT, key=sender.lower(), since=since)
    return int(row.count) > MOST_AN_HOUR


async def _last_of(db: AsyncConnection, sender: str) -> UUID | None:
    rows = await run(
        db, "SELECT id FROM question WHERE email_key = :key ORDER BY id DESC LIMIT 1", key=email_key(sender)
    )
    found: UUID | None = rows[0].id if rows else None
    return found


_FILE: Final = """
    INSERT INTO question_attachment (id, message_id, name, media_type, refused, data)
    VALUES (:id, :message_id, :name, :media_type, :refused, :data)
"""


async def _keep(db: AsyncConnection, message_id: UUID, files: list[Kept]) -> None:
    for file in files:
        values = {"name": file.name, "media_type": file.media_type, "refused": file.refused, "data": file.data}
        await run(db, _FILE, id=new_id(), message_id=message_id, **values)


KEPT_FOR: Final = timedelta(days=90)
_FORGET: Final = """
    UPDATE inbound_mail SET sender = '', known_as = ''
    WHERE question_id IS NULL AND read_at < :before AND (sender <> '' OR known_as <> '')
"""


async def forget_senders(db: AsyncConnection) -> None:
    """Forget who sent what belongs to no thread; by its digest it is still known as taken."""
    await run(db, _FORGET, before=clock.now() - KEPT_FOR)
