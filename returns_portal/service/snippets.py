"""Texts that are put into answers: kept by those who answer, in as many languages as they like."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history, i18n
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.service import variables
from returns_portal.texts import one_line

MAX_NAME: Final = 80
MAX_TEXT: Final = 2000
MOST: Final = 200
"""Snippets of a shop: they are chosen from one list."""


class SnippetView(msgspec.Struct, frozen=True):
    """A snippet as the pages show it."""

    id: UUID
    name: str
    texts: dict[str, str]


_VIEW: Final = "SELECT id, name, texts FROM snippet"


async def list_snippets(db: AsyncConnection, actor: Actor) -> list[SnippetView]:
    """All of them, by name.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    rows = await run(db, f"{_VIEW} ORDER BY lower(name) LIMIT :most", most=MOST)
    return [msgspec.convert(row._asdict(), SnippetView) for row in rows]


async def snippet_for(db: AsyncConnection, actor: Actor, snippet_id: UUID, *, lock: bool = False) -> SnippetView:
    """One of them.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is none.
    """
    actor.require("support")
    rows = await run(db, f"{_VIEW} WHERE id = :id{' FOR UPDATE' if lock else ''}", id=snippet_id)
    if not rows:
        raise NotFoundError(mark("There is no such text. It may have been taken away meanwhile."))
    return msgspec.convert(rows[0]._asdict(), SnippetView)


_KEEP: Final = """
    INSERT INTO snippet (id, name, texts, changed_at) VALUES (:id, :name, CAST(:texts AS jsonb), :now)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, texts = excluded.texts, changed_at = excluded.changed_at
"""
_NAMED: Final = "SELECT id FROM snippet WHERE lower(name) = lower(:name) AND id <> :id"
# Whoever keeps one waits for the others, so that no name is taken twice and none is one too many.
_LOCK: Final = "LOCK TABLE snippet IN SHARE ROW EXCLUSIVE MODE"


async def keep(
    db: AsyncConnection, actor: Actor, name: str, texts: Mapping[str, str], snippet_id: UUID | None = None
) -> UUID:
    """Keep a new snippet, or change the one that is named; its id.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is none to change.
        InvalidError: it has no name, one that is taken, no English text, a text that is too long, or one with places
            that nothing fills.
    """
    actor.require("support")
    kept = {language: text.replace("\r\n", "\n").strip() for language, text in texts.items() if text.strip()}
    named = one_line(name, "name", MAX_NAME)
    _check(kept)
    await run(db, _LOCK)
    identity = (await snippet_for(db, actor, snippet_id, lock=True)).id if snippet_id else new_id()
    if await run(db, _NAMED, name=named, id=identity):
        raise InvalidError(mark("Another text has this name already."), field="name")
    if not snippet_id and len(await list_snippets(db, actor)) >= MOST:
        raise InvalidError(mark("These are {most} texts already. Take one away that nobody needs."), most=MOST)
    written = msgspec.json.encode(kept).decode()
    await run(db, _KEEP, id=identity, name=named, texts=written, now=clock.now())
    told = {"name": named, "languages": sorted(kept)}
    await history.record(db, actor, ("snippet", identity, "changed" if snippet_id else "made", told))
    return identity


def _check(texts: Mapping[str, str]) -> None:
    if i18n.DEFAULT not in texts:
        raise InvalidError(
            mark("Please write it in English, too: it stands in for languages that have none."), field="text-en"
        )
    for language, text in texts.items():
        field = f"text-{language}"
        if len(text) > MAX_TEXT:
            raise InvalidError(mark("This is longer than {limit} characters."), field=field, limit=MAX_TEXT)
        variables.check(text, field=field)


async def take_away(db: AsyncConnection, actor: Actor, snippet_id: UUID) -> None:
    """Take one away; answers that hold it stay as they were sent.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is none.
    """
    gone = await snippet_for(db, actor, snippet_id, lock=True)
    await run(db, "DELETE FROM snippet WHERE id = :id", id=snippet_id)
    await history.record(db, actor, ("snippet", snippet_id, "taken_away", {"name": gone.name}))
