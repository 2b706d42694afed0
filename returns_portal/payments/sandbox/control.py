"""The controls under `/_sandbox/`, for tests and for the demo.

They are the sandbox's own, take JSON, and answer only to this machine:

    GET    /_sandbox/health                              whether the store answers
    POST   /_sandbox/faults                              order a fault (`faults.Fault`)
    DELETE /_sandbox/faults                              forget the faults and outcomes that wait
    POST   /_sandbox/refund-outcomes                     order how the next refund goes (`refunds.Outcome`)
    POST   /_sandbox/refunds/{id}/settle                 {"status": "succeeded" | "failed" | "canceled"}
    POST   /_sandbox/payment_intents/{id}/authenticate   {"succeeds": true | false}
    POST   /_sandbox/keys/forget                         {"older_than_hours": 24}
"""

import time

import msgspec

from returns_portal.payments.sandbox import intents, refunds
from returns_portal.payments.sandbox.errors import not_simulated
from returns_portal.payments.sandbox.faults import Fault, Faults
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.refunds import Bank, Outcome, Settled
from returns_portal.payments.sandbox.store import Store

PREFIX = "/_sandbox/"


class _Settle(msgspec.Struct, forbid_unknown_fields=True):
    status: Settled
    failure_reason: str | None = None


class _Authenticate(msgspec.Struct, forbid_unknown_fields=True):
    succeeds: bool = True


class _Forget(msgspec.Struct, forbid_unknown_fields=True):
    older_than_hours: int = 24


class Control:
    """Answers the requests under `/_sandbox/`."""

    def __init__(self, store: Store, faults: Faults, bank: Bank) -> None:
        self._store = store
        self._faults = faults
        self._bank = bank

    async def answer(self, method: str, path: str, body: bytes) -> Document:
        """Do what is asked and return what to answer.

        Raises:
            ApiError: the API's own refusal (of a transition, say), or 501 for a control that does not exist.
            msgspec.MsgspecError: the body is not what the control takes.
        """
        match method, path.removeprefix(PREFIX).split("/"):
            case "GET", ["health"]:
                await self._store.due(0)
                return {"status": "ok", "livemode": False}
            case "POST", ["keys", "forget"]:
                hours = msgspec.json.decode(body, type=_Forget).older_than_hours
                return {"forgotten": await self._store.forget_keys(older_than_hours=hours)}
            case "POST", ["refunds", id_, "settle"]:
                return await self._settle(id_, msgspec.json.decode(body, type=_Settle))
            case "POST", ["payment_intents", id_, "authenticate"]:
                return await self._authenticate(id_, msgspec.json.decode(body, type=_Authenticate))
            case _, [name] if name in {"faults", "refund-outcomes"}:
                return self._order(method, name, body)
            case _:
                raise not_simulated(f"{method} {path}")

    def _order(self, method: str, name: str, body: bytes) -> Document:
        if method == "DELETE":
            waiting = self._faults.clear() + len(self._bank.ordered)
            self._bank.ordered.clear()
            return {"forgotten": waiting}
        if name == "faults":
            self._faults.order(msgspec.json.decode(body, type=Fault))
        else:
            self._bank.ordered.append(msgspec.json.decode(body, type=Outcome))
        return {"ordered": True}

    async def _settle(self, refund_id: str, asked: _Settle) -> Document:
        async with self._store.unit() as unit:
            refund = await refunds.settle(unit, refund_id, asked.status, asked.failure_reason)
            await unit.write()
            return refund

    async def _authenticate(self, intent_id: str, asked: _Authenticate) -> Document:
        async with self._store.unit() as unit:
            intent = await intents.authenticate(unit, intent_id, succeeds=asked.succeeds)
            await unit.write()
            return intent

    async def settle_due(self) -> None:
        """Let all planned outcomes happen whose time has come."""
        for plan_id in await self._store.due(time.time()):
            async with self._store.unit() as unit:
                await refunds.settle_due(unit, plan_id)
                await unit.write()
