"""The embedded carrier: any post, paid by the shop's own prepaid-reply licence, one invoice at the end of the month.

Nothing is asked of anybody: the label is the portal's own, with the return's number as its barcodes. A postal number
may only be given out by a postal operator (UPU S10), so that nothing is tracked, and a label that nobody uses costs
nothing.
"""

from typing import Final

from returns_portal.carriers.gateway import (
    Bought,
    HandedIn,
    Offer,
    Shipment,
    Track,
    VoidStatus,
)

PREPAID: Final = "prepaid"


class Prepaid(HandedIn):
    """Keeps `Carrier`."""

    name = PREPAID

    async def prepare(self, shipment: Shipment, service: str) -> Offer:
        """The label is ready as soon as the return has a number."""
        del service  # The licence has one.
        return Offer(shipment.reference, "")

    async def buy(self, ref: str, service: str) -> Bought:
        """It is paid for when the post brings the parcel."""
        del ref, service
        return Bought(tracking="")

    async def look_up(self, ref: str) -> Bought | None:
        """As `buy`."""
        return await self.buy(ref, "")

    async def void(self, ref: str) -> VoidStatus:
        """Nothing was paid."""
        del ref
        return VoidStatus.NOT_APPLICABLE

    async def track(self, ref: str, tracking: str) -> Track:
        """Nothing is known until the parcel is here."""
        del ref, tracking
        return Track(scans=[])

    async def close(self) -> None:
        """There are no connections."""
