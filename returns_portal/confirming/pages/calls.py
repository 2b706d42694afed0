"""The pages of those who call: whom to call, the oldest order first, and one call with all that helps."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import dates
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.actor import Actor
from returns_portal.confirming import calling
from returns_portal.confirming.calling import MAX_NOTE, held
from returns_portal.confirming.models import Outcome
from returns_portal.confirming.places import zone_of
from returns_portal.confirming.queries import SHOWN, CallView, Shown, call_for, list_calls, waiting_now
from returns_portal.confirming.receiving import address_lines
from returns_portal.confirming.rules import is_phone
from returns_portal.confirming.words import for_templates
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.i18n import _, mark, translate
from returns_portal.notifications.texting import dialled
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, page_after, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

CALLS: Final = "/staff/calls"
PAGE: Final = 50
support = [requires_staff("support")]


@get(CALLS, guards=support)
async def queue(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Whom to call, the oldest order first."""
    asked = request.query_params.get("show", "")
    shown: Shown = next((name for name in SHOWN if name == asked), "now")
    found = await list_calls(db, actor, shown, after=page_after(request), limit=PAGE + 1)
    return page(
        request,
        "confirming/calls.html",
        rows=[(call, _where(call), held(call.taken_at)) for call in found[:PAGE]],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged="after" in request.query_params,
        shown=shown,
        waiting=await waiting_now(db),
        calls=(await current(db)).confirming.calls,
        **for_templates(),
    )


def _where(call: CallView) -> dict[str, str]:
    """The number as telephones take it, and what time it is there; empty where that is not known."""
    now, zone = clock.now(), zone_of(call.address.get("country", ""), clock.now())
    local = now.astimezone(ZoneInfo(zone)) if zone else None
    language = i18n.formatting_locale(i18n.current())
    # Within its country a number works as people write it; from elsewhere only an international one does.
    plain = "".join(filter(str.isdigit, call.phone)) if is_phone(call.phone) else ""
    return {
        "tel": dialled(call.phone) or plain,
        "time": dates.format_time(local.replace(tzinfo=None), "HH:mm", locale=language) if local else "",
    }


@get(f"{CALLS}/{{call_id:uuid}}", guards=support)
async def show(request: AnyRequest, db: Db, actor: By, call_id: FromPath[UUID]) -> Response[Any]:
    """One call."""
    return await _show(request, db, actor, call_id, Form({}), {}, 200)


async def _show(
    request: AnyRequest, db: AsyncConnection, actor: Actor, call_id: UUID, typed: Form, errors: Errors, status: int
) -> Response[Any]:
    call = await call_for(db, actor, call_id)
    return page(
        request,
        "confirming/call.html",
        status=status,
        call=call,
        where=_where(call),
        order_href=f"/staff/orders/{quote(call.order_number, safe='')}",
        address=address_lines(call.address),
        taken=held(call.taken_at),
        mine=str(call.taken_by) == actor.id,
        typed=typed,
        errors=errors,
        longest=MAX_NOTE,
        **for_templates(),
    )


@post(f"{CALLS}/{{call_id:uuid}}/taking", guards=support, status_code=200)
async def take(request: AnyRequest, db: Db, actor: By, call_id: FromPath[UUID]) -> Response[Any]:
    """Say that one calls now, or leave it to others."""
    sent = await form(request)
    if sent.get("leave", ""):
        work, done = calling.give_back(db, actor, call_id), _("Left to others.")
    else:
        work, done = calling.take(db, actor, call_id), _("Others see that you are calling.")
    return await _do(request, db, actor, call_id, sent, work, done)


@post(f"{CALLS}/{{call_id:uuid}}/outcome", guards=support, status_code=200)
async def record(request: AnyRequest, db: Db, actor: By, call_id: FromPath[UUID]) -> Response[Any]:
    """Say what came of it."""
    sent = await form(request)
    zone = (await current(db)).timezone

    async def work() -> None:
        await calling.record(
            db,
            actor,
            call_id,
            _outcome(sent.get("outcome", "")),
            note=sent.get("note", ""),
            again_at=_moment(sent.get("again_at", ""), zone),
            seen=sent.number("seen"),
        )

    return await _do(request, db, actor, call_id, sent, work(), _("Noted."))


def _outcome(value: str) -> Outcome:
    for outcome in Outcome:
        if outcome.value == value:
            return outcome
    raise InvalidError(mark("Choose what came of the call."), field="outcome")


def _moment(text: str, zone: str) -> datetime | None:
    """A moment of the shop's zone, as browsers send it; None where none is given.

    Raises:
        InvalidError: it is none.
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise InvalidError(mark("Give a day and a time, such as 2026-11-24 18:00."), field="again_at") from None


async def _do(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    call_id: UUID,
    sent: Form,
    work: Any,  # noqa: ANN401 - a coroutine
    done: str,
) -> Response[Any]:
    """Do it and lead back to the list; what cannot be is said beside everything that was typed."""
    try:
        async with db.begin_nested():
            await work
    except NotFoundError:
        raise
    except (InvalidError, ConflictError) as error:
        return await _show(request, db, actor, call_id, sent, {error.field or "": _said(error)}, error.status)
    flash(request, done)
    return redirect(CALLS if "outcome" in sent or "leave" in sent else f"{CALLS}/{call_id}")


def _said(error: DomainError) -> str:
    return translate(error.sentence, **error.values)


routes: list[Any] = [queue, show, take, record]
