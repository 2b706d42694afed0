"""Handing a parcel in without a printer: the code that is shown instead of a label."""

from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.queries import usable_label
from returns_portal.returns.queries import return_for

NO_LABEL: Final = ("", PREPAID)
"""Carriers whose parcels our own code is enough for."""


class DropOff(msgspec.Struct, frozen=True):
    """What is shown where a parcel is handed in."""

    rma: str
    number: int
    """Which parcel of the return it is for, from 1."""
    code: str
    """What the QR symbol holds."""
    carrier: str
    """Empty where the code is our own."""


async def drop_off(db: AsyncConnection, actor: Actor, rma: str, *, number: int = 1) -> DropOff:
    """The code of a return's parcel: its carrier's own where there is one, else its label's.

    Raises:
        NotFoundError: there is no such return or label, or it is not the actor's.
        ConflictError: there is no label that holds, or its carrier takes a printed one only.
    """
    view = await return_for(db, actor, rma)
    label = await usable_label(db, view, number)
    if label.qr:
        return DropOff(view.rma, number, label.qr, label.carrier)
    if label.carrier not in NO_LABEL or label.pdf is not None:
        raise ConflictError(
            mark("This carrier takes the parcel with a printed label only. It is on the page of your return."),
            code="label_to_be_printed",
        )
    return DropOff(view.rma, number, label.code, "")
