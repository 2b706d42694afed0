"""Announcing a courier: who comes, and when, by e-mail and, where a number is known, by SMS."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from returns_portal import clock, i18n
from returns_portal.db import run
from returns_portal.i18n import _
from returns_portal.jobs import JobContext
from returns_portal.labels.life import about
from returns_portal.labels.models import PickupStatus
from returns_portal.notifications.actions import enqueue
from returns_portal.notifications.texting import enqueue_sms, texter_of
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.web import formats

_PICKUP: Final = "SELECT * FROM pickup WHERE id = :id"


async def announce(context: JobContext, pickup_id: UUID, *, soon: bool = False) -> None:
    """Tell the customer how the pick-up stands: planned with or without a name, about to happen, or not to be."""
    settings = context.service(Settings)
    async with context.begin() as db:
        [pickup] = await run(db, _PICKUP, id=pickup_id)
        if pickup.status not in (PickupStatus.SCHEDULED, PickupStatus.REFUSED):
            return
        told, shop = await about(db, pickup.return_id), await current(db)
        refused = pickup.status == PickupStatus.REFUSED
        formats.zone.set(shop.timezone)
        with i18n.speaking(told.locale):
            day, begins, ends = _when(pickup)
            message = _sms(pickup, shop.name, day, begins, ends, soon=soon)
        await enqueue(
            db,
            template="pickup",
            recipient=told.email,
            locale=told.locale,
            subject_id=told.id,
            values={
                "rma": told.rma,
                "name": told.name,
                "url": f"/returns/{told.rma}",
                "refused": refused,
                "soon": soon,
                "courier": pickup.courier_name,
                "on_day": day,
                "begins": begins,
                "ends": ends,
                "address": f"{pickup.line1}, {pickup.postal_code} {pickup.city}",
            },
        )
        # An SMS is for what changes somebody's next hours: who comes, that they come now, that nobody does.
        if texter_of(settings) is not None and (soon or refused or pickup.courier_name):
            await enqueue_sms(db, recipient=pickup.phone, locale=told.locale, text=message, subject_id=told.id)


def _when(pickup: Any) -> tuple[str, str, str]:  # noqa: ANN401 - a row
    """The day and the two ends of the window, in the shop's zone and the customer's language."""
    begins, ends = (formats.format_datetime(moment, "day") for moment in (pickup.begins_at, pickup.ends_at))
    return formats.format_date(pickup.begins_at, "day"), begins.rpartition(", ")[2], ends.rpartition(", ")[2]


def _sms(pickup: Any, shop: str, day: str, begins: str, ends: str, *, soon: bool) -> str:  # noqa: ANN401 - a row
    if pickup.status == PickupStatus.REFUSED:
        return _("{shop}: nobody can fetch your parcel. Please hand it in; your label stays valid.", shop=shop)
    hours = round((pickup.begins_at - clock.now()) / timedelta(hours=1))
    if soon and hours > 0 and pickup.courier_name:
        return i18n.ngettext(
            "{shop}: your courier {name} will be with you in {n} hour.",
            "{shop}: your courier {name} will be with you in {n} hours.",
            hours,
            shop=shop,
            name=pickup.courier_name,
        )
    if pickup.courier_name:
        return _(
            "{shop}: your courier {name} comes on {day} between {begins} and {ends}.",
            shop=shop,
            name=pickup.courier_name,
            day=day,
            begins=begins,
            ends=ends,
        )
    return _(
        "{shop}: your courier comes on {day} between {begins} and {ends}.",
        shop=shop,
        day=day,
        begins=begins,
        ends=ends,
    )
