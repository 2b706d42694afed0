"""Months of the books: what each comes to, closing it, and its files."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.finance import words
from returns_portal.finance.closing import Month, close_month, month_of, months
from returns_portal.finance.exports import csv_response, stream
from returns_portal.finance.files import file_response
from returns_portal.finance.filters import parse_month
from returns_portal.finance.journal import in_open, journal_listing, movements_listing
from returns_portal.finance.models import ClosedFileKind
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark
from returns_portal.shop.queries import current
from returns_portal.web import form, page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@get("/finance/months", guards=finance)
async def months_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The open months and the closed ones."""
    return page(request, "finance/months.html", months=await months(db, actor), words=words.FOR_TEMPLATES)


@post("/finance/months", guards=finance)
async def close(request: AnyRequest, db: Db, actor: By) -> Redirect:
    """Close a month. A second click finds it closed, which is as good."""
    sent = await form(request)
    month = parse_month(sent.text("month"), "month")
    done = _("{month} is closed. Its files are being written.", month=words.month(month))
    return await attempt(request, db, close_month, actor, month, done=done, back="/finance/months")


@get("/finance/months/{month:str}/{kind:str}", guards=finance)
async def month_file(
    request: AnyRequest,
    db: Db,
    actor: By,
    begin: NamedDependency[Begin],
    month: FromPath[str],
    kind: FromPath[str],
) -> Stream:
    """A file of a month: of a closed one always the same bytes, of an open one what it holds so far."""
    if kind not in list(ClosedFileKind):
        raise NotFoundError(mark("There is no such file."))
    found = await month_of(db, actor, parse_month(month, "month"))
    if found.period_id is None:
        return await _so_far(request, db, begin, found, ClosedFileKind(kind))
    if kind not in found.files:
        raise ConflictError(mark("This file is still being written. Look again in a moment."), code="not_written")
    return file_response(begin, found.files[kind])


async def _so_far(request: AnyRequest, db: AsyncConnection, begin: Begin, month: Month, kind: ClosedFileKind) -> Stream:
    if kind is ClosedFileKind.REFUNDS_XLSX:
        raise NotFoundError(mark("The workbook is made when the month is closed."))
    members = in_open(month.begins, month.ends, first=month.first_open)
    zone, livemode = (await current(db)).timezone, site(request).settings.livemode
    journal = kind is ClosedFileKind.JOURNAL_CSV
    listing = journal_listing(members, zone, livemode=livemode) if journal else movements_listing(members)
    name = f"{kind.partition('.')[0]}-{month.name}-so-far.csv"
    return csv_response(name, stream(begin, listing))


routes: list[Any] = [months_page, close, month_file]
