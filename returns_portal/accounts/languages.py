"""The language in which a customer is written to."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run

_CHOOSE: Final = """
    UPDATE orders SET locale = :locale, locale_chosen = true
    WHERE id = :id AND (locale <> :locale OR NOT locale_chosen) RETURNING id
"""


async def choose_language(db: AsyncConnection, actor: Actor, locale: str) -> None:
    """Write to a customer in the language that they chose; for anybody else it is a matter of pages alone."""
    if actor.kind == "customer" and actor.order_id and await run(db, _CHOOSE, id=actor.order_id, locale=locale):
        await history.record(db, actor, ("order", actor.order_id, "language_chosen", {"locale": locale}))
