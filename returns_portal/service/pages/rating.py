"""The page on which a customer says whether they were helped: the e-mail's links lead to it, and a button says it."""

import math
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.arrivals import access_key
from returns_portal.accounts.limits import Limit, bucket, count
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError, TooManyError
from returns_portal.i18n import _, mark, translate
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.service import rating
from returns_portal.service.pages.customer import reader_by, too_old
from returns_portal.service.queries import question_for
from returns_portal.web import Form, flash, form, page, redirect, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]


@get("/questions/link/{token:str}/rating")
async def ask_by_link(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Where the e-mail's links lead. Mail programs follow links by themselves: nothing is said by coming here."""
    del actor
    reader = await reader_by(request, db, token)
    if reader is None or reader.question_id is None:
        return too_old(request)
    return await _show(request, db, reader, reader.question_id, Form({}), {})


@post("/questions/link/{token:str}/rating", status_code=200, onlookers=True)
async def rate_by_link(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Say it, by the e-mail's link."""
    del actor
    reader = await reader_by(request, db, token)
    if reader is None or reader.question_id is None:
        return too_old(request)
    return await _rate(request, db, reader, reader.question_id)


@get("/questions/{question_id:uuid}/rating")
async def ask_page(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """The same, for who has come in for the order."""
    if actor.kind == "staff":
        return redirect(f"/staff/questions/{question_id}")
    if is_stranger(actor):
        return to_the_door(request)
    return await _show(request, db, actor, question_id, Form({}), {})


@post("/questions/{question_id:uuid}/rating", status_code=200, onlookers=True)
async def rate_page(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Say it. Who came by a link that only shows may: nothing of the order is changed by it."""
    if is_stranger(actor):
        return to_the_door(request)
    return await _rate(request, db, actor, question_id)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    typed: Form,
    errors: dict[str, str],
    status: int = 200,
) -> Response[Any]:
    question = await question_for(db, actor, question_id)
    answer = page(
        request,
        "service/rating.html",
        status=status,
        question=question,
        meant=request.query_params.get("helped", ""),
        target=request.scope["path"],
        thread=request.scope["path"].removesuffix("/rating"),
        typed=typed if "comment" in typed else {"comment": question.comment},
        errors=errors,
        longest=rating.MAX_COMMENT,
    )
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


async def _rate(request: AnyRequest, db: AsyncConnection, actor: Actor, question_id: UUID) -> Response[Any]:
    sent = await form(request)
    try:
        helped = _said(sent)
        await _count(request, db, question_id)
        async with db.begin_nested():
            await rating.rate(db, actor, question_id, helped=helped, comment=sent.get("comment", ""))
    except (InvalidError, ConflictError, TooManyError) as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _show(request, db, actor, question_id, sent, errors, error.status)
    if helped:
        flash(request, _("Thank you for telling us. We are glad."))
    else:
        flash(request, _("Thank you for telling us. Write to us again, and we go on until it is solved."), "wait")
    return redirect(request.scope["path"])


async def _count(request: AnyRequest, db: AsyncConnection, question_id: UUID) -> None:
    """Count one answer: each change stands in the history, and whoever has the link needs nothing else to make one.

    Raises:
        TooManyError: there were too many within an hour.
    """
    limit = Limit(bucket(access_key(site(request)), "question:rating", str(question_id)), times=30, seconds=3600)
    if wait := await count(db, limit):
        raise TooManyError(
            mark("These are many messages. Please wait {minutes} minutes; what you typed is below."),
            retry_after=wait,
            minutes=math.ceil(wait / 60),
        )


def _said(sent: Form) -> bool:
    """Whether they were helped.

    Raises:
        InvalidError: the form does not say it.
    """
    match sent.get("helped", ""):
        case "yes":
            return True
        case "no":
            return False
    raise InvalidError(mark("Please say yes or no."))


routes: list[Any] = [ask_by_link, rate_by_link, ask_page, rate_page]
