"""The programme's rules, which the admin sets; and where a customer stands, for support."""

from collections.abc import Mapping
from typing import Any, Final

from babel import Locale
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError
from returns_portal.i18n import _, available, current, translate
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.form import (
    read_levels,
    read_surprises,
    read_terms,
    read_thanks,
    shown_levels,
    shown_surprises,
    shown_thanks,
)
from returns_portal.loyalty.models import SurpriseKind
from returns_portal.loyalty.queries import programme, standing_for
from returns_portal.loyalty.rules import MOST_LEVELS, YEAR_LASTS, Programme, Standing
from returns_portal.web import flash, form, formats, page, redirect, requires_staff

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
    rules = await programme(db)
    return _show(request, {**shown_levels(rules), **shown_surprises(rules), **shown_thanks(rules)})


def _show(request: AnyRequest, typed: Mapping[str, str], error: InvalidError | None = None) -> Response[Any]:
    return page(
        request,
        "loyalty/rules.html",
        status=422 if error else 200,
        typed={**typed},
        errors={error.field or "": translate(error.sentence, **error.values)} if error else {},
        places=list(range(MOST_LEVELS)),
        kinds=_kind_words(),
        year_lasts=YEAR_LASTS.days,
        spoken=[(tag, Locale.parse(tag, sep="-").get_display_name(current())) for tag in available()],
    )


def _kind_words() -> list[tuple[str, str]]:
    return [
        (SurpriseKind.FASTER.value, _("Faster delivery")),
        (SurpriseKind.GIFT.value, _("A small gift in the parcel")),
        (SurpriseKind.CARD.value, _("A card with the customer’s name")),
    ]


@post(PAGE, guards=admins, status_code=200)
async def change_levels(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change the levels; what cannot be read is said beside its field, and everything typed stays."""
    sent = await form(request)
    try:
        await change(db, actor, **read_terms(sent), levels=read_levels(sent))
    except InvalidError as error:
        rules = await programme(db)
        return _show(request, {**shown_surprises(rules), **shown_thanks(rules), **sent}, error)
    flash(request, _("Changed. Every customer's level is counted by these rules from now on."))
    return redirect(PAGE)


@post(f"{PAGE}/surprises", guards=admins, status_code=200)
async def change_surprises(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change what customers are surprised with, and what it may cost; errors as with the levels."""
    sent = await form(request)
    try:
        await change(db, actor, **read_surprises(sent))
    except InvalidError as error:
        rules = await programme(db)
        return _show(request, {**shown_levels(rules), **shown_thanks(rules), **sent}, error)
    flash(request, _("Changed. The packing table follows within a minute."))
    return redirect(PAGE)


@post(f"{PAGE}/points", guards=admins, status_code=200)
async def change_thanks(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change what is given for an order of which much was kept; errors as with the levels."""
    sent, rules = await form(request), await programme(db)
    try:
        await change(db, actor, **read_thanks(sent, rules, clock.now()))
    except InvalidError as error:
        return _show(request, {**shown_levels(rules), **shown_surprises(rules), **sent}, error)
    flash(request, _("Changed. Orders that are counted from now on follow it."))
    return redirect(PAGE)


@get(f"{PAGE}/customers", guards=support)
async def customer_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Where customers stand: the form that asks whose standing it is."""
    del actor  # Asked for so that the page's header knows who is there.
    return _customer(request, await programme(db), {"email": ""})


@post(f"{PAGE}/customers", guards=support, status_code=200)
async def look_up(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Where the customer of an address stands. It is sent, and no part of an address, which servers write down."""
    sent, rules = await form(request), await programme(db)
    try:
        found = await standing_for(db, actor, sent.text("email", limit=_MAX_EMAIL))
    except DomainError as error:
        return _customer(request, rules, sent, errors={"email": translate(error.sentence, **error.values)})
    return _customer(request, rules, sent, found=found)


def _customer(
    request: AnyRequest,
    rules: Programme,
    typed: Mapping[str, str],
    *,
    found: Standing | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[Any]:
    return page(
        request,
        "loyalty/customer.html",
        status=422 if errors else 200,
        typed=typed,
        errors=errors or {},
        rules=rules,
        found=found,
        level=rules.levels[found.level - 1].name if found and found.level else "",
        values=_amounts(found) if found else "",
    )


def _amounts(found: Standing) -> str:
    return ", ".join(formats.money(minor, currency) for currency, minor in sorted(found.values.items()))


routes: list[Any] = [rules_page, change_levels, change_surprises, change_thanks, customer_page, look_up]
