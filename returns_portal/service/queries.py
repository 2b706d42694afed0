"""Loaders of questions. Each takes the actor; what is not theirs does not exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import is_email
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.service.models import Kind, Source, State, Topic
from returns_portal.shop.hours import Schedule

Shown = Literal["waiting", "mine", "answered", "closed"]
SHOWN: Final[tuple[Shown, ...]] = ("waiting", "mine", "answered", "closed")
"""Which questions the staff can list."""


class File(msgspec.Struct, frozen=True):
    """A file that came with an e-mail; `refused` is why it was not kept, or empty."""

    id: UUID
    name: str
    media_type: str
    refused: str


class Message(msgspec.Struct, frozen=True):
    """A message; `author` is the first name of who answered, empty for the customer."""

    id: UUID
    kind: Kind
    body: str
    quoted: str
    author: str
    staff_id: UUID | None
    at: datetime
    sender: str
    """The address that an e-mail came from, where it is another than the thread's; empty otherwise."""
    files: list[File]
    link: str
    """Where what a note tells of stands; empty where it tells of nothing."""


class QuestionView(msgspec.Struct, frozen=True):
    """A question as the faces show it."""

    id: UUID
    number: str
    subject: str
    source: Source
    email: str
    name: str
    locale: str
    order_id: UUID | None
    order_number: str
    """Empty where it is about no order."""
    rma: str
    """Empty where it is about no return."""
    product: str
    state: State
    opened_at: datetime
    asked_at: datetime | None
    due_at: datetime | None
    promised_until: datetime | None
    first_reply_at: datetime | None
    closed_at: datetime | None
    changed_at: datetime
    assigned_to: UUID | None
    assignee: str
    seen_at: datetime | None
    schedule: Schedule
    goal_minutes: int
    topic: Topic | None
    helped: bool | None
    """Whether the customer was helped, as they say; None until they do."""
    comment: str
    """What they said beside it."""

    @property
    def is_forgotten(self) -> bool:
        """Whether its person was forgotten, so that no address is left to which an answer could go."""
        return not is_email(self.email)

    def refuse_forgotten(self) -> None:
        """Nothing is taken for sent that reaches nobody, and nobody waits whom no answer could reach.

        Raises:
            ConflictError: its person was forgotten (`forgotten`).
        """
        if self.is_forgotten:
            sentence = mark(
                "Whoever asked this was forgotten, as they wished: no address is left to which anything could be sent."
            )
            raise ConflictError(sentence, code="forgotten")

    @property
    def is_unread(self) -> bool:
        """Whether nobody of the staff has seen what the customer wrote last."""
        return self.asked_at is not None and self.seen_at is None


_VIEW: Final = """
    SELECT q.id, q.number, q.subject, q.source, q.email, q.name, q.locale, q.order_id,
           coalesce(o.number, '') AS order_number, coalesce(r.rma, '') AS rma, q.product, q.state, q.opened_at,
           q.asked_at, q.due_at, q.promised_until, q.first_reply_at, q.closed_at, q.changed_at, q.assigned_to,
           coalesce(s.name, '') AS assignee, q.seen_at, q.schedule, q.goal_minutes, q.topic,
           t.helped, coalesce(t.comment, '') AS comment
    FROM question q LEFT JOIN orders o ON o.id = q.order_id LEFT JOIN returns r ON r.id = q.return_id
    LEFT JOIN staff s ON s.id = q.assigned_to LEFT JOIN question_rating t ON t.question_id = q.id
"""


def _views(rows: Sequence[Any]) -> list[QuestionView]:
    return [msgspec.convert(row._asdict(), QuestionView) for row in rows]


async def question_for(db: AsyncConnection, actor: Actor, question_id: UUID, *, lock: bool = False) -> QuestionView:
    """One question; with `lock` nobody else writes to it until the transaction ends.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    if lock:
        await run(db, "SELECT id FROM question WHERE id = :id FOR UPDATE", id=question_id)
    rows = await run(db, f"{_VIEW} WHERE q.id = :id", id=question_id)
    if not rows or not actor.sees_question(question_id, rows[0].order_id):
        raise NotFoundError(mark("There is no such question."), code="question_not_found")
    return _views(rows)[0]


_MESSAGES: Final = """
    SELECT m.id, m.kind, m.body, m.quoted, coalesce(split_part(s.name, ' ', 1), '') AS author, m.staff_id, m.at, m.link,
           coalesce((SELECT i.sender FROM inbound_mail i
                     WHERE i.message_id = m.id AND lower(i.sender) <> q.email_key LIMIT 1), '') AS sender,
           (SELECT coalesce(json_agg(json_build_object('id', f.id, 'name', f.name, 'media_type', f.media_type,
                'refused', f.refused) ORDER BY f.id), '[]')
            FROM question_attachment f WHERE f.message_id = m.id) AS files
    FROM question_message m JOIN question q ON q.id = m.question_id LEFT JOIN staff s ON s.id = m.staff_id
    WHERE m.question_id = :id ORDER BY m.id
