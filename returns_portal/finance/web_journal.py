"""The journal of a period, and the codes of its accounts."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import InvalidError
from returns_portal.finance import words
from returns_portal.finance.codes import codes, set_codes
from returns_portal.finance.exports import csv_response, stream
from returns_portal.finance.filters import day_begins, next_day, period
from returns_portal.finance.journal import in_period, journal_listing
from returns_portal.i18n import _, translate
from returns_portal.ledger.models import Account
from returns_portal.shop.queries import current
from returns_portal.web import flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@get("/finance/journal.csv", guards=finance)
async def journal_file(request: AnyRequest, db: Db, begin: NamedDependency[Begin]) -> Stream:
    """The journal of a period, by the days on which its transactions are dated."""
    zone = (await current(db)).timezone
    query = request.query_params
    first, last = period(query.get("from") or None, query.get("to") or None, zone)
    members = in_period(day_begins(first, zone), day_begins(next_day(last), zone))
    listing = journal_listing(members, zone, livemode=site(request).settings.livemode)
    return csv_response(f"journal-{first}-{last}.csv", stream(begin, listing))


@get("/finance/accounts", guards=finance)
async def accounts_page(request: AnyRequest, db: Db) -> Response[Any]:
    """The codes as they are."""
    return _show(request, {account.value: code for account, code in (await codes(db)).items()}, {})


def _show(request: AnyRequest, typed: dict[str, str], errors: dict[str, str]) -> Response[Any]:
    return page(
        request,
        "finance/accounts.html",
        status=422 if errors else 200,
        accounts=[(account.value, words.account(account)) for account in Account],
        typed=typed,
        errors=errors,
    )


@post("/finance/accounts", guards=finance, status_code=200)
async def change_accounts(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Give the accounts other codes."""
    sent = await form(request)
    typed = {account.value: sent.get(account.value, "") for account in Account if account.value in sent}
    try:
        await set_codes(db, actor, typed)
    except InvalidError as error:
        return _show(request, typed, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("The codes are saved. Files of closed months keep those that they were written with."))
    return redirect("/finance/accounts")


routes: list[Any] = [journal_file, accounts_page, change_accounts]
