"""Filing claims, adding to them, and taking them back. Under the order's lock, as everything about an order."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.claims.letters import tell
from returns_portal.claims.models import TRANSITIONS, ItemClaim, ItemClaimLine, Status
from returns_portal.claims.queries import STANDING, ClaimView, claim_for, open_units
from returns_portal.claims.rules import MOST_PHOTOS, ClaimWish, check, refuse_late
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.orders.queries import lock_order
from returns_portal.photos import Photo
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import ShopInfo


async def file_claim(
    db: AsyncConnection,
    actor: Actor,
    shop: ShopInfo,
    order_number: str,
    wish: ClaimWish,
    photos: Sequence[Photo] = (),
) -> UUID:
    """File a claim with its photos, and tell the customer that it came; its id.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
        InvalidError: the wish says nothing possible (`rules.check`).
        ConflictError: too late, or something of it is claimed or settled already.
    """
    order = await order_state(db, actor, order_number, lock=True)
    now = clock.now()
    refuse_late(order, shop.timezone, now)
    check(wish, order.lines, await open_units(db, order.id))
    claim_id = new_id()
    head = {
        "id": claim_id,
        "order_id": order.id,
        "kind": wish.kind,
        "remedy": wish.remedy,
        "said": wish.said.strip(),
        "status": Status.FILED,
        "answer": "",
        "filed_by": actor.label,
        "filed_at": now,
        "changed_at": now,
    }
    lines = [
        {"id": new_id(), "claim_id": claim_id, "order_line_id": line_id, "quantity": units, "reduced": 0}
        for line_id, units in wish.units.items()
    ]
    told = {"order": str(order.id), "kind": wish.kind.value, "remedy": wish.remedy.value}
    event = history.rows(actor, ("item_claim", claim_id, "filed", told))
    await insert_rows(db, (ItemClaim, [head]), (ItemClaimLine, lines), event)
    await _keep(db, claim_id, photos)
    await tell(db, await claim_for(db, actor, claim_id), "claim_received")
    return claim_id


_PHOTO: Final = """
    INSERT INTO item_claim_photo (id, claim_id, width, height, data, created_at)
    VALUES (:id, :claim_id, :width, :height, :data, :now)
"""


async def _keep(db: AsyncConnection, claim_id: UUID, photos: Sequence[Photo]) -> None:
    for photo in photos:
        await run(
            db,
            _PHOTO,
            id=new_id(),
            claim_id=claim_id,
            width=photo.width,
            height=photo.height,
            data=photo.jpeg,
            now=clock.now(),
        )


async def add_photos(db: AsyncConnection, actor: Actor, claim_id: UUID, photos: Sequence[Photo]) -> None:
    """Keep more photos of a claim that is not decided yet; they were rebuilt from their pixels by the caller.

    Raises:
        NotFoundError: there is no such claim, or it is not the actor's.
        ConflictError: it is decided, or there are enough (`too_many_photos`).
    """
    claim = await lock_claim(db, actor, claim_id)
    if not claim.is_open:
        raise ConflictError(mark("This is decided already, so no photo is needed any more."), code="already_decided")
    if len(claim.photos) + len(photos) > MOST_PHOTOS:
        raise ConflictError(
            mark("A claim has at most {most} photos. None of these was kept."), code="too_many_photos", most=MOST_PHOTOS
        )
    await _keep(db, claim_id, photos)
    await history.record(db, actor, ("item_claim", claim_id, "photos_added", {"count": len(photos)}))


async def withdraw(db: AsyncConnection, actor: Actor, claim_id: UUID) -> None:
    """Take a claim back that nobody has decided: it arrived after all, or was a mistake.

    Raises:
        NotFoundError: there is no such claim, or it is not the actor's.
        ConflictError: it is decided already.
    """
    claim = await lock_claim(db, actor, claim_id)
    await move_to(db, actor, claim, Status.WITHDRAWN)


async def lock_claim(db: AsyncConnection, actor: Actor, claim_id: UUID) -> ClaimView:
    """A claim as it stands behind the lock of its order, under which alone claims change.

    Raises:
        NotFoundError: there is no such claim, or it is not the actor's.
    """
    found = await claim_for(db, actor, claim_id)
    await lock_order(db, actor, found.order_id)
    return await claim_for(db, actor, claim_id)


_MOVE: Final = """
    UPDATE item_claim SET status = :status, answer = :answer, goodwill_id = :goodwill_id, return_id = :return_id,
        changed_at = :now, closed_at = CASE WHEN :closed THEN CAST(:now AS timestamptz) END
    WHERE id = :id
"""


async def move_to(
    db: AsyncConnection,
    actor: Actor,
    claim: ClaimView,
    status: Status,
    *,
    answer: str = "",
    goodwill_id: UUID | None = None,
    return_id: UUID | None = None,
    closed: bool = True,
) -> None:
    """Let an undecided claim, locked by the caller, be decided; what else became of it is told by gesture and return.

    Raises:
        ConflictError: it is decided already.
    """
    if not claim.is_open or status not in TRANSITIONS[Status.FILED]:
        raise ConflictError(mark("This was decided already. Nothing was changed."), code="already_decided")
    values: dict[str, Any] = {"goodwill_id": goodwill_id, "return_id": return_id, "closed": closed}
    await run(db, _MOVE, id=claim.id, status=status.value, answer=answer, now=clock.now(), **values)
    told = {name: str(value) for name, value in values.items() if isinstance(value, UUID)}
    await history.record(db, actor, ("item_claim", claim.id, status.value, told))


# What changes them is done under the order's lock; whoever comes later finds them closed.
_SETTLED: Final = f"""
    SELECT c.id, s.standing FROM item_claim c LEFT JOIN goodwill g ON g.id = c.goodwill_id
    LEFT JOIN returns r ON r.id = c.return_id CROSS JOIN LATERAL (SELECT {STANDING} AS standing) AS s
    WHERE c.closed_at IS NULL AND s.standing IN ('refunded', 'reduced') ORDER BY c.id LIMIT 1000
    FOR UPDATE OF c SKIP LOCKED
"""  # noqa: S608 - the interpolated text is our own
_CLOSE: Final = """
    UPDATE item_claim SET status = :standing, changed_at = :now, closed_at = :now WHERE id = :id AND closed_at IS NULL
"""


async def close_settled(db: AsyncConnection, actor: Actor) -> int:
    """Close claims whose money has been released since, by a second person or a check-in; how many."""
    rows = await run(db, _SETTLED)
    for row in rows:
        await run(db, _CLOSE, id=row.id, standing=row.standing, now=clock.now())
    await history.record(db, actor, *(("item_claim", row.id, "closed", {"as": row.standing}) for row in rows))
    return len(rows)
