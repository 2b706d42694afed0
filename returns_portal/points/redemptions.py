"""Paying with points at the shop's own checkout: held while the customer pays, then captured or released."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import is_email, order_number
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, Rows, insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.money import is_currency
from returns_portal.points.actions import lock_account, lock_account_by_id
from returns_portal.points.lots import give_back, take
from returns_portal.points.models import MoveCause, PointsRedemption, RedemptionStatus
from returns_portal.points.queries import Redemption, redemption_for
from returns_portal.points.rules import HOLD_MINUTES

_BATCH: Final = 100


class Hold(msgspec.Struct, frozen=True):
    """Points that are to be set aside for a purchase; `amount` is minor units of `currency`."""

    email: str
    currency: str
    amount: int
    order_number: str = ""
    reference: str = ""
    minutes: int = HOLD_MINUTES


async def hold(db: AsyncConnection, actor: Actor, wanted: Hold) -> Redemption:
    """Set points aside, so that they cannot be spent twice.

    Raises:
        ForbiddenError: the actor may not spend customers' points.
        InvalidError: the address or the currency is none.
        ConflictError: the customer has fewer points (`too_few_points`); nothing was held.
    """
    actor.require("points:write")
    if not is_email(wanted.email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    if not is_currency(wanted.currency):
        raise InvalidError(mark("This is no currency."), field="currency")
    account_id = await lock_account(db, wanted.email)
    try:
        redemption_id = await set_aside(db, actor, account_id, wanted)
    except TooFewError:
        raise ConflictError(
            mark("The customer has fewer points than that. Nothing was held; look the balance up and ask for less."),
            code="too_few_points",
            field="amount",
        ) from None
    return await redemption_for(db, actor, redemption_id)


class TooFewError(Exception):
    """There are fewer points than were wanted; nothing was set aside that the transaction may keep."""


async def set_aside(
    db: AsyncConnection, actor: Actor, account_id: UUID, wanted: Hold, *, code: str | None = None
) -> UUID:
    """Write a hold on an account that the caller has locked; `code` is what names it where the customer made it.

    Raises:
        TooFewError: there are fewer points.
    """
    redemption_id = new_id()
    cause = (MoveCause.REDEMPTION, redemption_id)
    if await take(db, account_id, wanted.currency, wanted.amount, cause) < wanted.amount:
        raise TooFewError
    now = clock.now()
    row = {
        "id": redemption_id,
        "account_id": account_id,
        "currency": wanted.currency,
        "amount": wanted.amount,
        "captured": 0,
        "status": RedemptionStatus.HELD,
        "order_number": order_number(wanted.order_number),
        "reference": wanted.reference.strip(),
        "expires_at": now + timedelta(minutes=wanted.minutes),
        "created_at": now,
        "code": code,
    }
    posted = _posted("points_held", row, captured=0, back=-wanted.amount)
    await insert_rows(db, (PointsRedemption, [row]), *posted, _told(actor, redemption_id, "held", wanted.amount))
    return redemption_id


async def capture(
    db: AsyncConnection, actor: Actor, redemption_id: UUID, *, amount: int | None = None, order: str = ""
) -> Redemption:
    """Spend held points: all of them, or `amount`, and the rest goes back to the customer. Again, it changes nothing.

    Args:
        db: The transaction.
        actor: Who asks.
        redemption_id: The hold.
        amount: How many are spent; all that are held by default.
        order: The number of the order that they paid for, where the hold did not name it.

    Raises:
        NotFoundError: there is no such hold.
        InvalidError: more than is held, or another order than the hold's.
        ConflictError: it was released, or captured with another amount.
    """
    actor.require("points:write")
    row = await _locked(db, redemption_id)
    wanted, number = row.amount if amount is None else amount, order_number(order) or row.order_number
    if not 0 < wanted <= row.amount:
        raise InvalidError(
            mark("At least one and at most {held} can be captured of this hold."), field="amount", held=row.amount
        )
    if row.order_number and number != row.order_number:
        raise InvalidError(mark("The hold is for another order."), field="order_number")
    if row.status == RedemptionStatus.CAPTURED and row.captured == wanted:
        return await redemption_for(db, actor, redemption_id)
    if row.status != RedemptionStatus.HELD:
        raise _settled(row.status)
    await _settle(db, row, RedemptionStatus.CAPTURED, captured=wanted, number=number)
    posted = _posted("points_captured", row._asdict(), captured=wanted, back=row.amount - wanted)
    await insert_rows(db, *posted, _told(actor, redemption_id, "captured", wanted))
    return await redemption_for(db, actor, redemption_id)


async def release(db: AsyncConnection, actor: Actor, redemption_id: UUID) -> Redemption:
    """Give held points back. Again, it changes nothing.

    Raises:
        NotFoundError: there is no such hold.
        ConflictError: it was captured: what was bought with points comes back by a return.
    """
    actor.require("points:write")
    await give_up(db, actor, redemption_id)
    return await redemption_for(db, actor, redemption_id)


async def give_up(db: AsyncConnection, actor: Actor, redemption_id: UUID) -> None:
    """As `release`, for a caller who has made sure that the hold is the actor's to give up.

    Raises:
        NotFoundError, ConflictError: as `release`.
    """
    row = await _locked(db, redemption_id)
    if row.status == RedemptionStatus.CAPTURED:
        raise _settled(row.status)
    if row.status == RedemptionStatus.HELD:
        await _let_go(db, actor, row, "released")


async def release_overdue(begin: Begin) -> None:
    """Give back what is held beyond its time: the purchase was not made, or its checkout died."""
    while True:
        async with begin() as db:
            due = await run(db, _OVERDUE, now=clock.now(), limit=_BATCH)
            for redemption_id in [row.id for row in due]:
                row = await _locked(db, redemption_id)
                if row.status == RedemptionStatus.HELD:
                    await _let_go(db, SYSTEM, row, "hold_expired")
        if len(due) < _BATCH:
            return


# By account, as every other transaction takes several accounts, should it ever.
_OVERDUE: Final = """
    SELECT id FROM points_redemption WHERE status = 'held' AND expires_at <= :now
    ORDER BY account_id, id LIMIT :limit