"""


async def messages_of(db: AsyncConnection, actor: Actor, question_id: UUID) -> list[Message]:
    """The messages of a question that the caller has shown to be the actor's.

    Notes, and what machines sent, are for the staff alone.
    """
    rows = await run(db, _MESSAGES, id=question_id)
    found = [msgspec.convert(row._asdict(), Message) for row in rows]
    return [message for message in found if actor.kind != "customer" or message.kind not in UNSAID]


UNSAID: Final = (Kind.NOTE, Kind.MACHINE)
"""What is not said between the customer and us."""
_FILE: Final = """
    SELECT f.name, f.media_type, f.data FROM question_attachment f JOIN question_message m ON m.id = f.message_id
    WHERE f.id = :id AND m.question_id = :question_id AND f.data IS NOT NULL
"""


async def file_for(db: AsyncConnection, actor: Actor, question_id: UUID, file_id: UUID) -> tuple[str, str, bytes]:
    """A file of a question: its name, its type, itself.

    Raises:
        NotFoundError: there is none, or it is of another's question.
    """
    await question_for(db, actor, question_id)
    rows = await run(db, _FILE, id=file_id, question_id=question_id)
    if not rows:
        raise NotFoundError(mark("There is no such file."), code="file_not_found")
    return rows[0].name, rows[0].media_type, bytes(rows[0].data)


_OF_ORDER: Final = f"{_VIEW} WHERE q.order_id = :order_id ORDER BY q.id DESC LIMIT 50"


async def questions_of_order(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[QuestionView]:
    """The questions about an order that the actor may see, the newest first."""
    return _views(await run(db, _OF_ORDER, order_id=order_id)) if actor.sees_order(order_id) else []


# Whoever stood last may be answered meanwhile, and waits no more: from when they asked first on, nobody is left out.
_AFTER: Final = "(q.asked_at, q.id) > (SELECT coalesce(asked_at, opened_at), id FROM question WHERE id = :after)"
# Those who wait, the longest first, and behind them those who have their answer.
_MINE: Final = "(q.state <> 'waiting'), coalesce(q.asked_at, q.opened_at), q.id"
_AFTER_MINE: Final = f"({_MINE}) > (SELECT {_MINE} FROM question q WHERE q.id = :after)"  # noqa: S608 - our own text
_LISTS: Final[dict[Shown, tuple[str, str, str]]] = {
    "waiting": ("q.state = 'waiting'", _AFTER, "q.asked_at, q.id"),
    "mine": ("q.state <> 'closed' AND q.assigned_to = :me", _AFTER_MINE, _MINE),
    "answered": ("q.state = 'answered'", "q.id < :after", "q.id DESC"),
    "closed": ("q.state = 'closed'", "q.id < :after", "q.id DESC"),
}


async def list_questions(
    db: AsyncConnection, actor: Actor, shown: Shown, *, after: UUID | None, limit: int
) -> list[QuestionView]:
    """Questions for the staff: those who wait, the longest first, also among one's own; all others, the newest first.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    which, beyond, order = _LISTS[shown]
    values: dict[str, Any] = {"limit": limit}
    if shown == "mine":
        values["me"] = UUID(actor.id)
    if after:
        which, values["after"] = f"{which} AND {beyond}", after
    return _views(await run(db, f"{_VIEW} WHERE {which} ORDER BY {order} LIMIT :limit", **values))


class Waiting(msgspec.Struct, frozen=True):
    """How many wait for an answer, and since when the first of them does."""

    count: int
    oldest: datetime | None


async def waiting_now(db: AsyncConnection) -> Waiting:
    """What is to be said beside every figure of those who were answered."""
    [row] = await run(db, "SELECT count(*) AS count, min(asked_at) AS oldest FROM question WHERE state = 'waiting'")
    return Waiting(row.count, row.oldest)


async def colleagues(db: AsyncConnection) -> list[tuple[UUID, str]]:
    """Who answers questions, by name."""
    rows = await run(
        db,
        "SELECT id, name FROM staff WHERE disabled_at IS NULL AND roles && CAST('{support,admin}' AS varchar[])"
        " ORDER BY name, id",
    )
    return [(row.id, row.name) for row in rows]
