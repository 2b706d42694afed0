"""What is written when money of a trial came in: the payment, the units that it is for, the points that went with it.

What came in beyond the price of what it was for is kept as a deposit is: it pays for what is charged next, and what is
left of it at the end goes back.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.orders.trials import approve, charge_units, take_deposit
from returns_portal.payments.models import Payment, PaymentStatus, Tender
from returns_portal.points.redemptions import capture
from returns_portal.refunds.late import release_late
from returns_portal.tryon.life import charge_to
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Mode
from returns_portal.tryon.queries import Charge, Item, TrialView

_REOPEN: Final = "UPDATE trial_item SET outcome = 'open', charge_id = NULL WHERE charge_id = :charge_id"


async def book(
    db: AsyncConnection, trial: TrialView, charge: Charge, amount: int, *, card: tuple[str, str], **learnt: object
) -> None:
    """Record that a charge brought in this much, in minor units, and what follows from it for the order.

    `card` is brand and last four digits. Under the order's lock.
    """
    items = await _bought(db, trial, charge)
    wanted = charge.to_capture if charge.kind == ChargeKind.HOLD else charge.amount
    prices = bool(items) and amount == wanted
    points = _points(trial, charge) if prices else 0
    payments = _payments(trial, amount, points, learnt.get("reference") or charge.reference, card)
    told = [("payment", row["id"], PaymentStatus.CAPTURED.value, {"trial": trial.number}) for row in payments]
    await insert_rows(db, (Payment, payments), history.rows(SYSTEM, *told))
    learnt |= {"captured": amount, "points": points, "deposit": charge.deposit if prices else 0}
    learnt["payment_id"] = payments[0]["id"] if amount else None
    await charge_to(db, SYSTEM, charge.id, ChargeStatus.CAPTURED, **learnt)
    if prices:
        await _price(db, trial, items, points, charge.deposit)
        return
    await take_deposit(db, trial.order_id, amount)
    await reopen(db, charge.id)


_BOUGHT: Final = "UPDATE trial_item SET outcome = 'kept', charge_id = :charge_id WHERE trial_id = :id"


async def _bought(db: AsyncConnection, trial: TrialView, charge: Charge) -> list[Item]:
    """What a charge pays for.

    Who gave another card at checkout may still agree at their bank to what they had begun with the first one: that
    pays for the purchase then, as long as nothing else has.
    """
    items = [item for item in trial.items if item.charge_id == charge.id]
    begun_before = trial.mode == Mode.PURCHASE and charge.kind == ChargeKind.DEPOSIT and not items
    if begun_before and not any(other.status == ChargeStatus.CAPTURED for other in trial.charges):
        await run(db, _BOUGHT, id=trial.id, charge_id=charge.id)
        return trial.items
    return items


def _points(trial: TrialView, charge: Charge) -> int:
    """A purchase spends all its points with its one charge."""
    return trial.points if trial.mode == Mode.PURCHASE else charge.points


async def _price(db: AsyncConnection, trial: TrialView, items: list[Item], points: int, deposit: int) -> None:
    """Let the items have been paid for; what the warehouse counted meanwhile is refunded."""
    units = [(item.order_line_id, item.tax) for item in items]
    await charge_units(db, trial.order_id, units, deposit_used=deposit)
    if points and trial.redemption_id is not None:
        await capture(db, SYSTEM, trial.redemption_id, amount=points)
    approved = clock.now() if trial.mode == Mode.TRIAL else trial.delivered_at
    await approve(db, trial.order_id, approved, earns=False)
    if any(item.received for item in items):
        await release_late(db, trial.order_id, livemode=trial.livemode)


def _payments(
    trial: TrialView, amount: int, points: int, reference: object, card: tuple[str, str]
) -> list[dict[str, Any]]:
    """The rows of what the card and the points paid."""
    row = {
        "order_id": trial.order_id,
        "status": PaymentStatus.CAPTURED,
        "method": "",
        "card_brand": "",
        "card_last4": "",
        "refunded_before": 0,
        "refunds_before": [],
        "currency": trial.currency,
        "livemode": trial.livemode,
        "created_at": clock.now(),
    }
    rows: list[dict[str, Any]] = []
    if amount:
        known = {"card_brand": card[0], "card_last4": card[1]}
        rows.append(row | {"id": new_id(), "tender": Tender.STRIPE, "reference": reference, "amount": amount} | known)
    if points:
        rows.append(row | {"id": new_id(), "tender": Tender.POINTS, "amount": points})
    return rows


async def reopen(db: AsyncConnection, charge_id: UUID) -> None:
    """What a charge was to pay for is not paid."""
    await run(db, _REOPEN, charge_id=charge_id)
