"""Choosing which e-mails one gets, by a link that stands in them: a page, and one click of the mail program (RFC 8058).

The link's own address takes what mail programs send, which carries no token against foreign forms because they never
saw a page: the link itself proves who may choose. People are led from there to a page like all others.
"""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import NotFoundError
from returns_portal.i18n import _, mark
from returns_portal.notifications.choices import choose, refuse, refused_by
from returns_portal.notifications.models import Optional
from returns_portal.web import flash, form, page, redirect, site
from returns_portal.web.links import unsubscribing

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]

_LINK: Final = "/unsubscribe/{token:str}"
_PAGE: Final = "/mail/{token:str}"
_NOINDEX: Final = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


@get(_LINK, include_in_schema=False)
async def follow(token: FromPath[str]) -> Response[Any]:
    """Lead a person to the page. It changes nothing: programs that look for harm follow every link."""
    return redirect(f"/mail/{token}")


@post(_LINK, status_code=200, include_in_schema=False)
async def one_click(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Switch off the kind of the e-mail that a mail program was asked to stop."""
    address, kind = _reader(request, token)
    async with site(request).begin() as db:
        await refuse(db, address, {Optional(kind)})
    return Response("OK", media_type="text/plain", headers=_NOINDEX)


@get(_PAGE, include_in_schema=False)
async def show(request: AnyRequest, db: Db, actor: NamedDependency[Actor], token: FromPath[str]) -> Response[Any]:
    """What can be switched off, and what is."""
    del actor  # Asked for so that the page's header knows who is there.
    address, kind = _reader(request, token)
    refused = await refused_by(db, address)
    kinds = [
        {"value": one.value, "label": _label(one), "wanted": one not in refused, "this": one == kind}
        for one in Optional
    ]
    answer = page(request, "notifications/choices.html", kinds=kinds, address=_masked(address), token=token)
    answer.headers.update(_NOINDEX)
    return answer


@post(_PAGE, status_code=200, include_in_schema=False)
async def save(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Take what was chosen on the page: what is not wanted is switched off, the rest on."""
    address, _kind = _reader(request, token)
    wanted = set((await form(request)).all("kind"))
    async with site(request).begin() as db:
        await choose(db, address, {one for one in Optional if one.value not in wanted})
    flash(request, _("Kept. You can change it here at any time."))
    return redirect(request.scope["path"])


def _reader(request: AnyRequest, token: str) -> tuple[str, str]:
    """Whose e-mails, and which kind the link came with.

    Raises:
        NotFoundError: the link was not made here.
    """
    found = unsubscribing(site(request).settings, token)
    if found is None or found[1] not in {one.value for one in Optional}:
        raise NotFoundError(mark("This link is not one of ours. Perhaps a part of it is missing."))
    return found


def _masked(address: str) -> str:
    """An address that its owner knows again, and nobody else learns: e-mails are passed on."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


def _label(kind: Optional) -> str:
    match kind:
        case Optional.PARCEL:
            return _("Where my parcel is: on its way, arrived, or not moving")
        case Optional.POINTS:
            return _("That points of mine are going to expire")
        case Optional.STOCK:
            return _("What becomes of something that I asked for and you had not")


routes: list[Any] = [show, save]
hooks: list[Any] = [follow, one_click]
