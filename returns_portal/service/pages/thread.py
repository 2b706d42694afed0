"""One question as those who answer see it, shown alike by every form that stands on its page."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.demand.pages.staff import requests_here
from returns_portal.errors import ConflictError, DomainError, NotFoundError
from returns_portal.i18n import _, translate
from returns_portal.service.beside import beside
from returns_portal.service.pace import duration
from returns_portal.service.pages.words import for_templates, topics
from returns_portal.service.presence import Colleague, look_in
from returns_portal.service.queries import UNSAID, QuestionView, colleagues, messages_of, question_for
from returns_portal.service.rules import MAX_BODY, pressure
from returns_portal.service.snippets import list_snippets
from returns_portal.web import Form, flash, formats, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

QUEUE: Final = "/staff/questions"
support = [requires_staff("support")]


def deadline(question: QuestionView) -> dict[str, str]:
    """How long somebody has waited, and until when they should not: in words, and as a colour that repeats them."""
    now = clock.now()
    if question.asked_at is None or question.due_at is None:
        return {}
    kind = pressure(question.schedule, question.due_at, now)
    late = duration(abs((question.due_at - now).total_seconds()))
    if kind == "bad":
        words = _("promised, {time} over", time=late) if question.promised_until else _("{time} over", time=late)
    else:
        until = formats.format_datetime(question.due_at, "day")
        words = (
            _("promised until {moment}", moment=until) if question.promised_until else _("until {moment}", moment=until)
        )
    return {"kind": kind, "words": words, "waits": duration((now - question.asked_at).total_seconds())}


def here_in_words(others: list[Colleague]) -> list[str]:
    """Who else has a question open, a sentence each."""
    return [
        _("{name} has had this open since {moment}.", name=one.name, moment=formats.format_lately(one.since))
        for one in others
    ]


async def show_thread(
    request: AnyRequest, db: AsyncConnection, actor: Actor, question_id: UUID, typed: Form, errors: Errors, status: int
) -> Response[Any]:
    """The page of a question, with what was typed into one of its forms; who has it open is noted."""
    question = await question_for(db, actor, question_id)
    messages = await messages_of(db, actor, question_id)
    return page(
        request,
        "service/answer.html",
        status=status,
        question=question,
        deadline=deadline(question),
        messages=messages,
        known=await beside(db, actor, question),
        here=here_in_words(await look_in(db, actor, question_id)),
        seen=sum(one.kind not in UNSAID for one in messages),
        colleagues=[("", _("nobody")), *((str(staff_id), name) for staff_id, name in await colleagues(db))],
        snippets=[(str(one.id), one.name) for one in await list_snippets(db, actor)],
        topics=topics(),
        chosen=str(question.assigned_to or ""),
        me=actor.id,
        typed=typed,
        errors=errors,
        longest=MAX_BODY,
        **await requests_here(request, db, actor, question),
        **for_templates(),
    )


async def do(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    sent: Form,
    work: Any,  # noqa: ANN401 - a coroutine
    done: str,
) -> Response[Any]:
    """Do it, and show the question; what cannot be is said beside everything that was typed."""
    try:
        async with db.begin_nested():
            await work
    except NotFoundError:
        raise
    except DomainError as error:
        field = error.field or ("" if isinstance(error, ConflictError) else "body")
        errors = {field: translate(error.sentence, **error.values)}
        return await show_thread(request, db, actor, question_id, sent, errors, error.status)
    flash(request, done)
    return redirect(f"{QUEUE}/{question_id}")
