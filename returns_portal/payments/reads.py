"""The gateway's calls about what others do: events, disputes, charges, and the endpoints that events go to.

They are part of `stripe.StripeGateway`, which sends them.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from returns_portal.payments import wire
from returns_portal.payments.amounts import from_stripe
from returns_portal.payments.gateway import GatewayCharge, GatewayDispute, GatewayEndpoint, GatewayNews

PAGE = 100
"""The most that Stripe gives at once."""

_T = TypeVar("_T")


class Sender(ABC):
    """Whatever speaks Stripe's API: requests go out, answers come back as the type that is asked for."""

    @abstractmethod
    async def _send(self, type_: type[_T], method: str, path: str, **params: object) -> _T:
        """Send one request.

        Raises:
            GatewayError: Stripe refused, or gave no answer.
        """


class Reads(Sender):
    """The calls."""

    async def read_charge(self, charge: str) -> GatewayCharge:
        """Read a charge by its id (`ch_…`)."""
        found = await self._send(wire.PlainCharge, "get", f"/v1/charges/{quote(charge, safe='')}")
        return GatewayCharge(id=found.id, payment=found.payment_intent or found.id, disputed=found.disputed)

    async def read_dispute(self, dispute: str) -> GatewayDispute:
        """Read a dispute by its id (`du_…`)."""
        return _dispute(await self._send(wire.Dispute, "get", f"/v1/disputes/{quote(dispute, safe='')}"))

    async def find_disputes(self, payment: str) -> list[GatewayDispute]:
        """Read all disputes of one payment, newest first."""
        name = "payment_intent" if payment.startswith("pi_") else "charge"
        return [dispute async for dispute in self._disputes({name: payment})]

    async def list_disputes(self, since: datetime) -> AsyncIterator[GatewayDispute]:
        """Read all disputes of the account that were opened since then, newest first, page by page."""
        async for dispute in self._disputes({"created": {"gte": int(since.timestamp())}}):
            yield dispute

    async def _disputes(self, params: dict[str, Any]) -> AsyncIterator[GatewayDispute]:
        params |= {"limit": PAGE}
        while True:
            page = await self._send(wire.Page[wire.Dispute], "get", "/v1/disputes", **params)
            for dispute in page.data:
                yield _dispute(dispute)
            if not page.has_more:
                return
            params["starting_after"] = page.data[-1].id

    async def list_events(self, since: datetime, types: Sequence[str]) -> AsyncIterator[GatewayNews]:
        """Read all events of these types since then, newest first, page by page. Stripe keeps them for 30 days."""
        params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "types": [*types], "limit": PAGE}
        while True:
            page = await self._send(wire.Page[msgspec.Raw], "get", "/v1/events", **params)
            told = [read_news(bytes(raw)) for raw in page.data]
            for news in told:
                yield news
            if not page.has_more:
                return
            params["starting_after"] = told[-1].id

    async def list_endpoints(self) -> list[GatewayEndpoint]:
        """Read the endpoints of the account (Stripe allows 16), without their secrets."""
        page = await self._send(wire.Page[wire.Endpoint], "get", "/v1/webhook_endpoints", limit=PAGE)
        return [_endpoint(endpoint) for endpoint in page.data]

    async def create_endpoint(self, url: str, events: Sequence[str], metadata: dict[str, str]) -> GatewayEndpoint:
        """Have these types of events delivered to an address; the answer holds the secret that signs them."""
        params = {"url": url, "enabled_events": [*events], "metadata": metadata}
        return _endpoint(await self._send(wire.Endpoint, "post", "/v1/webhook_endpoints", **params))

    async def change_endpoint(self, endpoint: str, url: str, events: Sequence[str]) -> None:
        """Have events delivered to another address, or others; the secret stays."""
        path = f"/v1/webhook_endpoints/{quote(endpoint, safe='')}"
        await self._send(wire.Endpoint, "post", path, url=url, enabled_events=[*events], disabled=False)

    async def delete_endpoint(self, endpoint: str) -> None:
        """Have nothing delivered to an endpoint any more."""
        await self._send(wire.Endpoint, "delete", f"/v1/webhook_endpoints/{quote(endpoint, safe='')}")


def read_news(body: bytes) -> GatewayNews:
    """Read an event as it was told.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    event = msgspec.json.decode(body, type=wire.Event)
    return GatewayNews(
        id=event.id,
        type=event.type,
        object_kind=event.data.object.object,
        object_id=event.data.object.id,
        created=datetime.fromtimestamp(event.created, UTC),
        body=body,
    )


def _dispute(dispute: wire.Dispute) -> GatewayDispute:
    currency = dispute.currency.upper()
    amount = from_stripe(dispute.amount, currency)
    due_by = dispute.evidence_details.due_by
    return GatewayDispute(
        id=dispute.id,
        status=dispute.status,
        reason=dispute.reason,
        amount=amount,
        currency=currency,
        withdrawn=_withdrawn(dispute, amount, currency),
        payment=dispute.payment_intent or dispute.charge,
        charge=dispute.charge,
        evidence_due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        created=datetime.fromtimestamp(dispute.created, UTC),
    )


def _withdrawn(dispute: wire.Dispute, amount: int, currency: str) -> int:
    """What the lines of the balance have taken and not given back, in the payment's currency.

    An account of another currency is charged at a rate of its own; then the payment's amount stands for the whole.
    """
    taken = -sum(line.amount for line in dispute.balance_transactions)
    if taken <= 0:
        return 0
    same = all(line.currency.upper() == currency for line in dispute.balance_transactions)
    return min(amount, from_stripe(taken, currency)) if same else amount


def _endpoint(endpoint: wire.Endpoint) -> GatewayEndpoint:
    return GatewayEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        enabled_events=endpoint.enabled_events,
        status=endpoint.status,
        metadata=endpoint.metadata,
        secret=endpoint.secret,
    )
