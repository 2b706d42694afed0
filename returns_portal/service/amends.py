"""Making good what somebody complained about: what is given is given as everywhere, and noted in the thread."""

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import _, mark
from returns_portal.orders.queries import order_for
from returns_portal.points import adjusting
from returns_portal.points.models import AdjustmentStatus
from returns_portal.refunds.filing import FiledReturn, file
from returns_portal.refunds.goodwill import Gesture, Given, give
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.service.asking import message
from returns_portal.service.models import Kind, QuestionMessage
from returns_portal.service.queries import QuestionView, question_for
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

_THEIRS = """
    SELECT o.number FROM orders o JOIN question q ON q.id = :question_id
    WHERE o.number = :number AND (o.email_key = q.email_key OR o.id = q.order_id)
"""


async def order_of_question(db: AsyncConnection, actor: Actor, question_id: UUID, number: str) -> QuestionView:
    """The question, where an order is of whoever asked it: nothing is given for anybody else's from here.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question, or no such order of its customer.
    """
    actor.require("support")
    question = await question_for(db, actor, question_id)
    if not await run(db, _THEIRS, question_id=question_id, number=number):
        raise NotFoundError(mark("This customer has no such order."), field="order")
    return question


async def give_back(
    db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, question_id: UUID, wish: Gesture
) -> Given:
    """Give money back for an order of whoever asked, as `refunds.goodwill.give` does, and note it.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question, or no such order of its customer.
        InvalidError: no reason, nothing to give, or more than is left of the payments.
        ConflictError: nothing was paid for the order.
    """
    await order_of_question(db, actor, question_id, wish.order_number)
    given = await give(db, actor, settings, shop, wish)
    amount = formats.money(given.amount, given.currency)
    values = {"amount": amount, "number": wish.order_number, "reason": wish.reason.strip()}
    said = (
        _("{amount} of order {number} wait for a second person: {reason}", **values)
        if given.decision is GoodwillDecision.WAITING
        else _("{amount} of order {number} go back: {reason}", **values)
    )
    told = ("refunded", {"goodwill": str(given.id), "amount": given.amount})
    await noted(db, actor, question_id, said, f"/staff/orders/{quote(wish.order_number, safe='')}#give-back", told)
    return given


async def give_points(
    db: AsyncConnection, actor: Actor, question_id: UUID, number: str, points: int, reason: str
) -> AdjustmentStatus:
    """Give points, in the currency of an order of whoever asked, as `points.adjusting.request` does, and note it.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question, or no such order of its customer.
        InvalidError: no points, or no reason.
    """
    question = await order_of_question(db, actor, question_id, number)
    currency = (await order_for(db, actor, number)).currency
    account_id = await adjusting.open_account(db, actor, question.email)
    status = await adjusting.request(db, actor, account_id, currency, points, reason)
    values = {"points": formats.number(points), "currency": currency, "reason": reason.strip()}
    said = (
        _("{points} points ({currency}) wait for a second person: {reason}", **values)
        if status is AdjustmentStatus.PENDING
        else _("{points} points ({currency}) were given: {reason}", **values)
    )
    told = ("gave_points", {"account": str(account_id), "points": points, "currency": currency})
    await noted(db, actor, question_id, said, f"/finance/points/{account_id}", told)
    return status


async def send_label(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    shop: ShopInfo,
    question_id: UUID,
    number: str,
    wanted: Sequence[Wanted],
) -> FiledReturn:
    """File a return for an order of whoever asked, whose label goes to them by e-mail, and note it.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question, or no such order of its customer.
        InvalidError: nothing is wanted, or something that the order does not have.
        ConflictError: something cannot be returned (any more); the code is the rule's.
    """
    await order_of_question(db, actor, question_id, number)
    filed = await file(db, actor, settings, shop, number, wanted, RefundTo.ORIGINAL)
    said = _(
        "Return {rma} of order {number} was filed. The customer gets the label by e-mail.", rma=filed.rma, number=number
    )
    await noted(db, actor, question_id, said, f"/returns/{filed.rma}", ("filed_return", {"return": str(filed.id)}))
    return filed


async def noted(
    db: AsyncConnection, actor: Actor, question_id: UUID, said: str, link: str, told: tuple[str, dict[str, object]]
) -> None:
    """Keep in the thread what was done, and in the history.

    Its lock comes last: orders and accounts are locked before it. The same is never noted twice, since what it tells of
    is never done twice.
    """
    await question_for(db, actor, question_id, lock=True)
    row = message(question_id, Kind.NOTE, said, staff_id=UUID(actor.id), link=link)
    action, data = told
    await insert_rows(db, (QuestionMessage, [row]))
    await history.record(db, actor, ("question", question_id, action, data))
