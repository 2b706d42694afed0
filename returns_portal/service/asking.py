"""What those do who ask: a new question, and more of one that there is."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id, new_question_number
from returns_portal.service import letters
from returns_portal.service.mail import MAX_TEXT
from returns_portal.service.models import Kind, Question, QuestionMessage, Source, State
from returns_portal.service.queries import QuestionView, question_for
from returns_portal.service.rules import MAX_BODY, MAX_NAME, check_body, due, subject_of
from returns_portal.shop.queries import ShopInfo
from returns_portal.texts import one_line


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it came. What it is about was loaded for whoever asks, or fits the address that it came from."""

    body: str
    email: str
    locale: str
    name: str = ""
    subject: str = ""
    """How the thread is called; empty for how the question begins."""
    source: Source = Source.FORM
    order_id: UUID | None = None
    return_id: UUID | None = None
    product: str = ""
    quoted: str = ""
    """What an e-mail repeats of others."""
    known_as: str = ""
    """The Message-ID of an e-mail, which is answered by the acknowledgement."""


async def ask(db: AsyncConnection, actor: Actor, shop: ShopInfo, asked: Asked) -> UUID:
    """Begin a thread, and tell who asks that it came and when an answer may; its id. As `begin_thread`."""
    question_id, _message_id = await begin_thread(db, actor, shop, asked)
    return question_id


async def begin_thread(db: AsyncConnection, actor: Actor, shop: ShopInfo, asked: Asked) -> tuple[UUID, UUID]:
    """Begin a thread, and tell who asks that it came and when an answer may; its id, and that of its message.

    The times of service of this day are kept with it: it is measured by them, whatever is changed later.

    Raises:
        InvalidError: it says nothing, or its address is none.
    """
    body = check_body(asked.body, most=MAX_TEXT if asked.source is Source.EMAIL else MAX_BODY)
    email = asked.email.strip()
    if not is_email(email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    question_id, now = new_id(), clock.now()
    schedule = shop.hours.schedule("written", shop.timezone).frozen()
    head = {
        "id": question_id,
        "number": new_question_number(),
        "subject": subject_of(asked.subject or body),
        "source": asked.source,
        "email": email,
        "email_key": email_key(email),
        "name": one_line(asked.name, "name", MAX_NAME, required=False),
        "locale": asked.locale,
        "order_id": asked.order_id,
        "return_id": asked.return_id,
        "product": asked.product,
        "state": State.WAITING,
        "opened_at": now,
        "asked_at": now,
        "due_at": due(schedule, now, shop.hours.goal_minutes),
        "changed_at": now,
        "schedule": schedule,
        "goal_minutes": shop.hours.goal_minutes,
    }
    event = history.rows(actor, ("question", question_id, "asked", {"source": asked.source.value}))
    row = message(question_id, Kind.CUSTOMER, body, quoted=asked.quoted)
    await insert_rows(db, (Question, [head]), (QuestionMessage, [row]), event)
    begun = await question_for(db, actor_of(actor, question_id), question_id)
    await letters.received(db, begun, body if await _is_theirs(db, actor, asked) else "", asked.known_as)
    return question_id, row["id"]


_HAS_ORDERED: Final = "SELECT id FROM orders WHERE email_key = :key LIMIT 1"


async def _is_theirs(db: AsyncConnection, actor: Actor, asked: Asked) -> bool:
    """Whether what was asked may be repeated to the address: nothing that a stranger typed goes to one they typed.

    What an e-mail says of its sender is typed, too, so that it is repeated to those alone who have ordered here.
    """
    if asked.source is Source.EMAIL:
        return bool(await run(db, _HAS_ORDERED, key=email_key(asked.email)))
    return (actor.order_id or actor.gift_id) is not None


def actor_of(actor: Actor, question_id: UUID) -> Actor:
    """The same, for whom the question is theirs that they have just asked."""
    return msgspec.structs.replace(actor, question_id=question_id) if actor.kind == "customer" else actor


def message(
    question_id: UUID, kind: Kind, body: str, *, staff_id: UUID | None = None, quoted: str = "", link: str = ""
) -> dict[str, Any]:
    """A message's row."""
    return {
        "id": new_id(),
        "question_id": question_id,
        "kind": kind,
        "body": body,
        "quoted": quoted,
        "link": link,
        "staff_id": staff_id,
        "at": clock.now(),
    }


_WAITS: Final = """
    UPDATE question SET state = 'waiting', asked_at = coalesce(asked_at, :now), due_at = coalesce(due_at, :due_at),
        closed_at = NULL, changed_at = :now, seen_at = NULL
    WHERE id = :id
"""


async def write(db: AsyncConnection, actor: Actor, question_id: UUID, body: str) -> None:
    """Add what somebody says to their question; one that was answered or closed waits again.

    Raises:
        NotFoundError: there is no such question, or it is not the actor's.
        InvalidError: it says nothing, or too much.
        ConflictError: who asked was forgotten (`forgotten`).
    """
    await add(db, actor, question_id, check_body(body))


async def add(db: AsyncConnection, actor: Actor, question_id: UUID, text: str, quoted: str = "") -> UUID:
    """Do what `write` does with a text that was read already; the message's id."""
    before = await question_for(db, actor, question_id, lock=True)
    before.refuse_forgotten()
    message_id = await keep(db, question_id, Kind.CUSTOMER, text, quoted)
    await _wait(db, before, clock.now())
    action = "reopened" if before.state is State.CLOSED else "written"
    await history.record(db, actor, ("question", question_id, action, {}))
    return message_id


async def keep(db: AsyncConnection, question_id: UUID, kind: Kind, text: str, quoted: str) -> UUID:
    """Add a message to a thread; its id."""
    row = message(question_id, kind, text, quoted=quoted)
    await insert_rows(db, (QuestionMessage, [row]))
    message_id: UUID = row["id"]
    return message_id


async def _wait(db: AsyncConnection, question: QuestionView, now: datetime) -> None:
    await run(db, _WAITS, id=question.id, now=now, due_at=due(question.schedule, now, question.goal_minutes))
