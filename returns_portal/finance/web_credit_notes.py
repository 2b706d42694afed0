"""Credit notes: the list for finance, and each on paper for finance and for the customer whose it is."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.finance.credit_notes import list_notes, parse_document
from returns_portal.finance.credit_notes_content import note_for
from returns_portal.finance.printing import print_note
from returns_portal.i18n import mark
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.web import page, requires_staff
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]

PAGE: Final = 100


@get("/finance/credit-notes", guards=[requires_staff("finance")])
async def notes_page(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """The credit notes, the newest first."""
    after = request.query_params.get("after", "")
    before = parse_document(after)
    if after and before is None:
        raise InvalidError(mark("There is no such page."), field="after")
    rows = await list_notes(db, actor, before=before, limit=PAGE + 1)
    return page(
        request,
        "finance/credit_notes.html",
        rows=rows[:PAGE],
        next_href=f"/finance/credit-notes?after={rows[PAGE - 1].document}" if rows[PAGE:] else "",
        first_href="/finance/credit-notes" if after else "",
    )


@get("/credit-notes/{document:str}")
async def note_pdf(request: AnyRequest, document: FromPath[str]) -> Response[bytes]:
    """One credit note; a number is easily guessed, so that it is told only to those whose order it is, and to staff."""
    async with asking(request) as (db, actor):
        content = await note_for(db, actor, document)
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await print_note(documents.pool, content),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{content.document}.pdf"',
            # It names people and their addresses.
            "Cache-Control": "no-store",
        },
    )


routes: list[Any] = [notes_page, note_pdf]
