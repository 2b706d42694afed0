"""Who has not come in yet, and the way to where they do."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import State

from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.web import flash, redirect


def is_stranger(actor: Actor) -> bool:
    """Whether it is somebody who has not said which order is theirs."""
    return actor.kind == "customer" and actor.order_id is None


def to_the_door(request: Request[Any, Any, State]) -> Response[Any]:
    """Who has not come in is asked for their order, whatever they asked for: nothing tells whether it exists.

    From the link of an e-mail, the way back to its return is told along.
    """
    flash(request, _("Please tell us first which order is yours."), "wait")
    path = request.scope["path"]
    return redirect(f"/?next={quote(path, safe='')}" if path.startswith("/returns") else "/")
