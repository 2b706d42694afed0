"""The page on which a letter is written in four steps, and looked at as it will be sent."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, translate
from returns_portal.service import answering, composing
from returns_portal.service.letters import as_sent
from returns_portal.service.models import Topic
from returns_portal.service.pages.playbooks import topic_of
from returns_portal.service.pages.thread import QUEUE, By, Db, Errors, here_in_words, support
from returns_portal.service.pages.words import for_templates, topics
from returns_portal.service.playbooks import MAX_STEP, STEPS, Letter, playbook_for
from returns_portal.service.presence import look_in
from returns_portal.service.queries import UNSAID, messages_of, question_for
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, site
from returns_portal.web.envelope import MAIL_POLICY, POLICY

AnyRequest = Request[Any, Any, State]

_LETTER: Final = f"{QUEUE}/{{question_id:uuid}}/letter"


def _address(question_id: UUID) -> str:
    return f"{QUEUE}/{question_id}/letter"


@get(_LETTER, guards=support)
async def letter_page(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """The letter as far as it is written; at first as the playbook begins it."""
    draft = await composing.draft_of(db, actor, question_id)
    letter = draft.letter if draft else await composing.begun(db, actor, question_id, (await current(db)).name)
    looked = draft is not None and draft.looked_at is not None
    return await _show(request, db, actor, question_id, letter, {}, looked=looked)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    letter: Letter,
    errors: Errors,
    *,
    looked: bool,
    status: int = 200,
) -> Response[Any]:
    question = await question_for(db, actor, question_id)
    messages = await messages_of(db, actor, question_id)
    shown = as_sent(question, letter.text, await current(db), site(request).settings) if looked else None
    answer = page(
        request,
        "service/letter.html",
        status=status,
        question=question,
        playbook=await playbook_for(db, actor, question.topic or Topic.OTHER),
        topics=topics(),
        last=composing.last_of_customer(messages),
        here=here_in_words(await look_in(db, actor, question_id)),
        seen=sum(one.kind not in UNSAID for one in messages),
        typed={step: getattr(letter, step) for step in STEPS},
        shown=shown,
        errors=errors,
        longest=MAX_STEP,
        **for_templates(),
    )
    answer.headers["content-security-policy"] = f"{POLICY}; frame-src 'self'"
    return answer


def _typed(sent: Form) -> Letter:
    return Letter(*(sent.get(step, "").replace("\r\n", "\n") for step in STEPS))


@post(_LETTER, guards=support, status_code=200)
async def look(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Keep what was typed, and show it as it will be sent, if it is ready."""
    letter = _typed(await form(request))
    try:
        composing.check(letter)
    except InvalidError as error:
        await composing.keep_draft(db, actor, question_id, letter, looked=False)
        return await _show(request, db, actor, question_id, letter, _told(error), looked=False, status=error.status)
    await composing.keep_draft(db, actor, question_id, letter, looked=True)
    return redirect(f"{_address(question_id)}#preview")


def _told(error: InvalidError | ConflictError) -> Errors:
    return {error.field or "": translate(error.sentence, **error.values)}


@get(f"{_LETTER}/preview", guards=support)
async def preview(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[str]:
    """The letter as its reader's mail program shows it, for the frame in which nothing can run."""
    draft = await composing.draft_of(db, actor, question_id)
    question = await question_for(db, actor, question_id)
    shown = as_sent(question, draft.letter.text, await current(db), site(request).settings) if draft else None
    return Response(
        shown.html if shown else "", media_type="text/html", headers={"content-security-policy": MAIL_POLICY}
    )


@post(f"{_LETTER}/sending", guards=support, status_code=200)
async def send(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Send it; what was changed since it was looked at is shown first."""
    sent = await form(request)
    letter = _typed(sent)
    try:
        async with db.begin_nested():
            await composing.send(db, actor, question_id, letter, seen=sent.number("seen"))
            if sent.get("close", ""):
                await answering.close(db, actor, question_id)
    except InvalidError as error:
        await composing.keep_draft(db, actor, question_id, letter, looked=False)
        return await _show(request, db, actor, question_id, letter, _told(error), looked=False, status=error.status)
    except ConflictError as error:
        await composing.keep_draft(db, actor, question_id, letter, looked=True)
        return await _show(request, db, actor, question_id, letter, _told(error), looked=True, status=error.status)
    flash(request, _("Sent. The customer gets it by e-mail."))
    return redirect(f"{QUEUE}/{question_id}")


@post(f"{_LETTER}/beginning", guards=support, status_code=200)
async def begin_anew(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Begin anew by the playbook of a topic, which is said of the question, too."""
    topic = topic_of(await form(request))
    await answering.say_topic(db, actor, question_id, topic)
    await composing.forget_draft(db, actor, question_id)
    return redirect(_address(question_id))


routes: list[Any] = [letter_page, look, preview, send, begin_anew]
