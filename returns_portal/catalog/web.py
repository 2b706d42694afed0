"""The storefront: the list of products, a product, its pictures."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog import thumbnails, web_keeping
from returns_portal.catalog.checks import MAX_COLOR, MAX_SIZE
from returns_portal.catalog.pages.product import product_page
from returns_portal.catalog.pages.shelf import shelf
from returns_portal.catalog.queries import picture, product_for
from returns_portal.catalog.search import a_wish, an_id, search
from returns_portal.demand.pages.missing import missing_here
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.insights.fitting import told
from returns_portal.tryon.insight import sentence_for
from returns_portal.tryon.queries import policy
from returns_portal.web import page, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@get("/shop", reads=True)
async def shop(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What there is, or what of it fits what is looked for."""
    asked = request.query_params
    wish = a_wish(asked.get("q", ""), asked.get("kind", ""), asked.get("size", ""))
    after = an_id(asked.get("after", ""))
    found = await search(db, actor, wish, after=after)
    shown = shelf(found, wish, paged=after is not None)
    return page(request, "shop/list.html", shelf=shown, trial=await policy(db))


@get("/shop/{handle:str}", reads=True)
async def product(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Response[Any]:
    """One product, with a colour and a size chosen where the address names them."""
    asked = request.query_params
    color, size = asked.get("color", "")[:MAX_COLOR], asked.get("size", "")[:MAX_SIZE]
    found = await product_for(db, actor, handle)
    view = product_page(found, color, size)
    return page(
        request,
        "shop/product.html",
        view=view,
        missing=await missing_here(db, site(request).settings, view),
        trial=await policy(db),
        insight=await sentence_for(db, found.id),
        fit=next(iter((await told(db, [variant.sku for variant in found.variants])).values()), ""),
    )


@get("/shop/{handle:str}/pictures/{name:str}", media_type="image/jpeg")
async def picture_file(
    request: AnyRequest, handle: FromPath[str], name: FromPath[str], w: FromQuery[int | None] = None
) -> Response[bytes]:
    """A picture, for ever: under its id it never changes. `w` asks for one of the smaller widths."""
    picture_id = an_id(name.removesuffix(".jpg"))
    if picture_id is None or (w is not None and w not in thumbnails.WIDTHS):
        raise NotFoundError(mark("There is no such picture."), code="picture_not_found")
    content = thumbnails.known(picture_id, w) if w else None
    if content is None:
        # The database is done with before the picture is made smaller, which takes a while.
        async with site(request).read() as db:
            content = await picture(db, picture_id, handle)
        if w is not None:
            content = await thumbnails.make(picture_id, w, content)
    return Response(content, headers=_FOREVER, media_type="image/jpeg")


routes: list[Any] = [shop, product, picture_file, *web_keeping.routes]
