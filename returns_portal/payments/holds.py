"""The gateway's calls about payments that the portal makes by itself: holds, cards on file, charges.

They are part of `stripe.StripeGateway`, which sends them. An intent carries `charge_id`, the id of our own row, in its
metadata, so that it can be found when an answer was lost.
"""

from abc import ABC
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from returns_portal.payments import wire
from returns_portal.payments.amounts import from_stripe, to_stripe
from returns_portal.payments.gateway import GatewayIntent
from returns_portal.payments.reads import PAGE, Sender

_METHODS = {"enabled": True, "allow_redirects": "never"}
_SHOWN = {"expand": ["latest_charge"]}
_SHOWN_SETUP = {"expand": ["payment_method"]}


class NewPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment to be made: minor units of `currency`.

    Attributes:
        customer: Stripe's customer, by whose payments it is found again.
        payment_method: Confirmed with it at once; without one the customer's browser does that.
        hold: Only held, to be captured later; the card is kept for what comes after.
        off_session: The customer is not there: a bank that wants to hear from them refuses.
        metadata: Ids of ours, `charge_id` among them.
    """

    amount: int
    currency: str
    customer: str
    payment_method: str | None
    metadata: dict[str, str]
    hold: bool = False
    off_session: bool = False


class Holds(Sender, ABC):
    """The calls."""

    async def create_customer(self, *, key: str | None, metadata: dict[str, str]) -> str:
        """Make a customer, whom cards can be kept for; nothing personal is told. Its id (`cus_…`)."""
        made = await self._send(wire.Named, "post", "/v1/customers", metadata=metadata, **_keyed(key))
        return made.id

    async def create_payment(self, *, key: str, payment: NewPayment) -> GatewayIntent:
        """Hold or take money, at most once under this key.

        Stripe may forget a key after 24 hours: before an older one is sent again, `find_intent` must show that there
        is no intent with our id.

        Raises:
            GatewayRefusedError: the bank declined, or wants to hear from the customer who is not there; or the amount
                cannot be said to Stripe.
            GatewayUnknownError: it may have happened.
        """
        params: dict[str, Any] = {
            "amount": to_stripe(payment.amount, payment.currency),
            "currency": payment.currency.lower(),
            "customer": payment.customer,
            "capture_method": "manual" if payment.hold else "automatic",
            "automatic_payment_methods": _METHODS,
            "metadata": payment.metadata,
            **_SHOWN,
        }
        if payment.payment_method is not None:
            params |= {"payment_method": payment.payment_method, "confirm": True}
        params |= {"off_session": True} if payment.off_session else {"setup_future_usage": "off_session"}
        return _payment(await self._send(wire.OwnIntent, "post", "/v1/payment_intents", **params, idempotency_key=key))

    async def create_setup(
        self, *, key: str, customer: str, payment_method: str | None, metadata: dict[str, str]
    ) -> GatewayIntent:
        """Keep a card for later charges without the customer. Without a payment method the browser confirms it.

        Raises:
            GatewayRefusedError: the bank declined.
            GatewayUnknownError: it may have happened.
        """
        params: dict[str, Any] = {
            "customer": customer,
            "usage": "off_session",
            "automatic_payment_methods": _METHODS,
            "metadata": metadata,
            **_SHOWN_SETUP,
        }
        if payment_method is not None:
            params |= {"payment_method": payment_method, "confirm": True}
        return _setup(await self._send(wire.SetupIntent, "post", "/v1/setup_intents", **params, idempotency_key=key))

    async def capture(self, intent: str, *, key: str | None, amount: int, currency: str) -> GatewayIntent:
        """Take this much of a hold, once, and release the rest.

        Raises:
            GatewayRefusedError: nothing is held (any more), or less.
            GatewayUnknownError: it may have happened.
        """
        path = f"/v1/payment_intents/{quote(intent, safe='')}/capture"
        params: dict[str, Any] = {"amount_to_capture": to_stripe(amount, currency), **_SHOWN, **_keyed(key)}
        return _payment(await self._send(wire.OwnIntent, "post", path, **params))

    async def cancel(self, intent: str) -> GatewayIntent:
        """Release a hold, or give up a payment or a setup that has not come to its end: that happens once by itself.

        Raises:
            GatewayRefusedError: it succeeded, or was cancelled before.
            GatewayUnknownError: it may have happened.
        """
        path = f"/v1/{_kind(intent)}/{quote(intent, safe='')}/cancel"
        if intent.startswith("seti_"):
            return _setup(await self._send(wire.SetupIntent, "post", path, **_SHOWN_SETUP))
        return _payment(await self._send(wire.OwnIntent, "post", path, **_SHOWN))

    async def detach(self, payment_method: str) -> None:
        """Forget a card that was kept for a customer.

        Raises:
            GatewayRefusedError: it belongs to nobody (any more).
            GatewayUnknownError: it may have happened.
        """
        await self._send(wire.Named, "post", f"/v1/payment_methods/{quote(payment_method, safe='')}/detach")

    async def read_intent(self, intent: str) -> GatewayIntent:
        """Read a payment (`pi_…`) or a setup (`seti_…`) as it is now.

        Raises:
            GatewayRefusedError: there is none.
            GatewayUnknownError: no answer.
        """
        path = f"/v1/{_kind(intent)}/{quote(intent, safe='')}"
        if intent.startswith("seti_"):
            return _setup(await self._send(wire.SetupIntent, "get", path, **_SHOWN_SETUP))
        return _payment(await self._send(wire.OwnIntent, "get", path, **_SHOWN))

    async def find_intent(self, customer: str, our_id: str, *, setup: bool) -> GatewayIntent | None:
        """The customer's payment or setup that was made for a row of ours; None where it never came to be."""
        async for intent in self._intents_of(customer, setup=setup):
            if intent.our_id == our_id:
                # A list tells less of each: the charge with its card is in the intent itself alone.
                return await self.read_intent(intent.id)
        return None

    async def list_intents(self, since: datetime) -> AsyncIterator[GatewayIntent]:
        """Read all payments of the account since then that rows of ours asked for, newest first."""
        params: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        async for intent in self._intents(params, setup=False):
            if intent.our_id is not None:
                yield intent

    def _intents_of(self, customer: str, *, setup: bool) -> AsyncIterator[GatewayIntent]:
        return self._intents({"customer": customer, "limit": PAGE}, setup=setup)

    async def _intents(self, params: dict[str, Any], *, setup: bool) -> AsyncIterator[GatewayIntent]:
        while True:
            if setup:
                setups = await self._send(wire.Page[wire.SetupIntent], "get", "/v1/setup_intents", **params)
                found, more = [_setup(intent) for intent in setups.data], setups.has_more
            else:
                payments = await self._send(wire.Page[wire.OwnIntent], "get", "/v1/payment_intents", **params)
                found, more = [_payment(intent) for intent in payments.data], payments.has_more
            for intent in found:
                yield intent
            if not more:
                return
            params["starting_after"] = found[-1].id


