"""The pages of those who decide claims."""

from typing import Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.deciding import Decision, Verdict, decide
from returns_portal.claims.pages.customer import show_claim
from returns_portal.claims.pages.words import for_templates
from returns_portal.claims.queries import STANDINGS, claim_for, list_claims, waiting_claims
from returns_portal.errors import DomainError, InvalidError, NotFoundError
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, mark
from returns_portal.refunds.goodwill import MAX_REASON
from returns_portal.returns.pages.words import sentence
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, page_after, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = 50
staff = [requires_staff("support", "finance")]


@get("/claims", guards=staff)
async def queue(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What waits to be decided, the longest waiting first; or, asked for, all of one standing, the newest first."""
    asked, after = request.query_params.get("status", ""), page_after(request)
    standing = asked if asked in STANDINGS and asked != "filed" else ""
    if standing:
        found = await list_claims(db, actor, standing=standing, before=after, limit=PAGE + 1)
    else:
        found = await waiting_claims(db, actor, after=after, limit=PAGE + 1)
    return page(
        request,
        "claims/queue.html",
        claims=found[:PAGE],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged=after is not None,
        chosen=standing or "filed",
        **for_templates(),
    )


@post("/claims/{claim_id:uuid}/decision", guards=staff, status_code=200)
async def give_decision(request: AnyRequest, db: Db, actor: By, claim_id: FromPath[UUID]) -> Response[Any]:
    """Decide it. What cannot be is said beside its field, with everything that was typed."""
    sent = await form(request)
    claim = await claim_for(db, actor, claim_id)
    try:
        async with db.begin_nested():
            verdict = _verdict(sent, claim.currency)
            await decide(db, actor, site(request).settings, await current(db), claim.id, verdict)
    except NotFoundError:
        raise
    except DomainError as error:
        if error.code == "already_decided":
            flash(request, sentence(error), "wait")
            return redirect(f"/claims/{claim_id}")
        errors = {error.field or "": sentence(error)}
        return await show_claim(request, db, actor, claim_id, typed=sent, errors=errors)
    if (await claim_for(db, actor, claim_id)).standing == "approving":
        flash(request, _("This is above the limit of one person, so somebody else approves it first."), "wait")
    else:
        flash(request, _("Decided. The customer is told by e-mail."))
    return redirect("/claims")


def _verdict(sent: Form, currency: str) -> Verdict:
    asked: Any = sent.get("decision", "")
    if asked not in get_args(Decision):
        raise InvalidError(mark("Choose what becomes of it."), field="decision")
    return Verdict(
        decision=asked,
        answer=sent.text("answer", limit=MAX_REASON),
        amount=typed_amount(sent, "amount", currency) if asked == "reduction" else 0,
    )


routes: list[Any] = [queue, give_decision]
