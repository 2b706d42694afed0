"""The programme's rules, which the admin sets; and where a customer stands, for support."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError
from returns_portal.i18n import _, translate
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.form import read_levels, read_terms, shown_levels
from returns_portal.loyalty.queries import programme, standing_for
from returns_portal.loyalty.rules import MOST_LEVELS, Standing
from returns_portal.web import Form, flash, form, formats, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = "/staff/loyalty"
_MAX_EMAIL: Final = 320
admins = [requires_staff("admin")]
support = [requires_staff("support")]


@get(PAGE, guards=admins)
async def rules_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """How the shop thanks loyal customers."""
    del actor  # Asked for so that the page's header knows who is there.
    return _show(request, shown_levels(await programme(db)), {})


def _show(request: AnyRequest, typed: Form | dict[str, str], errors: dict[str, str]) -> Response[Any]:
    return page(
        request,
        "loyalty/rules.html",
        status=422 if errors else 200,
        typed=typed,
        errors=errors,
        places=list(range(MOST_LEVELS)),
    )


@post(PAGE, guards=admins, status_code=200)
async def change_levels(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change the levels; what cannot be read is said beside its field, and everything typed stays."""
    sent = await form(request)
    try:
        await change(db, actor, **read_terms(sent), levels=read_levels(sent))
    except InvalidError as error:
        return _show(request, sent, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("Changed. Every customer's level is counted by these rules from now on."))
    return redirect(PAGE)


@get(f"{PAGE}/customers", guards=support)
async def customer_page(request: AnyRequest, db: Db, actor: By, email: FromQuery[str] = "") -> Response[Any]:
    """Where the customer of an address stands."""
    rules, found, errors = await programme(db), None, {}
    if email:
        try:
            found = await standing_for(db, actor, email[:_MAX_EMAIL])
        except DomainError as error:
            errors["email"] = translate(error.sentence, **error.values)
    return page(
        request,
        "loyalty/customer.html",
        status=422 if errors else 200,
        typed={"email": email[:_MAX_EMAIL]},
        errors=errors,
        rules=rules,
        found=found,
        level=rules.levels[found.level - 1].name if found and found.level else "",
        values=_amounts(found) if found else "",
    )


def _amounts(found: Standing) -> str:
    return ", ".join(formats.money(minor, currency) for currency, minor in sorted(found.values.items()))


routes: list[Any] = [rules_page, change_levels, customer_page]
