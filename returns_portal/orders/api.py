"""Orders in the JSON API."""

from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import number_in_path, order_number
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.orders import actions, queries
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.queries import OrderPage, OrderView
from returns_portal.web.bodies import strictly
from returns_portal.web.site import site


@put(
    "/orders/{number:path}",
    status_code=200,
    responses={201: ResponseSpec(OrderView, description="The order is new.")},
    security=[{"key": ["orders:write"]}],
)
async def put_order(
    request: Request[Any, Any, State],
    number: FromPath[PurePosixPath],
    data: JSONBody[OrderInput],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
) -> Response[OrderView]:
    """Take an order in, or bring it up to date; the same again changes nothing.

    A slash in the number may stand in the address as it is, or percent-encoded.
    """
    actor.require("orders:write")
    addressed = number_in_path(number)
    if data.number and order_number(data.number) != addressed:
        raise InvalidError(mark("The address and the body name different orders."), field="number")
    order = msgspec.structs.replace(strictly(await request.body(), OrderInput), number=addressed)
    stored = await actions.put_order(db, actor, site(request).settings, order)
    view = await queries.order_for(db, actor, addressed)
    return Response(view, status_code=201 if stored.outcome == "created" else 200)


@get("/orders/{number:path}", security=[{"key": ["orders:read"]}], reads=True)
async def get_order(
    number: FromPath[PurePosixPath], db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> OrderView:
    """Show an order, with the id and the returnable quantity of each line."""
    actor.require("orders:read")
    return await queries.order_for(db, actor, number_in_path(number))


@get("/orders", security=[{"key": ["orders:read"]}], reads=True)
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
