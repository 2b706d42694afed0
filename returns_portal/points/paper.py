"""What the printed statement says, in words that are ready: plain records, so that they travel to another process."""

from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.actor import Actor
from returns_portal.points.sheets import Sheet, sheets
from returns_portal.points.statement import Movement, own_address, own_statement
from returns_portal.points.words import change
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

MOST_LINES: Final = 100
"""Movements on paper, which takes two seconds to lay out; older ones are on the page."""


class Part(msgspec.Struct, frozen=True):
    """The points of one currency. A movement is day, words, change, and the balance after it."""

    sheet: Sheet
    movements: list[tuple[str, str, str, str]]


class StatementContent(msgspec.Struct, frozen=True):
    """All that the statement says."""

    locale: str
    shop_name: str
    contact: str
    email: str
    issued: str
    sandbox: bool
    complete: bool
    """Whether every movement is on it."""
    parts: list[Part]


async def own_paper(db: AsyncConnection, actor: Actor, shop: ShopInfo, *, sandbox: bool) -> StatementContent:
    """The statement of a customer, in the language that is spoken now.

    Raises:
        NotFoundError: as `own_statement`.
    """
    # Days of the statement are days of the shop.
    formats.zone.set(shop.timezone)
    found = await own_statement(db, actor, limit=MOST_LINES)
    return StatementContent(
        locale=i18n.current(),
        shop_name=shop.name,
        contact=f"{shop.phone} · {shop.email}",
        email=await own_address(db, actor),
        issued=formats.format_date(clock.now()),
        sandbox=sandbox,
        complete=found.before is None,
        parts=[_part(sheet, found.movements) for sheet in sheets(found.balances, shop.timezone)],
    )


def _part(sheet: Sheet, movements: list[Movement]) -> Part:
    lines = [
        (formats.format_date(line.at, "medium"), line.words, change(line.points), formats.number(line.balance))
        for line in movements
        if line.currency == sheet.currency
    ]
    return Part(sheet, lines)
