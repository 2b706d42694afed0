"""Customers' points for staff: looking an account up, giving and taking, and the second person's approval."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.finance.points import account_for, decided, pending
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark, translate
from returns_portal.points import adjusting
from returns_portal.points.models import AdjustmentStatus
from returns_portal.points.sheets import sheets
from returns_portal.points.words import change, points
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

RECENT: Final = timedelta(days=90)
WORDS: Final = SimpleNamespace(change=change, points=points)

staff = [requires_staff("finance", "support")]
finance = [requires_staff("finance")]


@get("/finance/points", guards=staff)
async def points_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What waits for a second person, what was done lately, and the way to an account."""
    return await _show(request, db, actor, {}, {})


async def _show(
    request: AnyRequest, db: AsyncConnection, actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]
) -> Response[Any]:
    return page(
        request,
        "finance/points.html",
        status=422 if errors else 200,
        pending=await pending(db, actor),
        decided=await decided(db, actor, clock.now() - RECENT),
        me=actor.label,
        typed=typed,
        errors=errors,
        words=WORDS,
    )


@post("/finance/points", guards=staff, status_code=200)
async def find_account(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Go to a customer's account: the address is in the form, never in an address of ours."""
    sent = await form(request)
    try:
        account_id = await adjusting.open_account(db, actor, sent.text("email", limit=254))
    except (NotFoundError, InvalidError) as error:
        return await _show(request, db, actor, sent, {"email": translate(error.sentence, **error.values)})
    return redirect(f"/finance/points/{account_id}")


@get("/finance/points/{account_id:uuid}", guards=staff)
async def account_page(
    request: AnyRequest, db: Db, actor: By, account_id: FromPath[UUID], before: FromQuery[UUID | None] = None
) -> Response[Any]:
    """One customer's points."""
    return await _account(request, db, actor, account_id, before=before)


async def _account(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    account_id: UUID,
    *,
    before: UUID | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[Any]:
    shop = await current(db)
    account = await account_for(db, actor, account_id, before)
    return page(
        request,
        "finance/points_account.html",
        status=422 if errors else 200,
        account=account,
        balances=sheets(account.statement.balances, shop.timezone),
        before=str(account.statement.before) if account.statement.before else "",
        paged=before is not None,
        limit=shop.points_limit if shop.second_person else 0,
        second_person=shop.second_person,
        typed=typed or {},
        errors=errors or {},
        words=WORDS,
    )


@post("/finance/points/{account_id:uuid}", guards=staff, status_code=200)
async def adjust(request: AnyRequest, db: Db, actor: By, account_id: FromPath[UUID]) -> Response[Any]:
    """Give or take points, or ask for it. What cannot be is said beside its field, with everything that was typed."""
    sent = await form(request)
    try:
        async with db.begin_nested():
            status = await adjusting.request(
                db, actor, account_id, sent.text("currency", limit=3), _amount(sent), sent.text("reason")
            )
    except InvalidError as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _account(request, db, actor, account_id, typed=sent, errors=errors)
    if status is AdjustmentStatus.PENDING:
        flash(request, _("Somebody else of finance has to approve this. Until then nothing is changed."), "wait")
    else:
        flash(request, _("Done. It stands on the customer's statement."))
    return redirect(f"/finance/points/{account_id}")


def _amount(sent: Form) -> int:
    """The signed number of points that the form asks for.

    Raises:
        InvalidError: it does not say whether to give or to take, or no number.
    """
    count = sent.number("amount")
    match sent.text("direction"):
        case "give":
            return count
        case "take":
            return -count
        case _:
            raise InvalidError(mark("Choose whether to give or to take."), field="direction")


@post("/finance/points/adjustments/{adjustment_id:uuid}/approval", guards=finance)
async def approve(request: AnyRequest, db: Db, actor: By, adjustment_id: FromPath[UUID]) -> Redirect:
    """Approve what somebody else asked for."""
    done = _("Approved. It stands on the customer's statement.")
    return await attempt(request, db, adjusting.approve, actor, adjustment_id, done=done, back="/finance/points")


@post("/finance/points/adjustments/{adjustment_id:uuid}/refusal", guards=finance)
async def refuse(request: AnyRequest, db: Db, actor: By, adjustment_id: FromPath[UUID]) -> Redirect:
    """Decline what somebody else asked for."""
    done = _("Declined. Nothing was changed.")
    return await attempt(request, db, adjusting.refuse, actor, adjustment_id, done=done, back="/finance/points")


routes: list[Any] = [points_page, find_account, account_page, adjust, approve, refuse]
