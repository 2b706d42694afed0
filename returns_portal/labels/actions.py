"""Issuing labels."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.carriers.prepaid import PREPAID as PREPAID  # noqa: PLC0414 - part of what this module offers
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.labels.models import Label, LabelStatus
from returns_portal.labels.policy import habits
from returns_portal.labels.queries import refuse_kept
from returns_portal.labels.rules import refuse_follower
from returns_portal.policies.content import Postage
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import ReturnStatus

MOST_PARCELS: Final = 10
"""Of one return."""


async def issue(
    db: AsyncConnection, actor: Actor, return_id: UUID, rma: str, *, number: int = 1, ask: bool = True, tried: int = 0
) -> str:
    """Issue the label of a return's parcel; what the barcodes of the portal's own label hold.

    Without rules it is the prepaid one, at once; with rules it is asked of carriers by a job, and with `ask` off it is
    the prepaid one all the same. The code is our own return number: a postal number may only be given out by a postal
    operator (UPU S10). The label and its line of history are one statement, since every filing pays for it.
    """
    known = await habits(db)
    asked = ask and known.asks
    code = rma if number == 1 else f"{rma}-{number}"
    now = clock.now()
    label: dict[str, Any] = {
        "id": new_id(),
        "return_id": return_id,
        "number": number,
        "carrier": "" if asked else PREPAID,
        "service": "",
        "status": LabelStatus.REQUESTED if asked else LabelStatus.BOUGHT,
        "code": code,
        "cost_currency": "",
        "created_at": now,
        "bought_at": None if asked else now,
        "expires_at": None if asked else now + known.label_life,
        "void_status": "",
        "last_scan": "",
        "qr": "",
        "failure": "",
        "attempts": 0,
        "tried": tried,
    }
    told = {"carrier": label["carrier"], "code": code}
    event = history.rows(actor, ("return", return_id, "label_requested" if asked else "label_issued", told))
    await insert_rows(db, (Label, [label]), event)
    if asked:
        await defer(db, "labels.buy", label_id=str(label["id"]))
    return code


_NUMBERS: Final = """
    SELECT number, bool_or(status IN ('requested', 'bought', 'sent', 'in_transit')) AS live,
           bool_or(status IN ('in_transit', 'delivered', 'lost')) AS used
    FROM label WHERE return_id = :id GROUP BY number ORDER BY number
"""


async def again(db: AsyncConnection, actor: Actor, rma: str) -> int:
    """Issue the label of a return's first parcel anew, where it is not valid any more; the parcel's number.

    Asked twice, it is issued once: where the label is valid, or served, there is nothing to do.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: the return was cancelled, travels in the parcel of another one, or is of goods that are kept.
    """
    row = await _lock_open(db, actor, rma)
    numbers = await run(db, _NUMBERS, id=row.id)
    if not any(each.number == 1 and (each.live or each.used) for each in numbers):
        await issue(db, actor, row.id, row.rma)
    return 1


async def another(db: AsyncConnection, actor: Actor, rma: str) -> int:
    """Issue a label for one more parcel of a return, or anew where the last one is not valid any more; its number.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: the return was cancelled, travels in the parcel of another one, is of goods that are kept, or has
            as many labels as a return may have.
    """
    row = await _lock_open(db, actor, rma)
    numbers = await run(db, _NUMBERS, id=row.id)
    number = next((each.number for each in numbers if not each.live and not each.used), len(numbers) + 1)
    if number > MOST_PARCELS:
        raise ConflictError(
            mark("This return has {most} labels already. Please write to us, and we find another way."),
            code="too_many_labels",
            most=MOST_PARCELS,
        )
    await issue(db, actor, row.id, row.rma, number=number)
    return number


_PRESENT: Final = """
    SELECT r.status, r.postage, coalesce(lead.rma, '') AS leads
    FROM returns r LEFT JOIN returns lead ON lead.id = r.travels_with WHERE r.id = :id
"""


async def _lock_open(db: AsyncConnection, actor: Actor, rma: str) -> Any:  # noqa: ANN401 - a row
    row = await lock_return(db, actor, rma)
    # Read again under the lock: the row above was read while waiting for it.
    [present] = await run(db, _PRESENT, id=row.id)
    refuse_follower(present.leads)
    await refuse_kept(db, row.id)
    if present.postage == Postage.OWN_LABEL:
        raise ConflictError(
            mark("This return travels with a label of your own: its page says where to."), code="own_label"
        )
    if present.status == ReturnStatus.CANCELLED:
        raise ConflictError(
            mark("This return was cancelled, so it needs no label. File a new return instead."), code="return_cancelled"
        )
    return row
