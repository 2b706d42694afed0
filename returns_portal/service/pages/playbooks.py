"""The pages of prepared solutions, and saying what a question is about."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import _, mark, translate
from returns_portal.service import answering, variables
from returns_portal.service.models import Topic
from returns_portal.service.pages.snippets import languages
from returns_portal.service.pages.thread import QUEUE, By, Db, Errors, do, support
from returns_portal.service.pages.words import for_templates
from returns_portal.service.playbooks import (
    MAX_ADVICE,
    MAX_STEP,
    STEPS,
    Letter,
    change,
    delivered,
    list_playbooks,
    playbook_for,
)
from returns_portal.web import Form, flash, form, page, redirect

AnyRequest = Request[Any, Any, State]

PAGE: Final = "/staff/playbooks"


def topic_of(sent: Form) -> Topic | None:
    """The topic that was chosen.

    Raises:
        InvalidError: there is no such topic.
    """
    chosen = sent.get("topic", "")
    try:
        return Topic(chosen) if chosen else None
    except ValueError:
        raise InvalidError(mark("There is no such topic."), field="topic") from None


@post(f"{QUEUE}/{{question_id:uuid}}/topic", guards=support, status_code=200)
async def say_topic(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Say what it is about."""
    sent = await form(request)

    async def work() -> None:
        await answering.say_topic(db, actor, question_id, topic_of(sent))

    return await do(request, db, actor, question_id, sent, work(), _("Changed."))


@get(PAGE, guards=support)
async def list_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """All of them."""
    found = await list_playbooks(db, actor)
    return page(request, "service/playbooks.html", playbooks=list(found.values()), **for_templates())


@get(f"{PAGE}/{{name:str}}", guards=support)
async def edit_page(request: AnyRequest, db: Db, actor: By, name: FromPath[str]) -> Response[Any]:
    """One, to be changed; by `?from=0` filled in as it came with the portal, which is kept only when it is sent."""
    topic = _named(name)
    now = await playbook_for(db, actor, topic)
    found = delivered(topic) if request.query_params.get("from") == "0" else now
    steps = {f"{step}-{tag}": getattr(letter, step) for tag, letter in found.letters.items() for step in STEPS}
    typed = {"checks": found.checks, "offers": found.offers, **steps}
    return await _edit(request, db, actor, topic, typed, {})


def _named(name: str) -> Topic:
    """The topic of an address.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return Topic(name)
    except ValueError:
        raise NotFoundError(mark("There is no such topic.")) from None


async def _edit(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    topic: Topic,
    typed: Mapping[str, str],
    errors: Errors,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "service/playbook.html",
        status=status,
        topic=topic.value,
        version=(await playbook_for(db, actor, topic)).version,
        spoken=languages(),
        names=(*variables.NAMES, variables.WORDS),
        typed=typed,
        errors=errors,
        longest=MAX_STEP,
        longest_advice=MAX_ADVICE,
        **for_templates(),
    )


@post(f"{PAGE}/{{name:str}}", guards=support, status_code=200)
async def keep_page(request: AnyRequest, db: Db, actor: By, name: FromPath[str]) -> Response[Any]:
    """Keep the next version; what is wrong is said beside its field, and everything typed stays."""
    topic, sent = _named(name), await form(request)

    def text(field: str) -> str:
        return sent.get(field, "").replace("\r\n", "\n")

    letters = {tag: Letter(*(text(f"{step}-{tag}") for step in STEPS)) for tag, _name in languages()}
    try:
        async with db.begin_nested():
            await change(db, actor, topic, text("checks"), text("offers"), letters, seen=sent.number("seen"))
    except (InvalidError, ConflictError) as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _edit(request, db, actor, topic, sent, errors, error.status)
    flash(request, _("Kept as the next version. Letters begin with it from now on."))
    return redirect(PAGE)


routes: list[Any] = [say_topic, list_page, edit_page, keep_page]
