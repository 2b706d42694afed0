"""What is to happen later by itself: a bank's answer, a dispute, the end of a hold. The API never shows plans."""

from contextlib import suppress

from returns_portal.payments.sandbox import clock, disputes, holds, refunds
from returns_portal.payments.sandbox.errors import ApiError
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.unit import Unit


async def carry_out(unit: Unit, plan_id: str) -> None:
    """Do what is planned, unless it was done or made impossible meanwhile."""
    plan = await unit.lock("plan", plan_id)
    if plan is None:
        return
    with suppress(ApiError):
        await _carry_out(unit, plan)
    unit.put(plan)


async def _carry_out(unit: Unit, plan: Document) -> None:
    if "refund" in plan:
        await refunds.settle(unit, plan["refund"], plan["becomes"], plan["failure_reason"])
    elif "dispute_of" in plan:
        await disputes.open_(unit, plan["dispute_of"], reason=plan["reason"], inquiry=plan["inquiry"])
    elif "dispute" in plan:
        await disputes.settle(unit, plan["dispute"], plan["becomes"])
    else:
        await holds.expire(unit, plan["hold"], by=clock.now())
