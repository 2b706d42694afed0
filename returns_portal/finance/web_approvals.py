"""Gestures that wait for a second person."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.finance import words
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.refunds.approvals import MAX_NOTE, approve, decline, waiting
from returns_portal.web import form, page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@get("/finance/approvals", guards=[requires_staff("finance", "support")])
async def approvals_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What waits for a second person; who asked sees that it waits."""
    return page(
        request,
        "finance/approvals.html",
        waiting=await waiting(db, actor),
        me=actor.label,
        max_note=MAX_NOTE,
        words=words.FOR_TEMPLATES,
    )


@post("/finance/approvals/{gesture_id:uuid}/approval", guards=finance)
async def approve_gesture(request: AnyRequest, db: Db, actor: By, gesture_id: FromPath[UUID]) -> Redirect:
    """Let it be given back."""
    done = _("Approved. It is on its way, and the customer is told why by e-mail.")
    settings = site(request).settings
    return await attempt(request, db, approve, actor, settings, gesture_id, done=done, back="/finance/approvals")


@post("/finance/approvals/{gesture_id:uuid}/refusal", guards=finance)
async def decline_gesture(request: AnyRequest, db: Db, actor: By, gesture_id: FromPath[UUID]) -> Redirect:
    """Let it not be given back."""
    note = (await form(request)).get("note", "")
    done = _("Declined. Nothing was refunded, and the customer was not told of it.")
    return await attempt(request, db, decline, actor, gesture_id, note, done=done, back="/finance/approvals")


routes: list[Any] = [approvals_page, approve_gesture, decline_gesture]
