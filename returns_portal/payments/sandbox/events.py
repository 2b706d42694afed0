"""Events: what is told of a change, to whom, and the trouble that can be ordered for it.

An event is written with the change itself, and only where somebody wants it: an enabled webhook endpoint, or
whoever asked that all events are kept. So whoever does not listen does not pay for it.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from returns_portal.payments.sandbox import clock

API_VERSION = "2026-10-28.endive"
"""The version of the API whose shapes the sandbox answers."""


class Cause(msgspec.Struct, frozen=True):
    """The request that caused an event; nothing where the bank or the clock did."""

    id: str | None = None
    idempotency_key: str | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """Where events go: as much of a webhook endpoint as delivering needs."""

    id: str
    url: str
    secret: str
    enabled_events: list[str]
    status: str


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one endpoint."""

    event: str
    endpoint: str
    due: float
    """In real Unix seconds; infinite while deliveries are held."""
    copies: int = 1


class WebhookFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of trouble for the next `times` events whose type begins with `type`.

    `late` delivers after `seconds`, `twice` delivers again after a success, `lost` never delivers, and
    `reversed` lets the `times` events arrive in the opposite order, `seconds` apart.
    """

    kind: Literal["late", "twice", "lost", "reversed"]
    type: str = ""
    times: int = 1
    seconds: float = 0.5


class Listening:
    """Who listens to which events. It mirrors the store; what tests order is kept in memory alone."""

    def __init__(self) -> None:
        self.keep = False
        """Whether all events are kept, whoever listens."""
        self.held = False
        """Whether nothing is delivered until somebody says so."""
        self.endpoints: dict[str, Endpoint] = {}
        self.news = asyncio.Event()
        """Set when there is something to deliver."""
        self._targets: dict[str, list[str]] = {}
        self._faults: list[tuple[WebhookFault, int]] = []

    def set(self, endpoints: list[Endpoint], *, keep: bool) -> None:
        """Take what the store says."""
        self.keep = keep
        self.endpoints = {endpoint.id: endpoint for endpoint in endpoints if endpoint.status == "enabled"}
        self._targets.clear()

    @property
    def somebody(self) -> bool:
        """Whether any event is wanted at all."""
        return self.keep or bool(self.endpoints)

    def targets(self, type_: str) -> list[str]:
        """Return the ids of the endpoints that want this type of event."""
        known = self._targets.get(type_)
        if known is None:
            known = [
                endpoint.id
                for endpoint in self.endpoints.values()
                if "*" in endpoint.enabled_events or type_ in endpoint.enabled_events
            ]
            self._targets[type_] = known
        return known

    def wants(self, type_: str) -> bool:
        """Whether this type of event is to be written."""
        return self.keep or bool(self.endpoints and self.targets(type_))

    def wake(self) -> None:
        """Let what was just written be delivered at once."""
        self.news.set()

    def order(self, fault: WebhookFault) -> None:
        """Let it happen to the next events that match."""
        self._faults.append((fault, fault.times))

    def clear(self) -> int:
        """Forget the faults that have not happened; returns how many."""
        left = len(self._faults)
        self._faults.clear()
        return left

    def faults_kept(self) -> Callable[[], None]:
        """Return what puts back the faults that a write takes which comes to nothing."""
        before = list(self._faults)

        def put_back() -> None:
            self._faults = before

        return put_back

    def deliveries(self, event_id: str, type_: str) -> list[Delivery]:
        """Say how an event is to be delivered."""
        targets = self.targets(type_)
        if not targets:
            return []
        fault, left = self._take(type_)
        if fault is not None and fault.kind == "lost":
            return []
        due, copies = time.time(), 1
        if fault is not None:
            copies = 2 if fault.kind == "twice" else 1
            due += {"late": fault.seconds, "reversed": left * fault.seconds}.get(fault.kind, 0.0)
        due = math.inf if self.held else due
        return [Delivery(event_id, target, due, copies) for target in targets]

    def _take(self, type_: str) -> tuple[WebhookFault | None, int]:
        for index, (fault, left) in enumerate(self._faults):
            if type_.startswith(fault.type):
                if left > 1:
                    self._faults[index] = (fault, left - 1)
                else:
                    del self._faults[index]
                return fault, left
        return None, 0


class Told(msgspec.Struct, frozen=True):
    """Something to be told of an object, as it was at that moment."""

    type: str
    subject: str
    """The object's id: where the object is not written after all, nothing is told of it."""
    snapshot: bytes
    previous: dict[str, object] | None = None

    def event(self, event_id: str, cause: Cause, *, pending: int) -> dict[str, object]:
        """Build the event as Stripe answers it."""
        data: dict[str, object] = {"object": msgspec.Raw(self.snapshot)}
        if self.previous is not None:
            data["previous_attributes"] = self.previous
        return {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": clock.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": pending,
            "request": {"id": cause.id, "idempotency_key": cause.idempotency_key},
            "type": self.type,
        }
