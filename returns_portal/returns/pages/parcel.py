"""The page of a parcel: which returns travel in it, and what else can."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.labels.together import postage_alone
from returns_portal.policies.content import Postage
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView
from returns_portal.returns.together import OtherOrder, Travelling, other_orders, travelling_together
from returns_portal.shop.queries import current
from returns_portal.web import formats


class ParcelPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: ReturnView
    leading: str
    """The number of the return that has the label."""
    returns: Sequence[Travelling]
    orders: Sequence[OtherOrder]
    """Orders of which something can be put into the parcel."""
    open: bool
    """Whether anything can be put in or taken out."""
    leaves: bool
    """Whether the return of this page can have a parcel of its own."""
    alone: str
    """Who pays for that."""


async def parcel_page(db: AsyncConnection, actor: Actor, view: ReturnView) -> ParcelPage:
    """Put the page together; the caller has shown that the return is the actor's."""
    shop = await current(db)
    returns = await travelling_together(db, actor, [view.rma, *view.fellows])
    leading = view.in_parcel_of or view.rma
    waits = view.status == ReturnStatus.FILED and view.first_scan_at is None and view.proof_at is None
    orders = await other_orders(db, actor, view.order_id, shop.timezone) if waits else []
    opened = any(each.leads and each.status == ReturnStatus.RECEIVED for each in returns)
    leaves = bool(view.in_parcel_of) and view.status == ReturnStatus.FILED and (waits or opened)
    return ParcelPage(
        view=view,
        leading=leading,
        returns=returns,
        orders=[order for order in orders if not opened],
        open=waits and not opened,
        leaves=leaves,
        alone=await _alone(db, actor, view) if leaves else "",
    )


async def _alone(db: AsyncConnection, actor: Actor, view: ReturnView) -> str:
    verdict = await postage_alone(db, actor, view.id)
    if verdict.fee:
        fee = formats.money(verdict.fee, view.currency)
        return _("Then {fee} of the refund is kept for its postage.", fee=fee)
    if verdict.postage is Postage.OWN_LABEL:
        return _("You send that with a label of your own.")
    return _("It gets a label of its own, and you pay nothing for that.")
