"""How the receiver of a gift, who came by a link that only shows, proves that the gift's address is theirs."""

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.gifts import arriving
from returns_portal.web import Site
from returns_portal.web.signing import derive


async def send_code(here: Site, db: AsyncConnection, actor: Actor) -> None:
    """Send a code to the address of the actor's gift."""
    await arriving.ask_again(db, derive(here.secret, "gift"), actor)


async def prove(here: Site, db: AsyncConnection, actor: Actor, typed: str) -> str | None:
    """Let them act on their gift; the session's token, or None for a wrong code (see `codes.spend`)."""
    return await arriving.prove(db, derive(here.secret, "gift"), actor, typed)
