"""Ways in that the shop hands out itself, over JSON."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.inviting import OrderLinks, order_links
from returns_portal.accounts.queries import order_numbered
from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.documents.pictures import qr_png, qr_svg_file
from returns_portal.i18n import _
from returns_portal.texts import WITHOUT_NUL
from returns_portal.web.links import slip_link
from returns_portal.web.site import site

AnyRequest = Request[Any, Any, State]


class LinksIn(msgspec.Struct, forbid_unknown_fields=True):
    """The order that links are asked for."""

    order_number: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=64)]


@post("/order-links", summary="Make links to an order for the shop's own e-mails", status_code=201)
async def make_links(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[LinksIn],
) -> OrderLinks:
    """A link that shows the order for 30 days, and one that lets in once within ten minutes. Scope `orders:write`.

    Put them into e-mails to the order's own address and nowhere else: each opens the order by itself.
    """
    actor.require("orders:write")
    return await order_links(db, actor, site(request).settings, data.order_number)


@get("/slip-codes/{number:path}", summary="The code for an order's packing slip", reads=True)
async def slip_code(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
    kind: FromQuery[Literal["svg", "png"]] = "svg",
) -> Response[Any]:
    """A QR code that opens the portal with the order's number filled in, and proves nothing. Scope `orders:read`.

    `kind` is `svg` or `png`.
    """
    actor.require("orders:read")
    order = await order_numbered(db, actor, number_in_path(number))
    held = slip_link(site(request).settings, order.number)
    if kind == "png":
        return Response(qr_png(held), media_type="image/png")
    title = _("QR code of order {number}", number=order.number)
    return Response(qr_svg_file(held, title=title), media_type="image/svg+xml")


routes: list[Any] = [make_links, slip_code]
