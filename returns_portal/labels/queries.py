"""What the label of a return says, and what is known of labels and of the parcels that are expected."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.labels.composing import composed
from returns_portal.labels.content import LabelContent
from returns_portal.labels.models import LIVE, LabelStatus
from returns_portal.labels.rules import refuse_follower
from returns_portal.policies.content import Postage
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.shop.queries import ShopInfo


async def label_content(
    db: AsyncConnection, actor: Actor, rma: str, *, shop: ShopInfo, sandbox: bool, number: int = 1
) -> LabelContent:
    """What the portal's own label of a return's parcel says, if the actor may see it.

    Raises:
        NotFoundError: there is no such return or label, or it is not the actor's.
        ConflictError: the return was cancelled, the label is being made or was given back, or the customer keeps the
            goods: nobody may send a parcel at the shop's expense with it.
    """
    view = await return_for(db, actor, rma)
    await refuse_kept(db, view.id)
    code = _usable(view) if number == 1 else (await usable_label(db, view, number)).code
    to_choose = view.of_trial and bool(await run(db, _IN_A_PARCEL, id=view.id))
    return composed(view, code, shop, sandbox=sandbox, to_choose=to_choose)


_IN_A_PARCEL: Final = "SELECT id FROM trial WHERE return_id = :id"


_KEPT: Final = """
    SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
    WHERE p.return_id = :id AND p.undone_at IS NULL AND i.condition = 'kept' LIMIT 1
"""


async def refuse_kept(db: AsyncConnection, return_id: UUID) -> None:
    """Make no label for goods that are not worth their way, and that the customer keeps.

    Raises:
        ConflictError: so it is (`kept`).
    """
    if await run(db, _KEPT, id=return_id):
        raise ConflictError(mark("You keep these items: nothing has to be sent, so there is no label."), code="kept")


def _usable(view: ReturnView) -> str:
    """The code of the first parcel's label, unless nobody may use it."""
    _require_open(view)
    if view.postage == Postage.OWN_LABEL:
        raise ConflictError(
            mark("This return travels with a label of your own: its page says where to."), code="own_label"
        )
    _require_usable(view.label_status)
    return view.label_code


def _require_open(view: ReturnView) -> None:
    if view.status == ReturnStatus.CANCELLED:
        raise ConflictError(
            mark("This return was cancelled, so its label is not valid any more. File a new return instead."),
            code="return_cancelled",
        )
    refuse_follower(view.in_parcel_of)


def _require_usable(status: str) -> None:
    if status == LabelStatus.REQUESTED:
        raise ConflictError(
            mark("Your label is being made. We write to you as soon as it is ready, usually within minutes."),
            code="label_requested",
        )
    if status in (LabelStatus.VOIDED, LabelStatus.EXPIRED):
        raise ConflictError(
            mark("This label is not valid any more. Get a new one on the page of your return."), code="label_voided"
        )


_OTHER: Final = """
    SELECT status, code, carrier, qr, pdf FROM label WHERE return_id = :id AND number = :number
    ORDER BY status = ANY(:live) DESC, created_at DESC LIMIT 1
"""


async def usable_label(db: AsyncConnection, view: ReturnView, number: int) -> Any:  # noqa: ANN401 - a row
    """The label of a return's parcel: its status, code, carrier, qr and pdf.

    Raises:
        NotFoundError: there is none.
        ConflictError: as `label_content`.
    """
    _require_open(view)
    rows = await run(db, _OTHER, id=view.id, number=number, live=[status.value for status in LIVE])
    if not rows:
        raise NotFoundError(mark("There is no such label."), code="label_not_found")
    _require_usable(rows[0].status)
    return rows[0]


async def carriers_pdf(db: AsyncConnection, actor: Actor, rma: str, *, number: int = 1) -> bytes | None:
    """The carrier's own label for a return's parcel; None where the portal's goes on it.

    Raises:
        NotFoundError: there is no such return or label, or it is not the actor's.
        ConflictError: as `label_content`.
    """
    view = await return_for(db, actor, rma)
    if number == 1 and view.label_carrier in ("", PREPAID) and view.label_status != LabelStatus.REQUESTED:
        return None
    row = await usable_label(db, view, number)
    return bytes(row.pdf) if row.pdf is not None else None


