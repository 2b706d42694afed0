"""Staff's pages of trials: the list, one trial with everything that happened, what is learnt, and the shop's limits."""

from datetime import date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark
from returns_portal.shop.queries import current
from returns_portal.tryon import calling_off, settling, shipping
from returns_portal.tryon.insight import insight
from returns_portal.tryon.models import TrialStatus
from returns_portal.tryon.pages.policy import policy_fields, read_policy
from returns_portal.tryon.pages.staff import staff_page
from returns_portal.tryon.pages.words import last_day, sentence, status_word
from returns_portal.tryon.posting import posted
from returns_portal.tryon.queries import list_trials, policy, set_policy
from returns_portal.web import Form, flash, form, formats, page, page_after, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]

LIST: Final = "/finance/trials"
PAGE: Final = 50
_MAX_REASON: Final = 500

readers = [requires_staff("finance", "support")]
finance = [requires_staff("finance")]
admins = [requires_staff("admin")]


@get(LIST, guards=readers)
async def trials_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Trials, the newest first; of one status, where that is asked for."""
    asked = request.query_params.get("status", "")
    status = TrialStatus(asked) if asked in set(TrialStatus) else None
    found = await list_trials(db, actor, status=status, before=page_after(request), limit=PAGE + 1)
    zone = (await current(db)).timezone
    return page(
        request,
        "tryon/staff_list.html",
        trials=[
            (row, status_word(row.status), last_day(row.ends_at, zone) if row.ends_at else None) for row in found[:PAGE]
        ],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged="after" in request.query_params,
        chosen=asked if status else "",
        statuses=[(word.value, status_word(word).text) for word in TrialStatus],
    )


@get(f"{LIST}/{{number:str}}", guards=readers)
async def trial_page(request: AnyRequest, db: Db, actor: By, number: Number) -> Response[Any]:
    """One trial, told in full."""
    return await _trial_page(request, db, actor, number)


async def _trial_page(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    number: str,
    *,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    formats.zone.set(site(request).shop.timezone)
    now = _now(request)
    return page(
        request,
        "tryon/staff_trial.html",
        status=422 if errors else 200,
        page=await staff_page(db, actor, number),
        now=now,
        typed=dict(typed) if typed else {"posted_on": now[:10]},
        errors=errors or {},
    )


def _now(request: AnyRequest) -> str:
    """The present moment in the shop's zone, as a field for a moment takes it."""
    return clock.now().astimezone(ZoneInfo(site(request).shop.timezone)).strftime("%Y-%m-%dT%H:%M")


@post(f"{LIST}/{{number:str}}/settlement", guards=readers)
async def settle(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Settle it now, rather than when its time is over."""
    done = _("It is being settled: what is kept is charged, and the rest is released.")
    begin = partial(settling.begin, now_by_staff=True)
    return await attempt(request, db, begin, actor, number, done=done, back=f"{LIST}/{number}")


@post(f"{LIST}/{{number:str}}/cancellation", guards=readers)
async def cancel(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Call it off before it is sent."""
    done = _("Cancelled. What was held is released, and the customer is told.")
    return await attempt(request, db, calling_off.cancel, actor, number, done=done, back=f"{LIST}/{number}")


@post(f"{LIST}/{{number:str}}/delivery", guards=readers)
async def deliver(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Say when it arrived, where no carrier has."""
    back, sent = f"{LIST}/{number}", await form(request)
    try:
        at = _moment(request, sent)
    except InvalidError as error:
        flash(request, sentence(error), "bad")
        return redirect(back)
    return await attempt(request, db, shipping.deliver, actor, number, at, done=_("Noted."), back=back)


@post(f"{LIST}/{{number:str}}/posted", guards=readers)
async def post_back(request: AnyRequest, db: Db, actor: By, number: Number) -> Response[Any]:
    """The customer says that the parcel is on its way back."""
    sent, day = await form(request), None
    try:
        day = _day(sent)
        async with db.begin_nested():
            await posted(db, actor, number, day, sent.text("receipt", limit=100))
    except InvalidError as error:
        return await _trial_page(request, db, actor, number, typed=sent, errors={error.field or "": sentence(error)})
    except ConflictError as error:
        flash(request, sentence(error), "bad")
    else:
        flash(request, _("Noted. What is on its way is not charged."))
    return redirect(f"{LIST}/{number}")


def _day(sent: Form) -> date:
    """The day that was typed.

    Raises:
        InvalidError: it is none.
    """
    try:
        return date.fromisoformat(sent.get("posted_on", ""))
    except ValueError:
        raise InvalidError(mark("Please give the day."), field="posted_on") from None


def _moment(request: AnyRequest, sent: Form) -> datetime:
    """The moment that was typed, in the shop's zone.

    Raises:
        InvalidError: it is none.
    """
    try:
        typed = datetime.fromisoformat(sent.get("delivered_at", ""))
    except ValueError:
        raise InvalidError(mark("Please give day and time."), field="delivered_at") from None
    return typed.replace(tzinfo=ZoneInfo(site(request).shop.timezone))


@post(f"{LIST}/{{number:str}}/retry", guards=readers)
async def retry(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Try again to charge what could not be charged."""
    done = _("It is tried again.")
    return await attempt(request, db, settling.retry, actor, number, done=done, back=f"{LIST}/{number}")


@post(f"{LIST}/{{number:str}}/write-off", guards=finance)
async def write_off(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Give up what is still open of it, with a reason."""
    back, reason = f"{LIST}/{number}", (await form(request)).get("reason", "")
    if not 0 < len(reason) <= _MAX_REASON:
        flash(request, _("Please say why, in at most {limit} characters.", limit=_MAX_REASON), "bad")
        return redirect(back)
    done = _("Written off.")
    return await attempt(request, db, settling.write_off, actor, number, reason, done=done, back=back)


@get(f"{LIST}/insight", guards=readers)
async def insight_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """How much of what is tried is kept."""
    return page(request, "tryon/staff_insight.html", insight=await insight(db, actor))


@get(f"{LIST}/policy", guards=admins)
async def policy_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What the shop allows."""
    del actor  # Asked for so that the page's header knows who is there.
    typed = policy_fields(await policy(db))
    return page(request, "tryon/staff_policy.html", typed=typed, errors={})


@post(f"{LIST}/policy", guards=admins, status_code=200)
async def change_policy(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change it, from the next trial on."""
    sent = await form(request)
    changed, errors = read_policy(sent)
    if changed is None:
        return page(request, "tryon/staff_policy.html", status=422, typed=sent, errors=errors)
    await set_policy(db, actor, changed)
    flash(request, _("Changed. It holds for the next order; trials that run keep what was agreed on."))
    return redirect(f"{LIST}/policy")


routes: list[Any] = [
    trials_page,
    trial_page,
    settle,
    cancel,
    deliver,
    post_back,
    retry,
    write_off,
    insight_page,
    policy_page,
    change_policy,
]
