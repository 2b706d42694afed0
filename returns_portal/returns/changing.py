"""Changing what a return announces, as long as nobody but the customer has its parcel.

What goes back is judged anew, by the policy of the order's day and as of the day of filing, as if the new items had
been filed in the first place: the bonus, whether the money can go where it was to go, and the postage. A fee comes and
goes with the items that it is asked for, and something faulty among them makes the postage free. But nothing is taken
back: a label that was given out is not followed by the demand for one of the customer's own, and whoever needed one
gets the shop's label once the items are sent at the shop's expense. What the customer could keep is kept at filing or
not at all; here it travels free of charge.

Other returns stay as they are: those of gifts and of trials, whose items are chosen on pages of their own, those that
follow a claim, which is about these very items, those whose goods are kept, since they count as received, and those
that were sent, by the word of a carrier or, with a label of the customer's own, by the customer's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.orders.models import TRIAL
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.returns.actions import Wanted, checked, line_rows, refuse_outcome
from returns_portal.returns.judging import judgement
from returns_portal.returns.life import is_under_way, lock_return
from returns_portal.returns.models import ReturnLine, ReturnStatus
from returns_portal.returns.queries import OrderState, order_state


class Changed(msgspec.Struct, frozen=True):
    """A return as it announces now, and its order as if this return had announced nothing."""

    id: UUID
    rma: str
    refund_to: str
    bonus_percent: int
    postage: Postage
    order: OrderState
    wanted: list[Wanted]
    anew: bool
    """Whether that is anything else than before."""
    unlabelled: bool = False
    """Whether it had no label of the shop's, since it was to be sent with one of the customer's own."""

    @property
    def label_stays(self) -> bool:
        """Whether it has a label of the shop's, and had it before."""
        return self.postage is not Postage.OWN_LABEL and not self.unlabelled


# Claims stand above returns and are not imported here; that a return follows one is only read.
_NOW: Final = """
    SELECT r.status, r.refund_to, r.bonus_percent, r.postage, r.postage_fee, r.travels_with,
        coalesce(lead.proof_at, r.proof_at) AS proof_at,
        EXISTS (SELECT FROM item_claim c WHERE c.return_id = r.id) AS of_claim
    FROM returns r LEFT JOIN returns lead ON lead.id = r.travels_with WHERE r.id = :id
"""
_LINES: Final = "SELECT order_line_id, quantity, faulty FROM return_line WHERE return_id = :id"
# Exchanges stand above returns, too.
_EXCHANGED: Final = """
    SELECT order_line_id, count(*) AS units, max(number) AS number FROM exchange
    WHERE return_id = :id AND (status IN ('awaiting_hold', 'awaiting_payment', 'awaiting_goods', 'to_send')
        OR at_once AND status = 'sent' AND outcome IS NULL)
    GROUP BY order_line_id ORDER BY order_line_id
"""
_TAKE_OUT: Final = "DELETE FROM return_line WHERE return_id = :id AND NOT order_line_id = ANY(:kept)"
_COUNT: Final = "UPDATE return_line SET quantity = :quantity WHERE return_id = :id AND order_line_id = :line"
_TERMS: Final = """
    UPDATE returns SET bonus_percent = :bonus, postage = :postage, postage_fee = :fee WHERE id = :id
"""


