"""Filing a return with all that comes with it: its label, what it will be worth, and the e-mail that says so.

Pages and the JSON API file through this one function. It stands here, above returns and labels, because the preview
is planned by the rules that will pay the refund.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.labels.actions import issue
from returns_portal.labels.policy import habits
from returns_portal.notifications.actions import enqueue
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import Claim, RefundPlan, plan, within
from returns_portal.returns.actions import Wanted, cancel_return, file_return
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.queries import OrderState, ReturnLineView, order_state
from returns_portal.returns.rules import Policy
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.vault import Vault


class FiledReturn(msgspec.Struct, frozen=True):
    """A return that was filed, with its label's code and what will be refunded when all of it comes back in order."""

    id: UUID
    rma: str
    status: ReturnStatus
    lines: list[ReturnLineView]
    preview: RefundPlan
    label_code: str


async def file(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    shop: ShopInfo,
    order_number: str,
    wanted: Sequence[Wanted],
    refund_to: RefundTo,
    *,
    bank_account: str | None = None,
    withdrawal_id: UUID | None = None,
    came_at: datetime | None = None,
) -> FiledReturn:
    """File a return of an order, in six statements.

    `came_at` is when its goods came, where staff file it for goods that are here: the window is that day's.

    `bank_account` is where a payment from outside goes back to, in clear; it is stored encrypted. A return that follows
    from a statement of withdrawal is told of by the e-mail that acknowledges it; any other has an e-mail of its own.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
        InvalidError: nothing is wanted, or something that the order does not have.
        ConflictError: something cannot be returned (any more); the code is the rule's.
    """
    order = await order_state(db, actor, order_number, lock=True)
    filed = await file_return(
        db,
        actor,
        order,
        wanted,
        refund_to,
        policy=Policy(shop.return_days, shop.timezone),
        bonus_percent=shop.bonus_percent,
        bank_account=sealed(settings, bank_account) if bank_account else None,
        withdrawal_id=withdrawal_id,
        came_at=came_at,
    )
    code = await issue(db, actor, filed.id, filed.rma)
    units = units_wanted(wanted)
    claims = [Claim(line_id, quantity) for line_id, quantity in units.items()]
    balance = await balance_of(db, order.id)
    preview = plan(balance, within(balance, claims), refund_to=refund_to, bonus_percent=shop.bonus_percent)
    made = FiledReturn(filed.id, filed.rma, filed.status, _lines(order, wanted, units), preview, code)
    if withdrawal_id is None:
        await _tell(db, order, made, refund_to)
    return made


def _lines(order: OrderState, wanted: Sequence[Wanted], units: dict[UUID, int]) -> list[ReturnLineView]:
    """What was announced, as the return will be shown."""
    reasons = {line.line_id: line.reason for line in reversed(wanted) if line.reason}
    return [
        ReturnLineView(
            line.line_id,
            line.sku,
            line.title,
            line.size,
            line.color,
            units[line.line_id],
            reasons.get(line.line_id, "").strip(),
            0,
            None,
            line.unit_paid,
        )
        for line in order.lines
        if line.line_id in units
    ]


def sealed(settings: Settings, bank_account: str) -> str:
    """An account number as it is stored.

    Raises:
        ValueError: the settings have no secret key.
    """
    if settings.secret_key is None:
        raise ValueError("SECRET_KEY is required")
    return Vault(settings.secret_key.get_secret_value()).seal(bank_account)


def units_wanted(wanted: Sequence[Wanted]) -> dict[UUID, int]:
    """How many units of each line, with lines that were named twice joined."""
    units: dict[UUID, int] = {}
    for line in wanted:
        units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units


async def cancel(db: AsyncConnection, actor: Actor, rma: str) -> None:
    """Cancel a return while nothing of it has arrived, and say so by e-mail.

    Raises:
        NotFoundError: none, or not the actor's.
        ConflictError: something arrived, or it is cancelled already.
    """
    row = await cancel_return(db, actor, rma)
    await enqueue(
        db,
        template="return_cancelled",
        recipient=row.email,
        locale=row.locale,
        subject_id=row.id,
        values={"rma": row.rma, "order_number": row.number, "url": f"/returns/{row.rma}"},
    )


async def _tell(db: AsyncConnection, order: OrderState, made: FiledReturn, refund_to: RefundTo) -> None:
    """Write the e-mail: what comes back, what it will be worth, where the label is."""
    await enqueue(
        db,
        template="return_filed",
        recipient=order.email,
        locale=order.locale,
        subject_id=made.id,
        values={
            "order_number": order.number,
            "name": order.name,
            "refund_to": refund_to.value,
            **await label_in_words(db, made),
            **in_words(made),
        },
    )


async def label_in_words(db: AsyncConnection, made: FiledReturn) -> dict[str, object]:
    """What an e-mail says of its label: asked of a carrier, it has one of its own as soon as it is there."""
    ready = not (await habits(db)).asks
    return {"label_ready": ready, "qr": made.label_code if ready else ""}


def in_words(made: FiledReturn) -> dict[str, object]:
    """What an e-mail says of a return that was filed."""
    return {
        "rma": made.rma,
        "lines": [
            {"title": line.title, "size": line.size, "color": line.color, "quantity": line.quantity}
            for line in made.lines
        ],
        "preview": [
            {
                "destination": leg.destination.value,
                "amount": leg.amount,
                "bonus": leg.bonus,
                "currency": made.preview.currency,
            }
            for leg in made.preview.legs
        ],
        "total": made.preview.total,
        "currency": made.preview.currency,
        "url": f"/returns/{made.rma}",
    }
