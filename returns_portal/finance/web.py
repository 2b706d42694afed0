"""Finance's first page: what needs a decision, then sums, then a picture, then rows; and one refund by itself."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import InvalidError
from returns_portal.finance import (
    actions,
    web_approvals,
    web_claims,
    web_closing,
    web_credit_notes,
    web_deadlines,
    web_decisions,
    web_disputes,
    web_journal,
    web_liability,
    web_orders,
    web_points,
    web_reconciliation,
    web_reports,
    web_transfers,
    words,
)
from returns_portal.finance.exports import refunds_response
from returns_portal.finance.filters import today
from returns_portal.finance.overview import month_end, overview, read_filters
from returns_portal.finance.proofs import proofs
from returns_portal.finance.refund import refund_story
from returns_portal.finance.replies import attempt
from returns_portal.finance.tasks import tasks
from returns_portal.i18n import _, translate
from returns_portal.refunds.actions import release_unshipped
from returns_portal.refunds.failed import take_transfer
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.returns.withdrawals import handle_withdrawal
from returns_portal.shop.queries import current
from returns_portal.web import page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@get("/finance", guards=finance)
async def finance_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The first page. A filter that says nothing possible is shown as it was typed, beside its own sentence."""
    zone = (await current(db)).timezone
    begins = today(zone).replace(day=1)
    month = {"from": begins.isoformat(), "to": month_end(begins).isoformat()}
    typed = month | dict(request.query_params)
    errors: dict[str, str] = {}
    try:
        filters = read_filters(typed, zone)
    except InvalidError as error:
        errors[error.field or ""] = translate(error.sentence, **error.values)
        filters = read_filters(month, zone)
    shown = await overview(db, actor, filters, typed.get("after"))
    return page(
        request,
        "finance/overview.html",
        status=422 if errors else 200,
        tasks=await tasks(db, actor),
        proof=next(iter(await proofs(db, actor, limit=1)), None),
        view=shown,
        typed=typed,
        errors=errors,
        statuses=[(code.value, words.status(code).text) for code in RefundStatus],
        destinations=[(code.value, words.destination(code)) for code in Destination],
        words=words.FOR_TEMPLATES,
    )


@get("/finance/refunds.csv", guards=finance)
async def finance_csv(request: AnyRequest, db: Db, begin: NamedDependency[Begin]) -> Stream:
    """Exactly what the page shows, all pages of it."""
    zone = (await current(db)).timezone
    bom = request.query_params.get("bom") == "1"
    return refunds_response(begin, read_filters(dict(request.query_params), zone), bom=bom)


@get("/finance/refunds/{refund_id:uuid}", guards=[requires_staff("finance", "support")])
async def refund_page(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """One refund, with what happened to it and how it is booked."""
    story = await refund_story(db, actor, refund_id)
    return page(request, "finance/refund.html", story=story, words=words.FOR_TEMPLATES)


@post("/finance/refunds/{refund_id:uuid}/retry", guards=finance)
async def retry(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Redirect:
    """Try a failed refund again, or ask about an unknown one."""
    done = _("It is on its way again.")
    return await attempt(request, db, actions.try_again, actor, refund_id, done=done, back="/finance")


@post("/finance/refunds/{refund_id:uuid}/transfer", guards=finance)
async def turn_to_transfer(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Redirect:
    """Pay a refund by transfer that cannot go back the way the money came."""
    done = _("It is paid by transfer now. Where no account number is known, the customer is asked for it by e-mail.")
    back = f"/finance/refunds/{refund_id}"
    return await attempt(request, db, take_transfer, actor, refund_id, done=done, back=back)


@post("/finance/corrections/{parcel_id:uuid}/review", guards=finance)
async def review(request: AnyRequest, db: Db, actor: By, parcel_id: FromPath[UUID]) -> Redirect:
    """Mark a correction as looked at."""
    done = _("Marked as reviewed.")
    return await attempt(request, db, actions.review_correction, actor, parcel_id, done=done, back="/finance")


@post("/finance/statements/{withdrawal_id:uuid}/handling", guards=finance)
async def handle(request: AnyRequest, db: Db, actor: By, withdrawal_id: FromPath[UUID]) -> Redirect:
    """Mark a statement of withdrawal as dealt with."""
    done = _("Marked as dealt with.")
    return await attempt(request, db, handle_withdrawal, actor, withdrawal_id, done=done, back="/finance")


@post("/finance/returns/{rma:str}/unshipped-refund", guards=finance)
async def refund_unshipped(request: AnyRequest, db: Db, actor: By, rma: FromPath[str]) -> Redirect:
    """Refund what was withdrawn from before it was sent."""
    done = _("The refund of {rma} is on its way.", rma=rma)
    settings = site(request).settings
    return await attempt(request, db, release_unshipped, actor, settings, rma, done=done, back="/finance")


@post("/finance/jobs/{job_id:int}/retry", guards=finance)
async def retry_job(request: AnyRequest, db: Db, actor: By, job_id: FromPath[int]) -> Redirect:
    """Let a job that gave up run again."""
    done = _("It runs again.")
    return await attempt(request, db, actions.retry_job, actor, job_id, done=done, back="/finance")


routes: list[Any] = [
    finance_page,
    finance_csv,
    refund_page,
    retry,
    turn_to_transfer,
    review,
    handle,
    refund_unshipped,
    retry_job,
    *web_approvals.routes,
    *web_closing.routes,
    *web_credit_notes.routes,
    *web_deadlines.routes,
    *web_decisions.routes,
    *web_claims.routes,
    *web_disputes.routes,
    *web_journal.routes,
    *web_liability.routes,
    *web_orders.routes,
    *web_points.routes,
    *web_reconciliation.routes,
    *web_reports.routes,
    *web_transfers.routes,
]
"""Finance's pages."""