async def change_lines(
    db: AsyncConnection, actor: Actor, rma: str, wanted: Sequence[Wanted], *, timezone: str
) -> Changed:
    """Let a return announce these lines from now on; its number and its label stay.

    The rules are those of filing, and the window is that of the day of the first statement: who said in time that
    goods of this order go back may say more exactly which. A reason that was given for a line stays with it.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
        InvalidError: nothing is wanted (that is a cancellation), or something that the order does not have.
        ConflictError: it cannot be changed (any more), a line cannot be returned, or not for what was to be paid for
            the return, or something is exchanged for what is taken out; the code is the rule's.
    """
    row = await lock_return(db, actor, rma)
    # Read again under the lock: the row above was read while waiting for it.
    [present] = await run(db, _NOW, id=row.id)
    if _is_fixed(row, present) or await is_under_way(db, row.id):
        raise ConflictError(
            mark("This return can no longer be changed: its parcel is on its way, has arrived, or it was cancelled."),
            code="not_changeable",
        )
    known = await run(db, _LINES, id=row.id)
    units = {line.order_line_id: line.quantity for line in known}
    faulty = {line.order_line_id for line in known if line.faulty} | {line.line_id for line in wanted if line.faulty}
    order = await order_state(db, actor, row.number, besides=row.id)
    judged = await judgement(db, order, timezone, row.created_at, faulty)
    lines = checked(order, wanted, judged, row.created_at)
    await _refuse_exchanged(db, row.id, {line.line_id: line.quantity for line in lines})
    before = Postage(present.postage)
    if {line.line_id: line.quantity for line in lines} == units:
        return Changed(row.id, row.rma, present.refund_to, present.bonus_percent, before, order, lines, anew=False)
    verdict = judged.of(line.line_id for line in lines)
    if present.travels_with is None:
        verdict = travelling(verdict, before, present.postage_fee)
    else:
        # Its parcel is another's, whose postage does not change with what is put in.
        verdict = msgspec.structs.replace(verdict, postage=before, fee=0, keep_it=False)
    if present.refund_to not in verdict.outcomes:
        refuse_outcome(verdict)
    await _write(db, actor, row.id, units, lines, verdict)
    return Changed(
        row.id,
        row.rma,
        present.refund_to,
        verdict.bonus_percent,
        verdict.postage,
        order,
        lines,
        anew=True,
        unlabelled=before is Postage.OWN_LABEL,
    )


async def _refuse_exchanged(db: AsyncConnection, return_id: UUID, wanted: Mapping[UUID, int]) -> None:
    """Refuse to take out what is being exchanged: a replacement is set aside for it, and may be paid for.

    Raises:
        ConflictError: less of a line would come back than is exchanged of it (`exchange_stands`).
    """
    for line in await run(db, _EXCHANGED, id=return_id):
        if wanted.get(line.order_line_id, 0) < line.units:
            raise ConflictError(
                mark(
                    "You get something in exchange for one of these items, so it cannot be taken out."
                    " Choose the money instead on the page of exchange {number} first. Nothing was changed."
                ),
                code="exchange_stands",
                field="lines",
                number=line.number,
            )


def _is_fixed(row: Any, present: Any) -> bool:  # noqa: ANN401 - rows
    kind = row.source == TRIAL or row.gift_id is not None or present.of_claim
    return kind or present.status != ReturnStatus.FILED or present.proof_at is not None


def travelling(verdict: Verdict, postage: Postage, fee: int) -> Verdict:
    """What holds for changed items, given the postage so far and its fee in minor units; see above."""
    changes: dict[str, object] = {"keep_it": False}
    if verdict.postage is Postage.OWN_LABEL and postage is not Postage.OWN_LABEL:
        changes |= {"postage": postage, "fee": fee}
    return msgspec.structs.replace(verdict, **changes)


async def _write(
    db: AsyncConnection,
    actor: Actor,
    return_id: UUID,
    units: dict[UUID, int],
    lines: Sequence[Wanted],
    verdict: Verdict,
) -> None:
    """Change what is different; the rows of lines that stay are the same as before, with their reasons."""
    await run(db, _TAKE_OUT, id=return_id, kept=[line.line_id for line in lines])
    for line in lines:
        if units.get(line.line_id, line.quantity) != line.quantity:
            await run(db, _COUNT, id=return_id, line=line.line_id, quantity=line.quantity)
    new = [line for line in lines if line.line_id not in units]
    terms = {"bonus": verdict.bonus_percent, "postage": verdict.postage.value, "fee": verdict.fee}
    await run(db, _TERMS, id=return_id, **terms)
    told = {"before": _told(units), "after": _told({line.line_id: line.quantity for line in lines})}
    event = history.rows(actor, ("return", return_id, "items_changed", told))
    await insert_rows(db, (ReturnLine, line_rows(return_id, new)), event)


def _told(units: dict[UUID, int]) -> dict[str, int]:
    return {str(line_id): count for line_id, count in units.items()}
