"""The pages of those who ask: a new question, and a question with its answers."""

import hashlib
import math
import secrets
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.arrivals import access_key
from returns_portal.accounts.idempotency import once
from returns_portal.accounts.limits import Limit, bucket, count, hit
from returns_portal.accounts.queries import order_contact
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import Actor
from returns_portal.demand.links import request_path
from returns_portal.demand.pages.missing import consent
from returns_portal.errors import DomainError, InvalidError, NotFoundError, TooManyError
from returns_portal.i18n import _, mark, translate
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.service import asking
from returns_portal.service.asking import Asked
from returns_portal.service.pages.about import About, about_of
from returns_portal.service.pages.wanting import looked_for
from returns_portal.service.pages.words import for_templates
from returns_portal.service.queries import messages_of, question_for, questions_of_order
from returns_portal.service.rules import MAX_BODY, MAX_NAME, check_body
from returns_portal.shop.queries import current
from returns_portal.web import Form, client_network, flash, form, page, redirect, site
from returns_portal.web.links import viewed
from returns_portal.web.transaction import asking as transaction_of

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

_TOKEN: Final = 64
"""Characters of what tells a form from another."""
_PREFIX: Final = "/questions/"


@get("/questions/new")
async def new_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The form; what somebody has come in for is filled in."""
    about = await about_of(db, actor, request.query_params.get("about", ""))
    topic = request.query_params.get("topic", "")
    return _new(request, about, Form({"topic": [topic]} if topic else {}), {})


def _new(request: AnyRequest, about: About, typed: Form, errors: Errors, status: int = 200) -> Response[Any]:
    return page(
        request,
        "service/new.html",
        status=status,
        about=about,
        asks_address=not about.email,
        typed=typed,
        errors=errors,
        token=typed.get("token", "") or secrets.token_urlsafe(16),
        longest=MAX_BODY,
        longest_name=MAX_NAME,
        consent=consent(),
    )


@post("/questions/new", status_code=200)
async def ask_page(request: AnyRequest) -> Response[Any]:
    """Take the question. Who came by a link is asked for a code first, since it is written in the customer's name."""
    here, sent = site(request), await form(request)
    async with transaction_of(request) as (db, asker):
        about = await about_of(db, asker, sent.get("about", ""))
    email = about.email or sent.get("email", "")
    try:
        _check(sent, email)
        await hit(here.begin, *_limits(request, email))
    except (InvalidError, TooManyError) as error:
        return _new(request, about, sent, {error.field or "": _said(error)}, error.status)
    try:
        async with transaction_of(request) as (db, actor):
            question_id, wanted = await _ask_once(request, db, actor, about, sent, email)
    except InvalidError as error:
        return _new(request, about, sent, {error.field or "": _said(error)}, error.status)
    if wanted is not None:
        return redirect(request_path(here.settings, wanted))
    if about.order_id is None:
        # Where it can be read is told to its address alone: whoever typed that may be somebody else.
        return page(request, "service/asked.html", email=email)
    flash(request, _("Thank you, we have your question. The answer comes by e-mail, and stands here."))
    return redirect(f"{_PREFIX}{question_id}")


def _said(error: DomainError) -> str:
    return translate(error.sentence, **error.values)


