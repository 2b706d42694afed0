"""What is written to those who ask: that it came, the answer, and that it takes longer."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import dates
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.db import run
from returns_portal.i18n import speaking
from returns_portal.notifications.actions import enqueue
from returns_portal.notifications.rendering import Rendered, render_email
from returns_portal.service.pace import in_words, pace
from returns_portal.service.queries import QuestionView
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

_QUOTED: Final = 1000
"""Characters of their own words that an acknowledgement repeats."""


async def received(db: AsyncConnection, question: QuestionView, body: str, known_as: str = "") -> None:
    """Acknowledge a question at once: when somebody is there, and how soon others were answered.

    An e-mail is acknowledged by the Message-ID that it is `known_as`. Without a `body`, nothing of it is repeated.
    """
    standing = question.schedule.standing(clock.now())
    later = standing.changes if not standing.open else None
    measured = await pace(db)
    with speaking(question.locale):
        values: dict[str, object] = {
            "quoted": body[:_QUOTED] + ("…" if len(body) > _QUOTED else ""),
            "opens_at": moment_in_words(later, question.schedule.zone) if later else "",
            "usual": in_words(measured),
        }
    if known_as:
        values["references"] = [known_as]
    await _send(db, question, "question_received", question.id, values)


async def answered(db: AsyncConnection, question: QuestionView, message_id: UUID, body: str) -> None:
    """Send an answer."""
    await _send(db, question, "question_answered", message_id, _answer(question, body))


def as_sent(question: QuestionView, body: str, shop: ShopInfo, settings: Settings) -> Rendered:
    """An answer as its reader will get it, by the way by which it is made when it is sent."""
    values = _about(question) | _answer(question, body)
    return render_email("question_answered", question.locale, values, shop, settings, recipient=question.email)


async def delayed(db: AsyncConnection, question: QuestionView, message_id: UUID, until: datetime, words: str) -> None:
    """Tell that the answer takes longer, and until when."""
    with speaking(question.locale):
        values: dict[str, object] = {"until": moment_in_words(until, question.schedule.zone), "words": words}
    await _send(db, question, "question_delayed", message_id, values)


async def _send(
    db: AsyncConnection,
    question: QuestionView,
    template: Literal["question_received", "question_answered", "question_delayed"],
    change: UUID,
    values: dict[str, object],
) -> None:
    references = {"references": await _said_before(db, question.id)}
    await enqueue(
        db,
        template=template,
        recipient=question.email,
        locale=question.locale,
        subject_id=question.id,
        change=str(change),
        values=_about(question) | references | values,
    )


def _answer(question: QuestionView, body: str) -> dict[str, object]:
    """What an answer's e-mail says, with the page on which its reader says whether it helped."""
    return {"answer": body, "rating": f"/questions/{question.id}"}


def _about(question: QuestionView) -> dict[str, object]:
    return {"number": question.number, "topic": question.subject, "url": f"/questions/{question.id}"}


_BEFORE: Final = """
    SELECT known_as FROM (
        SELECT CAST(e.id AS text) AS known_as, e.created_at AS at FROM email e WHERE e.subject_id = :id
        UNION ALL SELECT m.known_as, m.read_at FROM inbound_mail m WHERE m.question_id = :id AND m.known_as <> ''
    ) AS said ORDER BY at DESC LIMIT 10
"""


async def _said_before(db: AsyncConnection, question_id: UUID) -> list[str]:
    """What was written in the thread, by which mail programs put it together; the oldest first."""
    return [row.known_as for row in reversed(await run(db, _BEFORE, id=question_id))]


def moment_in_words(moment: datetime, zone: str) -> str:
    """A day and a time of the shop's zone, which is named: its reader may live in another."""
    here = moment.astimezone(ZoneInfo(zone))
    language = i18n.formatting_locale(i18n.current())
    time = dates.format_time(here, "HH:mm zzzz", tzinfo=here.tzinfo, locale=language)
    return f"{formats.format_date(here.date(), 'day')}, {time}"
