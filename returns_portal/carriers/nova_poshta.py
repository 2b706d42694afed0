"""Nova Poshta (Ukraine): a parcel that it brought goes back by a return order on the waybill of the way out.

API 2.0 answers every question with 200 and `success`; it has no idempotency keys, no webhooks and no price in advance.
The return order belongs to the outbound waybill, one at a time: that number is the `ref` under which it is asked for,
and the list of return orders is read before another is made. There is no label to print: the customer names the
order's number where the parcel is handed in. Source: developers.novaposhta.ua, AdditionalService and TrackingDocument.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from returns_portal import clock
from returns_portal.carriers.gateway import (
    Bought,
    CarrierRefusedError,
    CarrierUnknownError,
    HandedIn,
    Offer,
    Scan,
    ScanCode,
    Shipment,
    Track,
    VoidStatus,
)
from returns_portal.carriers.nova_poshta_orders import ReturnOrders, text

NOVA_POSHTA: Final = "nova_poshta"
API: Final = "https://api.novaposhta.ua/v2.0/json/"

_CURRENCY: Final = "UAH"
_ZONE: Final = ZoneInfo("Europe/Kyiv")
_SECONDS: Final = 20.0
_AWAY: Final = frozenset({"20000100016"})
"""Error codes that say that the service is not available, rather than that something cannot be."""

_CODES: Final[Mapping[str, ScanCode]] = {
    "1": ScanCode.CREATED,
    "12": ScanCode.CREATED,
    "4": ScanCode.IN_TRANSIT,
    "41": ScanCode.IN_TRANSIT,
    "5": ScanCode.IN_TRANSIT,
    "6": ScanCode.IN_TRANSIT,
    "104": ScanCode.IN_TRANSIT,
    "112": ScanCode.IN_TRANSIT,
    "7": ScanCode.OUT_FOR_DELIVERY,
    "8": ScanCode.OUT_FOR_DELIVERY,
    "101": ScanCode.OUT_FOR_DELIVERY,
    "9": ScanCode.DELIVERED,
    "10": ScanCode.DELIVERED,
    "11": ScanCode.DELIVERED,
    "106": ScanCode.DELIVERED,
    "102": ScanCode.RETURNED,
    "103": ScanCode.RETURNED,
    "105": ScanCode.FAILED,
    "111": ScanCode.FAILED,
}
"""StatusCode of getStatusDocuments; 2 (deleted) and 3 (not found) say nothing of where a parcel is."""


class _Answer(msgspec.Struct):
    success: bool
    data: list[dict[str, Any]] = msgspec.field(default_factory=list)
    errors: Any = None
    errorCodes: Any = None  # noqa: N815 - the API's own name


class NovaPoshta(HandedIn):
    """Keeps `Carrier`. It belongs to the event loop in which it is first used, and keeps its connections."""

    name = NOVA_POSHTA

    def __init__(self, *, key: str, base: str = API, seconds: float = _SECONDS) -> None:
        """Take the API key, the address of the API, and how long an answer may take."""
        self._key = key
        self._base = base
        self._limit = aiohttp.ClientTimeout(total=seconds)
        self._local = urlsplit(base).hostname in {"127.0.0.1", "::1", "localhost"}
        self._session: aiohttp.ClientSession | None = None
        self._orders = ReturnOrders(self._ask)

    async def prepare(self, shipment: Shipment, service: str) -> Offer:
        """Ask whether the parcel of the way out can go back.

        Raises:
            CarrierRefusedError: Nova Poshta did not bring it, it is too late, or somebody made a return order of it.
            CarrierUnknownError: no answer.
        """
        del service  # A return order has none: it goes back as it came.
        if not shipment.outbound:
            raise CarrierRefusedError("No waybill is known on which the goods went out and no other label goes back.")
        await self._address(shipment.outbound)
        # That a label of ours has it is known without asking; the shop may have made one itself, some time ago.
        known = await self._orders.lately(shipment.outbound)
        if known and await self._orders.now(shipment.outbound):
            raise CarrierRefusedError("There is a return order of this waybill already, and it is another label's.")
        return Offer(shipment.outbound, "")

    async def buy(self, ref: str, service: str) -> Bought:
        """Make the return order, after looking whether there is one.

        Raises:
            CarrierRefusedError: it cannot go back (any more).
            CarrierUnknownError: no answer; the order may have been made.
        """
        del service
        order = await self._orders.now(ref)
        if order is None:
            address = await self._address(ref)
            reason = await self._first("getReturnReasons")
            subtype = await self._first("getReturnReasonsSubtypes", ReasonRef=reason)
            made = await self._ask(
                "AdditionalService",
                "save",
                OrderType="orderCargoReturn",
                IntDocNumber=ref,
                PaymentMethod="NonCash" if _true(address.get("NonCash")) else "Cash",
                Reason=reason,
                SubtypeReason=subtype,
                ReturnAddressRef=str(address["Ref"]),
            )
            number = text(made[0], "Number") if made else ""
            # The price stands in the list alone; without an answer of it the label is bought all the same.
            with suppress(CarrierUnknownError):
                order = await self._orders.now(ref)
            order = order or {"OrderNumber": number}
        return _bought(order)

    async def look_up(self, ref: str) -> Bought | None:
        """Read whether there is a return order.

        Raises:
            CarrierRefusedError: the key may not read them.
            CarrierUnknownError: no answer.
        """
        order = await self._orders.now(ref)
        return _bought(order) if order else None

    async def void(self, ref: str) -> VoidStatus:
        """Delete the return order; until the parcel is handed in, nothing was paid for it.

        Raises:
            CarrierUnknownError: no answer.
        """
        order = await self._orders.now(ref)
        if order is None:
            return VoidStatus.NOT_APPLICABLE
        try:
            await self._ask("AdditionalService", "delete", Ref=text(order, "OrderRef"), OrderType="orderCargoReturn")
        except CarrierRefusedError:
            return VoidStatus.REJECTED
        return VoidStatus.REFUNDED

    async def track(self, ref: str, tracking: str) -> Track:
        """Read the order, and where the parcel is once it has a waybill of its own.

        Raises:
            CarrierRefusedError: the key may not read them.
            CarrierUnknownError: no answer.
        """
        order = await self._orders.lately(ref) or {}
        tracking = text(order, "ExpressWaybillNumber") or tracking
        cost = _cost(order)
        scans: list[Scan] = []
        if tracking:
            documents = [{"DocumentNumber": tracking, "Phone": ""}]
            told = await self._ask("TrackingDocument", "getStatusDocuments", Documents=documents)
            scans = [scan for one in told if (scan := _scan(tracking, one))]
        return Track(
            scans=scans,
            tracking=tracking,
            expected=_day(text(order, "EstimatedDeliveryDate")),
            cost=cost,
            currency=_CURRENCY if cost is not None else "",
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _address(self, waybill: str) -> dict[str, Any]:
        """Where the parcel of a waybill may go back to: the first address is the sender's own."""
        found = await self._ask("AdditionalService", "CheckPossibilityCreateReturn", Number=waybill)
        if not found or not found[0].get("Ref"):
            raise CarrierRefusedError("Nova Poshta names no address to which the parcel could go back.")
        return found[0]

    async def _first(self, method: str, **properties: object) -> str:
        """The first entry of one of the lists of reasons, none of which the customer has to give."""
        found = await self._ask("AdditionalService", method, **properties)
        if not found:
            raise CarrierRefusedError(f"Nova Poshta has no answer to {method}.")
        return text(found[0], "Ref")

    async def _ask(self, model: str, method: str, **properties: object) -> list[dict[str, Any]]:
        """Ask one question.

        Raises:
            CarrierRefusedError: Nova Poshta says no, in its own words.
            CarrierUnknownError: no answer in time, or none that can be read.
        """
        asked = {"apiKey": self._key, "modelName": model, "calledMethod": method, "methodProperties": properties}
        try:
            async with self._open().post(self._base, json=asked, timeout=self._limit) as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CarrierUnknownError(f"Nova Poshta did not answer: {type(error).__name__}") from error
        if status != 200:  # noqa: PLR2004 - HTTP's OK
            raise CarrierUnknownError(f"Nova Poshta answered {status}.")
        try:
            said = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError as error:
            raise CarrierUnknownError("Nova Poshta's answer cannot be read.") from error
        if said.success:
            return said.data
        words = f"{method}: {'; '.join(_listed(said.errors))}"[:500]
        if _AWAY.intersection(_listed(said.errorCodes)):
            raise CarrierUnknownError(words)
        raise CarrierRefusedError(words)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(trust_env=not self._local, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _listed(value: object) -> list[str]:
    """Errors come as a list, or as a mapping from places to sentences."""
    if isinstance(value, Mapping):
        value = list(value.values())
    return [str(one) for one in value] if isinstance(value, list) else []


def _true(value: object) -> bool:
    return value in (True, 1, "1", "true")


def _bought(order: Mapping[str, Any]) -> Bought:
    cost = _cost(order)
    return Bought(
        tracking=text(order, "ExpressWaybillNumber"),
        cost=cost,
        currency=_CURRENCY if cost is not None else "",
        code=text(order, "OrderNumber"),
    )


def _cost(order: Mapping[str, Any]) -> int | None:
    """The price in kopiykas; hryvnias come with two places at most."""
    with suppress(InvalidOperation):
        said = text(order, "DeliveryCost")
        return int((Decimal(said) * 100).to_integral_value()) if said else None
    return None


def _scan(number: str, told: Mapping[str, Any]) -> Scan | None:
    """The parcel's present status; each change of it is a scan of its own."""
    status = text(told, "StatusCode")
    code = _CODES.get(status)
    if code is None:
        return None
    moment = text(told, "TrackingUpdateDate") or text(told, "DateScan") or text(told, "DateCreated")
    at = _when(moment) or clock.now()
    # Without a moment of its own a status counts once.
    return Scan(f"{number}:{status}:{moment}", code, text(told, "Status"), at, text(told, _PLACES.get(code, "")))


# The two ends of the way are told; of what lies between, only the carrier's sentence is.
_PLACES: Final = {ScanCode.PICKED_UP: "CitySender", ScanCode.DELIVERED: "CityRecipient"}


_MOMENTS: Final = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%H:%M %d.%m.%Y", "%d.%m.%Y %H:%M:%S")


def _when(text: str) -> datetime | None:
    """A moment as one of the API's methods writes it, in Kyiv's time."""
    for pattern in _MOMENTS:
        with suppress(ValueError):
            return datetime.strptime(text, pattern).replace(tzinfo=_ZONE)
    return None


def _day(text: str) -> date | None:
    for pattern in ("%d/%m/%y %H:%M", "%d.%m.%Y", "%Y-%m-%d", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        with suppress(ValueError):
            return datetime.strptime(text, pattern).replace(tzinfo=_ZONE).date()
    return None
