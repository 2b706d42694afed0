"""Points come in lots and leave the lot that expires first. Every change is under the account's lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Rows, run
from returns_portal.ids import new_id
from returns_portal.points.models import LotKind, MoveCause, PointsLot


class Portion(msgspec.Struct, frozen=True):
    """So many points of one kind that expire at one moment; `origin_id` is where restored ones were spent from."""

    kind: LotKind
    points: int
    expires_at: datetime | None
    origin_id: UUID | None = None


def granted(account_id: UUID, currency: str, cause: tuple[str, UUID], portions: Sequence[Portion]) -> Rows:
    """The rows of new lots, for an insertion together with the posting that gives the points."""
    now = clock.now()
    return PointsLot, [
        {
            "id": new_id(),
            "account_id": account_id,
            "currency": currency,
            "kind": portion.kind,
            "granted": portion.points,
            "remaining": portion.points,
            "expires_at": portion.expires_at,
            "cause": cause[0],
            "cause_id": cause[1],
            "origin_id": portion.origin_id,
            "created_at": now,
        }
        for portion in portions
        if portion.points
    ]


# The caller holds the account's row, taken by a statement of its own, so that this one sees what others have done.
_TAKE: Final = """
    WITH open AS (
        SELECT id, remaining, sum(remaining) OVER (
            ORDER BY coalesce(cause_id = CAST(:own AS uuid), false) DESC, expires_at NULLS LAST, created_at, id
        ) - remaining AS before
        FROM points_lot WHERE account_id = :account_id AND currency = :currency AND remaining > 0
         AND (expires_at IS NULL OR expires_at > :now) AND kind = ANY(CAST(:kinds AS text[]))),
    share AS (
        SELECT id, CAST(least(remaining, :amount - before) AS bigint) AS points FROM open WHERE before < :amount),
    taken AS (
        UPDATE points_lot l SET remaining = l.remaining - s.points FROM share s WHERE l.id = s.id
        RETURNING l.id, s.points)
    INSERT INTO points_move (id, lot_id, cause, cause_id, delta, at)
    SELECT gen_random_uuid(), id, :cause, :cause_id, -points, :now FROM taken RETURNING delta
"""


async def take(
    db: AsyncConnection,
    account_id: UUID,
    currency: str,
    amount: int,
    cause: tuple[MoveCause, UUID],
    *,
    kinds: Sequence[LotKind] = tuple(LotKind),
    own: UUID | None = None,
) -> int:
    """Take points out of the lots that expire first; how many there were, up to `amount`. What has expired is not.

    Args:
        db: The transaction, which holds the account's lock.
        account_id: Whose.
        currency: Of which currency.
        amount: How many are wanted.
        cause: What they are taken for, and its id.
        kinds: Only lots of these kinds are touched.
        own: Lots of this cause come before all others.
    """
    moves = await run(
        db,
        _TAKE,
        account_id=account_id,
        currency=currency,
        amount=amount,
        cause=cause[0].value,
        cause_id=cause[1],
        kinds=[kind.value for kind in kinds],
        own=own,
        now=clock.now(),
    )
    return sum(-int(move.delta) for move in moves)


_GIVE_BACK: Final = """
    WITH used AS (
        SELECT m.lot_id, -sum(m.delta) AS points, l.expires_at FROM points_move m JOIN points_lot l ON l.id = m.lot_id
        WHERE m.cause = 'redemption' AND m.cause_id = :id GROUP BY m.lot_id, l.expires_at HAVING sum(m.delta) < 0),
    placed AS (
        SELECT lot_id, points, sum(points) OVER (ORDER BY expires_at DESC NULLS FIRST, lot_id) - points AS before
        FROM used),
    share AS (
        SELECT lot_id, CAST(least(points, :amount - before) AS bigint) AS points FROM placed WHERE before < :amount),
    given AS (
        UPDATE points_lot l SET remaining = l.remaining + s.points FROM share s WHERE l.id = s.lot_id
        RETURNING l.id, s.points)
    INSERT INTO points_move (id, lot_id, cause, cause_id, delta, at)
    SELECT gen_random_uuid(), id, 'redemption', :id, points, :now FROM given
"""


async def give_back(db: AsyncConnection, redemption_id: UUID, amount: int) -> None:
    """Put held points back into the lots that they came from, with their expiry; those that last longest first."""
    await run(db, _GIVE_BACK, id=redemption_id, amount=amount, now=clock.now())
