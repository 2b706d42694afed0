"""Filing a return with all that comes with it: its label, what it will be worth, and the e-mail that says so.

Pages and the JSON API file through this one function. It stands here, above returns and labels, because the preview
is planned by the rules that will pay the refund.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.exchanges.ending import end_of_return
from returns_portal.exchanges.models import ExchangeStatus
from returns_portal.exchanges.queries import ExchangeView
from returns_portal.exchanges.reserving import Reserved, Swap, reserve
from returns_portal.labels.actions import issue
from returns_portal.labels.policy import habits
from returns_portal.notifications.actions import enqueue
from returns_portal.policies.content import Postage
from returns_portal.policies.rules import Verdict
from returns_portal.refunds.exchanges import without
from returns_portal.refunds.keeping import release_kept
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.replacing import asked_of, at_once_days, kept, refuse_of_gift, units_wanted
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan, plan, within
from returns_portal.returns.actions import Filed, Wanted, file_return
from returns_portal.returns.judging import judgement
from returns_portal.returns.life import cancel_return
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.queries import OrderState, ReturnLineView, order_state
from returns_portal.returns.together import Lead, in_its_parcel, lead_for, lock_orders
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.vault import Vault


class FiledReturn(msgspec.Struct, frozen=True):
    """A return that was filed, with its label's code and what will be refunded when all of it comes back in order."""

    id: UUID
    rma: str
    status: ReturnStatus
    lines: list[ReturnLineView]
    preview: RefundPlan
    label_code: str
    postage: Postage = Postage.SHOP
    kept: bool = False
    """Whether the customer keeps the goods, so that nothing is sent and the refund is under way."""
    exchanges: list[Reserved] = []
    in_parcel_of: str = ""
    """The number of the return in whose parcel it travels, and whose label `label_code` is; empty for its own."""


async def file(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    shop: ShopInfo,
    order_number: str,
    wanted: Sequence[Wanted],
    refund_to: RefundTo,
    *,
    bank_account: str | None = None,
    withdrawal_id: UUID | None = None,
    came_at: datetime | None = None,
    claim_days: int = 0,
    swaps: Sequence[Swap] = (),
    at_once: bool = False,
    in_parcel_of: str = "",
) -> FiledReturn:
    """File a return of an order, judged by the policy of the day on which it was placed, in six statements.

    `came_at` is when its goods came, where staff file it for goods that are here: the window is that day's. What is
    claimed for not being as it should can come back for `claim_days` from delivery, whatever the policy says.

    `bank_account` is where a payment from outside goes back to, in clear; it is stored encrypted. A return that follows
    from a statement of withdrawal is told of by the e-mail that acknowledges it; any other has an e-mail of its own.

    `swaps` say what is wanted instead of money: that is set aside in this transaction, or nothing is filed at all. With
    `at_once` it is sent before the goods are back, as soon as a card holds its price.

    `in_parcel_of` is the number of a return of another order of the same person: it travels in that one's parcel, under
    that one's label, and its postage is paid with that one's.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's; or no such return to travel with.
        InvalidError: nothing is wanted, or something that the order does not have.
        ConflictError: something cannot be returned (any more), or not in that parcel; the code is the rule's.
    """
    if in_parcel_of:
        await lock_orders(db, order_number, in_parcel_of)
    order = await order_state(db, actor, order_number, lock=True)
    refuse_of_gift(order, wanted)
    faulty = {line.line_id for line in wanted if line.faulty}
    when, arrived = came_at or clock.now(), came_at is not None
    judged = await judgement(db, order, shop.timezone, when, faulty, arrived=arrived)
    judged = judged.of_claim(claim_days) if claim_days else judged
    lead = await lead_for(db, actor, order, in_parcel_of) if in_parcel_of else None
    filed = await file_return(
        db,
        actor,
        order,
        wanted,
        refund_to,
        judged=judged,
        bank_account=sealed(settings, bank_account) if bank_account else None,
        withdrawal_id=withdrawal_id,
        came_at=came_at,
        lead=lead,
    )
    units = units_wanted(wanted)
    verdict = in_its_parcel(judged.of(units), lead)
    if swaps and verdict.keep_it:
        raise kept()
    label = await _label(db, actor, filed, verdict, lead)
    balance = await balance_of(db, order.id)
    asked = asked_of(order, filed.id, balance, units, at_once_days(judged) if swaps and at_once else None)
    reserved = await reserve(db, actor, asked, swaps)
    made = FiledReturn(
        filed.id,
        filed.rma,
        ReturnStatus.RECEIVED if verdict.keep_it else filed.status,
        announced_lines(order, wanted, units),
        _worth(balance, filed.id, units, reserved, refund_to, verdict.bonus_percent),
        label,
        verdict.postage,
        verdict.keep_it,
        reserved,
        lead.rma if lead and not verdict.keep_it else "",
    )
    if verdict.keep_it:
        await release_kept(db, settings, filed.rma, units)
    if withdrawal_id is None:
        await _tell(db, order, made, refund_to)
    return made


