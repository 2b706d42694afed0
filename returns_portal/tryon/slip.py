"""What the slip in a trial's parcel says: plain records, so that they travel to another process."""

from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark, speaking
from returns_portal.labels.content import LabelContent
from returns_portal.labels.queries import label_content
from returns_portal.loyalty.card import CardContent
from returns_portal.returns.models import ReturnStatus
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.tryon.models import Mode, TrialStatus
from returns_portal.tryon.queries import TrialView, trial_for
from returns_portal.tryon.rules import trial_ends
from returns_portal.web import formats
from returns_portal.web.links import slip_link

T = TrialStatus
_NOT_SENT: Final = frozenset({T.PLACED, T.AUTHORISATION_FAILED, T.CANCELLED})


class SlipItem(msgspec.Struct, frozen=True):
    """One unit, with its price in words."""

    title: str
    size: str
    color: str
    price: str


class SlipContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that the slip says, and the label that goes with it; what only trials have is left out for all else."""

    locale: str
    number: str
    url: str
    name: str
    items: list[SlipItem]
    most: str = ""
    trial: bool = False
    days: int = 0
    arrives: str = ""
    """The day on which the parcel should arrive."""
    last_day: str = ""
    """The last day of the trial: expected, or known where the trial runs already."""
    known: bool = False
    silence_keeps: bool = False
    shop_name: str
    contact: str
    sandbox: bool
    label: LabelContent | None = None
    lent: bool = False
    """Whether it is sent in exchange for something that is not back yet, and is expected within `days`."""
    anew: bool = False
    """Whether it is sent anew because of a claim: nothing is paid for it, and nothing expected back."""
    card: CardContent | None = None
    """The card that goes into the parcel."""


async def slip_content(
    db: AsyncConnection, actor: Actor, number: str, *, shop: ShopInfo, settings: Settings
) -> SlipContent:
    """The slip of a trial's parcel, in its customer's language.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: there is no such trial.
        ConflictError: it is not to be sent.
    """
    actor.require("warehouse", "support")
    view = await trial_for(db, actor, number)
    if view.status in _NOT_SENT:
        raise ConflictError(mark("This order is not to be sent, so there is no slip for it."), code="wrong_status")
    label = None
    if view.rma is not None and view.return_status != ReturnStatus.CANCELLED:
        label = await label_content(db, actor, view.rma, shop=shop, sandbox=not settings.livemode)
    with speaking(view.locale):
        return _content(view, shop, settings, label)


def _content(view: TrialView, shop: ShopInfo, settings: Settings, label: LabelContent | None) -> SlipContent:
    # Days of the slip are days of the shop.
    formats.zone.set(shop.timezone)
    arrives = view.delivered_at or (view.shipped_at or clock.now()) + timedelta(days=view.policy.transit_days)
    days = view.trial_days + view.extended_days
    ends_at = view.ends_at or trial_ends(arrives, days, shop.timezone)
    return SlipContent(
        locale=view.locale,
        number=view.number,
        url=slip_link(settings, view.number),
        name=view.name,
        items=[
            SlipItem(item.title, item.size, item.color, formats.money(item.price, view.currency))
            for item in view.in_order
        ],
        most=formats.money(view.max_charge, view.currency),
        trial=view.mode is Mode.TRIAL,
        days=days,
        arrives=formats.format_date(arrives, "day"),
        last_day=formats.format_date(ends_at - timedelta(seconds=1), "day"),
        known=view.ends_at is not None,
        silence_keeps=view.silence_keeps,
        shop_name=shop.name,
        contact=f"{shop.phone} · {shop.email}",
        sandbox=not settings.livemode,
        label=label,
    )
