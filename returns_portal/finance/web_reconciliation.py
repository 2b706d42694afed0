"""The reconciliation with the gateway's balance: a period, what does not agree in it, and its payouts."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.finance.filters import period
from returns_portal.finance.matching_differences import Place
from returns_portal.finance.reconciliation import ask_for_reconciliation, last_run, usual_period
from returns_portal.finance.reconciliation_view import reconciled
from returns_portal.finance.reconciliation_words import FOR_TEMPLATES
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark, translate
from returns_portal.shop.queries import current
from returns_portal.web import page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]
HERE = "/finance/reconciliation"


@get(HERE, guards=finance)
async def reconciliation_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Whether all agrees, and what does not."""
    zone = (await current(db)).timezone
    usual = usual_period(zone)
    typed = {"from": usual[0].isoformat(), "to": usual[1].isoformat()} | dict(request.query_params)
    errors: dict[str, str] = {}
    try:
        days = period(typed["from"], typed["to"], zone)
    except InvalidError as error:
        errors[error.field or ""] = translate(error.sentence, **error.values)
        days = usual
    after, after_payout = _place(typed.get("after")), _place(typed.get("after_payout"))
    livemode = site(request).settings.livemode
    view = await reconciled(db, actor, days, zone, livemode=livemode, after=after, after_payout=after_payout)
    query = urlencode({"from": days[0].isoformat(), "to": days[1].isoformat()})
    return page(
        request,
        "finance/reconciliation.html",
        status=422 if errors else 200,
        view=view,
        newest=await last_run(db, actor, livemode=livemode),
        first=days[0],
        last=days[1],
        typed=typed,
        errors=errors,
        query=query,
        next_query=_following(query, "after", view.next if view else None),
        next_payouts=_following(query, "after_payout", view.next_payout if view else None),
        on_first=after is None,
        on_first_payouts=after_payout is None,
        words=FOR_TEMPLATES,
    )


def _following(query: str, name: str, place: Place | None) -> str:
    return f"{query}&{urlencode({name: f'{place[0].isoformat()}_{place[1]}'})}" if place else ""


def _place(text: str | None) -> Place | None:
    """Where a page ended.

    Raises:
        InvalidError: there is no such page.
    """
    if not text:
        return None
    moment, _separator, key = text.partition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not key or "\x00" in key:
        raise InvalidError(mark("There is no such page."), field="after")
    return at, key


@post(HERE, guards=finance)
async def reconcile_now(request: AnyRequest, db: Db, actor: By) -> Redirect:
    """Have the balance read and compared now."""
    done = _("Stripe's balance is being read. Look again in a moment.")
    return await attempt(request, db, ask_for_reconciliation, actor, done=done, back=HERE)


routes: list[Any] = [reconciliation_page, reconcile_now]
