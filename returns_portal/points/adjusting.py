"""Points given or taken by hand: always with a reason, above the shop's limit with a second person."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.money import is_currency
from returns_portal.notifications.actions import enqueue
from returns_portal.points.actions import lock_account, lock_account_by_id
from returns_portal.points.lots import Portion, granted, take
from returns_portal.points.models import AdjustmentStatus, LotKind, MoveCause, PointsAdjustment
from returns_portal.points.queries import account_of
from returns_portal.points.rules import MOST_POINTS, expiry
from returns_portal.shop.queries import current

MAX_REASON: Final = 200


async def open_account(db: AsyncConnection, actor: Actor, email: str) -> UUID:
    """The points account of a customer, made where somebody who ordered has none yet.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: nobody with this address has ever ordered, or has points.
    """
    actor.require("support", "finance")
    found = await account_of(db, email)
    if found is not None:
        return found
    if not await run(db, "SELECT id FROM orders WHERE email_key = :key LIMIT 1", key=email_key(email)):
        raise NotFoundError(
            mark("Nobody with this address has ordered here. Look the address up in one of the customer's orders."),
            field="email",
        )
    return await lock_account(db, email)


async def request(
    db: AsyncConnection, actor: Actor, account_id: UUID, currency: str, amount: int, reason: str
) -> AdjustmentStatus:
    """Ask for points to be given (or, negative, taken): done at once, or pending until a second person approves.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: there is no such account.
        InvalidError: nothing is asked for, without a reason, or more is to be taken than is there.
    """
    actor.require("support", "finance")
    _check(currency, amount, reason)
    await lock_account_by_id(db, account_id)
    shop = await current(db)
    second = shop.second_person and await _unseen(db, account_id, currency, amount) + abs(amount) > shop.points_limit
    now = clock.now()
    row = {
        "id": new_id(),
        "account_id": account_id,
        "currency": currency,
        "amount": amount,
        "reason": reason.strip(),
        "status": AdjustmentStatus.PENDING if second else AdjustmentStatus.DONE,
        "needed_second": second,
        "requested_by": actor.label,
        "requested_at": now,
        "decided_by": "" if second else actor.label,
        "decided_at": None if second else now,
    }
    told = {"adjustment": str(row["id"]), "points": amount, "currency": currency}
    action = "adjustment_requested" if second else "points_adjusted"
    effect = () if second else await _effect(db, row)
    await insert_rows(
        db,
        (PointsAdjustment, [row]),
        *effect,
        history.rows(actor, ("points_account", account_id, action, told)),
    )
    if not second:
        await _tell(db, row)
    return AdjustmentStatus.PENDING if second else AdjustmentStatus.DONE


async def give(db: AsyncConnection, email: str, currency: str, amount: int, reason: str) -> None:
    """Give points by a rule of the shop's, for a reason in the customer's language: once for each call.

    Whoever calls has a row of its own that makes this happen once.
    """
    account_id, now = await lock_account(db, email), clock.now()
    row = {
        "id": new_id(),
        "account_id": account_id,
        "currency": currency,
        "amount": amount,
        "reason": reason,
        "status": AdjustmentStatus.DONE,
        "needed_second": False,
        "requested_by": SYSTEM.label,
        "requested_at": now,
        "decided_by": SYSTEM.label,
        "decided_at": now,
    }
    told = {"adjustment": str(row["id"]), "points": amount, "currency": currency}
    effect = await _effect(db, row)
    entry = history.rows(SYSTEM, ("points_account", account_id, "points_adjusted", told))
    await insert_rows(db, (PointsAdjustment, [row]), *effect, entry)


_UNSEEN_FOR: Final = timedelta(days=30)
_UNSEEN: Final = """
    SELECT coalesce(sum(abs(amount)), 0)::bigint AS points FROM points_adjustment
    WHERE account_id = :account_id AND currency = :currency AND NOT needed_second AND requested_at > :since
        AND requested_by <> :rule AND sign(amount) = sign(:amount)
