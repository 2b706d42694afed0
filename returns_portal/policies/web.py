"""The admin's page of the policy: its versions, a form that makes the next one, and what it would say of an order."""

import re
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import order_number
from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.i18n import _
from returns_portal.policies.actions import MAX_NOTE, publish
from returns_portal.policies.content import Content
from returns_portal.policies.form import Fields, changed, field_of, fields_of, read_form, rules_in
from returns_portal.policies.pages.preview import Preview, preview
from returns_portal.policies.queries import list_versions
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

POLICIES: Final = "/staff/policies"
_VERSION: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_admins = [requires_staff("admin")]


@get(POLICIES, guards=_admins)
async def show(request: AnyRequest, db: Db, actor: By, version: FromQuery[int | None] = None) -> Response[Any]:
    """The versions, and the form as the newest of them (or the one that was asked for) fills it.

    Raises:
        NotFoundError: there is no such version.
    """
    known = await list_versions(db, actor)
    chosen = next((each for each in known if version in (None, each.version)), None)
    if chosen is None:
        raise NotFoundError("There is no such version of the policy.")
    typed = fields_of(chosen.content) | {"based_on": str(known[0].version)}
    return await _page(request, db, actor, typed)


@post(POLICIES, guards=_admins, status_code=200)
async def change(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Add, remove or move a rule of the form; show what it says of an order; or save it as the next version."""
    sent = await form(request)
    step = sent.get("step", "save")
    if step.partition("-")[0] in {"add", "remove", "up"}:
        return await _page(request, db, actor, changed(sent, step))
    content, errors = read_form(sent)
    if content is None:
        return await _page(request, db, actor, dict(sent), errors)
    if step == "preview":
        return await _preview(request, db, actor, sent, content)
    return await _save(request, db, actor, sent, content)


async def _preview(
    request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, content: Content
) -> Response[Any]:
    try:
        found = await preview(db, actor, content, order_number(sent.get("order_number", "")))
    except NotFoundError:
        errors = {"order_number": _("There is no such order.")}
        return await _page(request, db, actor, dict(sent), errors)
    return await _page(request, db, actor, dict(sent), shown=found)


async def _save(request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, content: Content) -> Response[Any]:
    starts_at, errors = await _start(db, sent)
    base = sent.get("based_on", "")
    if errors:
        return await _page(request, db, actor, dict(sent), errors)
    try:
        async with db.begin_nested():
            made = await publish(
                db,
                actor,
                content,
                based_on=int(base) if _VERSION.fullmatch(base) else None,
                starts_at=starts_at,
                note=sent.get("note", ""),
            )
    except DomainError as error:
        typed = dict(sent)
        if error.code == "policy_changed":
            # Told once: who saves again has compared.
            typed["based_on"] = str(error.values["version"])
        return await _page(request, db, actor, typed, {field_of(error.field): _(error.sentence, **error.values)})
    flash(
        request,
        _("Version {version} is saved. It judges the orders that are placed from then on.", version=made.version),
    )
    return redirect(POLICIES)


async def _start(db: AsyncConnection, sent: Form) -> tuple[datetime | None, dict[str, str]]:
    """The first moment of the day that was named, in the shop's zone; None for at once."""
    text = sent.get("starts_on", "")
    if not text:
        return None, {}
    zone = ZoneInfo((await current(db)).timezone)
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone), {}
    except ValueError:
        return None, {"starts_on": _("A day such as 2026-12-31.")}


async def _page(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    typed: Fields,
    errors: dict[str, str] | None = None,
    *,
    shown: Preview | None = None,
) -> Response[Any]:
    known = await list_versions(db, actor)
    now = clock.now()
    in_force = max((each for each in known if each.starts_at <= now), key=lambda each: (each.starts_at, each.version))
    return page(
        request,
        "policies/show.html",
        status=422 if errors else 200,
        versions=known,
        in_force=in_force.version,
        now=now,
        typed=typed,
        rules=list(range(rules_in(typed))),
        opened=_opened(typed, errors or {}),
        errors=errors or {},
        shown=shown,
        max_note=MAX_NOTE,
    )


def _opened(typed: Fields, errors: dict[str, str]) -> list[int]:
    """The rules whose fields are shown at once: new ones, and those with something wrong in them."""
    return [
        place
        for place in range(rules_in(typed))
        if not typed.get(f"rule-{place}-name") or any(name.startswith(f"rule-{place}-") for name in errors)
    ]


routes: list[Any] = [show, change]
