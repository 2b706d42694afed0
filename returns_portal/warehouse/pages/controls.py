"""The printed codes with which a station is operated by the scanner alone."""

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State

from returns_portal import i18n
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.warehouse.sheets import CodeSheet, control_sheet, render
from returns_portal.web import requires_staff

AnyRequest = Request[Any, Any, State]
DOCK_STAFF = [requires_staff("warehouse", "support")]


@get("/station/controls.pdf", guards=DOCK_STAFF)
async def controls_pdf(request: AnyRequest) -> Response[bytes]:
    """The control codes as a sheet to print."""
    return await sheet_response(request, control_sheet(i18n.current()), "controls.pdf")


async def sheet_response(request: AnyRequest, sheet: CodeSheet, name: str) -> Response[bytes]:
    """A sheet of barcodes as a file that nobody keeps."""
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await documents.pool.run(render, sheet),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"},
    )


routes: list[Any] = [controls_pdf]
