"""A statement of withdrawal with all that follows from it (Directive 2011/83/EU, Art. 11a).

Whoever states a withdrawal is told that it was received, with its content, date and time, whether or not an order of
theirs is known; the rest is told by e-mail alone, so that nobody can find out here who ordered what.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.accounts.limits import Limit, count
from returns_portal.actor import Actor
from returns_portal.errors import DomainError
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.models import Order
from returns_portal.refunds.filing import FiledReturn, file, in_words, label_in_words
from returns_portal.returns.actions import Wanted
from returns_portal.returns.judging import Judgement, judgement
from returns_portal.returns.models import RefundTo, Withdrawal
from returns_portal.returns.queries import OrderState, facts_of, order_state
from returns_portal.returns.rules import Line, refusal
from returns_portal.returns.withdrawals import handle_withdrawal, state_withdrawal, stated_already
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo


class Statement(msgspec.Struct, frozen=True):
    """What somebody states."""

    name: str
    order_number: str
    email: str
    details: str = ""


class Received(msgspec.Struct, frozen=True):
    """A statement as it was received."""

    content: dict[str, str]
    submitted_at: datetime


class Pace(msgspec.Struct, frozen=True):
    """How often one address is written to: what of a known order, and what of an unknown one."""

    known: Limit
    unknown: Limit


async def withdraw(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    shop: ShopInfo,
    stated: Statement,
    *,
    locale: str,
    pace: Pace | None = None,
) -> UUID:
    """Receive a statement, acknowledge it by e-mail, and file the return that follows from it. Returns its id.

    Every statement is kept, however many come: the function has to be there during the whole period (Art. 11a(1)), so
    that nobody can use it up for somebody else. What is limited by `pace` are the e-mails: of a known order they come
    later, of an unknown one not at all beyond that, since a person looks at it. The very same statement, sent twice, is
    one.

    One e-mail acknowledges the statement and, where a return followed, brings its label: the acknowledgement is to come
    on a durable medium without undue delay (Art. 11a(4)), and two messages about one thing only confuse. What does not
    lead to a return (no such order, nothing paid, nothing left to send back) waits for a person. So does a part of an
    order, which is named in free words: its label is for all that could come back, until somebody has read them. And so
    does what the receiver of a gift is sending back.
    """
    said = msgspec.structs.asdict(stated)
    if (already := await stated_already(db, **said)) is not None:
        return already
    withdrawal_id, order_id, submitted_at = await state_withdrawal(db, actor, **said)
    filed, held = None, False
    if order_id is not None:
        filed, held = await _file(db, settings, shop, order_id, withdrawal_id)
    in_part = filed is not None and _names_a_part(stated, filed)
    if filed is not None and not in_part and not held:
        await handle_withdrawal(db, actor, withdrawal_id)
    wait = await _wait(db, pace, known=order_id is not None)
    if wait is None:
        return withdrawal_id
    await enqueue(
        db,
        template="withdrawal_received",
        recipient=stated.email,
        locale=locale,
        subject_id=withdrawal_id,
        values={
            "name": stated.name,
            "order_number": stated.order_number,
            "submitted_at": submitted_at.isoformat(),
            "content": said,
            "in_part": in_part,
            **({**in_words(filed), **await label_in_words(db, filed)} if filed else {"rma": None}),
            "rest": held,
        },
        not_before=submitted_at + wait,
    )
    await history.record(
        db, actor, ("withdrawal", withdrawal_id, "acknowledged", {"rma": filed.rma if filed else None})
    )
    return withdrawal_id


async def _wait(db: AsyncConnection, pace: Pace | None, *, known: bool) -> timedelta | None:
    """How long an e-mail waits; None where none is sent."""
    if pace is None:
        return timedelta()
    seconds = await count(db, pace.known if known else pace.unknown)
    return timedelta(seconds=seconds) if known or not seconds else None


def _names_a_part(stated: Statement, filed: FiledReturn) -> bool:
    return bool(stated.details.strip()) and sum(line.quantity for line in filed.lines) > 1


async def _file(
    db: AsyncConnection, settings: Settings, shop: ShopInfo, order_id: UUID, withdrawal_id: UUID
) -> tuple[FiledReturn | None, bool]:
    """File a return of everything that can still go back, in the name of the statement.

    Also tells whether a gift's receiver holds something of it, which only a person can decide about: its buyer is told
    nothing of the receiver.
    """
    # The statement names number and e-mail, which is not a proof: it opens this order to this one action alone.
    speaker = Actor(kind="customer", id=f"withdrawal:{withdrawal_id}", order_id=order_id)
    number = (await db.execute(select(col(Order.number)).where(col(Order.id) == order_id))).scalar_one()
    order = await order_state(db, speaker, number, lock=True)
    wanted = _everything(order, await judgement(db, order, shop.timezone, clock.now()))
    held = any(line.given for line in order.lines)
    if not wanted:
        return None, held
    try:
        async with db.begin_nested():
            filed = await file(
                db, speaker, settings, shop, number, wanted, RefundTo.ORIGINAL, withdrawal_id=withdrawal_id
            )
    except DomainError:
        # Whatever stands in the way of a return, the statement itself is kept, and a person looks at it.
        return None, held
    return filed, held


def _everything(order: OrderState, judged: Judgement) -> list[Wanted]:
    facts, now = facts_of(order), clock.now()
    return [
        Wanted(line.line_id, line.quantity - line.requested)
        for line in order.lines
        if refusal(facts, Line(line.line_id, line.quantity, line.requested), judged.policy(line.line_id), now) is None
    ]


async def received(db: AsyncConnection, withdrawal_id: UUID) -> Received | None:
    """A statement as it was received, for the one who made it: the caller has made sure that it is theirs."""
    row = (
        await db.execute(
            select(col(Withdrawal.content), col(Withdrawal.submitted_at)).where(col(Withdrawal.id) == withdrawal_id)
        )
    ).one_or_none()
    return Received(row.content, row.submitted_at) if row else None
