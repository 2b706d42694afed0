"""What support decides about a claim, and what that sets in motion.

Money without goods takes the way of every gesture: within one person's limit, or with a second one. What is paid for
units counts as settled, so that no return can ask for them again.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.actions import lock_claim, move_to
from returns_portal.claims.letters import tell
from returns_portal.claims.models import Kind, Status
from returns_portal.claims.queries import ClaimView, claims_of_order
from returns_portal.claims.replacements.reserving import reserve
from returns_portal.claims.rules import last_day, settled_item
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark, speaking, translate
from returns_portal.money import allocate
from returns_portal.refunds.filing import file
from returns_portal.refunds.goodwill import MAX_REASON, Gesture, give, limit_of
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.refunds.rules import Claim
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import OrderState, order_state
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo

Decision = Literal["refund", "reduction", "replacement", "goods", "refusal"]
REASONS: Final = {
    Kind.DAMAGED: mark("It arrived damaged."),
    Kind.FAULTY: mark("It is faulty."),
    Kind.MISSING: mark("It did not arrive."),
    Kind.WRONG: mark("It is not what was ordered."),
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided; `amount` (minor units) is a reduction's, and `answer` is for the customer to read."""

    decision: Decision
    answer: str = ""
    amount: int = 0


async def decide(
    db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, claim_id: UUID, verdict: Verdict
) -> ClaimView:
    """Decide a claim; the claim as it was before.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: there is no such claim.
        InvalidError: a refusal without words, or a reduction of nothing or more than the items cost.
        ConflictError: it was decided already; the items are in a return; nothing was paid for them; too few are in
            stock to be sent anew; or whoever told of it gives more than one person may (`own_request`).
    """
    actor.require("refunds:write", "support", "finance")
    claim = await lock_claim(db, actor, claim_id)
    if not claim.is_open:
        raise ConflictError(mark("This was decided already. Nothing was changed."), code="already_decided")
    if len(verdict.answer) > MAX_REASON:
        raise InvalidError(mark("This is longer than {limit} characters."), field="answer", limit=MAX_REASON)
    if verdict.decision in ("refund", "reduction"):
        await _pay(db, actor, settings, shop, claim, verdict)
    elif verdict.decision == "goods":
        await _ask_for_goods(db, actor, settings, shop, claim, verdict)
    elif verdict.decision == "replacement":
        await _refuse_own(db, actor, shop, claim)
        await _send_anew(db, actor, claim, verdict)
    else:
        await _refuse(db, actor, claim, verdict)
    return claim


async def _pay(
    db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, claim: ClaimView, verdict: Verdict
) -> None:
    """Give money back without goods: all that the units cost, or a part."""
    in_full = verdict.decision == "refund"
    units = tuple(Claim(item.line_id, item.quantity) for item in claim.items) if in_full else ()
    await _refuse_returned(db, actor, claim)
    if not in_full:
        _refuse_amount(claim, verdict.amount)
    wish = Gesture(
        order_number=claim.order_number,
        reason=verdict.answer.strip() or _reason(claim),
        amount=0 if in_full else verdict.amount,
        units=units,
        refund_to=RefundTo.ORIGINAL,
    )
    given = await give(db, actor, settings, shop, wish)
    await move_to(
        db,
        actor,
        claim,
        Status.REFUNDED if in_full else Status.REDUCED,
        answer=verdict.answer.strip(),
        goodwill_id=given.id,
        closed=given.decision is not GoodwillDecision.WAITING,
    )
    if not in_full:
        await _reduce(db, claim, verdict.amount)


_REDUCE: Final = """
    UPDATE item_claim_line k SET reduced = u.share
    FROM unnest(CAST(:line_ids AS uuid[]), CAST(:shares AS bigint[])) AS u(line_id, share)
    WHERE k.claim_id = :id AND k.order_line_id = u.line_id
"""


async def _reduce(db: AsyncConnection, claim: ClaimView, amount: int) -> None:
    """Note by how much the price of which line is reduced: its units are worth that much less from then on."""
    shares = allocate(amount, [item.worth for item in claim.items])
    await run(db, _REDUCE, id=claim.id, line_ids=[item.line_id for item in claim.items], shares=shares)


def _reason(claim: ClaimView) -> str:
    with speaking(claim.locale):
        return translate(REASONS[claim.kind])


