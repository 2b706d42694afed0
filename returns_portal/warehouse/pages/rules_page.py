"""Conditions and where goods go, as the shop sets them."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, translate
from returns_portal.shop.actions import update_shop
from returns_portal.shop.queries import read
from returns_portal.warehouse.models import Disposition
from returns_portal.warehouse.pages.words import condition_words, disposition_words
from returns_portal.warehouse.settings import COUNTED, dock_rules, set_rules
from returns_portal.web import Form, flash, form, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

RULES: Final = "/station/rules"
admins = [requires_staff("admin")]


@get(RULES, guards=admins)
async def show_rules(request: AnyRequest, db: Db) -> Response[Any]:
    """What is set."""
    rules = await dock_rules(db)
    shop = await read(db)
    typed = {f"name-{name}": words for name, words in rules.names.items()}
    typed |= {f"default-{name}": to for name, to in rules.defaults.items()}
    typed |= {f"offered-{to}": "yes" for to in rules.two_people}
    typed |= {f"two-{to}": "yes" for to, needed in rules.two_people.items() if needed}
    typed["warehouses"] = "\n".join(shop.warehouses)
    return _show(request, typed, {})


def _show(request: AnyRequest, typed: Mapping[str, str], errors: Mapping[str, str]) -> Response[Any]:
    return page(
        request,
        "warehouse/rules.html",
        status=422 if errors else 200,
        conditions=[(each.value, condition_words(each)) for each in COUNTED],
        dispositions=[(each.value, disposition_words(each)) for each in Disposition],
        typed={name: typed[name] for name in typed},
        errors=dict(errors),
    )


@post(RULES, guards=admins, status_code=200)
async def save_rules(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Set it."""
    sent = await form(request)
    offered = [each.value for each in Disposition if sent.get(f"offered-{each.value}") == "yes"]
    try:
        async with db.begin_nested():
            await update_shop(db, actor, warehouses=_names(sent))
            await set_rules(
                db,
                actor,
                names={each.value: sent.get(f"name-{each.value}", "") for each in COUNTED},
                defaults={each.value: sent.get(f"default-{each.value}", "") for each in COUNTED},
                two_people={to: sent.get(f"two-{to}") == "yes" for to in offered},
            )
    except InvalidError as error:
        return _show(request, sent, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("It holds from the next parcel on."))
    return redirect(RULES)


def _names(sent: Form) -> list[str]:
    return [name for line in sent.get("warehouses", "").splitlines() if (name := line.strip())]


routes: list[Any] = [show_rules, save_rules]
