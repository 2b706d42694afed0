"""Orders that come back as they do in the shop: through the portal's own actions."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import AddressInput, LineInput, OrderInput, PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.refunds.actions import Released, receive
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted

PRICE = 5990


class Journey(NamedTuple):
    """A return on its way."""

    order_id: UUID
    line_id: UUID
    rma: str


async def filed(
    db: AsyncConnection,
    settings: Settings,
    number: str,
    *,
    quantity: int = 2,
    tender: Tender = Tender.STRIPE,
    shipped: bool = True,
    bank_account: str | None = None,
    refund_to: RefundTo = RefundTo.ORIGINAL,
) -> Journey:
    """An order of one line, all of which is to go back; its payment is captured."""
    order = OrderInput(
        number=number,
        email="ana@example.com",
        name="Ana Petrova",
        locale="en",
        currency="EUR",
        placed_at=datetime(2026, 11, 1, tzinfo=UTC),
        shipping_address=AddressInput(name="Ana Petrova", line1="ul. 1", city="Sofia", country="BG"),
        lines=[LineInput(sku="COAT-38", title="Wool coat", quantity=quantity, unit_price=PRICE, tax=998 * quantity)],
        tax_included=True,
        payments=[PaymentInput(tender=tender, amount=PRICE * quantity)],
        shipped_at=datetime(2026, 11, 2, tzinfo=UTC) if shipped else None,
    )
    order_id = (await put_order(db, SYSTEM, settings, order)).order_id
    await db.execute(text("UPDATE payment SET status = 'captured' WHERE order_id = :id"), {"id": order_id})
    line_id: UUID = (
        await db.execute(text("SELECT id FROM order_line WHERE order_id = :id"), {"id": order_id})
    ).scalar_one()
    made = await file(
        db,
        SYSTEM,
        settings,
        await current(db),
        number,
        [Wanted(line_id, quantity)],
        refund_to,
        bank_account=bank_account,
    )
    return Journey(order_id, line_id, made.rma)


async def arrived(
    db: AsyncConnection, settings: Settings, journey: Journey, condition: Condition, quantity: int = 2
) -> Released:
    """Its parcel is checked in."""
    return await receive(db, SYSTEM, settings, journey.rma, [Counted(journey.line_id, quantity, condition)])


async def status_of(db: AsyncConnection, refund_id: UUID) -> str:
    """Where a refund stands."""
    found: str = (await db.execute(text("SELECT status FROM refund WHERE id = :id"), {"id": refund_id})).scalar_one()
    return found
