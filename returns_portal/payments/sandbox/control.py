"""The controls under `/_sandbox/`, for tests and for the demo.

They are the sandbox's own, take JSON, and answer only to this machine:

    GET    /_sandbox/health                              whether the store answers
    POST   /_sandbox/faults                              order a fault (`faults.Fault`)
    DELETE /_sandbox/faults                              forget faults and outcomes that wait, end a hold of webhooks
    POST   /_sandbox/refund-outcomes                     order how the next refund goes (`refunds.Outcome`)
    POST   /_sandbox/refunds/{id}/settle                 {"status": "succeeded" | "failed" | "canceled"}
    POST   /_sandbox/payment_intents/{id}/authenticate   {"succeeds": true | false}
    POST   /_sandbox/payment_intents/{id}/expire         {}: its hold ends now, not at `capture_before`
    POST   /_sandbox/setup_intents/{id}/authenticate     {"succeeds": true | false}
    POST   /_sandbox/disputes                            open a dispute (`disputes.Opening`)
    POST   /_sandbox/disputes/{id}/settle                {"status": "won" | "lost" | ...}
    POST   /_sandbox/payouts                             pay the balance out (`balance.PayOut`)
    POST   /_sandbox/payouts/{id}/settle                 {"status": "paid" | "failed" | ...}
    POST   /_sandbox/keys/forget                         {"older_than_hours": 24}
    POST   /_sandbox/clock                               {"advance": seconds}
    POST   /_sandbox/clock/reset                         {}
    POST   /_sandbox/events                              {"keep": true}: all of them, whoever listens
    POST   /_sandbox/webhooks/...                        see `control_webhooks`
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from returns_portal.payments.sandbox import balance, clock, disputes, holds, intents, plans, refunds, setups
from returns_portal.payments.sandbox.control_webhooks import WebhookControl
from returns_portal.payments.sandbox.deliveries import Deliverer
from returns_portal.payments.sandbox.errors import missing, not_simulated
from returns_portal.payments.sandbox.faults import Fault, Faults
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.refunds import Bank, Outcome, Settled
from returns_portal.payments.sandbox.store import Store
from returns_portal.payments.sandbox.unit import Unit

PREFIX = "/_sandbox/"

_S = TypeVar("_S")


class _Settle(msgspec.Struct, forbid_unknown_fields=True):
    status: Settled
    failure_reason: str | None = None


class _Become(msgspec.Struct, forbid_unknown_fields=True):
    status: str


class _Authenticate(msgspec.Struct, forbid_unknown_fields=True):
    succeeds: bool = True


class _Forget(msgspec.Struct, forbid_unknown_fields=True):
    older_than_hours: int = 24


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class _Keep(msgspec.Struct, forbid_unknown_fields=True):
    keep: bool


class Control:
    """Answers the requests under `/_sandbox/`."""

    def __init__(self, store: Store, faults: Faults, bank: Bank, deliverer: Deliverer) -> None:
        self._store = store
        self._faults = faults
        self._bank = bank
        self._webhooks = WebhookControl(store, deliverer)

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
            case _, [name] if name in {"faults", "refund-outcomes"}:
                return await self._order(method, name, body)
            case "POST", ["webhooks", verb]:
                return await self._webhooks.answer(verb, body)
            case "POST", [object_, id_, verb]:
                return await self._change(object_, id_, verb, body)
            case "POST", [*words]:
                return await self._do(words, body)
            case _:
                raise not_simulated(f"{method} {path}")

    async def _order(self, method: str, name: str, body: bytes) -> Document:
        if method == "DELETE":
            waiting = self._faults.clear() + len(self._bank.ordered) + self._store.listening.clear()
            self._bank.ordered.clear()
            await self._webhooks.release()
            return {"forgotten": waiting}
        if name == "faults":
            self._faults.order(msgspec.json.decode(body, type=Fault))
        else:
            self._bank.ordered.append(msgspec.json.decode(body, type=Outcome))
        return {"ordered": True}

    async def _do(self, words: list[str], body: bytes) -> Document:
        match words:
            case ["keys", "forget"]:
                hours = msgspec.json.decode(body, type=_Forget).older_than_hours
                return {"forgotten": await self._store.forget_keys(older_than_hours=hours)}
            case ["disputes"]:
                return await self._open_dispute(msgspec.json.decode(body, type=disputes.Opening))
            case ["payouts"]:
                return await self._pay_out(msgspec.json.decode(body, type=balance.PayOut))
            case ["clock"]:
                ahead = clock.ahead() + msgspec.json.decode(body, type=_Advance).advance
                return await self._set_clock(ahead)
            case ["clock", "reset"]:
                return await self._set_clock(0.0)
            case ["events"]:
                await self._store.set("keep", float(msgspec.json.decode(body, type=_Keep).keep))
                return {"keep": self._store.listening.keep}
            case _:
                raise not_simulated("POST " + PREFIX + "/".join(words))

    async def _change(self, object_: str, id_: str, verb: str, body: bytes) -> Document:
        match object_, verb:
            case "refunds", "settle":
                asked = msgspec.json.decode(body, type=_Settle)
                return await self._written(lambda unit: refunds.settle(unit, id_, asked.status, asked.failure_reason))
            case "disputes", "settle":
                status = msgspec.json.decode(body, type=_Become).status
                return await self._written(lambda unit: disputes.settle(unit, id_, status))
            case "payouts", "settle":
                status = msgspec.json.decode(body, type=_Become).status
                return await self._written(lambda unit: balance.settle(unit, id_, status))
            case "payment_intents", "expire":
                return await self._written(lambda unit: holds.expire(unit, id_))
            case "payment_intents", "authenticate":
                succeeds = msgspec.json.decode(body, type=_Authenticate).succeeds
                return await self._written(lambda unit: intents.authenticate(unit, id_, succeeds=succeeds))
            case "setup_intents", "authenticate":
                succeeds = msgspec.json.decode(body, type=_Authenticate).succeeds
                return await self._written(lambda unit: setups.authenticate(unit, id_, succeeds=succeeds))
            case _:
                raise not_simulated(f"POST {PREFIX}{object_}/{id_}/{verb}")

    async def _written(self, do: Callable[[Unit], Awaitable[_S]]) -> _S:
        """Do it and write it; what led to a refusal is written too, as for the API's own requests."""
        async with self._store.unit() as unit:
            try:
                return await do(unit)
            finally:
                await unit.write()

    async def _open_dispute(self, asked: disputes.Opening) -> Document:
        async def open_(unit: Unit) -> Document:
            charge_id = asked.charge
            if asked.payment_intent is not None:
                charge = await unit.lock_charge_of(asked.payment_intent)
                charge_id = charge["id"] if charge else None
            if charge_id is None:
                raise missing("payment_intent", str(asked.payment_intent), "payment_intent")
            return await disputes.open_(
                unit, charge_id, reason=asked.reason, inquiry=asked.inquiry, amount=asked.amount
            )

        return await self._written(open_)

    async def _pay_out(self, asked: balance.PayOut) -> Document:
        """Pay out each currency in a transaction of its own."""
        currencies = await self._store.currencies() if asked.currency is None else [asked.currency.lower()]
        made = [
            await self._written(partial(balance.pay_out, currency=currency, asked=asked)) for currency in currencies
        ]
        return {"object": "list", "data": [payout for payout in made if payout is not None]}

    async def _set_clock(self, ahead: float) -> Document:
        await self._store.set("ahead", ahead)
        await self.settle_due()
        return {"now": clock.now(), "ahead": clock.ahead()}

    async def settle_due(self) -> None:
        """Let all planned outcomes happen whose time has come."""
        while due := await self._store.due(clock.moment()):
            for plan_id in due:
                await self._written(partial(plans.carry_out, plan_id=plan_id))
