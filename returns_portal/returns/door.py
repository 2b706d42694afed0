"""What the pages of returns have in common: who may act here, and the way in for those who have not come in yet."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import State

from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.web import flash, formats, redirect, site


def is_stranger(actor: Actor) -> bool:
    """Whether it is somebody who has not said which order, or which gift, is theirs."""
    return actor.kind == "customer" and actor.order_id is None and actor.gift_id is None


def to_the_door(request: Request[Any, Any, State]) -> Response[Any]:
    """Who has not come in is asked for their order, whatever they asked for: nothing tells whether it exists.

    From the link of an e-mail, the way back to its return or claim is told along.
    """
    flash(request, _("Please tell us first which order is yours."), "wait")
    path = request.scope["path"]
    known = ("/returns", "/claims/", "/exchanges/", "/questions/")
    return redirect(f"/?next={quote(path, safe='')}" if path.startswith(known) else "/")


def require_support(actor: Actor) -> None:
    """Customers act for themselves; of the staff, only support acts for them."""
    if actor.kind == "staff":
        actor.require("support")


def speak_local(request: Request[Any, Any, State]) -> None:
    """Days that are put into words here are days of the shop's zone, as they are in templates."""
    formats.zone.set(site(request).shop.timezone)
