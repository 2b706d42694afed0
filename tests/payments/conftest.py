"""The SDK and the gateway, pointed at the sandbox."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import stripe

from tests.sandboxes import KEY, Receiver, SandboxProcess


@pytest.fixture(scope="session")
def sdk(sandbox_process: SandboxProcess) -> Iterator[stripe.StripeClient]:
    """The SDK as others use it, without retries of its own."""
    http = stripe.RequestsClient()
    yield stripe.StripeClient(KEY, base_addresses={"api": sandbox_process.base}, http_client=http)
    http.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


Pay = Callable[..., stripe.PaymentIntent]
Listen = Callable[..., stripe.WebhookEndpoint]


@pytest.fixture
def pay(sdk: stripe.StripeClient) -> Pay:
    """Make a payment with a test card; keywords are the API's."""

    def make(amount: int = 1000, currency: str = "eur", **params: Any) -> stripe.PaymentIntent:  # noqa: ANN401 - the API's
        given: Any = {
            "amount": amount,
            "currency": currency,
            "confirm": True,
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        } | params
        return sdk.v1.payment_intents.create(given)

    return make


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server for webhooks."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def listen(sdk: stripe.StripeClient, receiver: Receiver) -> Iterator[Listen]:
    """Let the receiver be told of these types of events; returns the endpoint, with its secret."""
    made: list[str] = []

    def make(*types: Any) -> stripe.WebhookEndpoint:  # noqa: ANN401 - the API's names
        endpoint = sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": list(types)})
        made.append(endpoint.id)
        return endpoint

    yield make
    for id_ in made:
        with suppress(stripe.InvalidRequestError):
            sdk.v1.webhook_endpoints.delete(id_)


def refused(caught: pytest.ExceptionInfo[stripe.StripeError]) -> tuple[int | None, str | None, str | None]:
    """Status, code and parameter of a refusal."""
    return caught.value.http_status, caught.value.code, getattr(caught.value, "param", None)
