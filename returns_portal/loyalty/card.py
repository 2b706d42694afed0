"""The card that goes into a parcel: plain records, so that they travel to another process."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import _, mark, speaking, supported
from returns_portal.loyalty.proposing import WAITING
from returns_portal.loyalty.queries import programme
from returns_portal.shop.queries import current

NAME: Final = "{name}"
"""Where the customer's name stands in the words of a card."""


class CardContent(msgspec.Struct, frozen=True):
    """All that the card says."""

    locale: str
    words: str
    """Line by line, with the customer's name in them."""
    shop_name: str


_CARD: Final = """
    SELECT o.name, o.locale FROM surprise s JOIN orders o ON o.id = s.order_id
    WHERE s.id = :id AND s.kind = 'card' AND s.status IN ('proposed', 'given')
"""


async def card_content(db: AsyncConnection, actor: Actor, surprise_id: UUID) -> CardContent:
    """The card in its customer's language: in the shop's words for it, else in ours.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: no card is proposed or put in by this id.
    """
    actor.require("warehouse", "support")
    rows = await run(db, _CARD, id=surprise_id)
    if not rows:
        raise NotFoundError(mark("There is no such card."))
    [row] = rows
    rules, shop = await programme(db), await current(db)
    with speaking(row.locale):
        words = rules.cards.get(supported(row.locale)) or _our_words()
    return CardContent(supported(row.locale), words.replace(NAME, row.name), shop.name)


# Only what was put in is paid for by the month's budget: what is merely proposed comes out of no printer by itself.
_OF_PARCEL: Final = f"""
    SELECT s.id FROM surprise s JOIN ({WAITING}) AS w ON w.id = s.subject_id
    WHERE w.number = :number AND s.kind = 'card' AND s.status = 'given'
"""  # noqa: S608 - the interpolated text is our own


async def card_of_parcel(db: AsyncConnection, actor: Actor, number: str) -> CardContent | None:
    """The card that was put into the parcel of a trial, an exchange or a replacement; None where none was.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
    """
    actor.require("warehouse", "support")
    rows = await run(db, _OF_PARCEL, number=number)
    return await card_content(db, actor, rows[0].id) if rows else None


def _our_words() -> str:
    # The name is put in afterwards, as in the shop's own words.
    return _("Dear {name},\n\nhow nice that you are with us. Thank you for your trust, and enjoy what is in here!")
