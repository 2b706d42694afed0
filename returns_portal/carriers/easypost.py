"""EasyPost, an aggregator of carriers, spoken to by its own SDK: the only module that imports it.

The SDK waits for its answers, so that each call runs in a thread, and it has no idempotency keys. So a shipment is
made first, which costs nothing (`prepare`), its id is kept by the caller, and before it is bought it is looked at:
EasyPost sells the postage of a shipment once. Source: docs.easypost.com, Shipments, Returns, Trackers, Pickups.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, Final, TypeVar

from easypost.easypost_client import EasyPostClient
from easypost.errors.api.api_error import ApiError
from easypost.errors.general.easypost_error import EasyPostError

from returns_portal.carriers.gateway import (
    Bought,
    CarrierRefusedError,
    CarrierUnknownError,
    Offer,
    PickupOffer,
    Place,
    Scan,
    ScanCode,
    Shipment,
    Track,
    VoidStatus,
)
from returns_portal.carriers.label_file import fetched
from returns_portal.money import exponent

T = TypeVar("T")

EASYPOST: Final = "easypost"
API: Final = "https://api.easypost.com/v2"

_SECONDS: Final = 20
_GRAMS_PER_OUNCE: Final = Decimal("28.349523125")

_CODES: Final[Mapping[str, ScanCode]] = {
    "pre_transit": ScanCode.CREATED,
    "in_transit": ScanCode.IN_TRANSIT,
    "out_for_delivery": ScanCode.OUT_FOR_DELIVERY,
    "available_for_pickup": ScanCode.OUT_FOR_DELIVERY,
    "delivered": ScanCode.DELIVERED,
    "return_to_sender": ScanCode.RETURNED,
    "failure": ScanCode.FAILED,
    "error": ScanCode.FAILED,
}
"""A tracker's statuses; `unknown` and `cancelled` say nothing of where a parcel is."""
_DETAILS: Final[Mapping[str, ScanCode]] = {
    "received_at_origin_facility": ScanCode.PICKED_UP,
    "in_possession": ScanCode.PICKED_UP,
    "lost": ScanCode.LOST,
    "damaged": ScanCode.FAILED,
}
"""Details of a status that say more than it does."""


