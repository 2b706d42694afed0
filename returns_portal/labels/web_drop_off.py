"""Handing in without a printer: the code of a parcel on a page for the phone, and as a picture."""

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.documents.symbols import qr_svg
from returns_portal.errors import ConflictError
from returns_portal.i18n import translate
from returns_portal.labels import words
from returns_portal.labels.drop_off import drop_off
from returns_portal.labels.pictures import png_of, svg_of, title_of
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.web import flash, page, redirect

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]


@get("/returns/{rma:str}/qr", reads=True)
async def code_page(
    request: Request[Any, Any, State], db: Db, actor: By, rma: FromPath[str], parcel: FromQuery[int] = 1
) -> Response[Any]:
    """The code, large, with what to do; where nothing can be shown, the page of the return says why."""
    if is_stranger(actor):
        return to_the_door(request)
    try:
        found = await drop_off(db, actor, rma, number=parcel)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "wait")
        return redirect(f"/returns/{rma}")
    return page(
        request,
        "returns/qr.html",
        found=found,
        qr=qr_svg(found.code, title=title_of(found)),
        query=f"?parcel={found.number}" if found.number > 1 else "",
        carrier=words.carrier_name(found.carrier) if found.carrier else "",
    )


@get("/returns/{rma:str}/qr.png", reads=True)
async def code_png(db: Db, actor: By, rma: FromPath[str], parcel: FromQuery[int] = 1) -> Response[bytes]:
    """The code as PNG; another customer's does not exist."""
    return png_of(await drop_off(db, actor, rma, number=parcel))


@get("/returns/{rma:str}/qr.svg", reads=True)
async def code_svg(db: Db, actor: By, rma: FromPath[str], parcel: FromQuery[int] = 1) -> Response[str]:
    """The code as SVG; another customer's does not exist."""
    return svg_of(await drop_off(db, actor, rma, number=parcel))


routes: list[Any] = [code_page, code_png, code_svg]