def _worth(
    balance: OrderBalance,
    return_id: UUID,
    units: dict[UUID, int],
    reserved: Sequence[Reserved],
    refund_to: RefundTo,
    bonus_percent: int,
) -> RefundPlan:
    """What will be refunded when all of it comes back in order, beside what it is exchanged for."""
    left = without(balance, [(each.line_id, each.covered) for each in reserved])
    claims = [Claim(line_id, quantity) for line_id, quantity in units.items()]
    fee = balance.fees.get(return_id, 0)
    return plan(left, within(left, claims), refund_to=refund_to, bonus_percent=bonus_percent, fee=fee)


async def _label(db: AsyncConnection, actor: Actor, filed: Filed, verdict: Verdict, lead: Lead | None) -> str:
    """The code under which it travels: a label's, its own or that of the parcel it is in, or else its number."""
    if verdict.keep_it:
        return filed.rma
    if lead is not None:
        return lead.code
    return filed.rma if verdict.postage is Postage.OWN_LABEL else await issue(db, actor, filed.id, filed.rma)


def announced_lines(order: OrderState, wanted: Sequence[Wanted], units: dict[UUID, int]) -> list[ReturnLineView]:
    """What was announced, as the return will be shown."""
    reasons = {line.line_id: line.reason for line in reversed(wanted) if line.reason}
    return [
        ReturnLineView(
            line.line_id,
            line.sku,
            line.title,
            line.size,
            line.color,
            units[line.line_id],
            reasons.get(line.line_id, "").strip(),
            0,
            None,
            line.unit_paid,
        )
        for line in order.lines
        if line.line_id in units
    ]


def sealed(settings: Settings, bank_account: str) -> str:
    """An account number as it is stored.

    Raises:
        ValueError: the settings have no secret key.
    """
    if settings.secret_key is None:
        raise ValueError("SECRET_KEY is required")
    return Vault(settings.secret_key.get_secret_value()).seal(bank_account)


async def cancel(db: AsyncConnection, actor: Actor, rma: str) -> None:
    """Cancel a return while nothing of it has arrived, and say so by e-mail.

    Raises:
        NotFoundError: none, or not the actor's.
        ConflictError: something arrived, or it is cancelled already.
    """
    row = await cancel_return(db, actor, rma)
    await end_of_return(db, actor, row.id)
    await enqueue(
        db,
        template="return_cancelled",
        recipient=row.email,
        locale=row.locale,
        subject_id=row.id,
        values={"rma": row.rma, "order_number": "" if row.gift_id else row.number, "url": f"/returns/{row.rma}"},
    )


async def _tell(db: AsyncConnection, order: OrderState, made: FiledReturn, refund_to: RefundTo) -> None:
    """Write the e-mail: what comes back, what it will be worth, where the label is."""
    await enqueue(
        db,
        template="return_filed",
        recipient=order.email,
        locale=order.locale,
        subject_id=made.id,
        values={
            "order_number": order.number,
            "name": order.name,
            "refund_to": refund_to.value,
            **await label_in_words(db, made),
            **in_words(made),
        },
    )


async def label_in_words(db: AsyncConnection, made: FiledReturn) -> dict[str, object]:
    """What an e-mail says of its label: asked of a carrier, it has one of its own as soon as it is there."""
    ready = not (await habits(db)).asks
    shown = ready and made.postage is not Postage.OWN_LABEL and not made.kept and not made.in_parcel_of
    return {"label_ready": ready, "qr": made.label_code if shown else ""}


def in_words(made: FiledReturn) -> dict[str, object]:
    """What an e-mail says of a return that was filed."""
    return {
        "rma": made.rma,
        "lines": [
            {"title": line.title, "size": line.size, "color": line.color, "quantity": line.quantity}
            for line in made.lines
        ],
        "preview": [
            {
                "destination": leg.destination.value,
                "amount": leg.amount,
                "bonus": leg.bonus,
                "currency": made.preview.currency,
            }
            for leg in made.preview.legs
        ],
        "exchanges": [_thing(each, each.to_pay) for each in made.exchanges],
        "to_pay": sum(each.to_pay for each in made.exchanges),
        "to_hold": sum(each.difference.price for each in made.exchanges if each.at_once),
        "total": made.preview.total,
        "postage": made.postage.value,
        "fee": made.preview.fee,
        "kept": made.kept,
        "in_parcel_of": made.in_parcel_of,
        "currency": made.preview.currency,
        "url": f"/returns/{made.rma}",
    }


def in_exchange(exchanges: Sequence[ExchangeView]) -> dict[str, object]:
    """What an e-mail says of exchanges that stand already: what was paid on top is not asked for again."""
    to_pay = {each.id: each.to_pay if each.status is ExchangeStatus.AWAITING_PAYMENT else 0 for each in exchanges}
    return {
        "exchanges": [_thing(each, to_pay[each.id]) for each in exchanges],
        "to_pay": sum(to_pay.values()),
        "to_hold": sum(each.price for each in exchanges if each.status is ExchangeStatus.AWAITING_HOLD),
    }


def _thing(each: Reserved | ExchangeView, to_pay: int) -> dict[str, object]:
    named = {"number": each.number, "title": each.title, "size": each.size, "color": each.color}
    return {"quantity": 1, **named, "to_pay": to_pay}
