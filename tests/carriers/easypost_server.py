"""A server that answers as EasyPost documents: shipments, rates, postage, refunds, trackers, pick-ups.

Bodies follow docs.easypost.com (Shipments, Shipping Refund, Trackers, Pickups, Errors), cut down to what matters.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.carriers.faults import BodyFault, Faults, cut

KEY = "EZTK-test"
PDF = b"%PDF-1.4\n% a label\n%%EOF\n"
_MOMENT = "2026-11-16T09:00:00Z"

Json = dict[str, Any]


class EasyPostServer:
    """Its memory, and what a test may look at or do behind the API."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.shipments: dict[str, Json] = {}
        self.pickups: dict[str, Json] = {}
        self.calls: list[str] = []
        self.rates = [("USPS", "GroundAdvantage", "5.45"), ("USPS", "Priority", "7.90"), ("UPS", "Ground", "5.9950")]
        self.refund_status = "submitted"
        self.label = PDF
        self.label_fault: BodyFault | None = None
        """For every label that is fetched, until it is taken away."""
        self._ids = itertools.count(1)
        self.app = web.Application()
        self.app.add_routes(
            [
                web.post("/v2/shipments", self._call("prepare", self._create)),
                web.get("/v2/shipments/{id}", self._call("look_up", self._retrieve)),
                web.post("/v2/shipments/{id}/buy", self._call("buy", self._buy)),
                web.post("/v2/shipments/{id}/refund", self._call("void", self._refund)),
                web.post("/v2/pickups", self._call("prepare_pickup", self._create_pickup)),
                web.get("/v2/pickups/{id}", self._call("look_up_pickup", self._retrieve_pickup)),
                web.post("/v2/pickups/{id}/buy", self._call("book_pickup", self._buy_pickup)),
                web.post("/v2/pickups/{id}/cancel", self._call("cancel_pickup", self._cancel_pickup)),
                web.get("/labels/{id}.pdf", self._pdf),
            ]
        )

    @property
    def bought(self) -> list[str]:
        return [ref for ref, shipment in self.shipments.items() if shipment["postage_label"]]

    def scan(self, ref: str, status: str, detail: str, message: str, at: str) -> None:
        """The carrier scans the parcel."""
        tracker = self.shipments[ref]["tracker"]
        tracker["status"] = status
        tracker["tracking_details"].append(
            {
                "object": "TrackingDetail",
                "message": message,
                "status": status,
                "status_detail": detail,
                "datetime": at,
                "source": "USPS",
                "tracking_location": {"city": "HOUSTON", "state": "TX", "country": "US", "zip": "77063"},
            }
        )

    def _call(
        self, name: str, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            assert request.headers["Authorization"] == f"Bearer {KEY}"
            self.calls.append(name)
            refusal = _error(422, "SHIPMENT.POSTAGE.FAILURE", "The carrier declines this parcel.")
            return await self.faults.around(request, name, lambda: answer(request), refusal=refusal)

        return handle

    async def _create(self, request: web.Request) -> web.Response:
        asked = (await request.json())["shipment"]
        assert asked["is_return"] is True
        if not asked["to_address"]["street1"]:
            return _error(422, "ADDRESS.STREET1.REQUIRED", "street1 is required")
        ref = f"shp_{next(self._ids):032x}"
        self.shipments[ref] = {
            "id": ref,
            "object": "Shipment",
            "is_return": True,
            "reference": asked["reference"],
            # A return's label is made the other way round.
            "from_address": asked["to_address"],
            "to_address": asked["from_address"],
            "parcel": asked["parcel"],
            "messages": [{"carrier": "DHLExpress", "type": "rate_error", "message": "not for this country"}],
            "rates": [
                {
                    "id": f"rate_{next(self._ids):032x}",
                    "object": "Rate",
                    "carrier": carrier,
                    "service": service,
                    "rate": rate,
                    "currency": "USD",
                }
                for carrier, service, rate in self.rates
            ],
            "selected_rate": None,
            "postage_label": None,
            "tracking_code": None,
            "tracker": None,
            "refund_status": None,
        }
        return web.json_response(self.shipments[ref], status=201)

    async def _retrieve(self, request: web.Request) -> web.Response:
        shipment = self.shipments.get(request.match_info["id"])
        return web.json_response(shipment) if shipment else _not_found()

    async def _buy(self, request: web.Request) -> web.Response:
        ref = request.match_info["id"]
        shipment, wanted = self.shipments[ref], (await request.json())["rate"]["id"]
        if shipment["postage_label"]:
            return _error(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        shipment["selected_rate"] = next(rate for rate in shipment["rates"] if rate["id"] == wanted)
        shipment["tracking_code"] = f"94055{next(self._ids):015d}"
        shipment["postage_label"] = {
            "id": f"pl_{next(self._ids):032x}",
            "object": "PostageLabel",
            "label_size": "4x6",
            "label_file_type": "application/pdf",
            "label_url": f"{request.url.origin()}/labels/{ref}.pdf",
            "label_pdf_url": None,
        }
        shipment["tracker"] = {
            "id": f"trk_{next(self._ids):032x}",
            "object": "Tracker",
            "status": "pre_transit",
            "tracking_code": shipment["tracking_code"],
            "est_delivery_date": "2026-11-20T00:00:00Z",
            "tracking_details": [],
        }
        self.scan(ref, "pre_transit", "label_created", "Shipping Label Created", _MOMENT)
        return web.json_response(shipment)

    async def _refund(self, request: web.Request) -> web.Response:
        shipment = self.shipments[request.match_info["id"]]
        if shipment["tracker"]["status"] not in ("pre_transit", "unknown"):
            return _error(422, "SHIPMENT.REFUND.UNAVAILABLE", "This label has been used.")
        shipment["refund_status"] = self.refund_status
        return web.json_response(shipment)

    async def _pdf(self, request: web.Request) -> web.StreamResponse:
        assert request.match_info["id"] in self.shipments
        if self.label_fault is None:
            return web.Response(body=self.label, content_type="application/pdf")
        if self.label_fault == "too large":
            return web.Response(body=self.label + bytes(5_000_000), content_type="application/pdf")
        begun = web.StreamResponse(headers={"Content-Type": "application/pdf"})
        if self.label_fault == "cut without a length":
            begun.enable_chunked_encoding()
        else:
            begun.content_length = len(self.label)
        await begun.prepare(request)
        await begun.write(self.label[:12])
        if self.label_fault == "stalled":
            await asyncio.sleep(2)
        cut(request)
        return begun

    async def _create_pickup(self, request: web.Request) -> web.Response:
        asked = (await request.json())["pickup"]
        assert datetime.fromisoformat(asked["min_datetime"]).tzinfo == UTC
        assert self.shipments[asked["shipment"]["id"]]["postage_label"]
        ref = f"pickup_{next(self._ids):032x}"
        rate = {
            "id": f"pickuprate_{next(self._ids):032x}",
            "object": "PickupRate",
            "carrier": "USPS",
            "service": "NextDay",
            "rate": "0.00",
            "currency": "USD",
        }
        self.pickups[ref] = {
            "id": ref,
            "object": "Pickup",
            "status": "unknown",
            "confirmation": None,
            "min_datetime": asked["min_datetime"],
            "max_datetime": asked["max_datetime"],
            "address": asked["address"],
            "pickup_rates": [rate],
        }
        return web.json_response(self.pickups[ref], status=201)

    async def _retrieve_pickup(self, request: web.Request) -> web.Response:
        pickup = self.pickups.get(request.match_info["id"])
        return web.json_response(pickup) if pickup else _not_found()

    async def _buy_pickup(self, request: web.Request) -> web.Response:
        pickup = self.pickups[request.match_info["id"]]
        if pickup["status"] == "scheduled":
            return _error(422, "PICKUP.PURCHASE.FAILURE", "This pickup has been purchased.")
        pickup |= {"status": "scheduled", "confirmation": f"WTC{next(self._ids):08d}"}
        return web.json_response(pickup)

    async def _cancel_pickup(self, request: web.Request) -> web.Response:
        pickup = self.pickups[request.match_info["id"]]
        pickup["status"] = "canceled"
        return web.json_response(pickup)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "errors": []}}, status=status)


def _not_found() -> web.Response:
    return _error(404, "NOT_FOUND", "The requested resource could not be found.")