class LabelRow(msgspec.Struct, frozen=True):
    """A label, as staff see it in a list."""

    id: UUID
    rma: str
    number: int
    order_number: str
    customer: str
    carrier: str
    service: str
    status: str
    code: str
    tracking: str
    cost: int | None
    cost_currency: str
    created_at: datetime
    bought_at: datetime | None
    voided_at: datetime | None
    void_status: str
    first_scan_at: datetime | None
    last_scan_at: datetime | None
    last_scan: str
    delivered_at: datetime | None
    stuck_at: datetime | None
    reused_at: datetime | None
    qr: str
    failure: str
    has_pdf: bool


_LABELS: Final = """
    SELECT b.id, r.rma, b.number, o.number AS order_number, o.name AS customer, b.carrier, b.service, b.status, b.code,
           coalesce(b.tracking, '') AS tracking, b.cost, b.cost_currency, b.created_at, b.bought_at, b.voided_at,
           b.void_status, b.first_scan_at, b.last_scan_at, b.last_scan, b.delivered_at, b.stuck_at, b.reused_at,
           b.qr, b.failure, b.pdf IS NOT NULL AS has_pdf
    FROM label b JOIN returns r ON r.id = b.return_id JOIN orders o ON o.id = r.order_id
"""
_STAFF: Final = ("support", "warehouse", "finance")
FLAGS: Final = {
    "stuck": "b.stuck_at IS NOT NULL AND b.status = 'in_transit'",
    "lost": "b.status = 'lost'",
    "reused": "b.reused_at IS NOT NULL",
    "failed": "b.failure <> ''",
    "not_given_back": "b.void_status = 'rejected'",
}
"""What staff may look for besides a status."""


async def list_labels(
    db: AsyncConnection, actor: Actor, *, chosen: str = "", before: UUID | None = None, limit: int = 50
) -> list[LabelRow]:
    """Labels, the newest first; of one status or with one flag, where that is asked for.

    Raises:
        ForbiddenError: the actor looks after no labels.
    """
    actor.require(*_STAFF)
    conditions = ["true"]
    if chosen in FLAGS:
        conditions.append(FLAGS[chosen])
    elif chosen:
        conditions.append("b.status = :chosen")
    if before is not None:
        conditions.append("b.id < :before")
    where = " AND ".join(conditions)
    rows = await run(
        db, f"{_LABELS} WHERE {where} ORDER BY b.id DESC LIMIT :limit", chosen=chosen, before=before, limit=limit
    )
    return [LabelRow(*row) for row in rows]


async def labels_of(db: AsyncConnection, actor: Actor, rma: str) -> list[LabelRow]:
    """All labels of a return, by parcel, the newest of each first.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
    """
    view = await return_for(db, actor, rma)
    rows = await run(db, f"{_LABELS} WHERE b.return_id = :id ORDER BY b.number, b.id DESC", id=view.id)
    return [LabelRow(*row) for row in rows]


async def label_for(db: AsyncConnection, actor: Actor, label_id: UUID) -> LabelRow:
    """One label.

    Raises:
        ForbiddenError: the actor looks after no labels.
        NotFoundError: there is none.
    """
    actor.require(*_STAFF)
    rows = await run(db, f"{_LABELS} WHERE b.id = :id", id=label_id)
    if not rows:
        raise NotFoundError(mark("There is no such label."), code="label_not_found")
    return LabelRow(*rows[0])


class ScanRow(msgspec.Struct, frozen=True):
    """A scan, as staff see it."""

    code: str
    words: str
    at: datetime


async def scans_of(db: AsyncConnection, label_id: UUID) -> list[ScanRow]:
    """What was told of a label's parcel, the newest first; the caller has shown that the actor may see it."""
    rows = await run(
        db, "SELECT code, words, at FROM tracking_event WHERE label_id = :id ORDER BY at DESC, id DESC", id=label_id
    )
    return [ScanRow(*row) for row in rows]
