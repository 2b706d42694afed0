"""What may be sent to each endpoint that lists."""

import msgspec
from msgspec import field

from returns_portal.payments.sandbox.form import Params, names


class Created(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of creation times in Unix seconds."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class Paged(Params, frozen=True):
    """What every list takes."""

    ending_before: str | None = None
    limit: int = 10
    starting_after: str | None = None


class ListParams(Paged, frozen=True):
    """What most lists take besides."""

    created: Created | int | None = None


class IntentList(ListParams, frozen=True):
    """GET /v1/payment_intents."""

    not_simulated = names("customer_account")
    customer: str | None = None


class SetupList(ListParams, frozen=True):
    """GET /v1/setup_intents."""

    not_simulated = names("attach_to_self customer_account")
    customer: str | None = None
    payment_method: str | None = None


class ChargeList(ListParams, frozen=True):
    """GET /v1/charges."""

    not_simulated = names("transfer_group")
    customer: str | None = None
    payment_intent: str | None = None


class RefundList(ListParams, frozen=True):
    """GET /v1/refunds."""

    charge: str | None = None
    payment_intent: str | None = None


class DisputeList(ListParams, frozen=True):
    """GET /v1/disputes."""

    charge: str | None = None
    payment_intent: str | None = None


class BalanceList(ListParams, frozen=True):
    """GET /v1/balance_transactions."""

    currency: str | None = None
    payout: str | None = None
    source: str | None = None
    type: str | None = None


class PayoutList(ListParams, frozen=True):
    """GET /v1/payouts."""

    not_simulated = names("destination")
    arrival_date: Created | int | None = None
    status: str | None = None


class CustomerList(ListParams, frozen=True):
    """GET /v1/customers."""

    not_simulated = names("test_clock")
    email: str | None = None


class MethodList(Paged, frozen=True):
    """GET /v1/payment_methods."""

    not_simulated = names("allow_redisplay customer_account")
    customer: str | None = None
    type: str | None = None


class CustomerMethodList(Paged, frozen=True):
    """GET /v1/customers/{customer}/payment_methods."""

    not_simulated = names("allow_redisplay")
    type: str | None = None


class EndpointList(Paged, frozen=True):
    """GET /v1/webhook_endpoints."""


class EventList(ListParams, frozen=True):
    """GET /v1/events."""

    not_simulated = names("delivery_success")
    type: str | None = None
    types: list[str] = field(default_factory=list)
