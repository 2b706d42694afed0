"""What is asked for and not there, by months; where people were sent, who came back; each number leads to rows."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.demand.counting import (
    MOST,
    AskedFor,
    CameBack,
    Named,
    SentTo,
    asked_for,
    bought_between,
    came_back,
    named_between,
    sent_to,
)
from returns_portal.demand.listing import Which, list_requests
from returns_portal.demand.pages.months import Months, months_of, usual
from returns_portal.demand.pages.staff import QUEUE, support
from returns_portal.demand.words import look
from returns_portal.errors import InvalidError
from returns_portal.finance.cells import safe
from returns_portal.i18n import _, mark, translate
from returns_portal.shop.queries import current
from returns_portal.web import page
from returns_portal.web.formats import format_datetime, money, number

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

REPORT: Final = "/staff/demand"
_TOP: Final = 100
"""Things of the page; the file has them all."""
_ASKED_COLUMNS: Final = (
    "id", "asked_at", "product", "what", "size", "color", "source", "state", "answered_at", "wish", "told_at",
    "came_back_order",
)  # fmt: skip
_NAMED_COLUMNS: Final = (
    "id", "shop", "what", "size", "color", "price_minor", "currency", "shown", "shown_at", "followed_at", "request",
)  # fmt: skip
_RETURNED_COLUMNS: Final = ("order", "placed_at", "product", "requests", "worth_minor", "currency")


@get(REPORT, guards=support)
async def report(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The months that are asked for, without any the last three."""
    zone, errors = (await current(db)).timezone, {}
    try:
        months = months_of(request, zone)
    except InvalidError as error:
        errors[error.field or ""] = translate(error.sentence, **error.values)
        months = usual(zone)
    span = {"from": f"{months.first:%Y-%m}", "to": f"{months.last:%Y-%m}"}
    between = (months.start, months.end)
    asked = await asked_for(db, actor, *between, limit=_TOP + 1)
    sent = await sent_to(db, actor, *between)
    back = await came_back(db, actor, *between)
    return page(
        request,
        "demand/report.html",
        status=422 if errors else 200,
        typed={name: request.query_params.get(name, text) for name, text in span.items()},
        errors=errors,
        asked=[_asked(each, span) for each in asked[:_TOP]],
        more=len(asked) > _TOP,
        sent=[_sent(each, span) for each in sent],
        back=[_back(each, span) for each in back],
        span=urlencode(span),
    )


def _asked(each: AskedFor, span: dict[str, str]) -> dict[str, Any]:
    """A row, each number of which leads to what it counts."""
    thing = {"product": each.handle, "size": each.size, "color": each.color}
    if not each.handle:
        thing["what"] = each.what
    counts = (("all", each.asked), ("open", each.open), ("waiting", each.waiting), ("returned", each.came_back))
    cells = [(number(count), f"{QUEUE}?{urlencode({'show': show, **thing, **span})}") for show, count in counts]
    return {"what": each.what, "handle": each.handle, "look": look(each.size, each.color), "cells": cells}


def _sent(each: SentTo, span: dict[str, str]) -> dict[str, Any]:
    counts = (("named", each.named), ("followed", each.followed), ("product", each.from_product))
    cells = [
        (number(count), f"{REPORT}/named?{urlencode({'shop': each.shop, 'show': show, **span})}")
        for show, count in counts
    ]
    return {"shop": each.shop, "cells": cells}


def _back(each: CameBack, span: dict[str, str]) -> dict[str, Any]:
    return {
        "currency": each.currency,
        "cells": [number(each.requests), number(each.orders), money(each.worth, each.currency)],
        "href": f"{QUEUE}?{urlencode({'show': 'returned', 'currency': each.currency, **span})}",
    }


@get(f"{REPORT}/named", guards=support)
async def named_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Each time that another shop was named."""
    months = months_of(request, (await current(db)).timezone)
    asked = request.query_params
    shop, show = asked.get("shop", ""), asked.get("show", "")
    found = await named_between(db, actor, months.start, months.end, shop=shop, show=show, limit=_TOP + 1)
    return page(
        request,
        "demand/named.html",
        other=shop,
        rows=[_named(each) for each in found[:_TOP]],
        more=len(found) > _TOP,
        span=urlencode({"from": f"{months.first:%Y-%m}", "to": f"{months.last:%Y-%m}"}),
    )


_PLACES: Final = {
    "product": mark("the product’s page"),
    "page": mark("the answer to a request"),
    "mail": mark("the answer of a person"),
}


def _named(each: Named) -> dict[str, Any]:
    return {
        "shop": each.shop,
        "what": each.what,
        "look": look(each.size, each.color),
        "price": money(each.price, each.currency),
        "where": translate(_PLACES[each.shown]),
        "shown": format_datetime(each.shown_at, "medium"),
        "followed": format_datetime(each.followed_at, "medium") if each.followed_at else _("no"),
        "href": f"{QUEUE}/{each.request_id}" if each.request_id else "",
    }


@get(f"{REPORT}/asked.csv", guards=support)
async def asked_csv(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """Each thing that somebody asked for."""
    months = months_of(request, (await current(db)).timezone)
    which = Which(show="all", start=months.start, end=months.end)
    rows = [
        (
            *(str(each.id), _moment(each.asked_at), each.handle, safe(each.what), safe(each.size), safe(each.color)),
            *(each.source, each.state, _moment(each.answered_at), each.wish, _moment(each.told_at)),
            safe(each.order_number),
        )
        for each in await list_requests(db, actor, which, limit=MOST)
    ]
    return _file("asked", months, _ASKED_COLUMNS, rows)


@get(f"{REPORT}/named.csv", guards=support)
async def named_csv(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """Each time that another shop was named."""
    months = months_of(request, (await current(db)).timezone)
    rows = [
        (
            *(str(each.id), safe(each.shop), safe(each.what), safe(each.size), safe(each.color), each.price),
            *(each.currency, each.shown, _moment(each.shown_at), _moment(each.followed_at), str(each.request_id or "")),
        )
        for each in await named_between(db, actor, months.start, months.end)
    ]
    return _file("named", months, _NAMED_COLUMNS, rows)


@get(f"{REPORT}/returned.csv", guards=support)
async def returned_csv(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """Each thing that was bought by somebody who had asked for it."""
    months = months_of(request, (await current(db)).timezone)
    rows = [
        (safe(each.order_number), _moment(each.placed_at), each.handle, each.requests, each.worth, each.currency)
        for each in await bought_between(db, actor, months.start, months.end)
    ]
    return _file("returned", months, _RETURNED_COLUMNS, rows)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _file(name: str, months: Months, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[str]:
    """The rows behind one part of the report; moments in UTC, amounts in minor units, and nothing of people."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    called = f"demand-{name}-{months.first:%Y-%m}-{months.last:%Y-%m}.csv"
    return Response(
        written.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{called}"'},
    )


routes: list[Any] = [report, named_page, asked_csv, named_csv, returned_csv]
