"""What the receiver of a gift can have in exchange: another size or colour of the same, for what was paid for it.

Nothing is ever asked of them on top, and no price is told. What a replacement costs less is theirs as points.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.exchanges.offers import Line, Offer, offers_for
from returns_portal.exchanges.reserving import Reserved, Swap, reserve
from returns_portal.i18n import mark
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.replacing import asked_of, units_wanted
from returns_portal.refunds.rules import OrderBalance
from returns_portal.returns.actions import Wanted
from returns_portal.returns.queries import OrderState


async def offered(
    db: AsyncConnection, actor: Actor, order: OrderState, line_ids: Collection[UUID]
) -> dict[UUID, list[Offer]]:
    """What can be had instead of these lines of the order behind a gift, by line."""
    return await _offered(db, actor, order, await balance_of(db, order.id), line_ids)


async def _offered(
    db: AsyncConnection, actor: Actor, order: OrderState, balance: OrderBalance, line_ids: Collection[UUID]
) -> dict[UUID, list[Offer]]:
    paid = {line.line_id: line.unit_paid[line.free[0]] for line in balance.lines if line.free}
    lines = [
        Line(line.line_id, line.sku, paid[line.line_id])
        for line in order.lines
        if line.line_id in line_ids and line.line_id in paid
    ]
    found = await offers_for(db, actor, order.id, lines, order.currency)
    return {
        line_id: [offer for offer in offers.same if not offer.difference.to_pay] for line_id, offers in found.items()
    }


async def set_aside(
    db: AsyncConnection,
    actor: Actor,
    order: OrderState,
    return_id: UUID,
    wanted: Sequence[Wanted],
    chosen: Mapping[UUID, str],
) -> list[Reserved]:
    """Set aside what is chosen, by line, for each unit that goes back. Under the order's lock, with the filing.

    Raises:
        ConflictError: it is not offered (`not_offered`), or there is too little of it (any more).
    """
    units = units_wanted(wanted)
    swaps = [Swap(line_id, chosen[line_id], count) for line_id, count in units.items() if chosen.get(line_id)]
    if not swaps:
        return []
    balance = await balance_of(db, order.id)
    known = await _offered(db, actor, order, balance, [swap.line_id for swap in swaps])
    if any(swap.sku not in {offer.sku for offer in known.get(swap.line_id, ())} for swap in swaps):
        raise ConflictError(
            mark("What you chose in exchange is not there any more. Choose something else for it, or points."),
            code="not_offered",
            field="swaps",
        )
    return await reserve(db, actor, asked_of(order, return_id, balance, units), swaps)
