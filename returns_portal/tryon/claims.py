"""Claims against carriers follow what customers report, and are then worked on by staff."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id, parse_rma
from returns_portal.tryon.claim_models import CLAIM_TRANSITIONS, CarrierClaim, ClaimKind, ClaimStatus
from returns_portal.tryon.models import Decision
from returns_portal.tryon.queries import Item, TrialView

_CARRIERS: Final = frozenset({ClaimKind.DAMAGED, ClaimKind.MISSING})
"""What carriers pay for. Another item than was ordered is the shop's own mistake."""
_OF_ITEMS: Final = "SELECT id, item_id, kind, status FROM carrier_claim WHERE item_id = ANY(:ids)"
_SET: Final = """
    UPDATE carrier_claim SET kind = :kind, status = :status, changed_at = :now, changed_by = :actor WHERE id = :id
"""


async def follow(db: AsyncConnection, actor: Actor, trial: TrialView, items: Mapping[UUID, Item]) -> None:
    """Open claims for what is damaged or missing; drop those of what is neither, unless the carrier was asked already.

    Under the order's lock, with the items as they are now said to be.
    """
    known = {row.item_id: row for row in await run(db, _OF_ITEMS, ids=list(items))}
    opened = []
    for item in items.values():
        claimable = item.decision == Decision.PROBLEM and item.problem in _CARRIERS
        claim = known.get(item.id)
        if claim is None:
            if claimable:
                opened.append(_row(actor, trial, item))
            continue
        before, status = (claim.kind, claim.status), claim.status
        if claimable and status == ClaimStatus.DROPPED:
            status = ClaimStatus.OPEN
        elif not claimable and status == ClaimStatus.OPEN:
            status = ClaimStatus.DROPPED
        kind = item.problem if claimable else claim.kind
        if (kind, status) != before:
            await run(db, _SET, id=claim.id, kind=kind, status=status, now=clock.now(), actor=actor.label)
            await history.record(db, actor, ("carrier_claim", claim.id, str(status), {"kind": kind}))
    told = [("carrier_claim", row["id"], "open", {"kind": row["kind"]}) for row in opened]
    await insert_rows(db, (CarrierClaim, opened), history.rows(actor, *told))


def _row(actor: Actor, trial: TrialView, item: Item) -> dict[str, Any]:
    return _claim(
        actor,
        item_id=item.id,
        kind=item.problem,
        carrier=", ".join(dict.fromkeys(parcel.carrier for parcel in trial.shipments if parcel.carrier)),
        tracking=", ".join(parcel.tracking for parcel in trial.shipments if parcel.tracking),
        currency=trial.currency,
        amount=item.price,
    )


def _claim(actor: Actor, **values: object) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": new_id(),
        "status": ClaimStatus.OPEN,
        "carrier": "",
        "tracking": "",
        "reference": "",
        "notes": "",
        "opened_at": now,
        "opened_by": actor.label,
        "changed_at": now,
        "changed_by": actor.label,
        **values,
    }


_RETURN: Final = """
    SELECT r.id, o.currency, (SELECT c.id FROM carrier_claim c WHERE c.return_id = r.id) AS claim_id
    FROM returns r JOIN orders o ON o.id = r.order_id WHERE r.rma = :rma FOR UPDATE OF r
"""


async def open_for_return(db: AsyncConnection, actor: Actor, rma: str, kind: str) -> UUID:
    """Open a claim for a parcel that came back damaged, or was lost on its way; its id. Again, it is the same claim.

    Raises:
        NotFoundError: there is no such return.
        InvalidError: there is no such kind.
    """
    actor.require("support", "finance")
    if kind not in set(ClaimKind):
        raise InvalidError(mark("Say whether it is damaged, missing or another item."), field="kind")
    rows = await run(db, _RETURN, rma=parse_rma(rma) or "")
    if not rows:
        raise NotFoundError(mark("There is no such return."), code="return_not_found", field="rma")
    if rows[0].claim_id is not None:
        return UUID(str(rows[0].claim_id))
    row = _claim(actor, return_id=rows[0].id, kind=kind, currency=rows[0].currency, amount=0)
    event = history.rows(actor, ("carrier_claim", row["id"], "open", {"kind": kind}))
    await insert_rows(db, (CarrierClaim, [row]), event)
    return UUID(str(row["id"]))


_LOST: Final = """
    SELECT r.rma, b.carrier, coalesce(b.tracking, '') AS tracking FROM label b JOIN returns r ON r.id = b.return_id
    WHERE b.id = :id
"""
_OF_WHOM: Final = """
    UPDATE carrier_claim SET carrier = :carrier, tracking = :tracking WHERE id = :id AND carrier = '' AND tracking = ''
"""


async def open_for_lost(db: AsyncConnection, label_id: UUID) -> None:
    """Open a claim for the parcel of a label that its carrier lost; again, it is the same claim."""
    [row] = await run(db, _LOST, id=label_id)
    claim_id = await open_for_return(db, SYSTEM, row.rma, ClaimKind.MISSING)
    await run(db, _OF_WHOM, id=claim_id, carrier=row.carrier, tracking=row.tracking)


_LOCK: Final = "SELECT id, status, amount, reference, notes FROM carrier_claim WHERE id = :id FOR UPDATE"
_WORK: Final = """
    UPDATE carrier_claim SET status = :status, amount = :amount, reference = :reference, notes = :notes,
        changed_at = :now, changed_by = :actor
    WHERE id = :id
"""


async def work_on(
    db: AsyncConnection, actor: Actor, claim_id: UUID, status: ClaimStatus, *, amount: int, reference: str, notes: str
) -> None:
    """Note what was done about a claim: what is claimed or was paid, the carrier's number, and where it stands now.

    Raises:
        NotFoundError: there is no such claim.
        InvalidError: it is paid with nothing.
        ConflictError: it does not lead there from where it stands (`wrong_status`).
    """
    actor.require("support", "finance")
    rows = await run(db, _LOCK, id=claim_id)
    if not rows:
        raise NotFoundError(mark("There is no such claim."), code="claim_not_found")
    before = ClaimStatus(rows[0].status)
    if status not in {before, *CLAIM_TRANSITIONS[before]}:
        raise ConflictError(mark("The claim stands elsewhere by now. Look at it again."), code="wrong_status")
    if status == ClaimStatus.PAID and amount == 0:
        raise InvalidError(mark("Say how much the carrier paid."), field="amount")
    values = {"status": status.value, "amount": amount, "reference": reference.strip(), "notes": notes.strip()}
    changed = {name: value for name, value in values.items() if value != getattr(rows[0], name)}
    if changed:
        await run(db, _WORK, id=claim_id, now=clock.now(), actor=actor.label, **values)
        event = "changed" if status == before else status.value
        await history.record(db, actor, ("carrier_claim", claim_id, event, changed))