class EasyPost:
    """Keeps `Carrier`."""

    name = EASYPOST
    picks_up = True

    def __init__(self, *, key: str, base: str = API, seconds: int = _SECONDS) -> None:
        """Take the API key, the address of the API, and how long an answer may take."""
        self._base = base
        self._seconds = seconds
        self._client = EasyPostClient(key, api_base=base, timeout=seconds)

    async def prepare(self, shipment: Shipment, service: str) -> Offer:
        """Make a return shipment and choose a rate; nothing is paid.

        The addresses are given as of the way out: `is_return` has EasyPost swap them. A service is named as
        `USPS/GroundAdvantage`, or `USPS` for that carrier's cheapest.

        Raises:
            CarrierRefusedError: an address or the parcel is not accepted, or nobody offers the service.
            CarrierUnknownError: no answer.
        """
        made = await self._ask(
            self._client.shipment.create,
            is_return=True,
            reference=shipment.reference,
            from_address=_address(shipment.shop),
            to_address=_address(shipment.customer),
            parcel={"weight": _ounces(shipment.grams)},
            options={"label_format": "PDF", "label_size": "4x6", "print_custom_1": shipment.reference},
        )
        rate = _rate(made, service)
        return Offer(made["id"], _service(rate), _minor(rate["rate"], rate["currency"]), rate["currency"])

    async def buy(self, ref: str, service: str) -> Bought:
        """Buy the postage of a shipment, after looking whether that was done before.

        Raises:
            CarrierRefusedError: not bought: the rate is gone, the account has no money, the carrier declines.
            CarrierUnknownError: no answer; it may have been bought.
        """
        shipment = await self._ask(self._client.shipment.retrieve, ref)
        if not _postage(shipment):
            rate = _rate(shipment, service)
            shipment = await self._ask(self._client.shipment.buy, ref, rate={"id": rate["id"]})
        return await self._bought(shipment)

    async def look_up(self, ref: str) -> Bought | None:
        """Read whether a shipment was bought.

        Raises:
            CarrierRefusedError: there is no such shipment.
            CarrierUnknownError: no answer.
        """
        shipment = await self._ask(self._client.shipment.retrieve, ref)
        return await self._bought(shipment) if _postage(shipment) else None

    async def void(self, ref: str) -> VoidStatus:
        """Ask for the postage back, once: what was asked before is read.

        Raises:
            CarrierRefusedError: the carrier takes no labels back, or this one is too old.
            CarrierUnknownError: no answer.
        """
        shipment = await self._ask(self._client.shipment.retrieve, ref)
        if not _postage(shipment):
            return VoidStatus.NOT_APPLICABLE
        if not shipment.get("refund_status"):
            shipment = await self._ask(self._client.shipment.refund, ref)
        return _void_status(shipment)

    async def track(self, ref: str, tracking: str) -> Track:
        """Read the shipment's tracker, and whether a refund went through.

        Raises:
            CarrierRefusedError: there is no such shipment.
            CarrierUnknownError: no answer.
        """
        del tracking  # The shipment knows it.
        shipment = await self._ask(self._client.shipment.retrieve, ref)
        tracker = shipment.get("tracker") or {}
        return Track(
            scans=[scan for told in tracker.get("tracking_details") or [] if (scan := _scan(tracker, told))],
            tracking=str(shipment.get("tracking_code") or ""),
            expected=_day(tracker.get("est_delivery_date")),
            void=_void_status(shipment) if shipment.get("refund_status") else None,
        )

    async def prepare_pickup(self, ref: str, place: Place, begins: datetime, ends: datetime) -> PickupOffer:
        """Make a pick-up of a bought shipment; nothing is booked.

        Raises:
            CarrierRefusedError: the carrier of the label does not pick up there and then.
            CarrierUnknownError: no answer.
        """
        made = await self._ask(
            self._client.pickup.create,
            address=_address(place),
            shipment={"id": ref},
            reference=ref,
            min_datetime=_moment(begins),
            max_datetime=_moment(ends),
            is_account_address=False,
            instructions="",
        )
        rate = _cheapest(made.get("pickup_rates") or [])
        return PickupOffer(made["id"], _minor(rate["rate"], rate["currency"]), rate["currency"])

    async def book_pickup(self, ref: str) -> str:
        """Book it, unless it is booked; the carrier's confirmation.

        Raises:
            CarrierRefusedError: it can no longer be booked.
            CarrierUnknownError: no answer.
        """
        pickup = await self._ask(self._client.pickup.retrieve, ref)
        if pickup.get("status") != "scheduled":
            rate = _cheapest(pickup.get("pickup_rates") or [])
            pickup = await self._ask(self._client.pickup.buy, ref, carrier=rate["carrier"], service=rate["service"])
        return str(pickup.get("confirmation") or "")

    async def cancel_pickup(self, ref: str) -> None:
        """Call it off, unless it was.

        Raises:
            CarrierRefusedError: it is too late.
            CarrierUnknownError: no answer.
        """
        pickup = await self._ask(self._client.pickup.retrieve, ref)
        if pickup.get("status") == "scheduled":
            await self._ask(self._client.pickup.cancel, ref)

    async def close(self) -> None:
        """The SDK's connections end with it."""
        self._client._requests_session.close()  # noqa: SLF001 - the SDK has no way of its own to close them

    async def _bought(self, shipment: Mapping[str, Any]) -> Bought:
        rate = shipment.get("selected_rate") or {}
        label = shipment["postage_label"]
        url = str(label.get("label_pdf_url") or label.get("label_url") or "")
        return Bought(
            tracking=str(shipment.get("tracking_code") or ""),
            cost=_minor(rate["rate"], rate["currency"]) if rate else None,
            currency=rate.get("currency", ""),
            pdf=await asyncio.to_thread(fetched, url, of=self._base, seconds=self._seconds),
        )

    async def _ask(self, call: Callable[..., Any], *arguments: object, **fields: object) -> dict[str, Any]:
        """Make a call of the SDK in a thread; its answer as plain data.

        Raises:
            CarrierRefusedError: EasyPost answered that it cannot be.
            CarrierUnknownError: it did not answer, is out of order or busy, or what it said cannot be read.
        """
        try:
            found = await asyncio.to_thread(call, *arguments, **fields)
            return dict(found.to_dict())
        except ApiError as error:
            raise _named(error) from error
        except (EasyPostError, AttributeError, TypeError, ValueError) as error:
            raise CarrierUnknownError(f"EasyPost's answer cannot be read: {type(error).__name__}") from error


