"""Spending points by a code: the customer sets points aside here, and types the code at the shop's own checkout.

A code is the name of a hold, so that it is spent once, ends by itself, and stands in the books like any other hold.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_points_code, parse_points_code
from returns_portal.points.actions import lock_account_by_id
from returns_portal.points.models import RedemptionStatus
from returns_portal.points.queries import Redemption, redemption_for
from returns_portal.points.redemptions import Hold, TooFewError, give_up, set_aside
from returns_portal.points.rules import MOST_POINTS
from returns_portal.points.statement import own_account

LASTS: Final = timedelta(days=7)
"""Long enough to think about a purchase; what is forgotten comes back by itself."""
MOST_OPEN: Final = 5
"""So many codes of one account at a time: more are a mistake, or somebody who guesses."""


class Code(msgspec.Struct, frozen=True):
    """A code that was not used yet. `amount` is points of `currency`."""

    id: UUID
    code: str
    currency: str
    amount: int
    expires_at: datetime


_OPEN: Final = """
    SELECT id, code, currency, amount, expires_at FROM points_redemption
    WHERE account_id = :id AND code IS NOT NULL AND status = 'held' AND expires_at > :now ORDER BY id DESC
"""


async def open_codes(db: AsyncConnection, actor: Actor) -> list[Code]:
    """The customer's codes that can be used, the newest first.

    Raises:
        NotFoundError: the actor is no customer who has shown that the inbox is theirs.
    """
    account_id = await own_account(db, actor)
    return await _open(db, account_id) if account_id else []


async def _open(db: AsyncConnection, account_id: UUID) -> list[Code]:
    return [Code(*row) for row in await run(db, _OPEN, id=account_id, now=clock.now())]


async def make_code(db: AsyncConnection, actor: Actor, currency: str, amount: int) -> str:
    """Set points aside under a code, and tell it.

    Raises:
        NotFoundError: as `open_codes`.
        InvalidError: no points are wanted, or more than there are (`too_few_points`).
        ConflictError: there are as many codes already as there may be.
    """
    if not 0 < amount <= MOST_POINTS:
        raise InvalidError(mark("Choose how many points, at least one."), field="amount")
    account_id = await own_account(db, actor)
    if account_id is None:
        raise _too_few()
    await lock_account_by_id(db, account_id)
    if len(await _open(db, account_id)) >= MOST_OPEN:
        raise ConflictError(
            mark("You have {most} codes that are not used yet. Use one, or take one back, before making another."),
            code="too_many_codes",
            most=MOST_OPEN,
        )
    code = new_points_code()
    minutes = LASTS // timedelta(minutes=1)
    # The address stands with the account; the code is what the statement calls the hold.
    wanted = Hold("", currency, amount, reference=code, minutes=minutes)
    try:
        await set_aside(db, actor, account_id, wanted, code=code)
    except TooFewError:
        raise _too_few() from None
    return code


def _too_few() -> InvalidError:
    return InvalidError(
        mark("You have fewer points than that. Nothing was set aside; choose a smaller number."),
        code="too_few_points",
        field="amount",
    )


_OWN: Final = "SELECT id FROM points_redemption WHERE id = :id AND account_id = :account AND code IS NOT NULL"


async def take_back(db: AsyncConnection, actor: Actor, redemption_id: UUID) -> None:
    """Give up a code: its points can be spent otherwise again. Given up twice, that changes nothing.

    Raises:
        NotFoundError: there is no such code, or it is not the actor's.
        ConflictError: it was used.
    """
    account_id = await own_account(db, actor)
    if account_id is None or not await run(db, _OWN, id=redemption_id, account=account_id):
        raise NotFoundError(mark("There is no such code."), code="code_not_found")
    await give_up(db, actor, redemption_id)


_BY_CODE: Final = "SELECT id, status, expires_at FROM points_redemption WHERE code = :code"


async def by_code(db: AsyncConnection, actor: Actor, typed: str) -> Redemption:
    """The hold that a code names, for the checkout at which it was typed: it is captured like any other.

    Raises:
        ForbiddenError: the actor may not spend customers' points.
        NotFoundError: there is no such code.
        ConflictError: it was used, taken back, or its time is over.
    """
    actor.require("points:write")
    code = parse_points_code(typed)
    rows = await run(db, _BY_CODE, code=code) if code else []
    if not rows:
        raise NotFoundError(mark("There is no such code."), code="code_not_found")
    if rows[0].status != RedemptionStatus.HELD or rows[0].expires_at <= clock.now():
        raise ConflictError(
            mark("This code was used, taken back, or is too old. Its owner can make a new one."), code="code_over"
        )
    return await redemption_for(db, actor, rows[0].id)
