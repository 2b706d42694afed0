"""Badges: who has one, new ones, and the change of the person at a station."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts import actions as accounts
from returns_portal.accounts.badges import bearers, issue_badge, take_over, withdraw_badge
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import STAFF_SESSION
from returns_portal.actor import Actor
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.shop.queries import current
from returns_portal.warehouse.codes import badge_code
from returns_portal.warehouse.pages import station as pages
from returns_portal.warehouse.pages.controls import sheet_response
from returns_portal.warehouse.pages.screen import screen
from returns_portal.warehouse.sheets import badge_card
from returns_portal.web import flash, form, formats, known_actor, page, redirect, requires_staff, site
from returns_portal.web.signing import SESSION_COOKIE, cookie, derive
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

BADGES: Final = "/station/badges"
admins = [requires_staff("admin")]
workers = [requires_staff("warehouse", "support")]
_TRIES: Final = 5
_WINDOW: Final = 900
"""Seconds. With six digits, five tries in a quarter of an hour need years for half of the PINs."""


@post("/station/badge", guards=workers, status_code=200)
async def change_person(request: AnyRequest) -> Response[Any]:
    """Let the badge's person work at this station, if the PIN is theirs."""
    sent = await form(request)
    code, pin = badge_code(sent.text("badge", limit=32)), sent.text("pin", limit=12)
    here, actor = site(request), known_actor(request)
    # Of a badge, whoever shows it: a station is shared, and so are its tries of other badges not.
    await hit(here.begin, Limit(bucket(derive(here.secret, "access"), "badge", code), times=_TRIES, seconds=_WINDOW))
    async with here.begin() as db:
        token = await take_over(db, actor, code, pin)
        if token is None:
            formats.zone.set(here.shop.timezone)
            view = pages.ask_for_pin(code, _("Badge and PIN do not fit together"))
            shown = await pages.station(db, actor, await current(db), view)
            return screen(request, shown, status=422)
        if before := request.cookies.get(SESSION_COOKIE):
            await accounts.end_session(db, before)
    flash(request, _("You work here now. What was begun by somebody else waits for them."))
    answer = redirect("/station")
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=STAFF_SESSION))
    return answer


@get(BADGES, guards=admins)
async def badges_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Who works at the dock, and who of them has a badge."""
    return page(request, "warehouse/badges.html", bearers=await bearers(db, actor))


@post(f"{BADGES}/{{staff_id:uuid}}", guards=admins, status_code=200)
async def new_badge(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[bytes]:
    """Make a badge, and answer with its card: neither code nor PIN is shown again."""
    async with asking(request) as (db, actor):
        badge = await issue_badge(db, actor, staff_id)
    card = badge_card(i18n.current(), badge.name, badge.code, badge.pin)
    return await sheet_response(request, card, "badge.pdf")


@post(f"{BADGES}/{{staff_id:uuid}}/removal", guards=admins)
async def remove_badge(request: AnyRequest, db: Db, actor: By, staff_id: FromPath[UUID]) -> Redirect:
    """Let a badge open nothing any more."""
    done = _("The badge opens nothing any more.")
    return await attempt(request, db, withdraw_badge, actor, staff_id, done=done, back=BADGES)


routes: list[Any] = [change_person, badges_page, new_badge, remove_badge]
