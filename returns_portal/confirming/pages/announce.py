"""Announcing a courier by hand: find the order, say who comes and when."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.confirming.announcing import MAX_COURIER, Wish, announce, order_named
from returns_portal.confirming.places import zone_of
from returns_portal.confirming.windows import FURTHEST, MOST_HOURS, Window, in_hours
from returns_portal.confirming.wording import sentence
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import _, mark, translate
from returns_portal.shop.presence import zone_in_words
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

ANNOUNCE: Final = "/staff/announce"
_MAX_NUMBER: Final = 64
_tellers = [requires_staff("support", "warehouse")]


class _Subject(msgspec.Struct, frozen=True):
    """The order that is announced for, and what was announced before, the newest first."""

    id: UUID
    number: str
    tracking: str
    name: str
    email: str
    phone: str
    city: str
    zone: str
    before: list[str]


_ORDER: Final = "SELECT name, email, phone, address FROM orders WHERE id = :id"
_BEFORE: Final = """
    SELECT courier, begins_at, ends_at, timed, zone, created_at FROM courier_announcement
    WHERE order_id = :id ORDER BY id DESC LIMIT 10
"""


async def _subject(db: AsyncConnection, actor: Actor, named: str) -> _Subject:
    found = await order_named(db, actor, named)
    [order] = await run(db, _ORDER, id=found.id)
    zone = zone_of(order.address.get("country", ""), clock.now()) or (await current(db)).timezone
    before = [
        sentence(Window(row.begins_at, row.ends_at, row.timed), row.courier, row.zone, row.created_at)
        for row in await run(db, _BEFORE, id=found.id)
    ]
    return _Subject(
        id=found.id,
        number=found.number,
        tracking=found.tracking,
        name=order.name,
        email=order.email,
        phone=order.phone,
        city=order.address.get("city", ""),
        zone=zone,
        before=before,
    )


@get(ANNOUNCE, guards=_tellers)
async def announce_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Ask for the order; or, where it is named, for who comes and when."""
    named = request.query_params.get("number", "")[:_MAX_NUMBER]
    if not named:
        return _show(request, None, {}, {}, 200)
    try:
        subject = await _subject(db, actor, named)
    except NotFoundError as error:
        return _show(request, None, {"number": named}, {"number": translate(error.sentence, **error.values)}, 404)
    today = clock.now().astimezone(ZoneInfo(subject.zone)).date()
    return _show(request, subject, {"on": today.isoformat()}, {}, 200)


def _show(
    request: AnyRequest,
    subject: _Subject | None,
    typed: Form | dict[str, str],
    errors: dict[str, str],
    status: int,
) -> Response[Any]:
    return page(
        request,
        "confirming/announce.html",
        status=status,
        subject=subject,
        zone=zone_in_words(subject.zone) if subject else "",
        typed=typed,
        errors=errors,
        longest=MAX_COURIER,
        most_hours=MOST_HOURS,
    )


@post(ANNOUNCE, guards=_tellers, status_code=200)
async def send(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Announce; what cannot be is said beside its field, with everything that was typed."""
    sent = await form(request)
    named = sent.text("number", limit=_MAX_NUMBER)
    subject = await _subject(db, actor, named)
    try:
        wish = Wish(
            order_id=subject.id,
            window=_window(sent, subject.zone),
            courier=sent.text("courier"),
            tracking=subject.tracking,
        )
        async with db.begin_nested():
            announced = await announce(db, actor, site(request).settings, wish)
    except (InvalidError, ConflictError) as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return _show(request, subject, sent, errors, error.status)
    if announced.repeated:
        flash(request, _("The very same was announced before, so nobody was told again."), "wait")
    else:
        flash(request, _("Announced. The customer is told at once."))
    return redirect(ANNOUNCE)


def _window(sent: Form, zone: str) -> Window:
    """In so many hours, or from one time to another of a day, in the time of the place.

    Raises:
        InvalidError: neither can be read.
    """
    if sent.get("hours", ""):
        return in_hours(sent.number("hours"), clock.now())
    place = ZoneInfo(zone)
    day = _read(date.fromisoformat, sent, "on", mark("Give a day, such as 2026-11-24."))
    begins, ends = (
        datetime.combine(day, _read(time.fromisoformat, sent, field, mark("Give a time, such as 14:00.")), place)
        for field in ("begins", "ends")
    )
    if begins - clock.now() > FURTHEST:
        # Refused here: of the last day that there is, none comes after it.
        raise InvalidError(mark("That is more than two weeks away. Give an earlier day."), field="begins")
    # A window past midnight ends on the day after.
    return Window(begins, ends if ends > begins else ends + timedelta(days=1))


def _read(read: Any, sent: Form, field: str, refusal: str) -> Any:  # noqa: ANN401 - what the reader makes
    try:
        return read(sent.get(field, ""))
    except ValueError:
        raise InvalidError(refusal, field=field) from None


routes: list[Any] = [announce_page, send]
