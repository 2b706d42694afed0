"""The controls of webhooks, under `/_sandbox/webhooks/`, all by POST:

faults   order trouble for the next events (`events.WebhookFault`)
hold     {}: nothing is delivered by itself any more
release  {}: everything is again
waiting  {} → what waits to be delivered, oldest first
send     {"events": ["evt_…", …]}: deliver these now, in this order, as often as each is named
sign     {"event": "evt_…", "secret": "whsec_…", "at": 1700000000} → the exact bytes and their signature
"""  # noqa: D415 - the first line introduces the list

import time

import msgspec

from returns_portal.payments.sandbox.deliveries import Deliverer, is_success, payload, signature
from returns_portal.payments.sandbox.errors import missing, not_simulated
from returns_portal.payments.sandbox.events import WebhookFault
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.store import Store


class _Send(msgspec.Struct, forbid_unknown_fields=True):
    events: list[str]


class _Sign(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    secret: str
    at: int | None = None


class WebhookControl:
    """Answers the requests under `/_sandbox/webhooks/`."""

    def __init__(self, store: Store, deliverer: Deliverer) -> None:
        self._store = store
        self._deliverer = deliverer

    async def answer(self, verb: str, body: bytes) -> Document:
        """Do what is asked and return what to answer.

        Raises:
            ApiError: there is no such event, or no such control.
            msgspec.MsgspecError: the body is not what the control takes.
        """
        match verb:
            case "faults":
                self._store.listening.order(msgspec.json.decode(body, type=WebhookFault))
                return {"ordered": True}
            case "hold":
                self._store.listening.held = True
                await self._store.hold_deliveries()
                return {"held": True}
            case "release":
                await self.release()
                return {"held": False}
            case "waiting":
                names = ("event", "type", "endpoint", "attempts", "held")
                rows = await self._store.waiting()
                return {"object": "list", "data": [dict(zip(names, row, strict=True)) for row in rows]}
            case "send":
                return await self._send(msgspec.json.decode(body, type=_Send).events)
            case "sign":
                return await self._sign(msgspec.json.decode(body, type=_Sign))
            case _:
                raise not_simulated(f"POST /_sandbox/webhooks/{verb}")

    async def release(self) -> None:
        """Let everything be delivered by itself again."""
        if self._store.listening.held:
            self._store.listening.held = False
            await self._store.release_deliveries(time.time())
            self._store.listening.wake()

    async def _send(self, events: list[str]) -> Document:
        sent = []
        for event_id in events:
            event = await self._event(event_id)
            text = msgspec.json.encode(event).decode()
            for endpoint_id in self._store.listening.targets(event["type"]):
                status = await self._deliverer.send(self._store.listening.endpoints[endpoint_id], text)
                if is_success(status):
                    await self._store.give_up(event_id, endpoint_id)
                sent.append({"event": event_id, "endpoint": endpoint_id, "status": status})
        return {"object": "list", "data": sent}

    async def _sign(self, asked: _Sign) -> Document:
        body = payload(msgspec.json.encode(await self._event(asked.event)).decode())
        moment = int(time.time()) if asked.at is None else asked.at
        return {"body": body.decode(), "signature": signature(body, asked.secret, moment)}

    async def _event(self, event_id: str) -> Document:
        async with self._store.unit() as unit:
            event = await unit.find("event", event_id)
        if event is None:
            raise missing("event", event_id)
        return event
