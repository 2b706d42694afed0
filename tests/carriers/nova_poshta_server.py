"""A server that answers as Nova Poshta's API 2.0 documents: return orders of waybills, and where parcels are.

Every answer is 200 with `success`; errors are sentences with codes beside them (developers.novaposhta.ua,
AdditionalService and TrackingDocument).
"""

import itertools
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.carriers.faults import Faults

KEY = "np-test-key"
OUTBOUND = "20450000000001"
"""A waybill of the way out whose parcel may go back."""
ADDRESS = "00000000-0000-0000-0000-00000000a001"

Json = dict[str, Any]


class NovaPoshtaServer:
    """Its memory, and what a test may look at or do behind the API."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.waybills = {OUTBOUND}
        self.orders: list[Json] = []
        self.parcels: dict[str, Json] = {}
        self.calls: list[str] = []
        self._ids = itertools.count(1)
        self.app = web.Application()
        self.app.add_routes([web.post("/v2.0/json/", self._post)])
        self._methods: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "CheckPossibilityCreateReturn": ("prepare", self._check),
            "getReturnReasons": ("reasons", self._reasons),
            "getReturnReasonsSubtypes": ("reasons", self._reasons),
            "save": ("buy", self._save),
            "getReturnOrdersList": ("look_up", self._list),
            "delete": ("void", self._delete),
            "getStatusDocuments": ("track", self._track),
        }

    @property
    def bought(self) -> list[str]:
        return [order["DocumentNumber"] for order in self.orders]

    def hand_in(self, ref: str) -> str:
        """The customer hands the parcel in: the return has a waybill of its own."""
        order = next(order for order in self.orders if order["DocumentNumber"] == ref)
        order["ExpressWaybillNumber"] = f"5900000000{next(self._ids):04d}"
        order["OrderStatus"] = "Виконується"
        return str(order["ExpressWaybillNumber"])

    def scan(self, number: str, code: str, status: str, at: str) -> None:
        self.parcels[number] = {"Number": number, "StatusCode": code, "Status": status, "TrackingUpdateDate": at}

    async def _post(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        assert asked["apiKey"] == KEY
        call, method = self._methods[asked["calledMethod"]]
        expected = "TrackingDocument" if asked["calledMethod"] == "getStatusDocuments" else "AdditionalService"
        assert asked["modelName"] == expected
        self.calls.append(call)

        async def answer() -> web.Response:
            return web.json_response(method(asked["methodProperties"]))

        refusal = web.json_response(_no("Створення замовлення неможливе", "20000400001"))
        return await self.faults.around(request, call, answer, refusal=refusal)

    def _check(self, asked: Json) -> Json:
        if asked["Number"] not in self.waybills:
            return _no("Document number is not correct", "20000200039")
        return _yes({"NonCash": "1", "City": "Київ", "Counterparty": "Nord", "Address": "вул. 1", "Ref": ADDRESS})

    def _reasons(self, asked: Json) -> Json:
        suffix = "2" if "ReasonRef" in asked else "1"
        return _yes({"Ref": f"49754eb{suffix}-a9e1-11e3-9fa0-0050568002cf", "Description": "Відмова від доставки"})

    def _save(self, asked: Json) -> Json:
        assert asked["OrderType"] == "orderCargoReturn"
        assert (asked["ReturnAddressRef"], asked["PaymentMethod"]) == (ADDRESS, "NonCash")
        if asked["IntDocNumber"] in self.bought:
            return _no("Заявка на повернення вже створена", "20000400210")
        number = next(self._ids)
        order = {
            "OrderRef": f"00000000-0000-0000-0000-{number:012d}",
            "OrderNumber": f"102-{number:08d}",
            "OrderStatus": "Прийняте",
            "DocumentNumber": asked["IntDocNumber"],
            "DeliveryCost": "75.5",
            "EstimatedDeliveryDate": "20.11.2026",
            "ExpressWaybillNumber": "",
            "ExpressWaybillStatus": "",
        }
        self.orders.insert(0, order)
        return _yes({"Number": order["OrderNumber"], "Ref": order["OrderRef"]})

    def _list(self, asked: Json) -> Json:
        begin = (int(asked["Page"]) - 1) * int(asked["Limit"])
        return _yes(*self.orders[begin : begin + int(asked["Limit"])])

    def _delete(self, asked: Json) -> Json:
        for order in self.orders:
            if order["OrderRef"] == asked["Ref"]:
                if order["ExpressWaybillNumber"]:
                    return _no("Заявку не можна видалити", "20000400301")
                self.orders.remove(order)
                return _yes({"Number": order["OrderNumber"]})
        return _no("Заявку не знайдено", "20000400302")

    def _track(self, asked: Json) -> Json:
        number = asked["Documents"][0]["DocumentNumber"]
        return _yes(self.parcels.get(number, {"Number": number, "StatusCode": "3", "Status": "Номер не знайдено"}))


def _yes(*data: Json) -> Json:
    return {"success": True, "data": list(data), "errors": [], "errorCodes": []}


def _no(sentence: str, code: str) -> Json:
    return {"success": False, "data": [], "errors": [sentence], "errorCodes": [code]}
