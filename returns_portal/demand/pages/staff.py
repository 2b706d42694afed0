"""The pages of those who answer: what people look for, one of it with its form, and what a thread is about."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State as AppState
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.queries import product_for
from returns_portal.demand import asking
from returns_portal.demand.answering import Reply, answer
from returns_portal.demand.asking import Asked, InStockError
from returns_portal.demand.models import Source, State
from returns_portal.demand.pages.elsewhere import typed_place
from returns_portal.demand.pages.words import for_templates
from returns_portal.demand.places import add_place, name_once, places_for
from returns_portal.demand.queries import RequestView, named_to, request_for, requests_of_question
from returns_portal.demand.words import named, wanted
from returns_portal.errors import DomainError, InvalidError, NotFoundError
from returns_portal.finance.filters import today
from returns_portal.i18n import _, mark, translate
from returns_portal.service import answering as threads
from returns_portal.service.queries import UNSAID, QuestionView, messages_of, question_for
from returns_portal.service.rules import subject_of
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff, site
from returns_portal.web.formats import format_datetime, money

AnyRequest = Request[Any, Any, AppState]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

QUEUE: Final = "/staff/requests"
support = [requires_staff("support")]


@get(f"{QUEUE}/{{request_id:uuid}}", guards=support)
async def show(request: AnyRequest, db: Db, actor: By, request_id: FromPath[UUID]) -> Response[Any]:
    """One request: what was said, what was named, and the answer or its form."""
    return await _show(request, db, actor, request_id, None, {})


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    request_id: UUID,
    typed: Form | None,
    errors: Errors,
    status: int = 200,
) -> Response[Any]:
    view = await request_for(db, actor, request_id)
    shown = [place for _id, place in await named_to(db, view.id)]
    return page(
        request,
        "demand/request.html",
        status=status,
        view=view,
        topic=wanted(view.what, view.size, view.color),
        named=named(site(request).settings, shown),
        places=await _choices(db, request, view, typed.all("place") if typed else []),
        typed=typed or await _beforehand(db, actor, view),
        errors=errors,
        seen=await _seen(db, actor, view),
        **for_templates(),
    )


async def _choices(
    db: AsyncConnection, request: AnyRequest, view: RequestView, chosen: list[str]
) -> list[dict[str, Any]]:
    """The other shops of the list that can be named."""
    places = await places_for(db, view.product_id, view.size, view.color) if view.product_id else []
    told = zip(places, named(site(request).settings, places), strict=True)
    return [
        {"id": str(place.id), "chosen": str(place.id) in chosen}
        | {"shop": said.shop, "price": money(place.price, place.currency), "what": said.what, "seen": said.seen}
        for place, said in told
    ]


async def _beforehand(db: AsyncConnection, actor: Actor, view: RequestView) -> dict[str, str]:
    """What is in the form before anybody typed: today, and the currency of our own price."""
    product = await product_for(db, actor, view.handle) if view.handle else None
    currency = product.variants[0].currency if product and product.variants else ""
    return {"seen_on": today((await current(db)).timezone).isoformat(), "currency": currency}


async def _seen(db: AsyncConnection, actor: Actor, view: RequestView) -> int:
    """How many messages its thread has, so that an answer crosses none; 0 where it has no thread."""
    if view.question_id is None:
        return 0
    return sum(one.kind not in UNSAID for one in await messages_of(db, actor, view.question_id))


@post(f"{QUEUE}/{{request_id:uuid}}/answer", guards=support, status_code=200)
async def answer_page(request: AnyRequest, db: Db, actor: By, request_id: FromPath[UUID]) -> Response[Any]:
    """Answer, by e-mail or in the thread; what cannot be is said beside everything that was typed."""
    sent, view = await form(request), await request_for(db, actor, request_id)
    try:
        async with db.begin_nested():
            await _answer(request, db, actor, view, sent)
    except DomainError as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _show(request, db, actor, request_id, sent, errors, error.status)
    told = view.email or view.question_id
    flash(request, _("Sent. The customer gets it by e-mail.") if told else _("Kept."))
    return redirect(f"/staff/questions/{view.question_id}" if view.question_id else QUEUE)


async def _answer(request: AnyRequest, db: AsyncConnection, actor: Actor, view: RequestView, sent: Form) -> None:
    if view.question_id:
        # The thread is locked before what belongs to it, as by everybody who answers in it.
        await question_for(db, actor, view.question_id, lock=True)
    state = next((state for state in State if state.value == sent.get("state", "")), State.OPEN)
    places = await _places(db, actor, view, sent) if state is State.ELSEWHERE else []
    reply = Reply(state=state, words=sent.get("words", ""), places=places)
    done = await answer(db, actor, site(request).settings, view.id, reply)
    if view.question_id and done.text:
        await threads.reply(db, actor, view.question_id, done.text, seen=sent.number("seen"))


async def _places(db: AsyncConnection, actor: Actor, view: RequestView, sent: Form) -> list[UUID]:
    """The other shops that were chosen, and the one that was typed."""
    try:
        places = [UUID(text) for text in sent.all("place")]
    except ValueError:
        raise InvalidError(mark("This is not on our list any more."), field="place") from None
    if sent.get("shop", "") or sent.get("url", ""):
        typed, day = typed_place(sent, of=view), today((await current(db)).timezone)
        keep = bool(sent.get("keep", "")) and bool(view.handle)
        places.append(await (add_place if keep else name_once)(db, actor, typed, day))
    return list(dict.fromkeys(places))


@post("/staff/questions/{question_id:uuid}/requests", guards=support, status_code=200)
async def note_request(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Count what somebody asks for in a thread, from where it is answered."""
    sent = await form(request)
    question = await question_for(db, actor, question_id, lock=True)
    if not await requests_of_question(db, actor, question_id):
        asked = Asked(
            source=Source.QUESTION,
            locale=question.locale,
            product=sent.get("product", ""),
            what=sent.get("what", "") or subject_of(question.subject),
            size=sent.get("size", ""),
            color=sent.get("color", ""),
            question_id=question_id,
            names=False,
        )
        try:
            async with db.begin_nested():
                await asking.ask(db, actor, site(request).settings, asked)
        except (InStockError, InvalidError, NotFoundError) as error:
            flash(request, translate(error.sentence, **error.values), "wait")
            return redirect(f"/staff/questions/{question_id}")
        flash(request, _("It is counted as asked for. Below you can name another shop."))
    return redirect(f"/staff/questions/{question_id}")


async def requests_here(
    request: AnyRequest, db: AsyncConnection, actor: Actor, question: QuestionView
) -> dict[str, Any]:
    """What a thread's page says of what is looked for in it, with the form of what is not answered yet."""
    found = await requests_of_question(db, actor, question.id)
    open_one = next((each for each in found if each.state is State.OPEN), None)
    return {
        "requests": [row_of(each) for each in found],
        "request_states": for_templates()["states"],
        "to_answer": open_one,
        "answer_places": await _choices(db, request, open_one, []) if open_one else [],
        "answer_typed": await _beforehand(db, actor, open_one) if open_one else {},
        "noted": {"product": question.product},
    }


def row_of(view: RequestView) -> dict[str, Any]:
    """A request in a list."""
    return {
        "request": view,
        "topic": wanted(view.what, view.size, view.color),
        "asked": format_datetime(view.asked_at, "medium"),
    }


routes: list[Any] = [show, answer_page, note_request]
