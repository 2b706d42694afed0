"""E-mails of exchanges."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.exchanges.queries import ExchangeView
from returns_portal.notifications.actions import Letter, enqueue_many

Told = Literal[
    "exchange_to_pay",
    "exchange_sent",
    "exchange_ended",
    "exchange_reminder",
    "exchange_charged",
    "exchange_unpaid",
    "exchange_released",
    "exchange_hold_lost",
]


async def tell(db: AsyncConnection, template: Told, exchanges: Sequence[ExchangeView]) -> None:
    """Write one e-mail about exchanges of one return."""
    if not exchanges:
        return
    first = exchanges[0]
    values: dict[str, object] = {
        "rma": first.rma,
        "order_number": first.told_number,
        "gift": first.gift_id is not None,
        "number": first.number,
        "name": first.name,
        "currency": first.currency,
        "exchanges": [_words(each) for each in exchanges],
        "to_pay": sum(each.to_pay for each in exchanges if each.paid_at is None and not each.at_once),
        "carrier": first.carrier,
        "tracking": first.tracking,
        "why": first.end_reason or "",
        "paid": (first.due if first.at_once else first.to_pay) if first.paid_at else 0,
        "held": first.price if first.is_lent else 0,
        "return_by": first.return_by.isoformat() if first.return_by else None,
        "outcome": first.outcome or "",
        "due": first.due,
        "url": f"/exchanges/{first.number}" if len(exchanges) == 1 else f"/returns/{first.rma}",
    }
    await enqueue_many(db, [Letter(template, first.email, first.locale, values, first.id)])


def _words(each: ExchangeView) -> dict[str, object]:
    return {
        "number": each.number,
        "title": each.title,
        "size": each.size,
        "color": each.color,
        "instead": {"title": each.from_title, "size": each.from_size, "color": each.from_color},
        "to_pay": each.to_pay if each.paid_at is None and not each.at_once else 0,
        "back": 0 if each.gift_id else each.back,
    }
