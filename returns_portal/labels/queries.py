"""What the label of a return says."""

from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.sizes import arranged
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.actions import PREPAID
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import return_for
from returns_portal.shop.queries import ShopInfo


async def label_content(db: AsyncConnection, actor: Actor, rma: str, *, shop: ShopInfo, sandbox: bool) -> LabelContent:
    """What the label of a return says, if the actor may see it.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ConflictError: the return was cancelled, so nobody may send a parcel at the shop's expense with it.
    """
    view = await return_for(db, actor, rma)
    if view.status == ReturnStatus.CANCELLED:
        raise ConflictError(
            mark("This return was cancelled, so its label is not valid any more. File a new return instead."),
            code="return_cancelled",
        )
    return LabelContent(
        code=view.label_code,
        carrier=PREPAID,
        sender=_address(view.address),
        recipient=_address(shop.address),
        licence=shop.licence,
        order_number=view.order_number,
        items=tuple(
            arranged(
                [LabelItem(line.quantity, line.title, line.size, line.color) for line in view.lines if line.quantity],
                lambda item: (item.title, item.size),
            )
        ),
        issued=view.created_at.astimezone(ZoneInfo(shop.timezone)).date(),
        locale=view.locale,
        shop_name=shop.name,
        shop_phone=shop.phone,
        shop_email=shop.email,
        sandbox=sandbox,
        to_choose=view.of_trial and bool(await run(db, _IN_A_PARCEL, id=view.id)),
    )


_IN_A_PARCEL: Final = "SELECT id FROM trial WHERE return_id = :id"


def _address(parts: dict[str, str]) -> PostalAddress:
    """An address as it is stored, where what it does not have may be missing."""
    return PostalAddress(**{part: parts.get(part) or "" for part in PostalAddress.__struct_fields__})
