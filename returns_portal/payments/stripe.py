"""The gateway to Stripe: the only module that knows Stripe's SDK and its words.

What comes from it and what it raises is in `gateway.py`; amounts are converted in `amounts.py`. Only ids go
into Stripe's metadata, never personal data.

The SDK's typed services build an object for every nested part of an answer, which costs twice as much as the
request itself. So requests go through its `raw_request_async` (same keys, retries and errors) and the few
fields that are needed are read from the answer by msgspec.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
import stripe

from returns_portal.payments import wire
from returns_portal.payments.amounts import from_stripe, to_stripe
from returns_portal.payments.balance import Balance
from returns_portal.payments.gateway import (
    ForgedError,
    GatewayBusyError,
    GatewayError,
    GatewayNews,
    GatewayPayment,
    GatewayRefund,
    GatewayRefusedError,
    GatewayUnknownError,
)
from returns_portal.payments.holds import Holds
from returns_portal.payments.reads import PAGE, Reads, read_news

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams, RefundListParams

API_VERSION = "2026-10-28.endive"
"""Pinned: a newer SDK does not change what the answers mean."""

_TEST_KEYS = ("sk_test_", "rk_test_")
_ATTEMPT_SECONDS = 10.0
_RETRIES = 2
_TOLERANCE_SECONDS = 300
"""How old a signature may be, as Stripe advises: a copy of an event is worth nothing later."""

# The SDK would write an id of this machine into the home folder and send timings along; neither is needed.
stripe.enable_telemetry = False

_T = TypeVar("_T")


class _HTTPClient(stripe.HTTPClient):
    """The SDK's requests over kept-alive connections of aiohttp, each attempt bounded as a whole.

    The SDK's own clients bound each read and each write, so that an answer in drops would never end; and aiohttp
    takes a fifth of the processor time of httpx.
    """

    name = "aiohttp"

    def __init__(self, *, through_proxy: bool) -> None:
        super().__init__()
        self._through_proxy = through_proxy
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        # Made with the first request, because a session belongs to the event loop that runs then.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=50, keepalive_timeout=30),
                trust_env=self._through_proxy,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one attempt.

        Raises:
            stripe.APIConnectionError: no whole answer came in time; the SDK may try again under the same key.
        """
        try:
            limit = aiohttp.ClientTimeout(total=_ATTEMPT_SECONDS)
            async with self._open().request(method, url, headers=headers, data=post_data, timeout=limit) as answer:
                return await answer.read(), answer.status, answer.headers
        except (aiohttp.ClientError, TimeoutError) as error:
            sentence = f"No answer: {type(error).__name__}"
            lost = stripe.APIConnectionError(  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
                sentence, should_retry=True
            )
            raise lost from error

    def sleep_async(self, secs: float) -> "asyncio.Future[None]":
        """Wait between attempts."""
        return asyncio.ensure_future(asyncio.sleep(secs))

    async def close_async(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class StripeGateway(Reads, Balance, Holds):
    """Speaks to one Stripe account, or to the sandbox, which is spoken to in the same way.

    It belongs to the event loop in which it is first used, and keeps its connections until `close()`.
    """

    def __init__(self, *, key: str, base: str) -> None:
        """Take the secret key and the address of the API."""
        self.livemode = not key.startswith(_TEST_KEYS)
        local = urlsplit(base).hostname in {"127.0.0.1", "::1", "localhost"}
        self._http = _HTTPClient(through_proxy=not local)
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": base},
            max_network_retries=_RETRIES,
            http_client=self._http,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    async def read_payment(self, reference: str) -> GatewayPayment:
        """Read a payment by the id of its payment intent (`pi_…`).

        Raises:
            GatewayRefusedError: there is none (`resource_missing`), or the key may not read it.
            GatewayUnknownError: no answer.
        """
        path = f"/v1/payment_intents/{quote(reference, safe='')}"
        return _payment(await self._send(wire.Intent, "get", path, expand=["latest_charge"]))

    async def create_sandbox_payment(
        self,
        *,
        key: str,
        amount: int,
        currency: str,
        metadata: dict[str, str],
        payment_method: str = "pm_card_visa",
    ) -> GatewayPayment:
        """Make a captured payment with a test card.

        Args:
            key: the idempotency key, derived from our own row's id.
            amount: in ISO minor units.
            currency: ISO code.
            metadata: ids of ours.
            payment_method: a test card by Stripe's name for it.

        Raises:
            GatewayRefusedError: the key is a live one, or the payment was refused.
        """
        if self.livemode:
            raise GatewayRefusedError("Payments are only made up with test keys.", code="live_key")
        params: PaymentIntentCreateParams = {
            "amount": to_stripe(amount, currency),
            "currency": currency.lower(),
            "confirm": True,
            "capture_method": "automatic",
            "payment_method": payment_method,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": metadata,
            "expand": ["latest_charge"],
        }
        intent = await self._send(wire.Intent, "post", "/v1/payment_intents", **params, idempotency_key=key)
        return _payment(intent)

    async def refund(
        self,
        *,
        key: str,
        payment: str,
        amount: int,
        currency: str,
        metadata: dict[str, str],
        reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None,
    ) -> GatewayRefund:
        """Refund part or all of a payment, at most once under this key.

        Stripe may forget a key after 24 hours: before an older one is sent again, `find_refunds` must show that
        there is no refund with our id.

        Args:
            key: the idempotency key, derived from our own row's id.
            payment: `pi_…`, or `ch_…` of a payment that has no intent.
            amount: in ISO minor units.
            currency: the payment's, as ISO code.
            metadata: ids of ours, `refund_id` among them.
            reason: Stripe's word for it.

        Raises:
            GatewayRefusedError: a definite no; also where the currency's amount cannot be said to Stripe.
            GatewayUnknownError: it may have happened.
        """
        params: RefundCreateParams = {"amount": to_stripe(amount, currency), "metadata": metadata}
        params["payment_intent" if payment.startswith("pi_") else "charge"] = payment
        if reason is not None:
            params["reason"] = reason
        return self._refund(await self._send(wire.Refund, "post", "/v1/refunds", **params, idempotency_key=key))

    async def read_refund(self, refund: str) -> GatewayRefund:
        """Read one refund by its id (`re_…`)."""
        return self._refund(await self._send(wire.Refund, "get", f"/v1/refunds/{quote(refund, safe='')}"))

    async def find_refunds(self, payment: str) -> list[GatewayRefund]:
        """Read all refunds of one payment, newest first, wherever they were made."""
        name: Literal["payment_intent", "charge"] = "payment_intent" if payment.startswith("pi_") else "charge"
        params: RefundListParams = {"limit": PAGE}
        params[name] = payment
        return [refund async for refund in self._refunds(params)]

    async def list_refunds(self, since: datetime) -> AsyncIterator[GatewayRefund]:
        """Read all refunds of the account that were made since then, newest first, page by page."""
        async for refund in self._refunds({"created": {"gte": int(since.timestamp())}, "limit": PAGE}):
            yield refund

    async def _refunds(self, params: "RefundListParams") -> AsyncIterator[GatewayRefund]:
        while True:
            page = await self._send(wire.Page[wire.Refund], "get", "/v1/refunds", **params)
            for refund in page.data:
                yield self._refund(refund)
            if not page.has_more:
                return
            params["starting_after"] = page.data[-1].id

    async def _send(self, type_: type[_T], method: str, path: str, **params: object) -> _T:
        with _explained():
            answer = await self._client.raw_request_async(method, path, **params)
            return msgspec.json.decode(answer.body, type=type_)

    def _refund(self, refund: wire.Refund) -> GatewayRefund:
        card = refund.destination_details and refund.destination_details.card
        currency = refund.currency.upper()
        return GatewayRefund(
            id=refund.id,
            status=refund.status or "pending",
            amount=from_stripe(refund.amount, currency),
            currency=currency,
            payment=refund.payment_intent or refund.charge or "",
            charge=refund.charge,
            failure_reason=refund.failure_reason,
            pending_reason=refund.pending_reason,
            reference=card.reference if card else None,
            our_id=(refund.metadata or {}).get("refund_id"),
            created=datetime.fromtimestamp(refund.created, UTC),
            livemode=self.livemode,
            balance_transaction=refund.balance_transaction,
            reason=refund.reason,
        )


def signed_news(body: bytes, signature: str, secret: str) -> GatewayNews:
    """Read an event that was delivered, if the gateway signed these very bytes just now.

    Raises:
        ForgedError: it did not, or longer ago than five minutes; or they are no event.
    """
    if not signature.isascii():
        raise ForgedError("no signature")
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, tolerance=_TOLERANCE_SECONDS)
        return read_news(body)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        # The SDK's sentence would carry the body along.
        raise ForgedError(type(error).__name__) from None


