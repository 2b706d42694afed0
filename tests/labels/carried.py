"""A portal whose labels are bought from EasyPost and Nova Poshta, each a server of its own beside the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from returns_portal.actor import Actor
from returns_portal.carriers.prepaid import Prepaid
from returns_portal.carriers.registry import Carriers
from returns_portal.jobs import JobContext
from returns_portal.labels import buying
from returns_portal.labels.policy import save_rule
from returns_portal.labels.rules import Rule
from returns_portal.notifications.mailer import Mailer
from returns_portal.orders.intake import AddressInput
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.filing import FiledReturn
from tests.carriers.worlds import EasyPostWorld, NovaPoshtaWorld, easypost_world, nova_poshta_world
from tests.portal import Portal

ADMIN = Actor(kind="staff", id="ada", grants=frozenset({"admin"}))
SUPPORT = Actor(kind="staff", id="sami", grants=frozenset({"support"}))


class Carried:
    """The portal, the two carriers, and the verbs of the tests."""

    def __init__(self, portal: Portal, easypost: EasyPostWorld, nova_poshta: NovaPoshtaWorld) -> None:
        self.portal = portal
        self.easypost = easypost
        self.nova_poshta = nova_poshta

    @property
    def context(self) -> JobContext:
        return self.portal.context

    async def rule(self, carrier: str, service: str = "", **changes: Any) -> UUID:  # noqa: ANN401 - the fields of a rule
        fields = {
            "countries": [],
            "max_weight_grams": None,
            "min_value": 0,
            "max_value": None,
            "currency": "",
            "enabled": True,
            **changes,
        }
        async with self.portal.begin() as db:
            return await save_rule(db, ADMIN, Rule(UUID(int=0), 0, carrier, service, **fields))

    async def filed(self, number: str = "1001", country: str = "BG", **changes: Any) -> FiledReturn:  # noqa: ANN401 - the fields of an order
        address = AddressInput(name="Олена", line1="вул. 1", city="Київ", postal_code="01001", country=country)
        order, lines = await self.portal.order(number=number, shipping_address=address, **changes)
        return await self.portal.file(order.number, (lines[0], 1))

    async def label(self, filed: FiledReturn, *, number: int = 1) -> Any:  # noqa: ANN401 - a row
        rows = await self.portal.rows(
            "SELECT * FROM label WHERE return_id = :id AND number = :number ORDER BY created_at DESC, id DESC LIMIT 1",
            id=filed.id,
            number=number,
        )
        return rows[0]

    async def bought(self, number: str = "1001") -> tuple[FiledReturn, Any]:
        """A return whose label was bought from EasyPost."""
        filed = await self.filed(number)
        await self.portal.work()
        label = await self.label(filed)
        assert label.carrier == "easypost"
        return filed, label

    async def buy(self, filed: FiledReturn) -> None:
        await buying.buy(self.context, (await self.label(filed)).id)


@asynccontextmanager
async def carrying(portal: Portal, gateway: StripeGateway) -> AsyncIterator[Carried]:
    async with easypost_world() as easypost, nova_poshta_world() as nova_poshta:
        carriers = Carriers([Prepaid(), easypost.carrier, nova_poshta.carrier])
        portal.context = JobContext(portal.begin, portal.settings, gateway, Mailer(portal.settings), carriers)
        yield Carried(portal, easypost, nova_poshta)
