"""The pages of prepared texts, and putting one into an answer."""

from typing import Any, Final
from uuid import UUID

from babel import Locale
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import _, translate
from returns_portal.service.pages.thread import QUEUE, By, Db, Errors, show_thread, support
from returns_portal.service.queries import question_for
from returns_portal.service.rules import MAX_BODY
from returns_portal.service.snippets import MAX_NAME, MAX_TEXT, keep, list_snippets, snippet_for, take_away
from returns_portal.service.variables import NAMES, fill, in_language, values_of
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect

AnyRequest = Request[Any, Any, State]

PAGE: Final = "/staff/snippets"


def languages() -> list[tuple[str, str]]:
    """The languages that a text can be in, each with its own name; English, which it has to be in, first."""
    return [(tag, Locale.parse(tag, sep="-").get_display_name() or tag) for tag in i18n.available()]


@get(PAGE, guards=support)
async def list_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """All of them."""
    found = [(one, in_language(one.texts, i18n.current())) for one in await list_snippets(db, actor)]
    return page(request, "service/snippets.html", snippets=found)


@get(f"{PAGE}/new", guards=support)
async def new_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """A new one."""
    del db, actor
    return _edit(request, None, Form({}), {})


@get(f"{PAGE}/{{snippet_id:uuid}}", guards=support)
async def edit_page(request: AnyRequest, db: Db, actor: By, snippet_id: FromPath[UUID]) -> Response[Any]:
    """One, to be changed."""
    found = await snippet_for(db, actor, snippet_id)
    texts = {f"text-{language}": text for language, text in found.texts.items()}
    return _edit(request, snippet_id, {"name": found.name, **texts}, {})


def _edit(request: AnyRequest, snippet_id: UUID | None, typed: Form | dict[str, str], errors: Errors) -> Response[Any]:
    return page(
        request,
        "service/snippet.html",
        status=422 if errors else 200,
        snippet_id=str(snippet_id or ""),
        spoken=languages(),
        names=NAMES,
        typed=typed,
        errors=errors,
        longest=MAX_TEXT,
        longest_name=MAX_NAME,
    )


@post(PAGE, guards=support, status_code=200)
async def keep_new(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Keep a new one."""
    return await _keep(request, db, actor, None)


@post(f"{PAGE}/{{snippet_id:uuid}}", guards=support, status_code=200)
async def keep_changed(request: AnyRequest, db: Db, actor: By, snippet_id: FromPath[UUID]) -> Response[Any]:
    """Keep what was changed."""
    return await _keep(request, db, actor, snippet_id)


async def _keep(request: AnyRequest, db: AsyncConnection, actor: Actor, snippet_id: UUID | None) -> Response[Any]:
    """Keep it; what is wrong is said beside its field, and everything typed stays."""
    sent = await form(request)
    texts = {tag: sent.get(f"text-{tag}", "") for tag, _name in languages()}
    try:
        async with db.begin_nested():
            await keep(db, actor, sent.get("name", ""), texts, snippet_id)
    except InvalidError as error:
        return _edit(request, snippet_id, sent, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("Kept. It can be put into every answer."))
    return redirect(PAGE)


@post(f"{PAGE}/{{snippet_id:uuid}}/removal", guards=support, status_code=200)
async def take_away_page(request: AnyRequest, db: Db, actor: By, snippet_id: FromPath[UUID]) -> Response[Any]:
    """Take it away."""
    await take_away(db, actor, snippet_id)
    flash(request, _("Taken away. Answers that were sent with it stay as they are."))
    return redirect(PAGE)


@post(f"{QUEUE}/{{question_id:uuid}}/snippet", guards=support, status_code=200)
async def put_in(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Put a text below what was typed of the answer, in the customer's language; nothing is sent by this."""
    sent = await form(request)
    errors: Errors = {}
    body = sent.get("body", "")
    try:
        chosen = await snippet_for(db, actor, UUID(sent.get("snippet", "")))
    except (ValueError, NotFoundError):
        errors["snippet"] = _("Choose a text first. It may have been taken away meanwhile.")
    else:
        question = await question_for(db, actor, question_id)
        values = values_of(question, (await current(db)).name, actor.name)
        text = fill(in_language(chosen.texts, question.locale), values)
        body = f"{body}\n\n{text}" if body else text
    if len(body) > MAX_BODY:
        errors["body"] = translate("This is longer than {limit} characters.", limit=MAX_BODY)
    typed = Form({**{name: sent.all(name) for name in sent}, "body": [body]})
    return await show_thread(request, db, actor, question_id, typed, errors, 422 if errors else 200)


routes: list[Any] = [list_page, new_page, edit_page, keep_new, keep_changed, take_away_page, put_in]
