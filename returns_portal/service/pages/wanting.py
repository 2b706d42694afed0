"""A question about something that is not in stock: it is counted as such, beside the thread that a person answers."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.demand import asking as demand
from returns_portal.demand.asking import InStockError
from returns_portal.demand.models import Source
from returns_portal.demand.pages.missing import consent
from returns_portal.service.asking import Asked
from returns_portal.service.rules import subject_of
from returns_portal.settings import Settings
from returns_portal.web import Form


async def looked_for(
    db: AsyncConnection, actor: Actor, settings: Settings, sent: Form, asked: Asked, question_id: UUID
) -> UUID | None:
    """Keep what is looked for with its thread; its id. None where that was not said, or where it is in stock.

    What they wrote stands in the thread alone. The thread's address is used for nothing but its answers, unless they
    want to be told when it is back.

    Raises:
        InvalidError: something of it is not possible; names the field.
    """
    if sent.get("topic", "") != "wanted":
        return None
    tell = bool(sent.get("tell", ""))
    wish = demand.Asked(
        source=Source.QUESTION,
        locale=asked.locale,
        product=asked.product,
        what=sent.get("what", "") or subject_of(asked.body),
        size=sent.get("size", ""),
        color=sent.get("color", ""),
        email=asked.email if tell else "",
        consent=consent() if tell else "",
        question_id=question_id,
    )
    try:
        return await demand.ask(db, actor, settings, wish)
    except InStockError:
        return None
