"""Which request is answered by what. Everything else that Stripe has is answered 501."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote

import msgspec

from returns_portal.payments.sandbox import intents, reads, refunds
from returns_portal.payments.sandbox import params as p
from returns_portal.payments.sandbox.errors import not_simulated
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.refunds import Bank
from returns_portal.payments.sandbox.store import Unit

Handler = Callable[..., Awaitable[Document]]


class Route(msgspec.Struct, frozen=True):
    """One endpoint: what it takes, and the handler that gets the unit, the parameters and the path's ids."""

    method: str
    path: str
    params: type[p.Params]
    handler: Handler


def _reader(object_: str, param: str = "id") -> Handler:
    async def read(unit: Unit, _params: p.Params, id_: str) -> Document:
        return await reads.retrieve(unit, object_, id_, param)

    return read


def routes(bank: Bank) -> list[Route]:
    """List the endpoints; `{}` stands for an id."""
    return [
        Route("POST", "/v1/payment_intents", p.IntentCreate, intents.create),
        Route("GET", "/v1/payment_intents", p.IntentList, reads.list_intents),
        Route("GET", "/v1/payment_intents/{}", p.Params, _reader("payment_intent", "intent")),
        Route("POST", "/v1/payment_intents/{}/confirm", p.IntentConfirm, intents.confirm),
        Route("POST", "/v1/payment_intents/{}/capture", p.IntentCapture, intents.capture),
        Route("POST", "/v1/payment_intents/{}/cancel", p.IntentCancel, intents.cancel),
        Route("GET", "/v1/charges", p.ChargeList, reads.list_charges),
        Route("GET", "/v1/charges/{}", p.Params, _reader("charge")),
        Route("POST", "/v1/refunds", p.RefundCreate, partial(refunds.create, bank=bank)),
        Route("GET", "/v1/refunds", p.RefundList, reads.list_refunds),
        Route("GET", "/v1/refunds/{}", p.Params, _reader("refund")),
        Route("POST", "/v1/refunds/{}", p.RefundUpdate, refunds.update),
        Route("POST", "/v1/refunds/{}/cancel", p.Params, refunds.cancel),
        Route("GET", "/v1/balance_transactions", p.BalanceList, reads.list_balance_transactions),
        Route("GET", "/v1/balance_transactions/{}", p.Params, _reader("balance_transaction")),
        Route("GET", "/v1/payment_methods/{}", p.Params, _reader("payment_method", "payment_method")),
    ]


class Router:
    """Finds the route of a request by method and shape of the path."""

    def __init__(self, table: list[Route]) -> None:
        self._table: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in table}

    def find(self, method: str, path: str) -> tuple[Route, list[str]]:
        """Return the route and the ids in the path, which is as it was sent: an id may hold an escaped slash.

        Raises:
            ApiError: Stripe may have such an endpoint, but the sandbox has not.
        """
        _, *parts = path.split("/")
        ids = parts[2:3]
        shape = "/".join(["", *parts[:2], *("{}" for _ in ids), *parts[3:]])
        route = self._table.get((method, shape))
        if route is None:
            raise not_simulated(f"{method} {path}")
        return route, [unquote(id_) for id_ in ids]
