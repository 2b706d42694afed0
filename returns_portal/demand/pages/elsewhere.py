"""The list of other shops, as support keeps it: the longest unseen first."""

from datetime import date
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.demand.places import (
    PlaceInput,
    PlaceView,
    add_place,
    change_place,
    list_places,
    place_by_id,
    remove_place,
)
from returns_portal.demand.queries import RequestView
from returns_portal.demand.reading import COLUMNS, MAX_BYTES, rows_of, take_all
from returns_portal.demand.rules import is_stale
from returns_portal.demand.words import look
from returns_portal.errors import InvalidError
from returns_portal.finance.filters import parse_day, today
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, mark, ngettext, translate
from returns_portal.money import Money, is_currency
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, form_with_file, page, page_after, redirect, requires_staff
from returns_portal.web.formats import format_date, money

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Errors = dict[str, str]

LIST: Final = "/staff/elsewhere"
PAGE: Final = 50
_WRONG: Final = 20
"""Wrong lines of a file that are named at once."""
support = [requires_staff("support")]


@get(LIST, guards=support)
async def show_list(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Every other shop that we name, and a form for one more."""
    return await _show(request, db, actor, Form({}), {})


async def _show(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: Form, errors: Errors, status: int = 200
) -> Response[Any]:
    zone = (await current(db)).timezone
    product = request.query_params.get("product", "")
    found = await list_places(db, actor, product=product, after=page_after(request), limit=PAGE + 1)
    asked = {"product": product} if product else {}
    after = str(found[PAGE - 1].id) if found[PAGE:] else ""
    beforehand = {
        **asked,
        **{name: request.query_params.get(name, "") for name in ("size", "color")},
        "seen_on": today(zone).isoformat(),
    }
    return page(
        request,
        "demand/elsewhere.html",
        status=status,
        rows=[_row(place, today(zone)) for place in found[:PAGE]],
        product=product,
        next_href=f"{LIST}?{urlencode(asked | {'after': after})}" if after else "",
        first_href=f"{LIST}?{urlencode(asked)}" if "after" in request.query_params else "",
        typed=typed or beforehand,
        errors=errors,
        columns=", ".join(COLUMNS),
    )


def _row(place: PlaceView, day: date) -> dict[str, Any]:
    return {
        "place": place,
        "look": look(place.size, place.color),
        "price": money(place.price, place.currency),
        "seen": format_date(place.seen_on),
        "stale": is_stale(place.seen_on, day),
    }


@post(LIST, guards=support, status_code=200)
async def add(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Put one more on the list."""
    sent = await form(request)
    try:
        await add_place(db, actor, typed_place(sent), today((await current(db)).timezone))
    except InvalidError as error:
        return await _show(request, db, actor, sent, _told(error), error.status)
    flash(request, _("It is on the list. Whoever asks for this product is told of it at once."))
    return redirect(LIST)


def typed_place(sent: Form, *, of: RequestView | None = None) -> PlaceInput:
    """Another shop as it was typed: of what is typed with it, or of what a request asks for.

    Raises:
        InvalidError: its price, currency or day is none.
    """
    currency = sent.text("currency", limit=3).upper()
    if not is_currency(currency):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field="currency")
    return PlaceInput(
        product=of.handle if of else sent.text("product", limit=200),
        size=of.size if of else sent.get("size", ""),
        color=of.color if of else sent.get("color", ""),
        shop=sent.get("shop", ""),
        url=sent.get("url", ""),
        price=typed_amount(sent, "price", currency),
        currency=currency,
        seen_on=parse_day(sent.text("seen_on", limit=10), "seen_on"),
    )


@post(f"{LIST}/file", guards=support, status_code=200, request_max_body_size=MAX_BYTES + 20_000)
async def add_file(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Put all lines of a file on the list, or none where one is wrong; then every wrong one is named."""
    sent, content = await form_with_file(request, "file", most=MAX_BYTES)
    try:
        async with db.begin_nested() as taking:
            count, wrong = await take_all(db, actor, rows_of(content), today((await current(db)).timezone))
            if wrong:
                await taking.rollback()
    except InvalidError as error:
        return await _show(request, db, actor, sent, _told(error), error.status)
    if wrong:
        lines = [
            _("Line {line}: {reason}", line=each.line, reason=translate(each.error.sentence, **each.error.values))
            for each in wrong[:_WRONG]
        ]
        said = _("Nothing was taken in. Put these lines right, and send the whole file again.")
        return await _show(request, db, actor, sent, {"file": " ".join((said, *lines))}, 422)
    flash(request, ngettext("{n} line was taken in.", "{n} lines were taken in.", count))
    return redirect(LIST)


def _told(error: InvalidError) -> Errors:
    return {error.field or "": translate(error.sentence, **error.values)}


@get(f"{LIST}/{{place_id:uuid}}", guards=support)
async def edit(request: AnyRequest, db: Db, place_id: FromPath[UUID]) -> Response[Any]:
    """One of the list, to be looked at again or changed."""
    return await _edit(request, db, place_id, None, {})


async def _edit(
    request: AnyRequest, db: AsyncConnection, place_id: UUID, typed: Form | None, errors: Errors, status: int = 200
) -> Response[Any]:
    place = await place_by_id(db, place_id)
    kept = {
        "product": place.handle,
        "size": place.size,
        "color": place.color,
        "shop": place.shop,
        "url": place.url,
        "price": _price_typed(place),
        "currency": place.currency,
        "seen_on": today((await current(db)).timezone).isoformat(),
    }
    return page(
        request,
        "demand/place.html",
        status=status,
        place=place,
        seen=format_date(place.seen_on),
        typed=typed or kept,
        errors=errors,
    )


def _price_typed(place: PlaceView) -> str:
    """A price as it is typed: `59.90`."""
    return str(Money(place.price, place.currency).decimal)


@post(f"{LIST}/{{place_id:uuid}}", guards=support, status_code=200)
async def change(request: AnyRequest, db: Db, actor: By, place_id: FromPath[UUID]) -> Response[Any]:
    """Keep what is typed; seen today, it is fresh again."""
    sent = await form(request)
    try:
        await change_place(db, actor, place_id, typed_place(sent), today((await current(db)).timezone))
    except InvalidError as error:
        return await _edit(request, db, place_id, sent, _told(error), error.status)
    flash(request, _("Kept."))
    return redirect(LIST)


@post(f"{LIST}/{{place_id:uuid}}/removal", guards=support, status_code=200)
async def remove(request: AnyRequest, db: Db, actor: By, place_id: FromPath[UUID]) -> Response[Any]:
    """Take it off the list."""
    await remove_place(db, actor, place_id)
    flash(request, _("It is off the list. Nobody is sent there any more."))
    return redirect(LIST)


routes: list[Any] = [show_list, add, add_file, edit, change, remove]
