"""Nova Poshta's list of return orders, which can be read as a whole only: it knows no waybill to look for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from returns_portal import clock
from returns_portal.carriers.gateway import CarrierUnknownError

Order = dict[str, Any]
Ask = Callable[..., Awaitable[list[Order]]]

_ZONE: Final = ZoneInfo("Europe/Kyiv")
_LISTED: Final = timedelta(days=60)
"""How far back return orders are looked for."""
_PAGE: Final = 50
_MOST_PAGES: Final = 2000
_FRESH: Final = timedelta(minutes=10)
"""So long one reading is good for telling where parcels are: there may be thousands of them to ask about."""
_DECLINED: Final = ("відхил", "видал", "скасов")
"""How the statuses of return orders that do not hold begin."""


def text(values: Mapping[str, Any], name: str) -> str:
    """A value as text; empty where there is none."""
    return str(values.get(name) or "").strip()


class ReturnOrders:
    """The return orders that hold, by the waybill of the way out, which has one at a time."""

    def __init__(self, ask: Ask) -> None:
        """Take what asks Nova Poshta a question: model, method and properties."""
        self._ask = ask
        self._reading = asyncio.Lock()
        self._read_at: datetime | None = None
        self._read: dict[str, Order] = {}

    async def now(self, waybill: str) -> Order | None:
        """The return order of a waybill, if there is one now.

        Raises:
            CarrierRefusedError: the key may not read them.
            CarrierUnknownError: no answer.
        """
        async for order in self._listed():
            if text(order, "DocumentNumber") == waybill:
                return order
        return None

    async def lately(self, waybill: str) -> Order | None:
        """The return order of a waybill, as it was a few minutes ago at most.

        Raises:
            CarrierRefusedError: as `now`.
            CarrierUnknownError: as `now`.
        """
        async with self._reading:
            if self._read_at is None or not clock.now() - _FRESH < self._read_at <= clock.now():
                read: dict[str, Order] = {}
                async for order in self._listed():
                    read.setdefault(text(order, "DocumentNumber"), order)
                self._read, self._read_at = read, clock.now()
        return self._read.get(waybill)

    async def _listed(self) -> AsyncIterator[Order]:
        today = clock.now().astimezone(_ZONE).date()
        for page in range(1, _MOST_PAGES + 1):
            orders = await self._ask(
                "AdditionalService",
                "getReturnOrdersList",
                BeginDate=f"{today - _LISTED:%d.%m.%Y}",
                EndDate=f"{today + timedelta(days=1):%d.%m.%Y}",
                Page=str(page),
                Limit=str(_PAGE),
            )
            for order in orders:
                if not text(order, "OrderStatus").casefold().startswith(_DECLINED):
                    yield order
            if len(orders) < _PAGE:
                return
        raise CarrierUnknownError("There are too many return orders to look through.")
