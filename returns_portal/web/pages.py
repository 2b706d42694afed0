"""Pages: rendering, what the next page says first, and redirects."""

from datetime import timedelta
from html import escape
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import minijinja
from litestar import Request, Response
from litestar.datastructures import Cookie, State
from litestar.response import Redirect
from litestar.template.base import csrf_token as request_csrf_token

from returns_portal import i18n
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.web.language import choices
from returns_portal.web.menu import menu
from returns_portal.web.signing import CSRF_COOKIE, FLASH_COOKIE, cookie, derive, forget, seal, unseal
from returns_portal.web.site import FLASH, Connection, Site, known_actor, notes, site

Kind = Literal["good", "wait", "bad"]
SHOP_COOKIE: Final = "__Host-shop"
"""Where the shop wants to have its customer back, sealed."""
_FLASH_LASTS: Final = timedelta(minutes=2)


def page(request: Request[Any, Any, State], template: str, *, status: int = 200, **context: object) -> Response[str]:
    """Render a template to a whole page, here and now, so that what fails fails before anything is sent.

    Templates see their own context and: `shop`, `actor`, `locale`, `csrf_token`, `csrf_input`, `sandbox`, `demo`,
    `flash` (what the request before this one wanted to be said, or None), `path`, `menu` (where staff can go),
    `languages`, `way_back` and `back_to_shop` (the shop's page that a customer came from, or empty).
    """
    here = site(request)
    actor = known_actor(request)
    token = csrf_token(request)
    said = take_flash(request)
    text = here.templates.render(
        template,
        shop=here.shop,
        actor=actor,
        menu=menu(actor),
        locale=i18n.current(),
        csrf_token=token,
        csrf_input=minijinja.safe(f'<input type="hidden" name="_csrf_token" value="{escape(token)}">'),
        sandbox=not here.settings.livemode,
        demo=here.settings.is_demo,
        flash=said,
        path=request.scope["path"],
        languages=choices(),
        way_back=way_back(request),
        back_to_shop=_back_to_shop(request),
        **context,
    )
    answer = Response(text, status_code=status, media_type="text/html")
    if said is not None:
        answer.set_cookie(forget(FLASH_COOKIE))
    return answer


def way_back(request: Request[Any, Any, State]) -> str:
    """Where a page can be read again: its own address, or that of the page whose form it answers."""
    if request.method == "GET":
        query = request.scope["query_string"].decode("latin-1")
        return request.scope["path"] + (f"?{query}" if query else "")
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        # Whatever some program sends there is no reason to fail.
        return "/"
    if came_from.netloc != request.headers.get("host"):
        return "/"
    return local_path(came_from.path + (f"?{came_from.query}" if came_from.query else ""), otherwise="/")


def shop_key(secret: bytes) -> bytes:
    """What the way back to the shop is sealed with."""
    return derive(secret, "way back to the shop")


def _back_to_shop(request: Request[Any, Any, State]) -> str:
    sealed = request.cookies.get(SHOP_COOKIE)
    return str(unseal(shop_key(site(request).secret), sealed) or "") if sealed else ""


def csrf_token(request: Request[Any, Any, State]) -> str:
    """The token that a form of this page must carry; on pages outside of the forms' routes, the browser's own."""
    return request_csrf_token({"request": request}) or request.cookies.get(CSRF_COOKIE, "")


def flash(connection: Connection, text: str, kind: Kind = "good") -> None:
    """Let the page after the coming redirect begin with a sentence."""
    notes(connection.scope)[FLASH] = (kind, text)


def take_flash(connection: Connection) -> dict[str, str] | None:
    """What the browser brought along to be said first on this page, or what this request itself has to say."""
    waiting: tuple[str, str] | None = notes(connection.scope).get(FLASH)
    if waiting is None and (sealed := connection.cookies.get(FLASH_COOKIE)):
        waiting = unseal(_flash_key(connection), sealed)
    if waiting is None:
        return None
    kind, text = waiting
    return {"kind": kind, "text": text}


def flash_cookie(here: Site, waiting: object) -> Cookie:
    """The cookie that carries a sentence over a redirect."""
    return cookie(FLASH_COOKIE, seal(derive(here.secret, "flash"), waiting, lasting=_FLASH_LASTS))


def _flash_key(connection: Connection) -> bytes:
    return derive(site(connection).secret, "flash")


def redirect(path: str) -> Redirect:
    """Answer a form: see the page at `path` (303), by GET. What `flash` was told is said there."""
    return Redirect(path=path, status_code=303)


def local_path(target: str, *, otherwise: str) -> str:
    r"""The target when it is a path of this very site, else the other: no redirect leads away.

    Browsers read `//host`, `/\host` and tabs or line ends inside addresses as another site's.
    """
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if ours else otherwise


def page_after(request: Request[Any, Any, State]) -> UUID | None:
    """The row after which a page of a list begins, as the link to it says; None for the first page.

    Raises:
        InvalidError: there is no such page.
    """
    text = request.query_params.get("after", "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidError(mark("There is no such page."), field="after") from None
