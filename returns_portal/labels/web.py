"""The label as a file."""

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery

from returns_portal.labels.content import Size
from returns_portal.labels.queries import label_content
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.shop.queries import current
from returns_portal.web import site
from returns_portal.web.transaction import asking


@get("/returns/{rma:str}/label.pdf", include_in_schema=False)
async def label_pdf(
    request: Request[Any, Any, State], rma: FromPath[str], size: FromQuery[Size] = "4x6"
) -> Response[bytes]:
    """The prepaid label of the customer's own return (of any return for staff), for the paper at hand."""
    async with asking(request) as (db, actor):
        sandbox = not site(request).settings.livemode
        content = await label_content(db, actor, rma, shop=await current(db), sandbox=sandbox)
    labels: LabelRenderer = request.app.state.labels
    return Response(
        await labels.render(content, size),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{content.code}-{size}.pdf"',
            # The label names people and their addresses.
            "Cache-Control": "no-store",
        },
    )


routes: list[Any] = [label_pdf]
