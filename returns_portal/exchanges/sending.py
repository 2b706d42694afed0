"""Sending a replacement: from then on it is a line of its order, as anything else that was bought."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.rules import tax_in
from returns_portal.errors import ConflictError
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.life import move_to
from returns_portal.exchanges.models import ChargeStatus, ExchangeStatus
from returns_portal.exchanges.queries import ExchangeView, exchange_for
from returns_portal.i18n import mark
from returns_portal.orders.exchanges import Replacement, add_replacement
from returns_portal.payments.disputes import refuse_disputed
from returns_portal.shop.queries import current

_MOST: Final = 100


async def send(
    db: AsyncConnection, actor: Actor, number: str, *, carrier: str = "", tracking: str = ""
) -> ExchangeView:
    """The replacement has left. Again, it changes nothing.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: there is no such exchange.
        ConflictError: it is not to be sent: it waits for goods or money, or has ended (`wrong_status`), or its payment
            is disputed (`disputed`): what is sent and charged back would be lost twice; or, where it is sent before
            the goods are back, its price is not held (`not_held`) or is being taken just now (`under_way`).
    """
    actor.require("exchanges:write", "warehouse", "support")
    exchange = await exchange_for(db, actor, number, lock=True)
    if exchange.status == ExchangeStatus.SENT:
        return exchange
    if exchange.status != ExchangeStatus.TO_SEND:
        raise ConflictError(
            mark("{number} is not to be sent: it waits for the goods or for a payment, or has ended."),
            code="wrong_status",
            number=exchange.number,
        )
    await refuse_disputed(db, exchange.order_id, exchange.number)
    lends = exchange.at_once and exchange.outcome is None
    now = clock.now()
    _require_money(exchange, now, lends=lends)
    # Whoever gave a gift would learn of its exchange by a period that begins anew.
    sent_at = None if exchange.gift_id else now
    line_id = await add_replacement(db, exchange.order_id, _line(exchange), sent_at=sent_at)
    await move_to(
        db,
        actor,
        exchange.id,
        ExchangeStatus.SENT,
        replacement_line_id=line_id,
        sent_at=now,
        return_by=await _last_moment(db, now, exchange.days or 0) if lends else None,
        carrier=carrier.strip()[:_MOST],
        tracking=tracking.strip()[:_MOST],
    )
    sent = await exchange_for(db, actor, number)
    await tell(db, "exchange_sent", [sent])
    return sent


def _require_money(exchange: ExchangeView, now: datetime, *, lends: bool) -> None:
    """Refuse to send what is neither held nor paid; `lends` says that it leaves before the goods are back.

    Raises:
        ConflictError: its price is not held (`not_held`), or is being taken just now (`under_way`).
    """
    if lends:
        _require_held(exchange, now)
    elif exchange.due and exchange.covered_at is None:
        raise ConflictError(
            mark("The bank is just being asked for what {number} costs more. Look again in a minute."),
            code="under_way",
            number=exchange.number,
        )


def _line(exchange: ExchangeView) -> Replacement:
    """The line that it becomes: worth what was moved to it and what was paid on top."""
    more = _paid_on_top(exchange)
    return Replacement(
        sku=exchange.sku,
        title=exchange.title,
        size=exchange.size,
        color=exchange.color,
        list_price=max(exchange.list_price, exchange.moved + more),
        paid=exchange.moved + more,
        tax=exchange.moved_tax + tax_in(more, exchange.tax_rate),
    )


async def _last_moment(db: AsyncConnection, now: datetime, days: int) -> datetime:
    """The end of the day so many days on, by the shop's clock: who is told a day has all of it."""
    zone = ZoneInfo((await current(db)).timezone)
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def _require_held(exchange: ExchangeView, now: datetime) -> None:
    """Refuse to send before the goods are back what no bank holds the price of.

    Raises:
        ConflictError: it is not held (any more).
    """
    hold = exchange.hold
    ends = hold.capture_before if hold is not None and hold.status is ChargeStatus.HELD else now
    if hold is None or (ends is not None and ends <= now):
        raise ConflictError(
            mark("The price of {number} is not held on a card any more, so it waits until the goods are back."),
            code="not_held",
            number=exchange.number,
        )


def _paid_on_top(exchange: ExchangeView) -> int:
    """What of its price was paid beside what was moved to it, in minor units."""
    if exchange.paid_at is None:
        return 0
    return exchange.due if exchange.at_once else exchange.to_pay