async def _refuse_returned(db: AsyncConnection, actor: Actor, claim: ClaimView) -> OrderState:
    """What is in a return is paid for there; the order of the claim, where nothing is.

    Raises:
        ConflictError: so it is.
    """
    order = await order_state(db, actor, claim.order_number)
    if (item := settled_item(claim, order.lines)) is not None:
        raise ConflictError(
            mark("{title} is in a return, and is paid for there. Refuse the claim, or cancel the return."),
            code="in_a_return",
            field="decision",
            title=item.title,
        )
    return order


def _refuse_amount(claim: ClaimView, amount: int) -> None:
    """A price can be reduced by what was paid, at most.

    Raises:
        InvalidError: by nothing, by more, or of what did not arrive.
    """
    if claim.kind is Kind.MISSING:
        raise InvalidError(
            mark("What did not arrive cannot be kept for less. Choose the money or the item."),
            code="no_such_remedy",
            field="decision",
        )
    if not 1 <= amount <= worth(claim):
        raise InvalidError(
            mark("Give an amount above nothing, and at most what was paid."), code="bad_amount", field="amount"
        )


def worth(claim: ClaimView) -> int:
    """What was paid for its items and not given back by a reduction, in minor units."""
    return sum(item.worth for item in claim.items)


# Those that were filed and decided by the same person, and are sent.
_UNSEEN: Final = """
    SELECT c.id FROM item_claim c JOIN replacement n ON n.claim_id = c.id
    WHERE c.order_id = :order_id AND c.filed_by = :by AND n.created_by = :by AND n.status <> 'ended'
"""


async def _refuse_own(db: AsyncConnection, actor: Actor, shop: ShopInfo, claim: ClaimView) -> None:
    """Goods are given within a person's limit, as money is: what one of the staff has told of is seen by nobody else.

    Counted with all that they have sent anew of the order by themselves: many small things are a large one.

    Raises:
        ConflictError: it is more than they may give (`own_request`).
    """
    if not shop.second_person or actor.kind != "staff" or claim.filed_by != actor.label:
        return
    unseen = {row.id for row in await run(db, _UNSEEN, order_id=claim.order_id, by=actor.label)} | {claim.id}
    given = sum(worth(one) for one in await claims_of_order(db, actor, claim.order_id) if one.id in unseen)
    if given > limit_of(shop, claim.currency):
        raise ConflictError(
            mark("You asked for this yourself, so somebody else has to decide it."),
            code="own_request",
            field="decision",
        )


async def _ask_for_goods(
    db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, claim: ClaimView, verdict: Verdict
) -> None:
    """File the return by which the items come, at no cost to the customer, whatever the shop's return window."""
    if claim.kind is Kind.MISSING:
        raise InvalidError(
            mark("What did not arrive cannot be sent back."), code="nothing_to_send_back", field="decision"
        )
    last = last_day(claim.delivered_at, shop.timezone)
    days = shop.return_days
    if last is not None and claim.delivered_at is not None:
        # The seller answers for the goods for longer than the shop takes them back without a reason.
        days = (last - claim.delivered_at.date()).days + 1
    wanted = [Wanted(item.line_id, item.quantity, _reason(claim)) for item in claim.items]
    filed = await file(
        db,
        actor,
        settings,
        shop,
        claim.order_number,
        wanted,
        RefundTo.ORIGINAL,
        # The label is for whoever claimed in time, however long the decision took.
        came_at=claim.filed_at,
        claim_days=days,
    )
    await move_to(db, actor, claim, Status.RETURNING, answer=verdict.answer.strip(), return_id=filed.id, closed=False)
    await tell(db, claim, "claim_decided", decision="goods", answer=verdict.answer.strip())


async def _send_anew(db: AsyncConnection, actor: Actor, claim: ClaimView, verdict: Verdict) -> None:
    """Set a new one aside, which the warehouse packs from now on; the claim is over once it is sent."""
    order = await _refuse_returned(db, actor, claim)
    if order.cancelled_at is not None:
        raise ConflictError(
            mark("This order was cancelled, so nothing of it is sent anew. Decide something else."),
            code="order_cancelled",
            field="decision",
        )
    await reserve(db, actor, claim)
    answer = verdict.answer.strip()
    await move_to(db, actor, claim, Status.REPLACED, answer=answer, closed=False)
    await tell(db, claim, "claim_decided", decision="replacement", answer=answer)


async def _refuse(db: AsyncConnection, actor: Actor, claim: ClaimView, verdict: Verdict) -> None:
    """Refuse the claim, with words."""
    answer = verdict.answer.strip()
    if not answer:
        raise InvalidError(mark("Say why: the customer reads the reason."), code="no_reason", field="answer")
    await move_to(db, actor, claim, Status.REFUSED, answer=answer)
    await tell(db, claim, "claim_decided", decision="refusal", answer=answer)
