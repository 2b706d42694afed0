"""Our own way to another shop: an address of ours that leads to a page of our list, and nowhere else."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.arrivals import access_key
from returns_portal.accounts.limits import Limit, bucket, count
from returns_portal.actor import Actor
from returns_portal.demand.following import follow
from returns_portal.demand.links import outbound
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.web import client_network, site

AnyRequest = Request[Any, Any, State]
_MOST: Final = 60
"""Visits of other shops from one network that are counted in an hour."""
_HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@get("/elsewhere/{token:str}")
async def leave(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], token: FromPath[str]
) -> Response[Any]:
    """Lead to another shop. The address comes from our list; what the link holds is only which of its rows."""
    del actor  # Asked for so that the page's header knows who is there, where the link leads nowhere any more.
    found = outbound(site(request).settings, token)
    if found is None:
        raise NotFoundError(mark("This link is not one of ours, or it is too old. Please look at the product again."))
    # The links of a product's page are open to everybody, and some press them for sport: they are led on as well, and
    # nothing is written.
    here = site(request)
    often = Limit(
        bucket(access_key(here), "elsewhere:client", client_network(request.scope)), times=_MOST, seconds=3600
    )
    counted = found[1] is not None or not await count(db, often)
    return Redirect(path=await follow(db, *found, counted=counted), status_code=303, headers=_HEADERS)


routes: list[Any] = [leave]
