"""How the shop looks: its name, logo, colour and words, set by the admin and shown on every page."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, available, translate
from returns_portal.photos import redraw
from returns_portal.shop import web_hours
from returns_portal.shop.actions import LONGEST_TEXT, PLACES, update_shop
from returns_portal.shop.colours import scheme_of, style_of
from returns_portal.shop.looks import LONGEST, logo_now, set_logo
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web import Form, flash, form, form_with_file, page, redirect, requires_staff
from returns_portal.web.language import choices

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

LOOKS: Final = "/staff/looks"
_MAX_LOGO: Final = 2_000_000
_FOREVER: Final = "public, max-age=31536000, immutable"
_admins = [requires_staff("admin")]


@get(LOOKS, guards=_admins)
async def looks_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What can be set, beside how it looks."""
    del actor  # Asked for so that the page's header knows who is there.
    shop = await current(db)
    return _show(request, shop, _fields(shop), {})


def _fields(shop: ShopInfo) -> dict[str, str]:
    words = {f"{place}-{tag}": shop.words(place, tag) for place in PLACES for tag in available()}
    return {"name": shop.name, "accent": shop.accent, **words}


def _show(
    request: AnyRequest, shop: ShopInfo, typed: Form | dict[str, str], errors: dict[str, str], *, tried: bool = False
) -> Response[Any]:
    accent = shop.accent if "accent" in errors else typed["accent"].strip()
    return page(
        request,
        "shop/looks.html",
        status=422 if errors else 200,
        places=_places(),
        tongues=choices(),
        logo=shop.logo,
        typed=typed,
        errors=errors,
        tried=tried,
        preview=scheme_of(accent).accent.removeprefix("#"),
        longest=LONGEST_TEXT,
    )


def _places() -> list[tuple[str, str, str]]:
    return [
        ("landing", _("On the first page"), _("Instead of our own sentence below the heading.")),
        ("packing", _("With the label"), _("What people should know before they pack, such as which box to use.")),
        ("closing", _("At the end of e-mails"), _("A line before your name and number.")),
    ]


@post(LOOKS, guards=_admins, status_code=200)
async def change_looks(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Change name, colour and words; or only show how the colour would look."""
    sent, shop = await form(request), await current(db)
    texts = {
        place: {tag: words for tag in sorted(available()) if (words := sent.text(f"{place}-{tag}"))} for place in PLACES
    }
    wanted = {"name": sent.text("name"), "accent": sent.text("accent").casefold(), "texts": texts}
    try:
        # A savepoint, because the request goes on and commits: what was only tried must not stay.
        async with db.begin_nested() as attempt:
            await update_shop(db, actor, **wanted)
            if sent.get("try", ""):
                await attempt.rollback()
    except InvalidError as error:
        return _show(request, shop, sent, {error.field or "": translate(error.sentence, **error.values)})
    if sent.get("try", ""):
        return _show(request, shop, sent, {}, tried=True)
    flash(request, _("Changed. Every page and e-mail looks like this within a few seconds."))
    return redirect(LOOKS)


@post(f"{LOOKS}/logo", guards=_admins, status_code=200, request_max_body_size=_MAX_LOGO + 100_000)
async def change_logo(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Take a logo, or leave the name in its place."""
    sent, data = await form_with_file(request, "logo", most=_MAX_LOGO)
    if sent.get("remove", ""):
        await set_logo(db, actor, None)
        flash(request, _("The name stands in the place of the logo."))
        return redirect(LOOKS)
    shop = await current(db)
    if len(data) > _MAX_LOGO:
        too_large = _("This file has more than {most} MB. Please choose a smaller one.", most=_MAX_LOGO // 1_000_000)
        return _show(request, shop, _fields(shop), {"logo": too_large})
    try:
        await set_logo(db, actor, await redraw(data, longest=LONGEST))
    except InvalidError as error:
        return _show(request, shop, _fields(shop), {"logo": translate(error.sentence, **error.values)})
    flash(request, _("This is the logo now."))
    return redirect(LOOKS)


@get("/brand/logo.png")
async def logo_file(request: AnyRequest, db: Db) -> Response[bytes]:
    """The shop's logo; for ever when its address says which."""
    fixed = request.query_params.get("v", "") == (await current(db)).logo
    headers = {"Cache-Control": _FOREVER if fixed else "no-cache"}
    return Response(await logo_now(db), media_type="image/png", headers=headers)


@get("/brand.css", sync_to_thread=False)
def brand_style(request: AnyRequest) -> Response[str]:
    """The style sheet of a colour: of all pages, or of the sample on the page where it is chosen."""
    accent = request.query_params.get("accent", "")
    selector = ".looks-sample" if request.query_params.get("sample", "") else ":root"
    return Response(
        style_of(scheme_of(f"#{accent}"), selector), media_type="text/css", headers={"Cache-Control": _FOREVER}
    )


routes: list[Any] = [looks_page, change_looks, change_logo, logo_file, brand_style, *web_hours.routes]
