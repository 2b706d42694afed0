"""A small portal without its web: what a test of money needs to say what happens, one verb a line."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from returns_portal.actor import Actor
from returns_portal.carriers.registry import carriers_of
from returns_portal.db import Begin
from returns_portal.jobs import JobContext, drain, queue_app
from returns_portal.notifications.mailer import Mailer
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.queries import order_for
from returns_portal.payments.stripe import StripeGateway
from returns_portal.points.queries import balances
from returns_portal.refunds import actions
from returns_portal.refunds.filing import FiledReturn, cancel, file
from returns_portal.refunds.queries import RefundView, refunds_of_return
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from returns_portal.worker import JOB_MODULES
from tests.orders.samples import an_order

assert JOB_MODULES  # Imported for the handlers that it registers.

API = Actor(kind="api", id="test", grants=frozenset({"all"}))
FINANCE = Actor(kind="staff", id="mira", grants=frozenset({"finance"}))


class Portal:
    """One test's portal: its own database, the shared sandbox."""

    def __init__(self, begin: Begin, settings: Settings, gateway: StripeGateway, url: str) -> None:
        self.begin = begin
        self.settings = settings
        self.context = JobContext(begin, settings, gateway, Mailer(settings), carriers_of(settings))
        self._url = url

    async def order(self, **changes: Any) -> tuple[OrderInput, list[UUID]]:  # noqa: ANN401 - the fields of an order
        """Put an order; its lines' ids."""
        order = an_order(**changes)
        async with self.begin() as db:
            await put_order(db, API, self.settings, order)
            view = await order_for(db, API, order.number)
        return order, [line.line_id for line in view.lines]

    async def file(
        self, number: str, *wanted: tuple[UUID, int], to: RefundTo = RefundTo.ORIGINAL, bank_account: str | None = None
    ) -> FiledReturn:
        async with self.begin() as db:
            lines = [Wanted(line_id, quantity) for line_id, quantity in wanted]
            return await file(db, API, self.settings, DEFAULT, number, lines, to, bank_account=bank_account)

    async def receive(
        self, rma: str, *counts: tuple[UUID | None, int, Condition], number: int = 1, delay: int | None = None
    ) -> actions.Released:
        settings = self.settings if delay is None else self.settings.model_copy(update={"refund_delay": delay})
        async with self.begin() as db:
            return await actions.receive(db, API, settings, rma, [Counted(*count) for count in counts], number=number)

    async def cancel(self, rma: str) -> None:
        async with self.begin() as db:
            await cancel(db, API, rma)

    async def work(self) -> None:
        """Run every job that is due, in the order of the queue."""
        await drain(queue_app(self._url, self.context))

    async def refunds(self, filed: FiledReturn) -> list[RefundView]:
        async with self.begin() as db:
            return await refunds_of_return(db, API, filed.id)

    async def statuses(self, filed: FiledReturn) -> list[str]:
        return [refund.status for refund in await self.refunds(filed)]

    async def points(self, email: str) -> dict[str, int]:
        async with self.begin() as db:
            return await balances(db, API, email)

    async def rows(self, query: str, **values: object) -> Sequence[Any]:
        async with self.begin() as db:
            return (await db.execute(text(query), values)).all()

    async def mails(self) -> list[str]:
        return [row.template for row in await self.rows("SELECT template FROM email ORDER BY created_at, id")]


async def at_once(*calls: Any) -> list[Any]:  # noqa: ANN401 - whatever they answer
    """Run them together; their answers or errors."""
    return await asyncio.gather(*calls, return_exceptions=True)
