"""Staff's pages of claims against carriers."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError, NotFoundError
from returns_portal.finance.claims import READERS, Claim, claim_for, claims, claims_csv
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, mark, translate
from returns_portal.money import Money
from returns_portal.shop.queries import current
from returns_portal.tryon.claim_models import CLAIM_TRANSITIONS, ClaimKind, ClaimStatus
from returns_portal.tryon.claims import open_for_return, work_on
from returns_portal.web import Form, flash, form, formats, page, page_after, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

LIST: Final = "/finance/claims"
PAGE: Final = 50
FILE: Final = 10_000
"""Claims in a file, the newest."""

staff = [requires_staff(*READERS)]
_STATUSES: Final = {
    ClaimStatus.OPEN: (mark("to be claimed"), "wait"),
    ClaimStatus.CLAIMED: (mark("claimed"), "wait"),
    ClaimStatus.PAID: (mark("paid"), "good"),
    ClaimStatus.REFUSED: (mark("refused"), "bad"),
    ClaimStatus.DROPPED: (mark("let be"), ""),
}
_KINDS: Final = {
    ClaimKind.DAMAGED: mark("damaged"),
    ClaimKind.MISSING: mark("missing"),
    ClaimKind.WRONG: mark("another item"),
}
_ADVICE: Final = {
    ClaimStatus.OPEN: mark(
        "Send the carrier the photos, the tracking number and what the customer wrote, and note its number of the"
        " claim here. Carriers take claims for a few days only."
    ),
    ClaimStatus.CLAIMED: mark("The carrier has been asked. Note here what it answers."),
    ClaimStatus.REFUSED: mark("The carrier refused. With more photos it can be asked again."),
}


def _words() -> dict[str, Any]:
    return {
        "statuses": {status.value: (translate(text), kind) for status, (text, kind) in _STATUSES.items()},
        "kinds": {kind.value: translate(text) for kind, text in _KINDS.items()},
    }


@get(LIST, guards=staff)
async def list_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Claims, the newest first; of one status, where that is asked for."""
    return await _list(request, db, actor, {}, {})


async def _list(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: dict[str, str], errors: dict[str, str]
) -> Response[Any]:
    chosen, before = _status(request), page_after(request)
    found = await claims(db, actor, status=chosen, before=before, limit=PAGE + 1)
    return page(
        request,
        "finance/claims.html",
        status=422 if errors else 200,
        claims=found[:PAGE],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged=before is not None,
        chosen=chosen or "",
        typed=typed,
        errors=errors,
        **_words(),
    )


def _status(request: AnyRequest) -> str | None:
    asked = request.query_params.get("status", "")
    return asked if asked in set(ClaimStatus) else None


@get("/finance/claims.csv", guards=staff)
async def file(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The same list as a file."""
    rows = await claims(db, actor, status=_status(request), limit=FILE)
    return Response(
        claims_csv(rows, (await current(db)).timezone),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="claims.csv"'},
    )


@post(LIST, guards=staff, status_code=200)
async def open_one(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Open a claim for a parcel on its way back."""
    sent = await form(request)
    try:
        claim_id = await open_for_return(db, actor, sent.text("rma", limit=50), sent.get("kind", ""))
    except (InvalidError, NotFoundError) as error:
        problem = {error.field or "rma": translate(error.sentence, **error.values)}
        return await _list(request, db, actor, dict(sent), problem)
    return redirect(f"{LIST}/{claim_id}")


@get(f"{LIST}/{{claim_id:uuid}}", guards=staff)
async def one_page(request: AnyRequest, db: Db, actor: By, claim_id: FromPath[UUID]) -> Response[Any]:
    """One claim: what it is about, the photos, what to do, and what was done."""
    return await _one(request, db, actor, claim_id, {}, {})


async def _one(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    claim_id: UUID,
    typed: dict[str, str],
    errors: dict[str, str],
) -> Response[Any]:
    formats.zone.set(site(request).shop.timezone)
    claim, steps = await claim_for(db, actor, claim_id)
    words = _words()
    reachable = [status for status in ClaimStatus if status in {claim.status, *CLAIM_TRANSITIONS[claim.status]}]
    advice = _ADVICE.get(claim.status, "")
    return page(
        request,
        "finance/claim.html",
        status=422 if errors else 200,
        claim=claim,
        steps=steps,
        advice=translate(advice) if advice else "",
        choices=[(status.value, words["statuses"][status.value][0]) for status in reachable],
        typed=typed or _fields(claim),
        errors=errors,
        **words,
    )


def _fields(claim: Claim) -> dict[str, str]:
    amount = f"{Money(claim.amount, claim.currency).decimal:f}"
    return {"status": claim.status.value, "amount": amount, "reference": claim.reference, "notes": claim.notes}


@post(f"{LIST}/{{claim_id:uuid}}", guards=staff, status_code=200)
async def work(request: AnyRequest, db: Db, actor: By, claim_id: FromPath[UUID]) -> Response[Any]:
    """Note what was done about it."""
    sent = await form(request)
    claim, _steps = await claim_for(db, actor, claim_id)
    try:
        async with db.begin_nested():
            await _note(db, actor, claim, sent)
    except DomainError as error:
        problem = {error.field or "": translate(error.sentence, **error.values)}
        return await _one(request, db, actor, claim_id, dict(sent), problem)
    flash(request, _("Noted."))
    return redirect(f"{LIST}/{claim_id}")


async def _note(db: AsyncConnection, actor: Actor, claim: Claim, sent: Form) -> None:
    asked = sent.get("status", "")
    await work_on(
        db,
        actor,
        claim.id,
        ClaimStatus(asked) if asked in set(ClaimStatus) else claim.status,
        amount=typed_amount(sent, "amount", claim.currency),
        reference=sent.text("reference", limit=100),
        notes=sent.text("notes"),
    )


routes: list[Any] = [list_page, file, open_one, one_page, work]
