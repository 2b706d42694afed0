"""What a count of goods means for the exchanges of its return. Under the order's lock, in the count's transaction."""

from collections import defaultdict
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.exchanges.ending import end
from returns_portal.exchanges.lending import PAID_WITHIN, after_all, settle
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.life import move_to
from returns_portal.exchanges.models import EndReason, ExchangeStatus, Outcome
from returns_portal.exchanges.queries import ExchangeView, exchange_by_id, exchanges_of_return
from returns_portal.exchanges.recording import pay_for
from returns_portal.exchanges.rules import Counted, Unit, moves
from returns_portal.i18n import mark
from returns_portal.orders.exchanges import move_cost
from returns_portal.payments.disputes import LOST

# The warehouse stands above exchanges and is not imported here; what stands as counted is read alone.
_COUNTED: Final = """
    SELECT a.order_line_id, a.quantity AS announced,
           coalesce(sum(i.quantity) FILTER (WHERE i.acceptance = 'accepted'), 0)::int AS accepted,
           coalesce(sum(i.quantity) FILTER (WHERE i.acceptance IN ('part', 'sent_back')), 0)::int AS refused,
           (array_agg(p.id ORDER BY p.id DESC) FILTER (WHERE i.acceptance = 'accepted'))[1] AS parcel_id
    FROM return_line a LEFT JOIN parcel p ON p.return_id = a.return_id AND p.undone_at IS NULL
    LEFT JOIN parcel_item i ON i.parcel_id = p.id AND i.order_line_id = a.order_line_id
    WHERE a.return_id = :id GROUP BY a.order_line_id, a.quantity
"""


async def follow_counts(db: AsyncConnection, actor: Actor, return_id: UUID) -> list[ExchangeView]:
    """Bring the exchanges of a return up to what stands as counted of it. Again, it changes nothing.

    To be called before the refund is planned: what pays for a replacement is no longer part of what the unit cost.

    Returns:
        Those whose goods have come now, and that are packed.
    """
    packed = []
    exchanges = defaultdict(list)
    for each in await exchanges_of_return(db, actor, return_id):
        exchanges[each.order_line_id].append(each)
    for row in await run(db, _COUNTED, id=return_id):
        # What was lent and paid for otherwise is no exchange any more: its goods are refunded like any other.
        known = {each.id: each for each in exchanges[row.order_line_id] if each.outcome in {None, Outcome.GOODS}}
        units = [Unit(each.id, each.status, each.arrived_at is not None) for each in known.values()]
        found = moves(units, Counted(row.announced, row.accepted, row.refused))
        for id_ in found.gone:
            await _gone(db, actor, known[id_])
        packed += [known[id_] for id_ in found.arrived if await _arrived(db, actor, known[id_], row.parcel_id)]
        for id_ in found.over:
            await _not_to_come(db, actor, known[id_])
    return packed


async def _not_to_come(db: AsyncConnection, actor: Actor, exchange: ExchangeView) -> None:
    """Its goods were not accepted: it does not come about, or is paid for where it was sent at once."""
    if exchange.is_lent:
        await settle(db, actor, exchange, Outcome.NOT_AS_EXPECTED, exchange.price)
    else:
        await end(db, actor, exchange, EndReason.NOT_AS_EXPECTED)


_UNITS: Final = """
    SELECT l.unit_paid, l.unit_tax,
           (SELECT json_agg(json_build_array(r.first_unit, r.quantity)) FROM refund_line r
            WHERE r.order_line_id = l.id AND r.voided_at IS NULL) AS settled,
           (SELECT array_agg(x.unit) FROM exchange x
            WHERE x.order_line_id = l.id AND x.arrived_at IS NOT NULL AND x.status <> 'ended') AS exchanged
    FROM order_line l WHERE l.id = :id
"""
_LEFT: Final = f"""
    SELECT coalesce(sum(p.amount - p.refunded_before - {LOST} - coalesce((
        SELECT sum(f.amount) FROM refund f WHERE f.payment_id = p.id AND f.status <> 'canceled'), 0)), 0)::bigint
        AS money
    FROM payment p WHERE p.order_id = :id AND NOT EXISTS (
        SELECT FROM exchange x WHERE x.order_id = p.order_id AND x.payment_id = p.id)
"""  # noqa: S608 - the interpolated text is our own
_HERE: Final = """
    UPDATE exchange SET arrived_at = :now, parcel_id = :parcel_id, unit = :unit, moved = :moved, moved_tax = :tax,
        reserved_until = :until, changed_at = :now WHERE id = :id
"""


