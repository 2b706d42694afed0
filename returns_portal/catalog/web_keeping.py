"""Products for staff: what is shown, how many there are, and their pictures."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.keeping import (
    MAX_PICTURES,
    Correction,
    add_picture,
    correct_stock,
    remove_picture,
    set_listed,
)
from returns_portal.catalog.queries import product_for
from returns_portal.catalog.search import Wish, a_wish, an_id, search
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, mark, ngettext, translate
from returns_portal.photos import MAX_BYTES, rebuild
from returns_portal.web import flash, form, form_with_file, known_actor, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

HERE: Final = "/shop-admin"
staff = [requires_staff("support", "warehouse")]
_MAX_UPLOAD: Final = MAX_BYTES + 100_000
"""A picture, and the form around it."""


@get(HERE, guards=staff)
async def products(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """All products, by title."""
    asked = request.query_params
    wish = Wish(words=a_wish(asked.get("q", ""), "", "").words, unlisted=True)
    after = asked.get("after", "")
    found = await search(db, actor, wish, after=an_id(after), limit=50)
    query = {"q": wish.words} if wish.words else {}
    return page(
        request,
        "shop/keeping.html",
        products=found.products,
        typed={"q": wish.words},
        next_href=f"{HERE}?{urlencode(query | {'after': str(found.after)})}" if found.after else "",
        first_href=f"{HERE}?{urlencode(query)}" if after else "",
    )


@get("/shop-admin/{handle:str}", guards=staff)
async def keep_product(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Response[Any]:
    """One product."""
    return await _show(request, db, actor, handle, {}, {})


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    handle: str,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> Response[Any]:
    product = await product_for(db, actor, handle)
    return page(
        request,
        "shop/keep_product.html",
        status=422 if errors else 200,
        product=product,
        colours=list(dict.fromkeys(variant.color for variant in product.variants)),
        most=MAX_PICTURES,
        typed=typed,
        errors=errors,
    )


@post("/shop-admin/{handle:str}/listing", guards=staff)
async def list_product(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Redirect:
    """Show it in the storefront, or hide it."""
    listed = (await form(request)).get("listed") == "yes"
    await set_listed(db, actor, handle, listed)
    flash(request, _("It is shown in the shop now.") if listed else _("It is no longer shown in the shop."))
    return redirect(f"{HERE}/{handle}")


@post("/shop-admin/{handle:str}/stock", guards=staff, status_code=200)
async def count_stock(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Response[Any]:
    """Set the stock to what was counted. What cannot be is said beside its field, with everything that was typed."""
    sent = await form(request)
    try:
        corrections = {
            name.removeprefix("counted:"): Correction(
                seen=_number(sent.get("seen:" + name.removeprefix("counted:"), ""), name),
                counted=_number(value, name),
            )
            for name, value in sent.items()
            if name.startswith("counted:")
        }
        async with db.begin_nested():
            changed = await correct_stock(db, actor, handle, corrections)
    except InvalidError as error:
        field = (error.field or "").removeprefix("counted:")
        # What has moved meanwhile is shown as it is now, to be counted against that.
        typed = {name: value for name, value in sent.items() if name.startswith("counted:")}
        return await _show(
            request, db, actor, handle, typed, {f"counted:{field}": translate(error.sentence, **error.values)}
        )
    flash(request, ngettext("{n} stock is corrected.", "{n} stocks are corrected.", changed))
    return redirect(f"{HERE}/{handle}")


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):  # noqa: PLR2004 - no shop has ten million of one size
        raise InvalidError(mark("Please give a whole number."), field=field)
    return int(text)


@post("/shop-admin/{handle:str}/pictures", guards=staff, status_code=200, request_max_body_size=_MAX_UPLOAD)
async def upload(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """Add a picture. It is rebuilt before the transaction begins, because that takes a while."""
    sent, data = await form_with_file(request, "photo")
    actor = known_actor(request)
    try:
        photo = await rebuild(data)
        async with site(request).begin() as db:
            await add_picture(
                db, actor, handle, photo, color=sent.text("color", limit=100), alt=sent.text("alt", limit=200)
            )
    except InvalidError as error:
        async with site(request).begin() as db:
            errors = {error.field or "photo": translate(error.sentence, **error.values)}
            return await _show(request, db, actor, handle, sent, errors)
    flash(request, _("The picture is added."))
    return redirect(f"{HERE}/{handle}")


@post("/shop-admin/{handle:str}/pictures/{picture_id:uuid}/removal", guards=staff)
async def remove(request: AnyRequest, db: Db, actor: By, handle: FromPath[str], picture_id: FromPath[UUID]) -> Redirect:
    """Take a picture away."""
    await remove_picture(db, actor, handle, picture_id)
    flash(request, _("The picture is removed."))
    return redirect(f"{HERE}/{handle}")


routes: list[Any] = [products, keep_product, list_product, count_stock, upload, remove]
