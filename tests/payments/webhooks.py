"""What tests of the inbox share: the sandbox's events, signed and delivered as Stripe does it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from litestar import Litestar
from litestar.testing import AsyncTestClient

from returns_portal.payments.inbox import EVENTS
from tests.sandboxes import SandboxProcess

SECRET = "whsec_of_this_test"


class Events:
    """The events that the sandbox keeps, and how they look on the wire."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox

    def of(self, *objects: str) -> list[dict[str, Any]]:
        """Those that tell of one of these objects, the oldest first."""
        status, page, _ = self._sandbox.send("GET", "/v1/events", "limit=100")
        assert status == 200, page
        found = [event for event in page["data"] if event["data"]["object"]["id"] in objects]
        return [event for event in reversed(found) if event["type"] in EVENTS]

    def signed(self, event: str, *, secret: str = SECRET, at: int | None = None) -> tuple[bytes, str]:
        """The body and the signature with which an event would be delivered."""
        answer = self._sandbox.control("webhooks/sign", event=event, secret=secret, at=at)
        return answer["body"].encode(), answer["signature"]


@contextmanager
def kept(sandbox: SandboxProcess) -> Iterator[Events]:
    """Have the sandbox keep all events, also those that nobody wants."""
    sandbox.control("events", keep=True)
    try:
        yield Events(sandbox)
    finally:
        sandbox.control("events", keep=False)


async def deliver(client: AsyncTestClient[Litestar], body: bytes, signature: str) -> int:
    """Deliver an event; the status of the answer."""
    headers = [(b"stripe-signature", signature.encode("latin-1")), (b"content-type", b"application/json")]
    answer = await client.post("/webhooks/stripe", content=body, headers=headers)
    return answer.status_code


def dashboard_refund(sandbox: SandboxProcess, payment: str, amount: int, **more: Sequence[str] | str) -> dict[str, Any]:
    """Refund a payment as staff do it in Stripe's dashboard: without any id of ours."""
    form = "&".join(
        [f"payment_intent={payment}", f"amount={amount}", *(f"{name}={value}" for name, value in more.items())]
    )
    status, refund, _ = sandbox.send("POST", "/v1/refunds", form)
    assert status == 200, refund
    return refund