def _payment(intent: wire.Intent) -> GatewayPayment:
    charge = intent.latest_charge
    card = charge.payment_method_details.card if charge and charge.payment_method_details else wire.Card()
    currency = intent.currency.upper()
    return GatewayPayment(
        id=intent.id,
        status=intent.status,
        amount=from_stripe(intent.amount, currency),
        captured=from_stripe(intent.amount_received, currency),
        refunded=from_stripe(charge.amount_refunded if charge else 0, currency),
        currency=currency,
        charge=charge.id if charge else None,
        card_brand=card.brand,
        card_last4=card.last4,
        disputed=charge.disputed if charge else False,
        livemode=intent.livemode,
        created=datetime.fromtimestamp(intent.created, UTC),
    )


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except stripe.StripeError as error:
        raise _explain(error) from error
    except msgspec.MsgspecError as error:
        raise GatewayUnknownError(f"Stripe's answer cannot be read: {error}") from error


def _explain(error: stripe.StripeError) -> GatewayError:
    """Say what is known after an error of the SDK.

    An idempotency error says that the key was used with other parameters: this request did nothing, but an
    earlier one under the key may have, so it is not a no.
    """
    message = error.user_message or type(error).__name__
    # A wrong or restricted key is the shop's to mend, and nothing is known of the payment by it: what was asked waits.
    if isinstance(error, stripe.RateLimitError | stripe.AuthenticationError | stripe.PermissionError):
        return GatewayBusyError(message)
    refused = stripe.CardError, stripe.InvalidRequestError
    if isinstance(error, refused):
        decline = getattr(error.error, "decline_code", None)
        return GatewayRefusedError(message, code=error.code or getattr(error.error, "type", None), decline_code=decline)
    return GatewayUnknownError(message)
