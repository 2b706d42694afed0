"""What can be sent back of an order, for programs: each outcome with the rule of the policy that made it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import order_number as number_of
from returns_portal.actor import Actor
from returns_portal.i18n import translate
from returns_portal.policies.rules import LAW, Verdict
from returns_portal.returns.judging import judgement
from returns_portal.returns.queries import OrderLineState, OrderState, facts_of, line_of, order_state
from returns_portal.returns.rules import Policy, refusal
from returns_portal.shop.queries import current

Faulty = Annotated[list[UUID] | None, QueryParameter(description="Lines of which the customer says that they are.")]


class ReasonOut(msgspec.Struct, frozen=True):
    """Why an aspect is as it is: the rule's name (empty: the policy's default), and the law where that stands above."""

    rule: str
    law: str


class EligibilityOut(msgspec.Struct, frozen=True):
    """What holds for one unit of a line. `refused` is a code and `sentence` says it; empty where it can go back.

    `postage` is shop, customer (with the `fee` in minor units) or own_label; `because` has a reason for each aspect.
    """

    line_id: UUID
    sku: str
    returnable: int
    refused: str
    sentence: str
    return_days: int
    bonus_percent: int
    outcomes: list[str]
    postage: str
    fee: int
    keep_it: bool
    because: dict[str, ReasonOut]


class OrderEligibilityOut(msgspec.Struct, frozen=True):
    """An order, by the version of the policy that was in force when it was placed."""

    order_number: str
    currency: str
    policy_version: int
    lines: list[EligibilityOut]


@get("/returns/eligibility", summary="Show what of an order can be sent back, and why", reads=True)
async def eligibility(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    order_number: FromQuery[str],
    faulty: Faulty = None,
) -> OrderEligibilityOut:
    """What the policy of the order's day says of each line today. Scope `returns:read`."""
    actor.require("returns:read", "returns:write")
    order = await order_state(db, actor, number_of(order_number))
    judged = await judgement(db, order, (await current(db)).timezone, clock.now(), faulty or ())
    lines = [_line(order, line, judged.policy(line.line_id), judged.verdicts[line.line_id]) for line in order.lines]
    return OrderEligibilityOut(order.number, order.currency, judged.version, lines)


def _line(order: OrderState, line: OrderLineState, policy: Policy, verdict: Verdict) -> EligibilityOut:
    refused = refusal(facts_of(order), line_of(line), policy, clock.now())
    because = {
        aspect: ReasonOut(by.rule, translate(LAW[by.law]) if by.law else "") for aspect, by in verdict.because.items()
    }
    return EligibilityOut(
        line_id=line.line_id,
        sku=line.sku,
        returnable=0 if refused else line.quantity - line.requested,
        refused=refused.code if refused else "",
        sentence=translate(refused.sentence, **refused.values) if refused else "",
        return_days=verdict.return_days,
        bonus_percent=verdict.bonus_percent,
        outcomes=list(verdict.outcomes),
        postage=verdict.postage,
        fee=verdict.fee,
        keep_it=verdict.keep_it,
        because=because,
    )


routes: list[Any] = [eligibility]
