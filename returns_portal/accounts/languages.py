"""The language in which a customer is written to."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run

_CHOOSE: Final = """
    UPDATE orders SET locale = :locale, locale_chosen_at = :now
    WHERE id = :id AND (locale <> :locale OR locale_chosen_at IS NULL) RETURNING id
"""


async def choose_language(db: AsyncConnection, actor: Actor, locale: str) -> None:
    """Write to a customer in the language that they chose; for anybody else it is a matter of pages alone."""
    if actor.kind != "customer" or actor.order_id is None or actor.views_only:
        return
    if await run(db, _CHOOSE, id=actor.order_id, locale=locale, now=clock.now()):
        await history.record(db, actor, ("order", actor.order_id, "language_chosen", {"locale": locale}))