"""


async def _let_go(db: AsyncConnection, actor: Actor, row: Any, action: str) -> None:  # noqa: ANN401 - a row
    await _settle(db, row, RedemptionStatus.RELEASED, captured=0, number=row.order_number)
    posted = _posted("points_released", row._asdict(), captured=0, back=row.amount)
    await insert_rows(db, *posted, _told(actor, row.id, action, row.amount))


_BY_ID: Final = """
    SELECT id, account_id, currency, amount, captured, status, order_number FROM points_redemption WHERE id = :id
"""


async def _locked(db: AsyncConnection, redemption_id: UUID) -> Any:  # noqa: ANN401 - a row
    """A redemption, read after its account was locked."""
    rows = await run(db, _BY_ID, id=redemption_id)
    if not rows:
        raise NotFoundError(mark("There is no such redemption."), code="redemption_not_found")
    await lock_account_by_id(db, rows[0].account_id)
    return (await run(db, _BY_ID, id=redemption_id))[0]


_SETTLE: Final = """
    UPDATE points_redemption SET status = :status, captured = :captured, order_number = :number, settled_at = :now
    WHERE id = :id
"""


async def _settle(
    db: AsyncConnection,
    row: Any,  # noqa: ANN401 - a row
    status: RedemptionStatus,
    *,
    captured: int,
    number: str,
) -> None:
    """End a hold: what was not captured goes back into the lots that it came from."""
    if row.amount > captured:
        await give_back(db, row.id, row.amount - captured)
    await run(db, _SETTLE, id=row.id, status=status.value, captured=captured, number=number, now=clock.now())


def _posted(kind: str, row: dict[str, Any], *, captured: int, back: int) -> tuple[Rows, Rows]:
    """What moves in the books: `back` from held to the customer (negative when it is held), `captured` is spent."""
    owner = row["account_id"]
    return ledger.rows(
        kind,
        ("points_redemption", row["id"]),
        row["currency"],
        [
            Posting(Account.POINTS_HELD, captured + back, owner),
            Posting(Account.POINTS_REDEEMED, -captured),
            Posting(Account.CUSTOMER_POINTS, -back, owner),
        ],
    )


def _told(actor: Actor, redemption_id: UUID, action: str, points: int) -> Rows:
    return history.rows(actor, ("points_redemption", redemption_id, action, {"points": points}))


def _settled(status: str) -> ConflictError:
    if status == RedemptionStatus.CAPTURED:
        return ConflictError(
            mark("These points were spent already. What was bought with them comes back by a return."),
            code="already_captured",
        )
    return ConflictError(
        mark("These points went back to the customer: the hold was released, or its time was over. Hold them anew."),
        code="already_released",
    )
