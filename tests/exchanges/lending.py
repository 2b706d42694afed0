"""What is sent before the goods are back, one verb a line."""

from datetime import timedelta
from uuid import UUID

from returns_portal import clock
from returns_portal.exchanges import deadlines, ending
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.filing import FiledReturn
from tests.exchanges.samples import boots, exchanged, paid, sent, shelf, the_one
from tests.portal import Portal


async def held(portal: Portal, sku: str = "boot-43", *, card: str = "pm_card_visa") -> tuple[FiledReturn, UUID, int]:
    """An exchange that is to be sent at once, whose price a card holds; its line, and what the order cost."""
    await shelf(portal, stock=2)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, sku, at_once=True)
    await paid(portal, await the_one(portal, filed), card)
    return filed, line, order.total


async def lent(portal: Portal, sku: str = "boot-43") -> tuple[FiledReturn, UUID, int]:
    """One that has left before the goods are back."""
    filed, line, total = await held(portal, sku)
    await sent(portal, await the_one(portal, filed))
    return filed, line, total


async def days_later(portal: Portal, days: float) -> None:
    """So many days later: deadlines are looked at, what hangs is set going, and all of it is done."""
    with clock.shifted(timedelta(days=days)):
        for _turn in range(2):
            await deadlines.look(portal.begin)
            await ending.sweep(portal.begin)
            await deliver_due(portal.begin, portal.context.service(Mailer))
            await portal.work()
            async with portal.begin() as db:
                await db.exec_driver_sql(_AS_LONG)


_AS_LONG = """
    UPDATE exchange_charge SET capture_before = created_at + interval '7 days' WHERE status = 'held'
"""
"""A bank holds for a week by its own clock, which nobody has moved."""


async def holds_of(portal: Portal, exchange: ExchangeView) -> list[tuple[str, int]]:
    """What Stripe says of each payment of an exchange: its status, and what was taken."""
    query = "SELECT reference FROM exchange_charge WHERE exchange_id = :id ORDER BY created_at, id"
    gateway = portal.context.service(StripeGateway)
    rows = [row for row in await portal.rows(query, id=exchange.id) if row.reference]
    found = [await gateway.read_intent(row.reference) for row in rows]
    return [(intent.status, intent.received) for intent in found]


async def replacement(portal: Portal, filed: FiledReturn) -> tuple[UUID, int]:
    """The line of what was sent, and what it cost by now."""
    query = "SELECT l.id, l.unit_paid[1] AS cost FROM order_line l JOIN exchange e ON e.replacement_line_id = l.id"
    [row] = await portal.rows(f"{query} WHERE e.return_id = :id", id=filed.id)
    return row.id, int(row.cost)
