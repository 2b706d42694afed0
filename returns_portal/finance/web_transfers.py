"""Bank transfers that finance makes: the list, the file for the bank, and the bank's references."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.finance import words
from returns_portal.finance.actions import forwarded
from returns_portal.finance.transfers import transfers, transfers_csv
from returns_portal.i18n import _, translate
from returns_portal.refunds.settling import confirm_transfer
from returns_portal.shop.queries import current
from returns_portal.vault import Vault
from returns_portal.web import flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

MAX_REFERENCE: Final = 140
"""Characters of a SEPA transfer's remittance information."""

finance = [requires_staff("finance")]


def _vault(request: AnyRequest) -> Vault:
    return Vault(site(request).secret.decode())


@get("/finance/transfers", guards=finance)
async def transfers_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The transfers to make."""
    return await _show(request, db, actor, {}, {})


async def _show(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: dict[str, str], errors: dict[str, str]
) -> Response[Any]:
    """The list; `typed` and `errors` are by the refund's id."""
    rows = await transfers(db, actor, _vault(request))
    return page(
        request,
        "finance/transfers.html",
        status=422 if errors else 200,
        rows=rows,
        typed=typed,
        errors=errors,
        words=words.FOR_TEMPLATES,
    )


@get("/finance/transfers.csv", guards=finance)
async def transfers_file(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The transfers whose account number is known, as a file; that it was taken stands in their history."""
    rows = [row for row in await transfers(db, actor, _vault(request)) if row.account is not None]
    await forwarded(db, actor, [row.refund_id for row in rows])
    return Response(
        transfers_csv(rows, (await current(db)).timezone),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="transfers.csv"'},
    )


@post("/finance/transfers/{refund_id:uuid}", guards=finance, status_code=200)
async def record_transfer(request: AnyRequest, db: Db, actor: By, refund_id: FromPath[UUID]) -> Response[Any]:
    """Record that a transfer was made, by the bank's reference."""
    sent = await form(request)
    key = str(refund_id)
    try:
        reference = sent.text("reference", limit=MAX_REFERENCE)
    except DomainError as error:
        problem = {key: translate(error.sentence, **error.values)}
        return await _show(request, db, actor, {key: sent.get("reference", "")}, problem)
    if not reference:
        problem = {key: _("Give the bank's reference, so that the transfer can be found again.")}
        return await _show(request, db, actor, {}, problem)
    try:
        async with db.begin_nested():
            await confirm_transfer(db, actor, refund_id, reference)
    except NotFoundError:
        raise
    except DomainError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, _("Recorded. The customer is told by e-mail, and the account number is deleted."))
    return redirect("/finance/transfers")


routes: list[Any] = [transfers_page, transfers_file, record_transfer]
