"""What is done about new orders, set by the admin."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.confirming.settings_form import read, shown
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, translate
from returns_portal.shop.actions import update_shop
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

SETTINGS: Final = "/staff/confirming"
_admins = [requires_staff("admin")]


@get(SETTINGS, guards=_admins)
async def settings_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What can be set, as it stands."""
    del actor  # Asked for so that the page's header knows who is there.
    return _show(request, shown((await current(db)).confirming), {})


def _show(request: AnyRequest, typed: Form | dict[str, str], errors: dict[str, str]) -> Response[Any]:
    return page(request, "confirming/settings.html", status=422 if errors else 200, typed=typed, errors=errors)


@post(SETTINGS, guards=_admins, status_code=200)
async def change_settings(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change it; what cannot be read is said beside its field, and everything typed stays."""
    sent = await form(request)
    try:
        async with db.begin_nested():
            await update_shop(db, actor, confirming=read(sent))
    except InvalidError as error:
        return _show(request, sent, {error.field or "": translate(error.sentence, **error.values)})
    flash(request, _("Changed. It counts for orders that come in from now on."))
    return redirect(SETTINGS)


routes: list[Any] = [settings_page, change_settings]
