"""The demo shop's year: what was planned is done by the portal's own actions, each at its own moment.

Nothing of it is left to do: what comes back is paid in points, so that no provider is asked, and what is paid for a
claim was transferred. Loaded again (after a crash in the middle, too), only what is missing is done.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import Verdict, decide
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.rules import ClaimWish
from returns_portal.db import Begin, run
from returns_portal.demo.asking import answer_all
from returns_portal.demo.mails import all_told
from returns_portal.demo.plan import planned
from returns_portal.demo.sales import OLDEST, Article, Claimed, Order, parcel_of
from returns_portal.demo.staffing import staff_of
from returns_portal.demo.words import DAMAGED, MISSING, REASONS, REFUSED
from returns_portal.jobs import JobContext
from returns_portal.labels.outbound import sent_out
from returns_portal.labels.sweeping import sweep
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput
from returns_portal.orders.rows import Prepared, insert_new
from returns_portal.payments.models import Tender
from returns_portal.refunds.actions import receive
from returns_portal.refunds.filing import file
from returns_portal.refunds.settling import confirm_transfer, submit
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.restock import open_events, take
from returns_portal.warehouse.rules import Counted

_AT_ONCE: Final = 25
"""Returns, claims and questions of one transaction."""
_ORDERS_AT_ONCE: Final = 250
_T = TypeVar("_T")


def _batches(of: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(of), size):
        yield of[start : start + size]


async def live(begin: Begin, settings: Settings, day: datetime) -> None:
    """Live the year that ends with the file's orders; `day` is the midnight of the day of loading."""
    async with begin() as db:
        staff = await staff_of(db)
    orders = planned().orders
    async with begin() as db:
        await _send_out(db)
    for several in _batches(orders, _ORDERS_AT_ONCE):
        async with begin() as db:
            await _sell(db, settings, several, day)
    known = await _known(begin)
    for batch in _batches([order for order in orders if order.back and not known[order.number].returned], _AT_ONCE):
        async with begin() as db:
            for order in batch:
                await _take_back(db, settings, staff["warehouse"], order, known[order.number], day)
            await all_told(db, day)
    for batch in _batches([order for order in orders if order.claim and not known[order.number].claimed], _AT_ONCE):
        async with begin() as db:
            for order in batch:
                await _claim(db, settings, staff["support"], order, known[order.number], day)
            await all_told(db, day)
    with clock.at(day - timedelta(days=OLDEST + 1)):
        # What was counted since then came with its label: that is found behind the check-ins, and not by them.
        await sweep(begin)
    await _settle(begin, settings, staff, day)
    for questions in _batches(planned().questions, _AT_ONCE):
        async with begin() as db:
            await answer_all(db, staff["support"], questions, day)
            await all_told(db, day)


_SENT: Final = """
    SELECT o.number, o.shipped_at FROM orders o WHERE length(o.number) = 4 AND o.shipped_at IS NOT NULL
    AND o.source = 'shopify' AND NOT EXISTS (SELECT FROM outbound_parcel b WHERE b.order_id = o.id) ORDER BY o.number
"""


async def _send_out(db: AsyncConnection) -> None:
    """Keep in which parcels the file's orders went out: without, they would stand out as those of no carrier."""
    for order in await run(db, _SENT):
        carrier, warehouse = parcel_of(order.number)
        with clock.at(order.shipped_at):
            await sent_out(db, SYSTEM, order.number, carrier, _tracking(order.number), warehouse)


def _tracking(number: str) -> str:
    return f"ND{number}00{int(number) * 7919 % 100_000:05}"


async def _sell(db: AsyncConnection, settings: Settings, orders: Sequence[Order], day: datetime) -> None:
    """Take orders in, and keep in which parcel each went out; those that are there stay as they are."""
    prepared = [Prepared.of(_taken(order, day), settings, source="shopify") for order in orders]
    created = await insert_new(db, SYSTEM, prepared)
    for order in orders:
        if order.number in created:
            with clock.at(day - order.ago + order.sent):
                await sent_out(db, SYSTEM, order.number, order.carrier, _tracking(order.number), order.warehouse)


def _taken(order: Order, day: datetime) -> OrderInput:
    """The order as the shop has it. It was paid outside: no provider is asked about it, now or later."""
    buyer, placed = order.buyer, day - order.ago
    lines = [_line(article, quantity) for article, quantity in order.lines]
    country = buyer.country
    return OrderInput(
        number=order.number,
        email=buyer.email,
        name=buyer.name,
        locale=country.locale,
        currency="EUR",
        placed_at=placed,
        shipped_at=placed + order.sent,
        delivered_at=placed + order.delivered,
        shipping_address=AddressInput(
            name=buyer.name,
            line1=f"{country.street} {buyer.house}",
            city=country.city,
            postal_code=country.postal_code,
            country=country.code,
        ),
        lines=lines,
        tax_included=True,
        payments=[
            PaymentInput(tender=Tender.EXTERNAL, amount=sum(line.net for line in lines), method="Cash on Delivery")
        ],
    )


