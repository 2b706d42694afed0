"""The admin's page of carriers: which of them can be asked, the rules that choose among them, the shop's patience."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.carriers.names import NAMES, PICK_UP, configured
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.errors import NotFoundError
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark
from returns_portal.labels import words
from returns_portal.labels.policy import (
    carrier_policy,
    carrier_rules,
    delete_rule,
    move_rule,
    save_rule,
    set_policy,
)
from returns_portal.labels.rule_form import policy_fields, read_policy, read_rule, rule_fields
from returns_portal.web import Form, flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
RuleId = FromPath[UUID]

CARRIERS: Final = "/staff/carriers"
_NEW: Final = UUID(int=0)

admins = [requires_staff("admin")]


@get(CARRIERS, guards=admins)
async def carriers_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The carriers, the rules in their order, and the shop's patience."""
    del actor  # Asked for so that the page's header knows who is there.
    return await _show(request, db)


async def _show(
    request: AnyRequest, db: AsyncConnection, *, typed: Form | None = None, errors: dict[str, str] | None = None
) -> Response[Any]:
    here = configured(site(request).settings)
    rules = await carrier_rules(db)
    return page(
        request,
        "labels/carriers.html",
        status=422 if errors else 200,
        carriers=[(name, name in here, name in PICK_UP) for name in NAMES],
        rules=[(rule, rule_fields(rule), rule.carrier in here) for rule in rules],
        typed=typed if typed is not None else policy_fields(await carrier_policy(db)),
        errors=errors or {},
        words=words.FOR_TEMPLATES,
    )


@post(CARRIERS, guards=admins, status_code=200)
async def change_policy(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change the shop's patience."""
    sent = await form(request)
    changed, errors = read_policy(sent)
    if changed is None:
        return await _show(request, db, typed=sent, errors=errors)
    await set_policy(db, actor, changed)
    flash(request, _("Changed. It holds from now on, also for parcels that are on their way."))
    return redirect(CARRIERS)


@get(f"{CARRIERS}/rules/new", guards=admins)
async def new_rule_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """A rule to be added."""
    del db, actor
    return _form(request, _NEW, {"enabled": "yes"}, {})


@get(f"{CARRIERS}/rules/{{rule_id:uuid}}", guards=admins)
async def rule_page(request: AnyRequest, db: Db, actor: By, rule_id: RuleId) -> Response[Any]:
    """One rule.

    Raises:
        NotFoundError: there is none.
    """
    del actor
    rule = next((rule for rule in await carrier_rules(db) if rule.id == rule_id), None)
    if rule is None:
        raise NotFoundError(mark("There is no such rule."))
    return _form(request, rule_id, rule_fields(rule), {})


def _form(request: AnyRequest, rule_id: UUID, typed: Form | dict[str, str], errors: dict[str, str]) -> Response[Any]:
    here = configured(site(request).settings)
    choices = [
        (
            name,
            words.carrier_name(name) if name in here else _("{carrier} (no key set)", carrier=words.carrier_name(name)),
        )
        for name in NAMES
        if name != PREPAID
    ]
    return page(
        request,
        "labels/rule.html",
        status=422 if errors else 200,
        rule_id=str(rule_id) if rule_id.int else "new",
        new=not rule_id.int,
        choices=choices,
        typed=typed,
        errors=errors,
    )


@post(f"{CARRIERS}/rules/new", guards=admins, status_code=200)
async def add_rule(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Add a rule behind the others."""
    return await _save(request, db, actor, _NEW)


@post(f"{CARRIERS}/rules/{{rule_id:uuid}}", guards=admins, status_code=200)
async def change_rule(request: AnyRequest, db: Db, actor: By, rule_id: RuleId) -> Response[Any]:
    """Change a rule."""
    return await _save(request, db, actor, rule_id)


async def _save(request: AnyRequest, db: AsyncConnection, actor: Actor, rule_id: UUID) -> Response[Any]:
    sent = await form(request)
    rule, errors = read_rule(sent, rule_id)
    if rule is not None and (rule.carrier not in NAMES or rule.carrier == PREPAID):
        errors = {"carrier": _("Choose a carrier.")}
    if rule is None or errors:
        return _form(request, rule_id, sent, errors)
    await save_rule(db, actor, rule)
    flash(request, _("Saved. It holds for the next return that is filed."))
    return redirect(CARRIERS)


@post(f"{CARRIERS}/rules/{{rule_id:uuid}}/up", guards=admins)
async def raise_rule(request: AnyRequest, db: Db, actor: By, rule_id: RuleId) -> Redirect:
    """Let it be tried before the one that stands before it."""
    return await attempt(request, db, move_rule, actor, rule_id, done=_("Moved."), back=CARRIERS)


@post(f"{CARRIERS}/rules/{{rule_id:uuid}}/deletion", guards=admins)
async def remove_rule(request: AnyRequest, db: Db, actor: By, rule_id: RuleId) -> Redirect:
    """Delete it."""
    return await attempt(request, db, delete_rule, actor, rule_id, done=_("Deleted."), back=CARRIERS)


routes: list[Any] = [
    carriers_page,
    change_policy,
    new_rule_page,
    add_rule,
    rule_page,
    change_rule,
    raise_rule,
    remove_rule,
]
