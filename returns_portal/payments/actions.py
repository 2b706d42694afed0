"""What becomes of a payment: made in the sandbox, or verified with Stripe.

The order of writes is that of every effect outside: the row is read and committed, Stripe is asked without a
transaction under a key made of the row's id, and the answer is recorded. A job that dies in between runs again and
finds, by the same key, what it did. A payment that failed can be tried again by deferring its job again.
"""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.jobs import defer
from returns_portal.payments import queries
from returns_portal.payments.gateway import GatewayPayment, GatewayRefusedError
from returns_portal.payments.models import PAYMENT_TRANSITIONS, PaymentStatus, Tender
from returns_portal.payments.stripe import StripeGateway

# Refunds stand above payments and are not imported here; those that wait for a payment go on by a job's name.
# The payment's row was locked by a statement before this one, which therefore sees every refund that relies on it.
_WAITING = "SELECT id, due_at FROM refund WHERE payment_id = :id AND status = 'planned'"

_NOT_GONE = frozenset({"failed", "canceled"})


async def move_to(
    db: AsyncConnection,
    actor: Actor,
    payment: Row[Any],
    status: PaymentStatus,
    *,
    reason: str = "",
    **columns: object,
) -> None:
    """Bring a locked payment to a status, with what was learnt of it; refunds that waited for its capture go on.

    Raises:
        ConflictError: the status cannot follow on the present one.
    """
    if status not in PAYMENT_TRANSITIONS[PaymentStatus(payment.status)]:
        raise ConflictError(
            mark("A payment that is {before} cannot become {after}."), before=payment.status, after=status.value
        )
    told = ("payment", payment.id, status.value, {"reason": reason} if reason else {})
    waiting = await run(
        db, _update(tuple(columns)), id=payment.id, status=status.value, **columns, **history.values(actor, told)
    )
    if status == PaymentStatus.CAPTURED:
        for refund in waiting:
            await defer(db, "refunds.submit", at=refund.due_at, refund_id=str(refund.id))


@cache
def _update(columns: tuple[str, ...]) -> str:
    """The statement that sets the status and these columns of ours, writes the history, and reads what waits for it."""
    others = "".join(f", {column} = :{column}" for column in columns)
    changed = f"UPDATE payment SET status = :status{others} WHERE id = :id"  # noqa: S608 - our own names
    return f"WITH changed AS ({changed}), told AS ({history.INSERT}) {_WAITING}"


async def create_in_sandbox(begin: Begin, gateway: StripeGateway, payment_id: UUID) -> None:
    """Have the sandbox hold a captured payment, with what was refunded of it before the order came here.

    Raises:
        GatewayUnknownError: nobody knows whether it does; the same again under the same keys finds out.
    """
    async with begin() as db:
        payment = await queries.by_id(db, payment_id)
    if payment is None or payment.status not in {PaymentStatus.CREATING, PaymentStatus.FAILED}:
        return
    try:
        made, before = await _create(gateway, payment)
    except GatewayRefusedError as error:
        await _record(begin, payment, PaymentStatus.FAILED, reason=error.code or "refused")
    else:
        await _record(begin, payment, PaymentStatus.CAPTURED, reference=made.id, refunds_before=before, **_card(made))


async def _create(gateway: StripeGateway, payment: Row[Any]) -> tuple[GatewayPayment, list[str]]:
    ids = {"payment_id": str(payment.id), "order_id": str(payment.order_id)}
    made = await gateway.create_sandbox_payment(
        key=str(payment.id), amount=payment.amount, currency=payment.currency, metadata=ids
    )
    if not payment.refunded_before:
        return made, []
    refund = await gateway.refund(
        key=f"{payment.id}:before",
        payment=made.id,
        amount=payment.refunded_before,
        currency=payment.currency,
        metadata=ids,
    )
    return made, [refund.id]


async def verify(begin: Begin, gateway: StripeGateway, payment_id: UUID) -> None:
    """Read a payment from Stripe before anything of it may be refunded: it must be captured, in this amount.

    A reference in an imported file that Stripe does not know is another account's: the payment becomes external,
    to be paid back by transfer.

    Raises:
        GatewayUnknownError: Stripe gave no answer.
    """
    async with begin() as db:
        payment = await queries.by_id(db, payment_id)
    if payment is None or payment.status not in {PaymentStatus.UNVERIFIED, PaymentStatus.FAILED}:
        return
    try:
        read = await gateway.read_payment(payment.reference)
        before = await gateway.find_refunds(payment.reference) if read.refunded else []
    except GatewayRefusedError as error:
        if error.code == "resource_missing" and payment.imported_reference:
            await _record(
                begin,
                payment,
                PaymentStatus.CAPTURED,
                reason="not_our_account",
                tender=Tender.EXTERNAL,
                reference=None,
            )
        else:
            await _record(begin, payment, PaymentStatus.FAILED, reason=error.code or "refused")
        return
    mismatch = _mismatch(payment, read)
    if mismatch:
        await _record(begin, payment, PaymentStatus.FAILED, reason=mismatch)
    else:
        # The list rather than the sum: another refund may have been made in between, and is found by itself later.
        gone = sum(refund.amount for refund in before if refund.status not in _NOT_GONE)
        await _record(
            begin,
            payment,
            PaymentStatus.CAPTURED,
            refunded_before=max(payment.refunded_before, min(gone, payment.amount)),
            refunds_before=[refund.id for refund in before],
            **_card(read),
        )
        if read.disputed:
            async with begin() as db:
                await defer(db, "refunds.read_disputes", payment_id=str(payment.id))


def _mismatch(payment: Row[Any], read: GatewayPayment) -> str:
    """Why what Stripe holds is not this payment, in one word; empty where it is."""
    if read.currency != payment.currency:
        return "currency_differs"
    if read.status != "succeeded":
        return "not_captured"
    return "" if read.captured == payment.amount else "amount_differs"


def _card(read: GatewayPayment) -> dict[str, str]:
    return {"card_brand": read.card_brand or "", "card_last4": read.card_last4 or ""}


async def _record(
    begin: Begin, before: Row[Any], status: PaymentStatus, *, reason: str = "", **columns: object
) -> None:
    """Record what Stripe said, unless another run of the job already did."""
    async with begin() as db:
        payment = await queries.by_id(db, before.id, lock=True)
        if payment is not None and payment.status == before.status != status:
            await move_to(db, SYSTEM, payment, status, reason=reason, **columns)
