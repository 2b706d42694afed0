"""Refunds: made under the charge's lock, settled at once or later, reversed where the bank sends them back."""

from collections import deque
from functools import partial
from typing import Literal

import msgspec

from returns_portal.payments.sandbox import balance, clock, disputes, objects
from returns_portal.payments.sandbox.cards import BY_LAST4
from returns_portal.payments.sandbox.currencies import check_step, format_amount
from returns_portal.payments.sandbox.errors import ApiError, missing
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.params import RefundCreate, RefundUpdate
from returns_portal.payments.sandbox.unit import Unit

Settled = Literal["succeeded", "failed", "canceled"]
_NEXT: dict[str, tuple[str, ...]] = {
    "pending": ("succeeded", "failed", "canceled"),
    "requires_action": ("pending", "succeeded", "failed", "canceled"),
    "succeeded": ("failed",),
    "failed": (),
    "canceled": (),
}


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a refund goes: what is answered at once, and what becomes of it `after` so many seconds."""

    status: Literal["succeeded", "pending", "requires_action", "failed"] = "succeeded"
    then: Literal["succeeded", "failed"] | None = None
    after: float | None = None
    pending_reason: Literal["processing", "insufficient_funds", "charge_pending"] = "processing"
    failure_reason: str = "expired_or_canceled_card"


_BY_CARD = {
    "succeeds": Outcome(),
    "pending": Outcome(status="pending", then="succeeded"),
    "fails": Outcome(status="succeeded", then="failed"),
}


class Bank:
    """Decides how refunds go: by what a test ordered for the next one, else by the card.

    Orders are kept in memory: they concern the next requests of one test, and a restart forgets them.
    """

    def __init__(self) -> None:
        self.ordered: deque[Outcome] = deque()

    def outcome(self, unit: Unit, charge: Document) -> Outcome:
        """Say how the next refund of this charge goes; a unit that comes to nothing gives its order back."""
        if self.ordered:
            outcome = self.ordered.popleft()
            unit.undo.append(partial(self.ordered.appendleft, outcome))
            return outcome
        return _BY_CARD[BY_LAST4[charge["payment_method_details"]["card"]["last4"]].refund]


async def create(unit: Unit, params: RefundCreate, bank: Bank) -> Document:
    """Refund part or all of what is left of a charge."""
    charge = await _refundable(unit, params)
    disputed = await disputes.of_charge(unit, charge)
    if not disputes.refundable(disputed):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise ApiError(400, message, code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = left if params.amount is None else params.amount
    _check_amount(amount, left, charge)
    outcome = bank.outcome(unit, charge)
    refund = objects.refund(charge, amount, status=outcome.status, metadata=params.metadata, reason=params.reason)
    line = balance.line(refund, "refund", -amount)
    refund["balance_transaction"] = line["id"]
    _count(charge, amount)
    unit.put(line)
    if outcome.status == "pending":
        refund["pending_reason"] = outcome.pending_reason
    unit.put(refund, charge)
    unit.tell("refund.created", refund)
    unit.tell("charge.refunded", charge)
    if outcome.status == "failed":
        _reverse(unit, refund, charge, outcome.failure_reason)
        _tell_changed(unit, refund, {"failure_reason": None})
    elif charge["refunded"]:
        disputes.refunded(unit, disputed)
    if outcome.then:
        due = clock.moment() + (unit.later if outcome.after is None else outcome.after)
        planned = objects.plan(refund=refund["id"], becomes=outcome.then, failure_reason=outcome.failure_reason)
        unit.put(planned, due=due)
    return refund


def _check_amount(amount: int, left: int, charge: Document) -> None:
    currency = charge["currency"]
    if amount < 1:
        raise ApiError(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        whole = charge["amount_refunded"] == 0
        than = "charge amount" if whole else "unrefunded amount on charge"
        asked, most = format_amount(amount, currency), format_amount(left, currency)
        raise ApiError(400, f"Refund amount ({asked}) is greater than {than} ({most})", param="amount")
    check_step(amount, currency)


async def _refundable(unit: Unit, params: RefundCreate) -> Document:
    """Lock the charge that is to be refunded.

    Raises:
        ApiError: there is none, or nothing of it was captured.
    """
    if params.payment_intent is not None:
        charge = await unit.lock_charge_of(params.payment_intent)
        if charge is None and await unit.find("payment_intent", params.payment_intent) is None:
            raise missing("payment_intent", params.payment_intent, "payment_intent")
        intent_id = params.payment_intent
    elif params.charge is not None:
        charge = await unit.lock("charge", params.charge)
        if charge is None:
            raise missing("charge", params.charge, "charge")
        intent_id = charge["payment_intent"]
    else:
        raise ApiError(
            400,
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    if charge is None or not charge["captured"]:
        raise ApiError(400, f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")
    if params.charge not in (None, charge["id"]):
        raise ApiError(400, f"Charge {params.charge} does not belong to PaymentIntent {intent_id}.", param="charge")
    return charge


def _count(charge: Document, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]


def _reverse(unit: Unit, refund: Document, charge: Document, reason: str) -> None:
    """Give the money back to the account's balance and make the charge refundable again."""
    refund["failure_reason"] = reason
    line = balance.line(refund, "refund_failure", refund["amount"])
    refund["failure_balance_transaction"] = line["id"]
    _count(charge, -refund["amount"])
    unit.put(line)


