"""What customers are told of a label and its parcel."""

from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.labels.life import about
from returns_portal.notifications.actions import enqueue
from returns_portal.returns.models import ReturnStatus

LabelLetter = Literal["label_ready", "parcel_on_its_way", "parcel_delivered", "parcel_stuck", "parcel_lost"]


async def tell(db: AsyncConnection, label: Any, template: LabelLetter, **more: object) -> None:  # noqa: ANN401 - a row
    """Write an e-mail about a label, unless its return was cancelled; `label` is its row."""
    told = await about(db, label.return_id)
    if told.status == ReturnStatus.CANCELLED:
        return
    await enqueue(
        db,
        template=template,
        recipient=told.email,
        locale=told.locale,
        subject_id=told.id,
        # A label is made, seen and brought once: what its carrier takes back and tells anew is no news.
        change=f"label {label.id}",
        values={
            "rma": told.rma,
            "order_number": told.order_number,
            "name": told.name,
            "url": f"/returns/{told.rma}",
            "number": label.number,
            "fellows": told.fellows,
            "tracking": label.tracking or "",
        }
        | more,
    )