def _line(article: Article, quantity: int) -> LineInput:
    whole = article.price * quantity
    return LineInput(
        sku=article.sku,
        title=article.title,
        size=article.size,
        color=article.color,
        quantity=quantity,
        unit_price=article.price,
        tax=(whole + 3) // 6,
    )


_KNOWN: Final = """
    SELECT o.id, o.number, o.email, array_agg(l.id ORDER BY l.position) AS lines,
           EXISTS (SELECT FROM returns r WHERE r.order_id = o.id) AS returned,
           EXISTS (SELECT FROM item_claim c WHERE c.order_id = o.id) AS claimed
    FROM orders o JOIN order_line l ON l.order_id = o.id WHERE o.number = ANY(:numbers) GROUP BY o.id
"""


async def _known(begin: Begin) -> dict[str, Any]:
    """What is there of each order of the year, by its number."""
    async with begin() as db:
        rows = await run(db, _KNOWN, numbers=[order.number for order in planned().orders])
    return {row.number: row for row in rows}


def customer(order_id: UUID) -> Actor:
    """Whoever bought it."""
    return Actor(kind="customer", id=str(order_id), order_id=order_id)


async def _take_back(
    db: AsyncConnection,
    settings: Settings,
    warehouse: Actor,
    order: Order,
    known: Any,  # noqa: ANN401 - a row
    day: datetime,
) -> None:
    """File a return of one unit of the first line, and check it in when it has come; a shop's system takes it back."""
    if (back := order.back) is None:
        return
    said = REASONS[back.theme][order.buyer.country.locale] if back.theme else ""
    filed_at = day - order.ago + order.delivered + back.filed
    with clock.at(filed_at):
        wanted, by = [Wanted(known.lines[0], 1, said)], customer(known.id)
        filed = await file(db, by, settings, await current(db), order.number, wanted, RefundTo.POINTS)
    with clock.at(filed_at + back.counted):
        counted, around = [Counted(known.lines[0], 1, back.condition)], Circumstances(warehouse=order.warehouse)
        await receive(db, warehouse, settings, filed.rma, counted, around=around)
        await take(db, SYSTEM, [event.id for event in await open_events(db, SYSTEM)])


async def _claim(
    db: AsyncConnection,
    settings: Settings,
    support: Actor,
    order: Order,
    known: Any,  # noqa: ANN401 - a row
    day: datetime,
) -> None:
    """File a claim about one unit of the last line, and decide it."""
    if (claim := order.claim) is None:
        return
    locale, filed_at = order.buyer.country.locale, day - order.ago + order.delivered + claim.filed
    remedy = Remedy.REDUCTION if claim.reduced else Remedy.REFUND
    said = (MISSING if claim.kind is Kind.MISSING else DAMAGED)[locale]
    wish = ClaimWish(units={known.lines[-1]: 1}, kind=claim.kind, remedy=remedy, said=said)
    with clock.at(filed_at):
        shop = await current(db)
        claim_id = await file_claim(db, customer(known.id), shop, order.number, wish)
    with clock.at(filed_at + claim.decided):
        await decide(db, support, settings, shop, claim_id, _verdict(claim, locale))


def _verdict(claim: Claimed, locale: str) -> Verdict:
    if claim.refused:
        return Verdict(decision="refusal", answer=REFUSED[locale])
    return Verdict(decision="reduction", amount=claim.reduced) if claim.reduced else Verdict(decision="refund")


_OPEN: Final = """
    SELECT f.id, f.order_id, f.status, f.due_at, f.changed_at FROM refund f JOIN orders o ON o.id = f.order_id
    WHERE f.status = :status AND o.number = ANY(:numbers) ORDER BY f.due_at, f.id
"""


async def _open(begin: Begin, status: str) -> list[Any]:
    async with begin() as db:
        numbers = [order.number for order in planned().orders]
        return await run(db, _OPEN, status=status, numbers=numbers)


async def _settle(begin: Begin, settings: Settings, staff: dict[str, Actor], day: datetime) -> None:
    """Make the refunds when they were due: points at once, transfers by finance two days later.

    The queue has a job for each, too, which finds it done.
    """
    context = JobContext(begin, settings)
    for refund in await _open(begin, "planned"):
        with clock.at(refund.due_at):
            await submit(context, refund.id)
    for several in _batches(await _open(begin, "awaiting_transfer"), _AT_ONCE):
        async with begin() as db:
            for refund in several:
                with clock.at(refund.changed_at + timedelta(days=2)):
                    await confirm_transfer(db, staff["finance"], refund.id, f"SEPA {refund.changed_at:%Y%m%d}")
            await all_told(db, day)
    async with begin() as db:
        await all_told(db, day)
