"""The station's page, whatever is on it."""

from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State

from returns_portal.warehouse.pages.parts import Station
from returns_portal.warehouse.pages.where import chosen
from returns_portal.web import page
from returns_portal.web.envelope import POLICY

_POLICY: Final = {
    # The camera's reader is WebAssembly: compiling it is allowed on this page alone.
    "content-security-policy": POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
}


def screen(request: Request[Any, Any, State], shown: Station, *, status: int = 200) -> Response[Any]:
    """Show the station."""
    answer = page(
        request,
        "warehouse/station.html",
        status=status,
        station=shown,
        conditions=shown.conditions,
        warehouse=chosen(request, shown.warehouses),
        # What was answered to a form cannot be asked for again by its address.
        back=f"/station?{request.url.query}" if request.method == "GET" and request.url.query else "/station",
    )
    answer.headers.update(_POLICY)
    return answer
