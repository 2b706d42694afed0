"""Points over JSON."""

from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.points.queries import balances


class LookupIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whose points. In the body, so that the address stands in no access log."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class BalanceOut(msgspec.Struct, frozen=True):
    """Points of one currency; one point is one minor unit."""

    currency: str
    points: int


class LookupOut(msgspec.Struct, frozen=True):
    """What the customer has."""

    email: str
    balances: list[BalanceOut]


@post("/customers/points-lookup", summary="A customer's points", status_code=200)
async def points_lookup(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], data: JSONBody[LookupIn]
) -> LookupOut:
    """The balances of a customer, by e-mail address. Scope `points:read`."""
    found = await balances(db, actor, data.email)
    return LookupOut(data.email, [BalanceOut(currency, points) for currency, points in found.items()])


routes: list[Any] = [points_lookup]
