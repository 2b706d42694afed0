"""What the rest of the portal knows of a carrier: buying a return label, voiding it, following its parcel.

Every adapter is one file that keeps `Carrier`, and passes the suite that all of them share. Amounts are in ISO 4217
minor units, weights in grams.

CarrierError
├── ForgedNewsError       something that claims to be the carrier's, and is not
├── CarrierRefusedError   a definite no: nothing was bought or changed
└── CarrierUnknownError   nobody knows whether it happened: look before asking again
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class CarrierError(Exception):
    """A carrier did not do what was asked, or did not say so. The text is for logs and for staff."""


class ForgedNewsError(CarrierError):
    """News that the carrier did not sign, or that was changed since."""


class CarrierRefusedError(CarrierError):
    """A definite no, in the carrier's words: nothing was bought or changed."""


class CarrierUnknownError(CarrierError):
    """A time-out, a lost connection, a server error, or an answer that cannot be read."""


class ScanCode(StrEnum):
    """What happened to a parcel, in words that all carriers share."""

    CREATED = "created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    FAILED = "failed"
    """An attempt to deliver it failed, or it cannot go on as it is."""
    RETURNED = "returned"
    """It goes back to whoever sent it."""
    LOST = "lost"


class VoidStatus(StrEnum):
    """What a carrier says of giving the price of an unused label back."""

    SUBMITTED = "submitted"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    NOT_APPLICABLE = "not_applicable"
    """Nothing was paid for it, so that nothing comes back."""


class Place(msgspec.Struct, frozen=True):
    """A person or the shop, with an address. `country` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str = ""
    email: str = ""


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that is to come back from the customer to the shop."""

    reference: str
    """What our label's barcodes hold, for the carrier's own records."""
    customer: Place
    shop: Place
    grams: int
    value: int
    currency: str
    outbound: str = ""
    """The carrier's number of the parcel in which the goods went out, where it is known."""


class Offer(msgspec.Struct, frozen=True):
    """A shipment that a carrier has made ready, and nothing was paid for yet.

    `ref` is the carrier's own id of it, by which it is bought, looked up and voided; `cost` is None where the carrier
    names no price beforehand.
    """

    ref: str
    service: str
    cost: int | None = None
    currency: str = ""


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """A label that was bought."""

    tracking: str
    """The carrier's number of the parcel; empty where it gives one later, or none."""
    cost: int | None = None
    currency: str = ""
    pdf: bytes | None = None
    """The carrier's own label; None where the portal's label goes on the parcel."""
    code: str = ""
    """What the customer names or shows where the parcel is handed in, in place of a printed label."""


class Scan(msgspec.Struct, frozen=True):
    """One thing that happened to a parcel. The same thing has the same `event_id` each time it is told."""

    event_id: str
    code: ScanCode
    words: str
    at: datetime
    place: str = ""
    """The town where it happened, where the carrier says so."""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parcel is, and what else the carrier knows by now; what is None or empty is not known."""

    scans: list[Scan]
    tracking: str = ""
    expected: date | None = None
    cost: int | None = None
    currency: str = ""
    void: VoidStatus | None = None


class News(msgspec.Struct, frozen=True):
    """That something happened, as a carrier tells it: which shipment (or parcel) to look at. No more is believed."""

    event_id: str
    kind: str
    ref: str
    tracking: str


class PickupOffer(msgspec.Struct, frozen=True):
    """A pick-up that a carrier has made ready, and that is not booked yet."""

    ref: str
    cost: int | None = None
    currency: str = ""


class HandedIn:
    """The pick-ups of a carrier to whom parcels are brought: there are none."""

    picks_up = False

    async def prepare_pickup(self, ref: str, place: Place, begins: datetime, ends: datetime) -> PickupOffer:
        """Refuse.

        Raises:
            CarrierRefusedError: always.
        """
        del ref, place, begins, ends
        raise CarrierRefusedError("This carrier fetches no parcels: they are handed in.")

    async def book_pickup(self, ref: str) -> str:
        """As `prepare_pickup`.

        Raises:
            CarrierRefusedError: always.
        """
        raise CarrierRefusedError(f"There is no pick-up {ref}.")

    async def cancel_pickup(self, ref: str) -> None:
        """As `prepare_pickup`.

        Raises:
            CarrierRefusedError: always.
        """
        raise CarrierRefusedError(f"There is no pick-up {ref}.")


class Carrier(Protocol):
    """A carrier. Every method but `close` may raise `CarrierRefusedError` and `CarrierUnknownError`."""

    @property
    def name(self) -> str:
        """By which rules and labels know it."""

    @property
    def picks_up(self) -> bool:
        """Whether it fetches parcels from people's homes."""

    async def prepare(self, shipment: Shipment, service: str) -> Offer:
        """Make a shipment ready, free of charge. An empty service is the cheapest."""

    async def buy(self, ref: str, service: str) -> Bought:
        """Buy the label of a shipment that was prepared. Asked again, it is not bought twice."""

    async def look_up(self, ref: str) -> Bought | None:
        """The label that was bought for a shipment; None where it was not bought."""

    async def void(self, ref: str) -> VoidStatus:
        """Give an unused label back, or say what came of asking for that before."""

    async def track(self, ref: str, tracking: str) -> Track:
        """Read where the parcel is."""

    async def prepare_pickup(self, ref: str, place: Place, begins: datetime, ends: datetime) -> PickupOffer:
        """Make a pick-up of a bought shipment ready."""

    async def book_pickup(self, ref: str) -> str:
        """Book a pick-up that was prepared; its confirmation. Asked again, it is not booked twice."""

    async def cancel_pickup(self, ref: str) -> None:
        """Call a pick-up off."""

    async def close(self) -> None:
        """Close the connections."""