async def settle(unit: Unit, refund_id: str, status: Settled, reason: str | None = None) -> Document:
    """Move a refund on, as the bank does: a pending one to its end, a successful one back.

    The charge is locked first, as by every change of a refund; so the refund is read behind that lock.

    Raises:
        ApiError: there is no such refund, or its status does not allow this.
    """
    known = await unit.find("refund", refund_id)
    charge = known and await unit.lock("charge", known["charge"])
    refund = await unit.find("refund", refund_id)
    if refund is None or charge is None:
        raise missing("refund", refund_id)
    if status not in _NEXT[refund["status"]]:
        raise ApiError(400, f"A refund with a status of {refund['status']} cannot become {status}.")
    previous = {"status": refund["status"]}
    objects.set_refund_status(refund, status)
    refund.pop("pending_reason", None)
    if status in {"failed", "canceled"}:
        _reverse(unit, refund, charge, reason or ("expired_or_canceled_card" if status == "failed" else "unknown"))
        unit.put(charge)
    unit.put(refund)
    _tell_changed(unit, refund, previous)
    return refund


def _tell_changed(unit: Unit, refund: Document, previous: dict[str, object]) -> None:
    """Tell of a refund's change under all the names that Stripe has for it."""
    unit.tell("refund.updated", refund, previous=previous)
    unit.tell("charge.refund.updated", refund, previous=previous)
    if refund["status"] == "failed":
        unit.tell("refund.failed", refund)


async def cancel(unit: Unit, _params: Params, refund_id: str) -> Document:
    """Cancel a refund for which the customer has yet to act; all others can no longer be stopped."""
    refund = await unit.find("refund", refund_id)
    if refund is None:
        raise missing("refund", refund_id)
    if refund["status"] != "requires_action":
        raise ApiError(
            400,
            f"Refund {refund_id} cannot be canceled because it has a status of {refund['status']}. Only a refund "
            "with the following status may be canceled: requires_action.",
        )
    return await settle(unit, refund_id, "canceled")


async def update(unit: Unit, params: RefundUpdate, refund_id: str) -> Document:
    """Change a refund's metadata; a key with an empty value is removed."""
    known = await unit.find("refund", refund_id)
    charge = known and await unit.lock("charge", known["charge"])
    refund = await unit.find("refund", refund_id)
    if refund is None or charge is None:
        raise missing("refund", refund_id)
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = objects.merged(refund["metadata"], params.metadata)
    unit.put(refund)
    _tell_changed(unit, refund, previous)
    return refund