def _keyed(key: str | None) -> dict[str, str]:
    """Without a key of ours the SDK makes one for the attempts of this one call."""
    return {} if key is None else {"idempotency_key": key}


def _kind(intent: str) -> str:
    return "setup_intents" if intent.startswith("seti_") else "payment_intents"


def _payment(intent: wire.OwnIntent) -> GatewayIntent:
    charge = intent.latest_charge if isinstance(intent.latest_charge, wire.OwnCharge) else None
    card = charge.payment_method_details.card if charge and charge.payment_method_details else wire.HeldCard()
    currency = intent.currency.upper()
    return GatewayIntent(
        id=intent.id,
        status=intent.status,
        amount=from_stripe(intent.amount, currency),
        received=from_stripe(intent.amount_received, currency),
        currency=currency,
        capture_before=datetime.fromtimestamp(card.capture_before, UTC) if card.capture_before else None,
        payment_method=intent.payment_method,
        card_brand=card.brand or "",
        card_last4=card.last4 or "",
        failure=_failure(intent.last_payment_error),
        client_secret=intent.client_secret or "",
        our_id=intent.metadata.get("charge_id"),
        created=datetime.fromtimestamp(intent.created, UTC),
    )


def _setup(intent: wire.SetupIntent) -> GatewayIntent:
    method = intent.payment_method
    card = method.card if isinstance(method, wire.Method) and method.card else wire.Card()
    return GatewayIntent(
        id=intent.id,
        status=intent.status,
        payment_method=method.id if isinstance(method, wire.Method) else method,
        card_brand=card.brand or "",
        card_last4=card.last4 or "",
        failure=_failure(intent.last_setup_error),
        client_secret=intent.client_secret or "",
        our_id=intent.metadata.get("charge_id"),
        created=datetime.fromtimestamp(intent.created, UTC),
    )


def _failure(error: wire.LastError | None) -> str:
    """The bank's code where there is one, else Stripe's."""
    return (error.decline_code or error.code or "refused") if error else ""
