"""Finance's pages of disputes, and its decisions where a refund and something else do not fit into one payment."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.finance import words
from returns_portal.finance.disputes import (
    closed_disputes,
    dispute_story,
    open_disputes,
    review_overpayment,
)
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.refunds.lowering import lower
from returns_portal.web import form, page, page_after, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = 50
_OPEN: Final = 500

finance = [requires_staff("finance")]
readers = [requires_staff("finance", "support")]


@get("/finance/disputes", guards=readers)
async def disputes_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Open disputes, the most urgent first; below them the closed ones."""
    closed = await closed_disputes(db, actor, PAGE + 1, page_after(request))
    return page(
        request,
        "finance/disputes.html",
        disputes=await open_disputes(db, actor, _OPEN),
        closed=closed[:PAGE],
        after=closed[PAGE - 1].id if closed[PAGE:] else None,
        first="after" not in request.query_params,
        words=words.FOR_TEMPLATES,
    )


@get("/finance/disputes/{dispute_id:uuid}", guards=readers)
async def dispute_page(request: AnyRequest, db: Db, actor: By, dispute_id: FromPath[UUID]) -> Response[Any]:
    """One dispute, with everything that may answer it."""
    story = await dispute_story(db, actor, dispute_id)
    return page(request, "finance/dispute.html", story=story, words=words.FOR_TEMPLATES)


@post("/finance/refunds/{refund_id:uuid}/lowering", guards=finance)
async def lower_refund(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Redirect:
    """Pay what was shown to be left of the payment instead of all of a refund, or nothing more."""
    amount = (await form(request)).number("amount", default=-1)
    done = _("It goes out with what is left of the payment.") if amount else _("It is closed; nothing more is paid.")
    return await attempt(request, db, lower, actor, refund_id, amount, done=done, back="/finance")


@post("/finance/payments/{payment_id:uuid}/review", guards=finance)
async def review_payment(request: AnyRequest, db: Db, actor: By, payment_id: FromPath[UUID]) -> Redirect:
    """Mark a payment of which too much went back as looked at."""
    done = _("Marked as reviewed.")
    return await attempt(request, db, review_overpayment, actor, payment_id, done=done, back="/finance")


routes: list[Any] = [disputes_page, dispute_page, lower_refund, review_payment]
