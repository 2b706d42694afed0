"""Making a database ready to serve: its schema, and the shop's row."""

import asyncio

from returns_portal import migrate
from returns_portal.db import create_engine
from returns_portal.shop.actions import ensure_shop


def prepare(database_url: str) -> None:
    """Bring the schema to this version, and make the shop where there is none. Changes nothing where all is done."""
    migrate.upgrade(database_url)
    asyncio.run(_ensure(database_url))


async def _ensure(database_url: str) -> None:
    engine = create_engine(database_url, size=1)
    try:
        async with engine.begin() as db:
            await ensure_shop(db)
    finally:
        await engine.dispose()
