"""The shop's logo. Colour and words are settings like the others (`actions.update_shop`)."""

import hashlib
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.photos import Drawing
from returns_portal.shop.actions import SUBJECT_ID, ensure_shop
from returns_portal.shop.models import Shop, ShopLogo
from returns_portal.shop.queries import forget

LONGEST: Final = 640
"""Pixels: three times as wide as it is shown, for screens that have three dots where others have one."""

_WIDEST: Final = 8
_TALLEST: Final = 2


async def set_logo(db: AsyncConnection, actor: Actor, logo: Drawing | None) -> str:
    """Take a logo, or none; its version, which is empty for none.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: it would be a line, or a tower, in the place where it is shown.
    """
    actor.require("admin")
    if logo is not None and (logo.width > _WIDEST * logo.height or logo.height > _TALLEST * logo.width):
        raise InvalidError(
            mark("A logo is at most {wide} times as wide as it is high, and at most {tall} times as high as wide."),
            code="logo_shape",
            field="logo",
            wide=_WIDEST,
            tall=_TALLEST,
        )
    await ensure_shop(db)
    version = ""
    if logo is None:
        await db.execute(delete(ShopLogo))
    else:
        version = hashlib.sha256(logo.png).hexdigest()[:12]
        values = {"width": logo.width, "height": logo.height, "png": logo.png}
        await db.execute(
            insert(ShopLogo).values(id=1, **values).on_conflict_do_update(index_elements=["id"], set_=values)
        )
    changed = update(Shop).where(col(Shop.logo) != version).values(logo=version, updated_at=clock.now())
    if (await db.execute(changed)).rowcount:
        await history.record(db, actor, ("shop", SUBJECT_ID, "changed", {"fields": ["logo"]}))
        forget()
    return version


async def logo_now(db: AsyncConnection) -> bytes:
    """The logo as PNG; anybody may see it.

    Raises:
        NotFoundError: the shop has none.
    """
    png: bytes | None = (await db.execute(select(col(ShopLogo.png)))).scalar_one_or_none()
    if png is None:
        raise NotFoundError(mark("There is no such picture."))
    return png
