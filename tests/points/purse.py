"""What tests of points need to say what happens, one verb a line."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.orders.intake import LineInput, OrderInput, PaymentInput, ShippingInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from returns_portal.points import adjusting, redemptions
from returns_portal.points.actions import lock_account
from returns_portal.points.queries import Balance, Redemption, look_up
from returns_portal.points.redemptions import Hold
from returns_portal.returns.models import RefundTo
from returns_portal.shop.actions import update_shop
from returns_portal.warehouse.models import Condition
from tests.portal import API, FINANCE, Portal

ANA = "ana@example.com"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LIKE_NEW = Condition.RESELLABLE


async def policy(portal: Portal, **changes: object) -> None:
    """Set what the shop promises."""
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, **changes)


async def give(portal: Portal, points: int, *, email: str = ANA, currency: str = "EUR", months: int = 0) -> UUID:
    """Give points that expire after so many months; the account."""
    await policy(portal, points_months=months, points_limit=10**9)
    async with portal.begin() as db:
        account_id = await lock_account(db, email)
        await adjusting.request(db, FINANCE, account_id, currency, points, "a birthday")
    return account_id


async def hold(portal: Portal, amount: int, *, email: str = ANA, **more: Any) -> Redemption:  # noqa: ANN401 - the fields of a hold
    async with portal.begin() as db:
        return await redemptions.hold(db, API, Hold(email, "EUR", amount, **more))


async def capture(portal: Portal, held: UUID, amount: int | None = None, order: str = "") -> Redemption:
    async with portal.begin() as db:
        return await redemptions.capture(db, API, held, amount=amount, order=order)


async def release(portal: Portal, held: UUID) -> Redemption:
    async with portal.begin() as db:
        return await redemptions.release(db, API, held)


async def balance(portal: Portal, email: str = ANA) -> Balance:
    async with portal.begin() as db:
        [found] = await look_up(db, API, email)
    return found


async def expiring(portal: Portal, email: str = ANA) -> list[tuple[int, datetime | None]]:
    return [(lot.points, lot.expires_at) for lot in (await balance(portal, email)).expiring]


async def buy(
    portal: Portal,
    number: str,
    *tenders: tuple[Tender, int],
    units: int = 2,
    paid: bool = True,
    **changes: Any,  # noqa: ANN401 - the fields of an order
) -> tuple[OrderInput, UUID]:
    """An order of so many equal units, without shipping, paid by these tenders; its line."""
    total = sum(amount for _, amount in tenders)
    order, [line] = await portal.order(
        number=number,
        email=changes.pop("email", ANA),
        placed_at=changes.pop("placed_at", clock.now()),
        delivered_at=changes.pop("delivered_at", clock.now()),
        lines=[LineInput(sku="A", title="Derby", quantity=units, unit_price=total // units)],
        shipping=ShippingInput(),
        payments=[PaymentInput(tender=tender, amount=amount) for tender, amount in tenders if paid],
        financial_status=FinancialStatus.PAID if paid else FinancialStatus.PENDING,
        **changes,
    )
    return order, line


async def send_back(portal: Portal, number: str, line: UUID, units: int, *, to: RefundTo = RefundTo.ORIGINAL) -> None:
    """Return so many units; the parcel arrives and everything is refunded."""
    filed = await portal.file(number, (line, units), to=to)
    await portal.receive(filed.rma, (line, units, LIKE_NEW))
    await portal.work()
    await portal.work()