async def _arrived(db: AsyncConnection, actor: Actor, exchange: ExchangeView, parcel_id: UUID) -> bool:
    """Its goods are here: what the unit cost pays for the replacement. Whether that can be sent now."""
    [line] = await run(db, _UNITS, id=exchange.order_line_id)
    unit = _unit(line, exchange.unit)
    paid = line.unit_paid[unit]
    moved = min(paid, exchange.price - exchange.to_pay)
    [left] = await run(db, _LEFT, id=exchange.order_id)
    if left.money < moved:
        # Somebody has paid it back already: it cannot pay for anything else.
        if exchange.is_lent:
            await settle(db, actor, exchange, Outcome.PAID_BACK, exchange.price)
        else:
            await end(db, actor, exchange, EndReason.PAID_BACK)
        return False
    tax = line.unit_tax[unit] * moved // paid if paid else 0
    await move_cost(db, exchange.order_line_id, unit, moved, tax)
    now = clock.now()
    values = {"now": now, "parcel_id": parcel_id, "unit": unit, "moved": moved, "tax": tax, "until": now + PAID_WITHIN}
    await run(db, _HERE, id=exchange.id, **values)
    await history.record(db, actor, ("exchange", exchange.id, "arrived", {"unit": unit, "moved": moved}))
    told = await exchange_by_id(db, exchange.id)
    return await _is_packed(db, actor, told) if told else False


async def _is_packed(db: AsyncConnection, actor: Actor, exchange: ExchangeView) -> bool:
    """Let it be sent, now that its goods are here, unless it was sent, or waits for the difference."""
    if exchange.status is ExchangeStatus.AWAITING_HOLD:
        # With the goods here, there is nothing to be held any more.
        await after_all(db, actor, exchange)
        exchange = await exchange_by_id(db, exchange.id) or exchange
    if exchange.is_lent:
        await pay_for(db, exchange, exchange.moved, exchange.moved_tax)
    if exchange.at_once:
        await settle(db, actor, exchange, Outcome.GOODS, exchange.to_pay)
        return exchange.status is ExchangeStatus.TO_SEND
    if exchange.status is ExchangeStatus.AWAITING_GOODS:
        await move_to(db, actor, exchange.id, ExchangeStatus.TO_SEND)
        return True
    await tell(db, "exchange_to_pay", [exchange])
    return False


def _unit(line: Any, before: int | None) -> int:  # noqa: ANN401 - a row
    """The unit that came back: the first that nothing was paid for, which is the one that its refund takes.

    Where a correction has left all of them paid for, it is the one that it was before.
    """
    settled = {unit for first, count in line.settled or () for unit in range(first, first + count)}
    exchanged = set(line.exchanged or ())
    open_units = [unit for unit in range(len(line.unit_paid)) if unit not in exchanged]
    free = [unit for unit in open_units if unit not in settled]
    if free:
        return free[0]
    return before if before in open_units else open_units[0]


async def _gone(db: AsyncConnection, actor: Actor, exchange: ExchangeView) -> None:
    """The count that had its goods does not stand any more: it waits for them again."""
    if exchange.unit is not None:
        await move_cost(db, exchange.order_line_id, exchange.unit, -exchange.moved, -exchange.moved_tax)
    nothing: dict[str, object] = {"arrived_at": None, "parcel_id": None, "moved": 0, "moved_tax": 0}
    if exchange.at_once:
        # What was held for it is released by now, or was taken as far as it was due.
        await after_all(db, actor, exchange)
    elif exchange.status == ExchangeStatus.TO_SEND:
        await move_to(db, actor, exchange.id, ExchangeStatus.AWAITING_GOODS, **nothing)
        return
    await run(db, _NOT_HERE, id=exchange.id, now=clock.now())
    await history.record(db, actor, ("exchange", exchange.id, "not_arrived", {}))


_NOT_HERE: Final = """
    UPDATE exchange SET arrived_at = NULL, parcel_id = NULL, moved = 0, moved_tax = 0, changed_at = :now WHERE id = :id
"""
_SENT: Final = """
    SELECT e.order_line_id FROM exchange e
    WHERE e.return_id = :return_id AND e.status = 'sent' AND e.arrived_at IS NOT NULL
    GROUP BY e.order_line_id HAVING count(*) > (
        SELECT coalesce(sum(i.quantity), 0) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
        WHERE p.return_id = :return_id AND p.undone_at IS NULL AND p.id <> :parcel_id
          AND i.order_line_id = e.order_line_id AND i.acceptance = 'accepted')
"""


async def refuse_undo(db: AsyncConnection, return_id: UUID, parcel_id: UUID) -> None:
    """Refuse to take a check-in back for which a replacement has left.

    Raises:
        ConflictError: one has (`exchange_sent`).
    """
    if await run(db, _SENT, return_id=return_id, parcel_id=parcel_id):
        raise ConflictError(
            mark("A replacement was sent for what this check-in counted, so it cannot be undone. Correct it instead."),
            code="exchange_sent",
        )
