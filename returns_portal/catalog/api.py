"""Products in the JSON API."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog import actions, queries
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.queries import ProductPage, ProductView

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]


class ProductIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole product; variants that are not in it are no longer offered.

    What is left out of the rest stays as it was; for a new product it is guessed from kind and sizes, or empty.
    """

    title: str
    kind: ProductKind
    variants: list[VariantInput]
    brand: str | None = None
    supplier: str | None = None
    """From whom the shop gets it; customers never see that."""
    description: str | None = None
    size_system: SizeSystem | None = None
    size_group: SizeGroup | None = None
    tax_rate: int | None = None
    """The tax in the prices, in hundredths of a percent: 1900 is 19 %."""
    listed: bool | None = None
    tags: list[str] | None = None
    """Words by which the shop groups its goods; policies can speak of them."""


@put(
    "/products/{handle:str}",
    status_code=200,
    responses={201: ResponseSpec(ProductView, description="The product is new.")},
    security=[{"key": ["products:write"]}],
)
async def put_product(handle: FromPath[str], data: JSONBody[ProductIn], db: Db, actor: By) -> Response[ProductView]:
    """Take a product in, or bring it up to date; the same again changes nothing. Scope `products:write`.

    409 `sku_taken`: another product has one of the SKUs.
    """
    actor.require("products:write")
    given = {name: getattr(data, name) for name in ProductIn.__struct_fields__}
    stored = await actions.put_product(db, actor, ProductInput(handle=handle, **given))
    view = await queries.product_for(db, actor, handle)
    return Response(view, status_code=201 if stored.outcome == "created" else 200)


@get("/products/{handle:str}", security=[{"key": ["products:read"]}], reads=True)
async def get_product(handle: FromPath[str], db: Db, actor: By) -> ProductView:
    """Show a product with what is offered of it. Scope `products:read`."""
    actor.require("products:read", "products:write")
    return await queries.product_for(db, actor, handle)


@get("/products", security=[{"key": ["products:read"]}], reads=True)
async def list_products(
    db: Db,
    actor: By,
    cursor: Annotated[str | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = queries.PAGE,
) -> ProductPage:
    """List products, newest first, listed in the storefront or not. Scope `products:read`."""
    actor.require("products:read", "products:write")
    return await queries.page_of_products(db, actor, cursor, limit)


routes: list[Any] = [put_product, get_product, list_products]
