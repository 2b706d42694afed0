"""Where goods go: what waits for a word, and what the shop system is told of stock."""

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import DomainError
from returns_portal.finance.cells import safe
from returns_portal.i18n import _, translate
from returns_portal.shop.queries import current
from returns_portal.warehouse.goods import homeless
from returns_portal.warehouse.items import send_to
from returns_portal.warehouse.models import Acceptance
from returns_portal.warehouse.pages.words import condition_words, disposition_words
from returns_portal.warehouse.restock import Restock, events_between
from returns_portal.warehouse.rules import dispositions_offered
from returns_portal.warehouse.settings import dock_rules
from returns_portal.web import flash, form, formats, page, page_after, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

GOODS: Final = "/station/goods"
_PAGE: Final = 50
workers = [requires_staff("warehouse", "support")]
readers = [requires_staff("warehouse", "support", "finance")]
COLUMNS: Final = (
    "event_id", "at", "sku", "ean", "title", "size", "color", "quantity", "disposition", "rma", "taken_at",
)  # fmt: skip


@get(GOODS, guards=workers)
async def goods_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What waits for a place to go."""
    formats.zone.set(site(request).shop.timezone)
    rules, after = await dock_rules(db), page_after(request)
    goods = await homeless(db, actor, after=after, limit=_PAGE + 1)
    return page(
        request,
        "warehouse/goods.html",
        goods=goods[:_PAGE],
        next=f"{GOODS}?after={goods[_PAGE - 1].id}" if len(goods) > _PAGE else "",
        first=GOODS if after else "",
        places=[(each.value, disposition_words(each)) for each in dispositions_offered(rules.two_people)],
        two_people=[each for each, needed in rules.two_people.items() if needed],
        condition_words=lambda each: rules.names.get(each) or condition_words(each),
        disposition_words=disposition_words,
        surplus=Acceptance.SURPLUS.value,
    )


@post(f"{GOODS}/{{item_id:uuid}}", guards=workers)
async def place_goods(request: AnyRequest, db: Db, actor: By, item_id: FromPath[UUID]) -> Redirect:
    """Say where units go."""
    to = (await form(request)).text("to", limit=40)
    try:
        async with db.begin_nested():
            goes = await send_to(db, actor, item_id, to)
    except DomainError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        where = disposition_words(to)
        if goes.disposition:
            flash(request, _("Noted: {where}.", where=where))
        else:
            flash(request, _("{where}: it takes another person to say so too.", where=where), "wait")
    return redirect(GOODS)


# A zone moves the bounds of a day by hours, and a day ends where the next one begins: both must be dates as well.
_FIRST_DAY: Final = date.min + timedelta(days=2)
_LAST_DAY: Final = date.max - timedelta(days=2)


def read_day(text: str, today: date) -> date:
    """A day as addresses write it; today where it is none, or one beside which there is no other."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if _FIRST_DAY <= day <= _LAST_DAY else today


async def _changes(request: AnyRequest, db: AsyncConnection, actor: Actor) -> tuple[date, list[Restock]]:
    """The day that is asked for, today where none is, and its changes of stock."""
    zone = ZoneInfo((await current(db)).timezone)
    day = read_day(request.query_params.get("day", ""), clock.now().astimezone(zone).date())
    begins = datetime.combine(day, time(), zone)
    ends = datetime.combine(day + timedelta(days=1), time(), zone)
    return day, await events_between(db, actor, begins, ends)


@get("/station/restock", guards=readers)
async def restock_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What went back to the shelf on a day."""
    formats.zone.set(site(request).shop.timezone)
    day, changes = await _changes(request, db, actor)
    return page(
        request,
        "warehouse/restock.html",
        day=day,
        changes=changes,
        units=sum(change.quantity for change in changes),
        untaken=sum(1 for change in changes if change.taken_at is None),
        disposition_words=disposition_words,
    )


@get("/station/restock.csv", guards=readers)
async def restock_csv(request: AnyRequest, db: Db, actor: By) -> Response[bytes]:
    """The same as a file for the shop system, times in UTC."""
    day, changes = await _changes(request, db, actor)
    rows = [
        (
            str(change.id),
            f"{change.at:%Y-%m-%dT%H:%M:%SZ}",
            safe(change.sku),
            safe(change.ean),
            safe(change.title),
            safe(change.size),
            safe(change.color),
            change.quantity,
            change.disposition,
            change.rma,
            f"{change.taken_at:%Y-%m-%dT%H:%M:%SZ}" if change.taken_at else "",
        )
        for change in changes
    ]
    return csv_file(f"restock-{day}.csv", COLUMNS, rows)


def csv_file(name: str, columns: tuple[str, ...], rows: list[Any]) -> Response[bytes]:
    """A short CSV file as a download."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return Response(
        text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


routes: list[Any] = [goods_page, place_goods, restock_page, restock_csv]
