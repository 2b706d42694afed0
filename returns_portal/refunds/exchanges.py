"""What goes back when an exchange does not come about: what the unit cost, and what was paid on top, each once."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext
from returns_portal.refunds.deposits import shares_of
from returns_portal.refunds.models import Kind
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.releasing import Cause, release
from returns_portal.refunds.rules import LineBalance, OrderBalance, Rest, plan, shared_out
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings

_LOCK: Final = "SELECT o.id FROM orders o JOIN exchange e ON e.order_id = o.id WHERE e.id = :id FOR UPDATE OF o"
_ENDED: Final = """
    SELECT e.id, e.order_id, e.return_id, e.order_line_id, e.unit, e.parcel_id, e.owed, e.owed_tax, e.payment_id,
           e.settled_at, e.paid_back_at, p.amount AS paid, r.created_at AS requested_at,
           r.gift_id
    FROM exchange e JOIN returns r ON r.id = e.return_id LEFT JOIN payment p ON p.id = e.payment_id
    WHERE e.id = :id AND e.status = 'ended'
"""
_SETTLED: Final = "UPDATE exchange SET settled_at = :now WHERE id = :id"
_PAID_BACK: Final = "UPDATE exchange SET paid_back_at = :now WHERE id = :id"


async def end_exchange(context: JobContext, exchange_id: UUID) -> None:
    """Write the refunds that an ended exchange leaves behind. Again, it writes none."""
    livemode = context.service(Settings).livemode
    async with context.begin() as db:
        await run(db, _LOCK, id=exchange_id)
        for row in await run(db, _ENDED, id=exchange_id):
            if row.owed and row.settled_at is None:
                await _give_back_unit(db, row, livemode=livemode)
            if row.payment_id is not None and row.paid_back_at is None:
                await _give_back_payment(db, row, livemode=livemode)


async def _give_back_unit(db: AsyncConnection, row: Any, *, livemode: bool) -> None:  # noqa: ANN401 - a row
    """Refund what paid for the replacement, as the rest of what its unit cost: as money, which is what was promised.

    Points were agreed to, if at all, for what was to go back beside an exchange; but the receiver of a gift, who paid
    nothing, gets points alone.
    """
    await run(db, _SETTLED, id=row.id, now=clock.now())
    balance = await balance_of(db, row.order_id)
    rest = Rest(row.order_line_id, row.unit, row.owed, row.owed_tax)
    planned = plan(
        balance,
        [],
        refund_to=RefundTo.POINTS if row.gift_id else RefundTo.ORIGINAL,
        bonus_percent=0,
        rests=[rest],
        # Nothing of the return may have gone back yet, so that its postage is still to be kept.
        fee=balance.fees.get(row.return_id, 0),
    )
    cause = Cause(
        release_id=new_id(),
        order_id=row.order_id,
        kind=Kind.RETURN,
        requested_at=row.requested_at,
        return_id=row.return_id,
        parcel_id=row.parcel_id,
    )
    await release(db, balance, planned, cause, due_at=clock.now(), livemode=livemode)


async def _give_back_payment(db: AsyncConnection, row: Any, *, livemode: bool) -> None:  # noqa: ANN401 - a row
    """Refund what was paid on top, to the card that paid it: it is the price of nothing, so there is no tax in it.

    Another refund of the order may have taken its share of that payment; the others stand in for that.
    """
    await run(db, _PAID_BACK, id=row.id, now=clock.now())
    balance = await balance_of(db, row.order_id)
    shares = shares_of(balance, row.paid, [row.payment_id])
    planned = shared_out(balance, [], shares, RefundTo.ORIGINAL, 0)
    cause = Cause(release_id=new_id(), order_id=row.order_id, kind=Kind.EXCHANGE, requested_at=clock.now())
    await release(db, balance, planned, cause, due_at=clock.now(), livemode=livemode)


def covered_by(exchanges: Sequence[ExchangeView]) -> list[tuple[UUID, int]]:
    """What of each unit that is still to come pays for a replacement, as `without` takes it."""
    return [(each.order_line_id, min(each.value, each.price - each.to_pay)) for each in exchanges if each.awaits_goods]


def without(balance: OrderBalance, covered: Sequence[tuple[UUID, int]]) -> OrderBalance:
    """The balance as it will be when goods are counted of which so much pays for replacements: for previews.

    `covered` names a line and an amount for each unit that is exchanged.
    """
    lines = {line.line_id: line for line in balance.lines}
    used: dict[UUID, int] = {}
    for line_id, amount in covered:
        line = lines[line_id]
        place = used.get(line_id, 0)
        if place < len(line.free):
            lines[line_id] = _lowered(line, line.free[place], amount)
            used[line_id] = place + 1
    return msgspec.structs.replace(balance, lines=tuple(lines.values()), exchanging=balance.exchanging or bool(used))


def _lowered(line: LineBalance, unit: int, amount: int) -> LineBalance:
    paid, tax = list(line.unit_paid), list(line.unit_tax)
    moved = min(paid[unit], amount)
    tax[unit] -= tax[unit] * moved // paid[unit] if paid[unit] else 0
    paid[unit] -= moved
    return LineBalance(line.line_id, tuple(paid), tuple(tax), line.settled)
