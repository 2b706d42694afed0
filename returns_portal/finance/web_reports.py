"""The refund report as workbook and on paper, and the proof of the books."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import NotFoundError
from returns_portal.finance import exporting
from returns_portal.finance.files import file_response
from returns_portal.finance.overview import query_of, read_filters
from returns_portal.finance.paper import report_paper
from returns_portal.finance.printing import print_report
from returns_portal.finance.proofs import ask_for_proof, proofs
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.shop.queries import current
from returns_portal.web import form, page, redirect, requires_staff, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@post("/finance/exports", guards=finance)
async def ask_for_export(request: AnyRequest, db: Db, actor: By) -> Redirect:
    """Have the report that is shown written as a workbook."""
    filters = read_filters(await form(request), (await current(db)).timezone)
    return redirect(f"/finance/exports/{await exporting.ask(db, actor, filters)}")


@get("/finance/exports/{export_id:uuid}", guards=finance)
async def export_page(request: AnyRequest, db: Db, actor: By, export_id: FromPath[UUID]) -> Response[Any]:
    """How far it is; the page looks again by itself until it is done."""
    export = await exporting.export_for(db, actor, export_id)
    answer = page(request, "finance/export.html", export=export, query=query_of(export.filters))
    if export.file is None:
        answer.headers["Refresh"] = "2"
    return answer


@get("/finance/exports/{export_id:uuid}/file", guards=finance)
async def export_file(db: Db, actor: By, begin: NamedDependency[Begin], export_id: FromPath[UUID]) -> Stream:
    """The workbook."""
    export = await exporting.export_for(db, actor, export_id)
    if export.file is None:
        raise NotFoundError(mark("This file is still being written. Look again in a moment."))
    return file_response(begin, export.file)


@get("/finance/refunds.pdf", guards=finance)
async def report_pdf(request: AnyRequest) -> Response[bytes]:
    """What the page shows, on paper: all sums, and the newest rows."""
    async with asking(request) as (db, actor):
        shop = await current(db)
        filters = read_filters(dict(request.query_params), shop.timezone)
        content = await report_paper(db, actor, filters, shop, sandbox=not site(request).settings.livemode)
    documents: LabelRenderer = request.app.state.labels
    name = f"refunds-{filters.first}-{filters.last}.pdf"
    return Response(
        await print_report(documents.pool, content),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"},
    )


@get("/finance/books", guards=finance)
async def books_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What was proven of the books, and what breaks them."""
    return page(request, "finance/books.html", proofs=await proofs(db, actor))


@post("/finance/books", guards=finance)
async def prove_books(request: AnyRequest, db: Db, actor: By) -> Redirect:
    """Have them proven now."""
    done = _("The books are being proven. Look again in a minute.")
    return await attempt(request, db, ask_for_proof, actor, done=done, back="/finance/books")


routes: list[Any] = [ask_for_export, export_page, export_file, report_pdf, books_page, prove_books]
