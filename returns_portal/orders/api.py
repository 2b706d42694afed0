"""Orders in the JSON API."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import order_number
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.orders import actions, queries
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.queries import OrderPage, OrderView
from returns_portal.web.site import site


@put(
    "/orders/{number:str}",
    status_code=200,
    responses={201: ResponseSpec(OrderView, description="The order is new.")},
    security=[{"key": ["orders:write"]}],
)
async def put_order(
    request: Request[Any, Any, State],
    number: FromPath[str],
    data: JSONBody[OrderInput],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
) -> Response[OrderView]:
    """Take an order in, or bring it up to date; the same again changes nothing."""
    actor.require("orders:write")
    if data.number and order_number(data.number) != order_number(number):
        raise InvalidError(mark("The address and the body name different orders."), field="number")
    order = msgspec.structs.replace(data, number=number)
    stored = await actions.put_order(db, actor, site(request).settings, order)
    view = await queries.order_for(db, actor, number)
    return Response(view, status_code=201 if stored.outcome == "created" else 200)


@get("/orders/{number:str}", security=[{"key": ["orders:read"]}])
async def get_order(
    number: FromPath[str], db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> OrderView:
    """Show an order, with the id and the returnable quantity of each line."""
    actor.require("orders:read")
    return await queries.order_for(db, actor, number)


@get("/orders", security=[{"key": ["orders:read"]}])
async def list_orders(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    cursor: Annotated[str | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = queries.PAGE,
) -> OrderPage:
    """List orders, newest first."""
    actor.require("orders:read")
    return await queries.page_of_orders(db, actor, cursor, limit)


routes: list[Any] = [put_order, get_order, list_orders]