def _check(sent: Form, email: str) -> None:
    """Refuse what cannot become a question, before it is counted as one.

    Raises:
        InvalidError: naming the field.
    """
    check_body(sent.get("body", ""))
    if not is_email(email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")


def _limits(request: AnyRequest, email: str) -> tuple[Limit, ...]:
    """Each question writes an e-mail, to an address that a stranger gives."""
    key = access_key(site(request))
    return (
        Limit(bucket(key, "question:client", client_network(request.scope)), times=10, seconds=3600),
        Limit(bucket(key, "question:email", email_key(email)), times=5, seconds=3600),
        Limit(bucket(key, "question:all"), times=1000, seconds=3600),
    )


async def _ask_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, about: About, sent: Form, email: str
) -> tuple[UUID, UUID | None]:
    """Begin a thread, unless this very form was sent before: then it is the one of back then.

    Its id, and that of what is looked for, where it is about something that is not in stock.
    """
    order_id = about.order_id
    if order_id is None and not about.return_id and (number := sent.text("order", limit=64)):
        # An order of another address is nobody's business: the question stays one without an order.
        order = await order_contact(db, number, email)
        order_id = order.id if order else None
    asked = Asked(
        body=sent.get("body", ""),
        email=email,
        locale=about.locale or i18n.current(),
        name=about.name or sent.get("name", ""),
        order_id=order_id,
        return_id=about.return_id,
        product=about.product,
    )

    async def work() -> tuple[int, object]:
        question_id = await asking.ask(db, actor, await current(db), asked)
        wanted = await looked_for(db, actor, site(request).settings, sent, asked, question_id)
        return 303, {"id": str(question_id), "wanted": str(wanted or "")}

    token = sent.text("token", limit=_TOKEN)
    key = hashlib.sha256(f"question\n{token}\n{asked.body}".encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    answered: Any = answer
    return UUID(answered["id"]), UUID(answered["wanted"]) if answered.get("wanted") else None


@get("/questions")
async def list_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What somebody has asked about their order."""
    if is_stranger(actor) or actor.order_id is None:
        return to_the_door(request)
    found = await questions_of_order(db, actor, actor.order_id)
    return page(request, "service/list.html", questions=found, **for_templates())


@get("/questions/{question_id:uuid}")
async def show(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """A question of the order that somebody has come in for."""
    if actor.kind == "staff":
        return redirect(f"/staff/questions/{question_id}")
    if is_stranger(actor):
        return to_the_door(request)
    return await _show(request, db, actor, question_id, f"{_PREFIX}{question_id}", Form({}), {})


@post("/questions/{question_id:uuid}", status_code=200)
async def add(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Write once more. Who came by a link is asked for a code first, as everywhere."""
    if is_stranger(actor):
        return to_the_door(request)
    return await _add(request, db, actor, question_id, f"{_PREFIX}{question_id}")


@get("/questions/link/{token:str}")
async def show_by_link(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """A question that belongs to no order: its e-mails' link is all that its asker has."""
    del actor
    reader = await reader_by(request, db, token)
    if reader is None or reader.question_id is None:
        return too_old(request)
    answer = await _show(request, db, reader, reader.question_id, request.scope["path"], Form({}), {})
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@post("/questions/link/{token:str}", status_code=200, onlookers=True)
async def add_by_link(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Write once more, as by an answer to the e-mail that has the link: it opens this question and nothing else."""
    del actor
    reader = await reader_by(request, db, token)
    if reader is None or reader.question_id is None:
        return too_old(request)
    question = await question_for(db, reader, reader.question_id)
    if question.order_id is not None:
        # It was brought together with an order since: then the order's own way in counts.
        return redirect(f"/v/{token}")
    return await _add(request, db, reader, question.id, request.scope["path"])


async def reader_by(request: AnyRequest, db: AsyncConnection, token: str) -> Actor | None:
    """Whoever has the link; None where it was not made here, is too old, or they were forgotten since."""
    path = viewed(site(request).settings, token) or ""
    if not path.startswith(_PREFIX):
        return None
    question_id = UUID(path.removeprefix(_PREFIX))
    reader = Actor(kind="customer", id=str(question_id), question_id=question_id)
    return None if (await question_for(db, reader, question_id)).is_forgotten else reader


def too_old(request: AnyRequest) -> Response[Any]:
    """What is said to whoever comes by a link that is not valid, or not any more."""
    flash(
        request, _("This link is not valid any more. Please write to us again; we find what you asked before."), "wait"
    )
    return redirect("/questions/new")


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    target: str,
    typed: Form,
    errors: Errors,
    status: int = 200,
) -> Response[Any]:
    question = await question_for(db, actor, question_id)
    return page(
        request,
        "service/show.html",
        status=status,
        question=question,
        messages=await messages_of(db, actor, question_id),
        target=target,
        typed=typed,
        errors=errors,
        token=secrets.token_urlsafe(16),
        longest=MAX_BODY,
        **for_templates(),
    )


async def _add(request: AnyRequest, db: AsyncConnection, actor: Actor, question_id: UUID, target: str) -> Response[Any]:
    sent = await form(request)
    body, token = sent.get("body", ""), sent.get("token", "")[:_TOKEN]

    async def work() -> tuple[int, object]:
        limit = Limit(bucket(access_key(site(request)), "question:thread", str(question_id)), times=30, seconds=3600)
        if wait := await count(db, limit):
            raise TooManyError(
                mark("These are many messages. Please wait {minutes} minutes; what you typed is below."),
                retry_after=wait,
                minutes=math.ceil(wait / 60),
            )
        await asking.write(db, actor, question_id, body)
        return 303, {}

    key = hashlib.sha256(f"message\n{question_id}\n{token}\n{body}".encode()).hexdigest() if token else None
    try:
        async with db.begin_nested():
            await once(db, actor, key, b"", work)
    except NotFoundError:
        raise
    except (InvalidError, TooManyError) as error:
        return await _show(
            request, db, actor, question_id, target, sent, {error.field or "": _said(error)}, error.status
        )
    flash(request, _("We have it. The answer comes by e-mail, and stands here."))
    return redirect(target)


routes: list[Any] = [new_page, ask_page, list_page, show, add, show_by_link, add_by_link]
