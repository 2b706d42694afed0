"""The pages of those who answer: who waits, the longest first, and one question with all that was said."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from returns_portal.errors import InvalidError
from returns_portal.i18n import _, mark
from returns_portal.service import answering
from returns_portal.service.beside import MOST, beside
from returns_portal.service.pages.thread import QUEUE, By, Db, deadline, do, here_in_words, show_thread, support
from returns_portal.service.pages.words import for_templates
from returns_portal.service.presence import look_in
from returns_portal.service.queries import SHOWN, Shown, file_for, list_questions, question_for, waiting_now
from returns_portal.shop.queries import current
from returns_portal.web import Form, form, page, page_after

AnyRequest = Request[Any, Any, State]

PAGE: Final = 50


@get(QUEUE, guards=support)
async def queue(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Who waits for an answer, the longest first; or, asked for, what is mine, answered or closed."""
    asked = request.query_params.get("show", "")
    shown: Shown = next((name for name in SHOWN if name == asked), "waiting")
    found = await list_questions(db, actor, shown, after=page_after(request), limit=PAGE + 1)
    return page(
        request,
        "service/queue.html",
        rows=[(question, deadline(question)) for question in found[:PAGE]],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged="after" in request.query_params,
        shown=shown,
        waiting=await waiting_now(db),
        **for_templates(),
    )


@get(f"{QUEUE}/{{question_id:uuid}}", guards=support)
async def show(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """One question; that it was read is noted."""
    await answering.see(db, actor, await question_for(db, actor, question_id))
    return await show_thread(request, db, actor, question_id, Form({}), {}, 200)


@get(f"{QUEUE}/{{question_id:uuid}}/customer", guards=support)
async def show_customer(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """All that is known of who asked. The question stands in the address, so that their own does not."""
    question = await question_for(db, actor, question_id)
    return page(
        request,
        "service/customer.html",
        question=question,
        known=await beside(db, actor, question, limit=MOST),
        most=MOST,
        **for_templates(),
    )


@post(f"{QUEUE}/{{question_id:uuid}}/presence", guards=support, status_code=200)
async def be_here(db: Db, actor: By, question_id: FromPath[UUID]) -> Response[list[str]]:
    """Still here: a page that somebody looks at says so, and is told who else does."""
    question = await question_for(db, actor, question_id)
    return Response(here_in_words(await look_in(db, actor, question.id)))


@get(f"{QUEUE}/{{question_id:uuid}}/files/{{file_id:uuid}}", guards=support)
async def show_file(db: Db, actor: By, question_id: FromPath[UUID], file_id: FromPath[UUID]) -> Response[bytes]:
    """A file that came with an e-mail. A picture is shown; a PDF is saved, since a stranger made it as it is."""
    name, media_type, data = await file_for(db, actor, question_id, file_id)
    shown = "inline" if media_type == "image/jpeg" else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(name or 'file', safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return Response(data, media_type=media_type, headers=headers)


@post(f"{QUEUE}/{{question_id:uuid}}/answer", guards=support, status_code=200)
async def answer(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Answer; where somebody was faster, that is said, and what was typed stays."""
    sent = await form(request)

    async def work() -> None:
        await answering.reply(db, actor, question_id, sent.get("body", ""), seen=sent.number("seen"))
        if sent.get("close", ""):
            await answering.close(db, actor, question_id)

    return await do(request, db, actor, question_id, sent, work(), _("Sent. The customer gets it by e-mail."))


@post(f"{QUEUE}/{{question_id:uuid}}/promise", guards=support, status_code=200)
async def promise(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Tell the customer until when."""
    sent = await form(request)
    zone = (await current(db)).timezone

    async def work() -> None:
        await answering.promise(db, actor, question_id, _moment(sent.get("until", ""), zone), sent.get("words", ""))

    return await do(request, db, actor, question_id, sent, work(), _("The customer is told until when."))


def _moment(text: str, zone: str) -> datetime:
    """A moment of the shop's zone, as browsers send it.

    Raises:
        InvalidError: it is none.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise InvalidError(mark("Give a day and a time, such as 2026-11-24 18:00."), field="until") from None


@post(f"{QUEUE}/{{question_id:uuid}}/notes", guards=support, status_code=200)
async def note(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Keep a note."""
    sent = await form(request)
    work = answering.note(db, actor, question_id, sent.get("note", ""))
    return await do(request, db, actor, question_id, sent, work, _("The note is kept. Customers never see it."))


@post(f"{QUEUE}/{{question_id:uuid}}/assignment", guards=support, status_code=200)
async def assign(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Say who looks after it."""
    sent = await form(request)

    async def work() -> None:
        chosen = sent.get("staff", "")
        try:
            staff_id = UUID(chosen) if chosen else None
        except ValueError:
            raise InvalidError(mark("This person answers no questions."), field="staff") from None
        await answering.assign(db, actor, question_id, staff_id)

    return await do(request, db, actor, question_id, sent, work(), _("Changed."))


@post(f"{QUEUE}/{{question_id:uuid}}/closure", guards=support, status_code=200)
async def close(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Close it."""
    sent = await form(request)
    work = answering.close(db, actor, question_id)
    return await do(request, db, actor, question_id, sent, work, _("Closed. It opens again when the customer writes."))


routes: list[Any] = [queue, show, show_customer, be_here, show_file, answer, promise, note, assign, close]
