"""In which warehouse a station stands: asked once, and kept in the browser of the station, whoever works there."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from litestar import Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.shop.queries import current
from returns_portal.shop.warehouses import MAX_NAME
from returns_portal.web import form, local_path, redirect, requires_staff, site
from returns_portal.web.signing import cookie, derive, seal, unseal

AnyRequest = Request[Any, Any, State]

WAREHOUSE_COOKIE: Final = "__Host-warehouse"
_LASTS: Final = timedelta(days=400)
"""As long as browsers keep anything."""
_MAX_PATH: Final = 2000
workers = [requires_staff("warehouse", "support")]


def _key(request: AnyRequest) -> bytes:
    return derive(site(request).secret, "warehouse")


def chosen(request: AnyRequest, names: Sequence[str]) -> str:
    """The warehouse that was chosen here; empty while nobody has, or where the shop has no such warehouse any more."""
    name = unseal(_key(request), request.cookies.get(WAREHOUSE_COOKIE, ""))
    return name if len(names) > 1 and name in names else ""


async def counted_in(request: AnyRequest, db: AsyncConnection, sent: Mapping[str, str]) -> str | None:
    """Where a parcel was counted: as its form says, for it may have waited for the network; else as is chosen here."""
    names = (await current(db)).warehouses
    said = sent.get("warehouse", "")
    return said if said in names else chosen(request, names) or None


@post("/station/warehouse", guards=workers, status_code=303)
async def choose(request: AnyRequest, db: NamedDependency[AsyncConnection]) -> Redirect:
    """Say in which warehouse this station stands, and go on with what was open."""
    sent = await form(request)
    name = sent.text("stands_in", limit=MAX_NAME)
    if name not in (await current(db)).warehouses:
        raise InvalidError(mark("The shop has no such warehouse: open the station again."), field="stands_in")
    back = local_path(sent.text("back", limit=_MAX_PATH), otherwise="/station")
    answer = redirect(back if back.startswith("/station") else "/station")
    answer.set_cookie(cookie(WAREHOUSE_COOKIE, seal(_key(request), name, lasting=_LASTS), lasting=_LASTS))
    return answer


routes: list[Any] = [choose]
