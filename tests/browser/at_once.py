"""Exchanges that are sent before the goods are back, at every place where somebody stops and looks."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from returns_portal.exchanges import paying, sending
from returns_portal.exchanges.lending import settle
from returns_portal.exchanges.models import Outcome
from returns_portal.exchanges.queries import exchange_for
from returns_portal.warehouse.models import Condition
from tests.exchanges.samples import a_boot, exchanged, the_one
from tests.portal import API, Portal

_VISA: Final = "pm_card_visa"
_PLACES: Final = ("waits for a card", "to send", "sent", "came back", "charged", "unpaid")
AT_ONCE: Final = tuple(f"at once, {place}" for place in _PLACES)


async def exchanges_at_once(portal: Portal, enter: Callable[[str, str, str], Awaitable[Any]]) -> None:
    """One of each: coats instead of boots."""
    for place, name in enumerate(_PLACES):
        order = str(3451 + place)
        _order, [line] = await portal.order(number=order, lines=[a_boot(unit_price=18_900)])
        await portal.work()
        filed = await exchanged(portal, order, line, "coat-M", at_once=True)
        number = (await the_one(portal, filed)).number
        await enter(f"at once, {name}", order, number)
        if name == "waits for a card":
            await enter("at once, its return", order, filed.rma)
            continue
        async with portal.begin() as db:
            await paying.pay(db, API, number, _VISA)
        await portal.work()
        if name != "to send":
            async with portal.begin() as db:
                await sending.send(db, API, number, carrier="Econt", tracking="1051602737")
        if name == "came back":
            await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
        if name in {"charged", "unpaid"}:
            async with portal.begin() as db:
                if name == "unpaid":
                    # The hold has lapsed, and the card has nothing any more.
                    await db.exec_driver_sql(
                        "UPDATE exchange_charge SET status = 'canceled', payment_method = 'pm_card_chargeDeclined'"
                        " WHERE exchange_id = (SELECT id FROM exchange WHERE number = %s)",
                        (number,),
                    )
                exchange = await exchange_for(db, API, number, lock=True)
                await settle(db, API, exchange, Outcome.NEVER_CAME, exchange.price)
        await portal.work()
