"""A change of mind before the money moves: other items, or points in place of money and back.

Both happen under the order's lock, as filing and check-in do: of two at once one is first, and the other decides on
what that left.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError
from returns_portal.exchanges.queries import exchanges_of_return
from returns_portal.i18n import mark
from returns_portal.labels.actions import issue
from returns_portal.notifications.actions import enqueue
from returns_portal.orders.models import TRIAL
from returns_portal.payments.models import Tender
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.refunds.exchanges import covered_by, without
from returns_portal.refunds.failed import no_consent
from returns_portal.refunds.filing import FiledReturn, announced_lines, in_exchange, in_words
from returns_portal.refunds.forgetting import forget_account
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.replacing import units_wanted
from returns_portal.refunds.rules import Claim, bonus_on, destination_of, plan, within
from returns_portal.returns.actions import Wanted, refuse_outcome
from returns_portal.returns.changing import Changed, change_lines
from returns_portal.returns.judging import judgement
from returns_portal.returns.life import lock_return
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.queries import OrderState, order_state
from returns_portal.shop.queries import ShopInfo, current


async def change_items(
    db: AsyncConnection, actor: Actor, shop: ShopInfo, rma: str, wanted: Sequence[Wanted]
) -> Changed:
    """Let a return announce these items, and say by e-mail what it comes to now; asked twice, that is said once.

    Where they travel at the shop's expense and those before did not, it gets its label here.

    Raises:
        NotFoundError, InvalidError, ConflictError: as `returns.changing.change_lines`.
    """
    changed = await change_lines(db, actor, rma, wanted, timezone=shop.timezone)
    if changed.unlabelled and changed.postage is not Postage.OWN_LABEL:
        await issue(db, actor, changed.id, changed.rma)
    if changed.anew:
        await _tell(db, changed.order, changed)
    return changed


_STATE: Final = "SELECT status, refund_to, bonus_percent, postage FROM returns WHERE id = :id"
_REFUNDS: Final = """
    SELECT f.id, f.status, f.amount, p.tender FROM refund f JOIN payment p ON p.id = f.payment_id
    WHERE f.return_id = :id AND f.status <> 'canceled' ORDER BY f.id FOR UPDATE OF f
"""
_LINES: Final = "SELECT order_line_id, quantity, reason, faulty FROM return_line WHERE return_id = :id"


async def change_destination(db: AsyncConnection, actor: Actor, rma: str, to: RefundTo, *, agreed: bool) -> bool:
    """Pay a return back in the other way, as long as none of its refunds has started; whether anything was changed.

    Points in place of money are the customer's own, express choice, and the moment of it is stored (Directive
    2011/83/EU, Art. 13(1)). Their bonus is the one that was shown at filing, whatever the shop's is by now. Either way
    has to be open by the policy of the order's day, as it had to be at filing; a gift has but one.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        ForbiddenError: somebody else than the customer asks for points.
        InvalidError: the customer has not agreed to points.
        ConflictError: it was cancelled, it is a trial's or a gift's, the policy does not offer it, or a refund has
            started.
    """
    row = await lock_return(db, actor, rma)
    [present] = await run(db, _STATE, id=row.id)
    if present.refund_to == to:
        return False
    refunds = await run(db, _REFUNDS, id=row.id)
    _refuse(row, present.status, refunds)
    if to is RefundTo.POINTS and actor.kind != "customer":
        raise ForbiddenError(mark("Only the customer can choose points in place of money."))
    if to is RefundTo.POINTS and not agreed:
        raise no_consent()
    order = await order_state(db, actor, row.number)
    lines = await run(db, _LINES, id=row.id)
    verdict = await _verdict(db, order, row, lines)
    if to not in verdict.outcomes:
        refuse_outcome(verdict)
    row = row._replace(bonus_percent=present.bonus_percent)
    await _write(db, actor, row, to, refunds)
    if present.status == ReturnStatus.FILED:
        wanted = [Wanted(line.order_line_id, line.quantity, line.reason) for line in lines]
        postage = Postage(present.postage)
        await _tell(db, order, Changed(row.id, row.rma, to.value, row.bonus_percent, postage, order, wanted, anew=True))
    return True


async def _verdict(
    db: AsyncConnection,
    order: OrderState,
    row: Any,  # noqa: ANN401 - a row
    lines: Sequence[Any],
) -> Verdict:
    """What holds for what was announced, as on the day of filing."""
    timezone = (await current(db)).timezone
    faulty = {line.order_line_id for line in lines if line.faulty}
    judged = await judgement(db, order, timezone, row.created_at, faulty)
    return judged.of(line.order_line_id for line in lines)


def _refuse(row: Any, status: str, refunds: Sequence[Any]) -> None:  # noqa: ANN401 - rows
    if status == ReturnStatus.CANCELLED or row.source == TRIAL or row.gift_id is not None:
        raise ConflictError(
            mark("For this return it can no longer be chosen where the money goes. Nothing was changed."),
            code="not_changeable",
        )
    if any(refund.status != RefundStatus.PLANNED for refund in refunds):
        raise ConflictError(
            mark("Your refund has started already, so it goes where this page says. Nothing was changed."),
            code="refund_started",
        )


_CHOOSE: Final = """
    UPDATE returns SET refund_to = :to, points_consent_at = CAST(:consent AS timestamptz) WHERE id = :id
"""
_REROUTE: Final = """
    UPDATE refund SET destination = :destination, bonus = :bonus, points_consent_at = CAST(:consent AS timestamptz),
        changed_at = :now WHERE id = :id
"""


async def _write(
    db: AsyncConnection,
    actor: Actor,
    row: Any,  # noqa: ANN401 - a row
    to: RefundTo,
    refunds: Sequence[Any],
) -> None:
    """Change the return and what is planned of it. Nothing was sent yet: the books owe the same, and the jobs stay."""
    now = clock.now()
    consent = now if to is RefundTo.POINTS else None
    await run(db, _CHOOSE, id=row.id, to=to.value, consent=consent)
    for refund in refunds:
        tender = Tender(refund.tender)
        if tender is not Tender.POINTS:
            bonus = bonus_on(refund.amount, tender, to, row.bonus_percent)
            destination = destination_of(tender, to).value
            await run(db, _REROUTE, id=refund.id, destination=destination, bonus=bonus, consent=consent, now=now)
    await history.record(db, actor, ("return", row.id, "refund_to_changed", {"to": to.value}))
    await forget_account(db, return_id=row.id)


async def _tell(db: AsyncConnection, order: OrderState, changed: Changed) -> None:
    """Write the e-mail: what comes back now, and what it will be worth."""
    units = units_wanted(changed.wanted)
    claims = [Claim(line_id, count) for line_id, count in units.items()]
    exchanges = [each for each in await exchanges_of_return(db, SYSTEM, changed.id) if each.is_open]
    balance = without(await balance_of(db, order.id), covered_by(exchanges))
    preview = plan(
        balance,
        within(balance, claims),
        refund_to=RefundTo(changed.refund_to),
        bonus_percent=changed.bonus_percent,
        fee=balance.fees.get(changed.id, 0),
    )
    lines = announced_lines(order, changed.wanted, units)
    made = FiledReturn(changed.id, changed.rma, ReturnStatus.FILED, lines, preview, changed.rma, changed.postage)
    await enqueue(
        db,
        template="return_changed",
        recipient=order.email,
        locale=order.locale,
        subject_id=changed.id,
        values={
            "order_number": order.number,
            "name": order.name,
            "label_stays": changed.label_stays,
            **in_words(made),
            **in_exchange(exchanges),
        },
    )