_TRY_LATER: Final = frozenset({408, 429})
_FAULTS: Final = 500


def _named(error: ApiError) -> CarrierRefusedError | CarrierUnknownError:
    status = error.http_status
    if status is None or status >= _FAULTS or status in _TRY_LATER:
        return CarrierUnknownError(f"EasyPost did not answer: {type(error).__name__}")
    return CarrierRefusedError(f"{error.code or status}: {error.message}"[:500])


def _address(place: Place) -> dict[str, str]:
    return {
        "name": place.name,
        "street1": place.line1,
        "street2": place.line2,
        "city": place.city,
        "state": place.region,
        "zip": place.postal_code,
        "country": place.country,
        "phone": place.phone,
        "email": place.email,
    }


def _ounces(grams: int) -> float:
    """EasyPost weighs in ounces, to a tenth; a parcel is never told lighter than it is."""
    tenths = (Decimal(grams) * 10 / _GRAMS_PER_OUNCE).to_integral_value(ROUND_CEILING)
    return float(max(tenths, Decimal(1)) / 10)


def _rate(shipment: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The cheapest rate of those that a rule's service allows.

    Raises:
        CarrierRefusedError: there is none.
    """
    wanted = service.casefold()
    fitting = [
        rate
        for rate in shipment.get("rates") or []
        if not wanted or wanted in {_service(rate).casefold(), str(rate["carrier"]).casefold()}
    ]
    if not fitting:
        said = "; ".join(str(message.get("message", "")) for message in shipment.get("messages") or [])
        raise CarrierRefusedError(f"Nobody offers {service or 'a service'} for this parcel. {said}"[:500].strip())
    return _cheapest(fitting)


def _cheapest(rates: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The cheapest rate; rates of one list are of one currency.

    Raises:
        CarrierRefusedError: there is none.
    """
    if not rates:
        raise CarrierRefusedError("Nobody picks up there and then.")
    return min(rates, key=lambda rate: Decimal(str(rate["rate"])))


def _service(rate: Mapping[str, Any]) -> str:
    return f"{rate['carrier']}/{rate['service']}"


def _minor(text: object, currency: str) -> int:
    """A price such as `5.4500` in minor units, half a unit rounded up: EasyPost writes more places than there are."""
    scaled = Decimal(str(text)).scaleb(exponent(currency))
    return int(scaled.to_integral_value(ROUND_HALF_UP))


def _postage(shipment: Mapping[str, Any]) -> bool:
    return bool(shipment.get("postage_label"))


def _void_status(shipment: Mapping[str, Any]) -> VoidStatus:
    said = str(shipment.get("refund_status") or "")
    with suppress(ValueError):
        return VoidStatus(said)
    return VoidStatus.SUBMITTED


def _scan(tracker: Mapping[str, Any], told: Mapping[str, Any]) -> Scan | None:
    """One line of a tracker. It has no id of its own: what it says makes one."""
    status, detail = str(told.get("status") or ""), str(told.get("status_detail") or "")
    code = _DETAILS.get(detail) or _CODES.get(status)
    at = _when(told.get("datetime"))
    if code is None or at is None:
        return None
    words = str(told.get("message") or status)
    place = told.get("tracking_location") or {}
    where = ", ".join(str(place[part]) for part in ("city", "country") if place.get(part))
    said = f"{at.isoformat()} {status} {detail} {words}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:24]
    city = str(place.get("city") or "")
    # Carriers shout.
    town = city.title() if city.isupper() else city
    return Scan(f"{tracker.get('id', '')}:{digest}", code, f"{words} ({where})" if where else words, at, town)


def _when(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(text: object) -> date | None:
    moment = _when(text) if text else None
    return moment.date() if moment else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
