"""What a person of the shop says to a request: where else it is, that it comes, or that it does not."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.demand import letters
from returns_portal.demand.asking import referral_rows
from returns_portal.demand.models import Referral, Shown, State
from returns_portal.demand.places import PlaceView, place_by_id
from returns_portal.demand.queries import RequestView, request_for
from returns_portal.demand.rules import MAX_WORDS
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.settings import Settings


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: what it says, in words if wanted, and the other shops that it names."""

    state: State
    words: str = ""
    places: Sequence[UUID] = ()


class Answered(msgspec.Struct, frozen=True):
    """What was answered, and what of it is still to be written into the thread in which it was asked for."""

    request: RequestView
    text: str
    """Empty where it was asked for in no thread, or was answered so before."""


_ANSWER: Final = """
    UPDATE product_request SET state = :state, answered_at = :now, answered_by = :staff_id, answer = :words
    WHERE id = :id
"""


async def answer(db: AsyncConnection, actor: Actor, settings: Settings, request_id: UUID, reply: Reply) -> Answered:
    """Answer a request. Whoever left an address gets an e-mail; sent twice by a double click, it goes once.

    What came by a question is answered in its thread, by the caller, with the text that is returned.

    Raises:
        NotFoundError: there is no such request, or the actor answers none.
        InvalidError: nothing is said, or another shop is to be named and none is; names the field.
        ConflictError: it was answered meanwhile (`answered`).
    """
    words = _checked(reply)
    request = await request_for(db, actor, request_id, lock=True)
    if request.state is not State.OPEN:
        if (request.state, request.answer) == (reply.state, words):
            return Answered(request, "")
        raise ConflictError(
            mark("{name} has answered this meanwhile. Nothing was sent; what you typed is below."),
            code="answered",
            name=request.answerer,
        )
    named = reply.places if reply.state is State.ELSEWHERE else ()
    found = [await place_by_id(db, place) for place in named]
    # Who left no address is told nothing, and nobody was sent there.
    places = await _refer(db, request_id, found if request.email or request.question_id else [])
    staff_id = UUID(actor.id)
    await run(db, _ANSWER, id=request_id, state=reply.state, words=words, now=clock.now(), staff_id=staff_id)
    await history.record(db, actor, ("product_request", request_id, "answered", {"state": reply.state.value}))
    if request.question_id is not None:
        return Answered(request, letters.in_thread(settings, request, reply.state, words, places))
    if request.email:
        await letters.answered(db, settings, request, reply.state, words, places)
    return Answered(request, "")


def _checked(reply: Reply) -> str:
    if reply.state is State.OPEN:
        raise InvalidError(mark("Please choose what you found out."), field="state")
    if reply.state is State.ELSEWHERE and not reply.places:
        raise InvalidError(mark("Choose a shop of the list, or give another one."), field="place")
    words = reply.words.replace("\r\n", "\n").strip()
    if len(words) > MAX_WORDS:
        raise InvalidError(mark("This is longer than {limit} characters."), field="words", limit=MAX_WORDS)
    return words


async def _refer(db: AsyncConnection, request_id: UUID, places: Sequence[PlaceView]) -> list[tuple[UUID, PlaceView]]:
    """Note that these are named, each with the referral that notes who goes there."""
    rows = referral_rows(request_id, [place.id for place in places], Shown.MAIL)
    await insert_rows(db, (Referral, rows))
    return [(row["id"], place) for row, place in zip(rows, places, strict=True)]