"""


async def _unseen(db: AsyncConnection, account_id: UUID, currency: str, amount: int) -> int:
    """How many points were given (or taken, as now) lately without a second person: many small ones are a large one.

    What a rule of the shop's gave is none of it: nobody did that by hand.
    """
    since = clock.now() - _UNSEEN_FOR
    rows = await run(
        db, _UNSEEN, account_id=account_id, currency=currency, since=since, amount=amount, rule=SYSTEM.label
    )
    return int(rows[0].points)


def _check(currency: str, amount: int, reason: str) -> None:
    if not is_currency(currency):
        raise InvalidError(mark("This is no currency."), field="currency")
    if not 0 < abs(amount) <= MOST_POINTS:
        raise InvalidError(mark("Say how many points, as a whole number of at least one."), field="amount")
    if not reason.strip():
        raise InvalidError(mark("Say why: the customer reads it on the statement."), field="reason")
    if len(reason.strip()) > MAX_REASON:
        raise InvalidError(mark("This is longer than {limit} characters."), field="reason", limit=MAX_REASON)


async def approve(db: AsyncConnection, actor: Actor, adjustment_id: UUID) -> None:
    """Let a pending adjustment happen.

    Raises:
        ForbiddenError: the actor is not of finance, or asked for it.
        NotFoundError: there is no such adjustment.
        ConflictError: it was decided already, or the points to be taken are not there any more.
    """
    row = await _decide(db, actor, adjustment_id, AdjustmentStatus.DONE)
    told = {"adjustment": str(row.id), "points": row.amount, "currency": row.currency}
    effect = await _effect(db, row._asdict())
    await insert_rows(db, *effect, history.rows(actor, ("points_account", row.account_id, "points_adjusted", told)))
    await _tell(db, row._asdict())


async def refuse(db: AsyncConnection, actor: Actor, adjustment_id: UUID) -> None:
    """Decline a pending adjustment.

    Raises:
        ForbiddenError: the actor is not of finance, or asked for it.
        NotFoundError: there is no such adjustment.
        ConflictError: it was decided already.
    """
    row = await _decide(db, actor, adjustment_id, AdjustmentStatus.REFUSED)
    told = {"adjustment": str(row.id), "points": row.amount, "currency": row.currency}
    await history.record(db, actor, ("points_account", row.account_id, "adjustment_refused", told))


_BY_ID: Final = """
    SELECT id, account_id, currency, amount, reason, status, requested_by FROM points_adjustment
    WHERE id = :id FOR UPDATE
"""
_DECIDE: Final = """
    UPDATE points_adjustment SET status = :status, decided_by = :by, decided_at = :now WHERE id = :id
"""


async def _decide(db: AsyncConnection, actor: Actor, adjustment_id: UUID, status: AdjustmentStatus) -> Any:  # noqa: ANN401 - a row
    actor.require("finance")
    rows = await run(db, _BY_ID, id=adjustment_id)
    if not rows:
        raise NotFoundError(mark("There is no such adjustment."))
    [row] = rows
    if row.status != AdjustmentStatus.PENDING:
        raise ConflictError(mark("This was decided already; nothing was done twice."), code="already_decided")
    if row.requested_by == actor.label:
        raise ForbiddenError(
            mark("You asked for this yourself, so somebody else has to decide it."), code="own_request"
        )
    await run(db, _DECIDE, id=row.id, status=status.value, by=actor.label, now=clock.now())
    return row


# An account whose person was forgotten has no address any more.
_WHOSE: Final = """
    SELECT coalesce(o.email, a.email_key) AS email, coalesce(o.locale, 'en') AS locale FROM points_account a
    LEFT JOIN LATERAL (SELECT email, locale FROM orders WHERE orders.email_key = a.email_key
                       ORDER BY placed_at DESC LIMIT 1) AS o ON true
    WHERE a.id = :id AND a.email_key LIKE '%@%'
"""


async def _tell(db: AsyncConnection, row: dict[str, Any]) -> None:
    """Write to whoever was given points by hand, and why; what is taken stands on the statement alone."""
    if row["amount"] <= 0:
        return
    for whose in await run(db, _WHOSE, id=row["account_id"]):
        await enqueue(
            db,
            template="points_given",
            recipient=whose.email,
            locale=whose.locale,
            subject_id=row["account_id"],
            change=f"adjustment {row['id']}",
            values={"points": row["amount"], "currency": row["currency"], "reason": row["reason"], "url": "/points"},
        )


async def _effect(db: AsyncConnection, row: dict[str, Any]) -> list[Rows]:
    """Give or take the points; the account's lock is taken here, or was before."""
    account_id, currency, amount = row["account_id"], row["currency"], row["amount"]
    await lock_account_by_id(db, account_id)
    cause = ("points_adjustment", row["id"])
    writes: list[Rows] = []
    if amount > 0:
        shop = await current(db)
        expires_at = expiry(clock.now(), shop.points_months, shop.timezone)
        writes.append(granted(account_id, currency, cause, [Portion(LotKind.ADJUSTED, amount, expires_at)]))
    elif (taken := await take(db, account_id, currency, -amount, (MoveCause.ADJUSTMENT, row["id"]))) < -amount:
        raise InvalidError(
            mark("The customer has only {points} points. Take no more than that; nothing was changed."),
            code="too_few_points",
            field="amount",
            points=taken,
        )
    writes += ledger.rows(
        "points_adjusted",
        cause,
        currency,
        [Posting(Account.POINTS_EXPENSE, amount), Posting(Account.CUSTOMER_POINTS, -amount, account_id)],
    )
    return writes
