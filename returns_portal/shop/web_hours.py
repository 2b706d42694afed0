"""How to reach the shop, on a page for everybody; and when somebody is there, set by the admin."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, mark, translate
from returns_portal.shop.actions import pause, update_shop
from returns_portal.shop.hours import LONGEST_REASON, ChannelName, Hours
from returns_portal.shop.hours_form import NAMES, read, shown
from returns_portal.shop.presence import special_days, week_in_words, weekdays, zone_in_words
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

HOURS: Final = "/staff/hours"
_LONGEST_LIST: Final = 20_000
"""Characters of a list of days."""
_PAUSES: Final = (30, 60, 120)
"""Minutes."""
_admins = [requires_staff("admin")]
_staff = [requires_staff("support")]


@get("/contact")
async def contact_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Every way to reach the shop, and when somebody is there."""
    del actor  # Asked for so that the page's header knows who is there.
    shop = await current(db)
    schedules = [(name, shop.hours.schedule(name, shop.timezone)) for name in NAMES]
    return page(
        request,
        "shop/contact.html",
        times=[
            (_channel_words()[name], week_in_words(schedule), special_days(schedule))
            for name, schedule in schedules
            if schedule.known
        ],
        zone=zone_in_words(shop.timezone),
    )


def _channel_words() -> dict[ChannelName, str]:
    return {"phone": _("By telephone"), "written": _("In writing")}


@get(HOURS, guards=_staff)
async def hours_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """When somebody is there; the admin changes it, support says that nobody is there just now."""
    shop = await current(db)
    return _show(request, shop, actor, shown(shop.hours), {})


def _show(
    request: AnyRequest, shop: ShopInfo, actor: Actor, typed: Form | dict[str, str], errors: dict[str, str]
) -> Response[Any]:
    return page(
        request,
        "shop/hours.html",
        status=422 if errors else 200,
        channels=[(name, words, _paused(shop.hours, name)) for name, words in _channel_words().items()],
        weekdays=weekdays(),
        typed=typed,
        errors=errors,
        changes=actor.has("admin"),
        pauses=_PAUSES,
        longest=LONGEST_REASON,
        zone=zone_in_words(shop.timezone),
    )


def _paused(hours: Hours, name: ChannelName) -> bool:
    until = getattr(hours, name).paused_until
    return until is not None and until > clock.now()


@post(HOURS, guards=_admins, status_code=200)
async def change_hours(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change them; what cannot be read is said beside its field, and everything typed stays."""
    sent, shop = await form(request), await current(db)
    try:
        for field in sent:
            sent.text(field, limit=_LONGEST_LIST)
        async with db.begin_nested():
            await update_shop(db, actor, hours=read(sent, shop.hours))
    except InvalidError as error:
        return _show(request, shop, actor, sent, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("Changed. Every page says so within a few seconds."))
    return redirect(HOURS)


@post(f"{HOURS}/pause", guards=_staff, status_code=200)
async def pause_channel(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Say that nobody is there for a while, or that somebody is back."""
    sent = await form(request)
    name = next((name for name in NAMES if name == sent.get("channel")), None)
    if name is None:
        raise InvalidError(mark("There is no such channel."), field="channel")
    await pause(db, actor, name, _until(sent.get("for", ""), (await current(db)).timezone))
    flash(request, _("Every page says so within a few seconds."))
    return redirect(HOURS)


def _until(asked: str, zone: str) -> datetime | None:
    """Until when nobody is there: for so many minutes, or for the rest of the day."""
    now = clock.now()
    if asked == "today":
        tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), ZoneInfo(zone)).astimezone(UTC)
    return now + timedelta(minutes=int(asked)) if asked in map(str, _PAUSES) else None


routes: list[Any] = [contact_page, hours_page, change_hours, pause_channel]
