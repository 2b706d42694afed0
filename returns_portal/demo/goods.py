"""The goods of the demo shop: those that its orders name, with what is in stock, and a picture in each colour."""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import SYSTEM
from returns_portal.catalog.importing import import_products
from returns_portal.catalog.keeping import add_picture
from returns_portal.db import Begin
from returns_portal.demo.pictures import COLOURS, drawn
from returns_portal.ids import new_id
from returns_portal.photos import Photo, rebuild

PRODUCTS: Final = Path(__file__).with_name("products.csv")

_SHAPES: Final = {
    "chelsea-boot": "boot",
    "derby-oxford-leather": "derby",
    "trail-runner-gtx": "runner",
    "canvas-low": "canvas",
    "linen-dress": "dress",
    "merino-crew": "crew",
    "oxford-shirt-slim": "shirt",
    "rain-shell-3l": "shell",
    "vyshyvanka-poltava": "embroidered",
    "wool-socks-3-pack": "socks",
}


class _Wanted(NamedTuple):
    """A picture that is to be drawn."""

    handle: str
    title: str
    colour: str


async def stock(begin: Begin) -> None:
    """Put the goods into the shop, once; called again (after a crash in the middle, too) it adds what is missing."""
    async with begin() as db:
        if await _is_stocked(db):
            return
    await import_products(begin, PRODUCTS, fmt="portal", dry_run=False)
    async with begin() as db:
        wanted = await _without_picture(db)
    photos = await asyncio.gather(*map(_draw, wanted))
    async with begin() as db:
        for (handle, title, colour), photo in zip(wanted, photos, strict=True):
            await add_picture(db, SYSTEM, handle, photo, color=colour, alt=f"{title}, {colour}")
        await history.record(db, SYSTEM, ("shop", new_id(), "demo_stocked", {}))


async def _is_stocked(db: AsyncConnection) -> bool:
    found = await db.execute(text("SELECT 1 FROM history WHERE subject = 'shop' AND action = 'demo_stocked' LIMIT 1"))
    return found.first() is not None


async def _without_picture(db: AsyncConnection) -> list[_Wanted]:
    rows = await db.execute(
        text(
            "SELECT p.handle, p.title, v.color FROM product p JOIN variant v ON v.product_id = p.id"
            " WHERE NOT EXISTS (SELECT FROM product_picture i WHERE i.product_id = p.id AND i.color = v.color)"
            " GROUP BY p.handle, p.title, v.color ORDER BY p.handle, min(v.position)"
        )
    )
    return [_Wanted(*row) for row in rows if row.handle in _SHAPES and row.color in COLOURS]


async def _draw(wanted: _Wanted) -> Photo:
    return await rebuild(await asyncio.to_thread(drawn, _SHAPES[wanted.handle], wanted.colour))
