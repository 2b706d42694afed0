"""A shop whose boots can be exchanged, and customers who do, one verb a line."""

from typing import Any, Final
from uuid import UUID

from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.exchanges import ending, paying, sending
from returns_portal.exchanges.queries import ExchangeView, exchanges_of_return
from returns_portal.exchanges.reserving import Swap
from returns_portal.orders.intake import LineInput, OrderInput
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.filing import FiledReturn, file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from tests.portal import API, Portal

BOOT: Final = 15_900


async def shelf(portal: Portal, *, stock: int = 1) -> None:
    """Boots in three sizes at one price, sandals that cost less, and coats that cost more."""
    goods = (
        ("boot", "Chelsea boot", ["41", "42", "43"], BOOT),
        ("sandal", "Beach sandal", ["42"], 4_900),
        ("coat", "Winter coat", ["M"], 19_900),
    )
    for handle, title, sizes, price in goods:
        variants = [
            VariantInput(sku=f"{handle}-{size}", size=size, color="Black", price=price, currency="EUR", stock=stock)
            for size in sizes
        ]
        product = ProductInput(handle=handle, title=title, kind=ProductKind.OTHER, variants=variants, tax_rate=2000)
        async with portal.begin() as db:
            await put_product(db, API, product)


def a_boot(**changes: Any) -> LineInput:  # noqa: ANN401 - the fields of a line
    """A pair of boots as it was ordered, in 42."""
    values: dict[str, Any] = {
        "sku": "boot-42",
        "title": "Chelsea boot",
        "size": "42",
        "color": "Black",
        "quantity": 1,
        "unit_price": BOOT,
        "tax": 2_650,
    }
    return LineInput(**values | changes)


async def boots(portal: Portal, number: str = "1001", **changes: Any) -> tuple[OrderInput, UUID]:  # noqa: ANN401 - as above
    """Have ordered boots in 42, with 4.90 for the delivery; the order and its line."""
    order, [line] = await portal.order(number=number, lines=[a_boot(**changes)])
    await portal.work()
    return order, line


async def exchanged(
    portal: Portal,
    number: str,
    line: UUID,
    sku: str,
    *,
    quantity: int = 1,
    to: RefundTo = RefundTo.ORIGINAL,
    at_once: bool = False,
) -> FiledReturn:
    """File a return of which each unit is exchanged."""
    async with portal.begin() as db:
        wanted, swaps = [Wanted(line, quantity)], [Swap(line, sku, quantity)]
        return await file(db, API, portal.settings, DEFAULT, number, wanted, to, swaps=swaps, at_once=at_once)


async def seen(portal: Portal, filed: FiledReturn) -> list[ExchangeView]:
    """The exchanges of a return, as they stand."""
    async with portal.begin() as db:
        return await exchanges_of_return(db, API, filed.id)


async def the_one(portal: Portal, filed: FiledReturn) -> ExchangeView:
    """The only exchange of a return."""
    [exchange] = await seen(portal, filed)
    return exchange


async def sent(portal: Portal, exchange: ExchangeView) -> ExchangeView:
    """Send the replacement."""
    async with portal.begin() as db:
        return await sending.send(db, API, exchange.number, carrier="Econt", tracking="EC1")


async def called_off(portal: Portal, exchange: ExchangeView) -> ExchangeView:
    """The customer would rather have the money."""
    async with portal.begin() as db:
        return await ending.call_off(db, API, exchange.number)


async def paid(portal: Portal, exchange: ExchangeView, card: str = "pm_card_visa") -> None:
    """Give a card for the difference, and let the bank answer."""
    async with portal.begin() as db:
        await paying.pay(db, API, exchange.number, card)
    await portal.work()


async def stock_of(portal: Portal, sku: str) -> int:
    [row] = await portal.rows("SELECT stock FROM variant WHERE sku = :sku", sku=sku)
    return int(row.stock)


async def cards_of(portal: Portal, number: str) -> list[tuple[int, int]]:
    """What Stripe holds of each payment of an order: captured, refunded."""
    rows = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n"
        " ORDER BY p.created_at",
        n=number,
    )
    gateway = portal.context.service(StripeGateway)
    found = [await gateway.read_payment(row.reference) for row in rows]
    return [(payment.captured, payment.refunded) for payment in found]
