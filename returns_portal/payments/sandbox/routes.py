"""Which request is answered by what. Everything else that Stripe has is answered 501."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote

import msgspec

from returns_portal.payments.sandbox import (
    customers,
    disputes,
    endpoints,
    holds,
    intents,
    methods,
    reads,
    refunds,
    setups,
)
from returns_portal.payments.sandbox import lists as ls
from returns_portal.payments.sandbox import params as p
from returns_portal.payments.sandbox.endpoints import Endpoints
from returns_portal.payments.sandbox.errors import not_simulated
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.refunds import Bank
from returns_portal.payments.sandbox.store import Store
from returns_portal.payments.sandbox.unit import Unit

Handler = Callable[..., Awaitable[Document]]


class Route(msgspec.Struct, frozen=True):
    """One endpoint: what it takes, and the handler that gets the unit, the parameters and the path's ids."""

    method: str
    path: str
    params: type[Params]
    handler: Handler


def _reader(object_: str, param: str = "id") -> Handler:
    async def read(unit: Unit, _params: Params, id_: str) -> Document:
        return await reads.retrieve(unit, object_, id_, param)

    return read


def routes(store: Store, bank: Bank) -> list[Route]:
    """List the endpoints; `{}` stands for an id."""
    return [*_payments(bank), *_cards(), *_account(), *_webhooks(Endpoints(store))]


def _payments(bank: Bank) -> list[Route]:
    return [
        Route("POST", "/v1/payment_intents", p.IntentCreate, intents.create),
        Route("GET", "/v1/payment_intents", ls.IntentList, reads.list_intents),
        Route("GET", "/v1/payment_intents/{}", Params, _reader("payment_intent", "intent")),
        Route("POST", "/v1/payment_intents/{}", p.IntentUpdate, intents.update),
        Route("POST", "/v1/payment_intents/{}/confirm", p.IntentConfirm, intents.confirm),
        Route("POST", "/v1/payment_intents/{}/capture", p.IntentCapture, holds.capture),
        Route("POST", "/v1/payment_intents/{}/cancel", p.IntentCancel, holds.cancel),
        Route("GET", "/v1/charges", ls.ChargeList, reads.list_charges),
        Route("GET", "/v1/charges/{}", Params, _reader("charge")),
        Route("POST", "/v1/refunds", p.RefundCreate, partial(refunds.create, bank=bank)),
        Route("GET", "/v1/refunds", ls.RefundList, reads.list_refunds),
        Route("GET", "/v1/refunds/{}", Params, _reader("refund")),
        Route("POST", "/v1/refunds/{}", p.RefundUpdate, refunds.update),
        Route("POST", "/v1/refunds/{}/cancel", Params, refunds.cancel),
    ]


def _cards() -> list[Route]:
    return [
        Route("POST", "/v1/customers", p.CustomerCreate, customers.create),
        Route("GET", "/v1/customers", ls.CustomerList, reads.list_customers),
        Route("GET", "/v1/customers/{}", Params, _reader("customer")),
        Route("POST", "/v1/customers/{}", p.CustomerUpdate, customers.update),
        Route("GET", "/v1/customers/{}/payment_methods", ls.CustomerMethodList, reads.list_methods_of),
        Route("POST", "/v1/payment_methods", p.MethodCreate, methods.create),
        Route("GET", "/v1/payment_methods", ls.MethodList, reads.list_methods),
        Route("GET", "/v1/payment_methods/{}", Params, _reader("payment_method", "payment_method")),
        Route("POST", "/v1/payment_methods/{}", p.MethodUpdate, methods.update),
        Route("POST", "/v1/payment_methods/{}/attach", p.MethodAttach, methods.attach),
        Route("POST", "/v1/payment_methods/{}/detach", Params, methods.detach),
        Route("POST", "/v1/setup_intents", p.SetupCreate, setups.create),
        Route("GET", "/v1/setup_intents", ls.SetupList, reads.list_setups),
        Route("GET", "/v1/setup_intents/{}", Params, _reader("setup_intent", "intent")),
        Route("POST", "/v1/setup_intents/{}", p.SetupUpdate, setups.update),
        Route("POST", "/v1/setup_intents/{}/confirm", p.SetupConfirm, setups.confirm),
        Route("POST", "/v1/setup_intents/{}/cancel", p.SetupCancel, setups.cancel),
    ]


def _account() -> list[Route]:
    return [
        Route("GET", "/v1/balance_transactions", ls.BalanceList, reads.list_balance_transactions),
        Route("GET", "/v1/balance_transactions/{}", Params, _reader("balance_transaction")),
        Route("GET", "/v1/disputes", ls.DisputeList, reads.list_disputes),
        Route("GET", "/v1/disputes/{}", Params, _reader("dispute", "dispute")),
        Route("POST", "/v1/disputes/{}", p.DisputeUpdate, disputes.update),
        Route("POST", "/v1/disputes/{}/close", Params, disputes.close),
        Route("GET", "/v1/payouts", ls.PayoutList, reads.list_payouts),
        Route("GET", "/v1/payouts/{}", Params, _reader("payout", "payout")),
    ]


def _webhooks(made: Endpoints) -> list[Route]:
    return [
        Route("POST", "/v1/webhook_endpoints", p.EndpointCreate, made.create),
        Route("GET", "/v1/webhook_endpoints", ls.EndpointList, made.list),
        Route("GET", "/v1/webhook_endpoints/{}", Params, made.retrieve),
        Route("POST", "/v1/webhook_endpoints/{}", p.EndpointUpdate, made.update),
        Route("DELETE", "/v1/webhook_endpoints/{}", Params, made.delete),
        Route("GET", "/v1/events", ls.EventList, endpoints.list_events),
        Route("GET", "/v1/events/{}", Params, _reader("event")),
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
