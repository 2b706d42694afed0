"""Prepared solutions: what to check, what to offer, and the letter in four steps, by what a question is about."""

from collections.abc import Mapping
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history, i18n
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark, speaking, translate
from returns_portal.service import variables
from returns_portal.service.models import Topic
from returns_portal.service.playbook_defaults import AGAIN, DELIVERED, GENERAL, HEARD

MAX_STEP: Final = 1000
MAX_ADVICE: Final = 1000


class Letter(msgspec.Struct, frozen=True):
    """The four steps of an answer to a complaint: sorry, what was understood, what is done about it, sorry again."""

    sorry: str = ""
    heard: str = ""
    solution: str = ""
    again: str = ""

    @property
    def text(self) -> str:
        """The whole of it, as it is sent."""
        return "\n\n".join(step for step in (self.sorry, self.heard, self.solution, self.again) if step)


STEPS: Final = Letter.__struct_fields__


class PlaybookView(msgspec.Struct, frozen=True):
    """A prepared solution; version 0 is the one that comes with the portal."""

    topic: Topic
    version: int
    checks: str
    offers: str
    letters: dict[str, Letter]

    def letter(self, locale: str) -> Letter:
        """The letter in the reader's language, or in English."""
        return self.letters.get(i18n.supported(locale)) or self.letters[i18n.DEFAULT]


def delivered(topic: Topic) -> PlaybookView:
    """The one that comes with the portal: letters in every language, advice in that of whoever reads it."""
    found = DELIVERED.get(topic, GENERAL)
    letters = {}
    for language in i18n.available():
        with speaking(language):
            steps = (found.sorry, HEARD, found.solution, AGAIN)
            letters[language] = Letter(*(translate(step) if step else "" for step in steps))
    return PlaybookView(topic, 0, translate(found.checks), translate(found.offers), letters)


_NEWEST: Final = """
    SELECT DISTINCT ON (topic) topic, version, checks, offers, letters FROM playbook
    WHERE CAST(:topic AS text) IS NULL OR topic = :topic ORDER BY topic, version DESC
"""


async def list_playbooks(db: AsyncConnection, actor: Actor, topic: Topic | None = None) -> dict[Topic, PlaybookView]:
    """Those of all topics, or of one: the shop's newest, or the one that comes with the portal.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    rows = await run(db, _NEWEST, topic=topic)
    own = {Topic(row.topic): msgspec.convert(row._asdict(), PlaybookView) for row in rows}
    return {one: own.get(one) or delivered(one) for one in ((topic,) if topic else Topic)}


async def playbook_for(db: AsyncConnection, actor: Actor, topic: Topic) -> PlaybookView:
    """That of one topic.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    return (await list_playbooks(db, actor, topic))[topic]


def subject_of(topic: Topic) -> UUID:
    """The id of a topic's playbook in the history, whose subjects are UUIDs."""
    return uuid5(NAMESPACE_OID, f"playbook {topic}")


_KEEP: Final = """
    INSERT INTO playbook (topic, version, checks, offers, letters, made_by, made_at)
    VALUES (:topic, :version, :checks, :offers, CAST(:letters AS jsonb), :by, :now)
    ON CONFLICT DO NOTHING RETURNING version
"""


async def change(
    db: AsyncConnection,
    actor: Actor,
    topic: Topic,
    checks: str,
    offers: str,
    letters: Mapping[str, Letter],
    *,
    seen: int,
) -> None:
    """Make the next version of one; `seen` is the version that was on the screen.

    Raises:
        ForbiddenError: the actor answers no questions.
        InvalidError: a text is too long, or holds places that nothing fills; or there is no English letter.
        ConflictError: somebody has changed it meanwhile (`changed_meanwhile`).
    """
    actor.require("support")
    kept = {language: letter for language, letter in letters.items() if letter.text}
    _check(checks, offers, kept)
    before = await playbook_for(db, actor, topic)
    content = {"checks": checks, "offers": offers, "letters": msgspec.json.encode(kept).decode()}
    made = before.version == seen and await run(
        db, _KEEP, topic=topic, version=seen + 1, by=actor.label, now=clock.now(), **content
    )
    if not made:
        raise ConflictError(
            mark(
                "Somebody has changed this meanwhile. Nothing was kept; what you typed is below. Compare, and send it."
            ),
            code="changed_meanwhile",
        )
    await history.record(db, actor, ("playbook", subject_of(topic), "changed", {"topic": topic, "version": seen + 1}))


def _check(checks: str, offers: str, letters: Mapping[str, Letter]) -> None:
    for name, text in (("checks", checks), ("offers", offers)):
        if len(text) > MAX_ADVICE:
            raise InvalidError(mark("This is longer than {limit} characters."), field=name, limit=MAX_ADVICE)
    if i18n.DEFAULT not in letters:
        raise InvalidError(
            mark("Please write it in English, too: it stands in for languages that have none."), field="sorry-en"
        )
    for language, letter in letters.items():
        for step in STEPS:
            text, field = getattr(letter, step), f"{step}-{language}"
            if len(text) > MAX_STEP:
                raise InvalidError(mark("This is longer than {limit} characters."), field=field, limit=MAX_STEP)
            variables.check(text, field=field, names=(*variables.NAMES, variables.WORDS))
