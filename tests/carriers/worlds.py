"""Each carrier with a server of its own beside it, in the few words that the suite of all carriers speaks."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web
from aiohttp.test_utils import TestServer

from returns_portal.carriers.easypost import EasyPost
from returns_portal.carriers.gateway import Carrier, Place, Shipment
from returns_portal.carriers.nova_poshta import NovaPoshta
from returns_portal.carriers.prepaid import Prepaid
from tests.carriers import easypost_server, nova_poshta_server
from tests.carriers.faults import Faults

CUSTOMER = Place(
    name="Олена Коваль",
    line1="вул. Хрещатик 1",
    line2="",
    city="Київ",
    region="",
    postal_code="01001",
    country="UA",
    phone="+380441234567",
    email="olena@example.org",
)
SHOP = Place(
    name="Nord & Sund, Returns",
    line1="ul. Industrialna 11",
    line2="",
    city="Sofia",
    region="",
    postal_code="1528",
    country="BG",
)


def a_shipment(**changes: Any) -> Shipment:  # noqa: ANN401 - the fields of a shipment
    fields = {
        "reference": "R-7K3M-9QXD",
        "customer": CUSTOMER,
        "shop": SHOP,
        "grams": 1400,
        "value": 15900,
        "currency": "EUR",
        "outbound": nova_poshta_server.OUTBOUND,
    }
    return Shipment(**{**fields, **changes})


class World(Protocol):
    """A carrier, and what happens outside the portal."""

    carrier: Carrier
    faults: Faults

    @property
    def bought(self) -> list[str]:
        """What was bought, by the `ref`s."""

    def hand_in(self, ref: str, at: datetime) -> None:
        """The customer hands the parcel in, and it is scanned."""

    def bring(self, ref: str, at: datetime) -> None:
        """The parcel is brought to the shop."""


class EasyPostWorld:
    def __init__(self, server: easypost_server.EasyPostServer, base: str) -> None:
        self.server = server
        self.faults = server.faults
        self.carrier: Carrier = EasyPost(key=easypost_server.KEY, base=f"{base}/v2", seconds=5)

    @property
    def bought(self) -> list[str]:
        return self.server.bought

    def hand_in(self, ref: str, at: datetime) -> None:
        self.server.scan(ref, "in_transit", "received_at_origin_facility", "Accepted at USPS", at.isoformat())

    def bring(self, ref: str, at: datetime) -> None:
        self.server.scan(ref, "delivered", "arrived_at_destination", "Delivered, Front Door", at.isoformat())


class NovaPoshtaWorld:
    def __init__(self, server: nova_poshta_server.NovaPoshtaServer, base: str) -> None:
        self.server = server
        self.faults = server.faults
        self.carrier: Carrier = NovaPoshta(key=nova_poshta_server.KEY, base=f"{base}/v2.0/json/", seconds=5)

    @property
    def bought(self) -> list[str]:
        return self.server.bought

    def hand_in(self, ref: str, at: datetime) -> None:
        number = self.server.hand_in(ref)
        self.server.scan(number, "5", "Прямує до міста", f"{at:%Y-%m-%d %H:%M:%S}")

    def bring(self, ref: str, at: datetime) -> None:
        order = next(order for order in self.server.orders if order["DocumentNumber"] == ref)
        self.server.scan(order["ExpressWaybillNumber"], "9", "Відправлення отримано", f"{at:%Y-%m-%d %H:%M:%S}")


class PrepaidWorld:
    def __init__(self) -> None:
        self.faults = Faults()
        self.carrier: Carrier = Prepaid()
        self.bought: list[str] = []

    def hand_in(self, ref: str, at: datetime) -> None:
        """Nobody scans it."""

    def bring(self, ref: str, at: datetime) -> None:
        """Nobody tells."""


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The address of a server on loopback."""
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def easypost_world() -> AsyncIterator[EasyPostWorld]:
    server = easypost_server.EasyPostServer()
    async with serving(server.app) as base:
        world = EasyPostWorld(server, base)
        yield world
        await world.carrier.close()


@asynccontextmanager
async def nova_poshta_world() -> AsyncIterator[NovaPoshtaWorld]:
    server = nova_poshta_server.NovaPoshtaServer()
    async with serving(server.app) as base:
        world = NovaPoshtaWorld(server, base)
        yield world
        await world.carrier.close()


@asynccontextmanager
async def prepaid_world() -> AsyncIterator[PrepaidWorld]:
    yield PrepaidWorld()


Opened = Callable[[], AbstractAsyncContextManager[World]]

REMOTE: Mapping[str, Opened] = {"easypost": easypost_world, "nova_poshta": nova_poshta_world}
ALL: Mapping[str, Opened] = {"prepaid": prepaid_world, **REMOTE}
