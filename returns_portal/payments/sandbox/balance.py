"""The account's balance: its lines, and the payouts that empty it."""

from typing import Literal

import msgspec

from returns_portal.payments.sandbox import clock
from returns_portal.payments.sandbox.errors import ApiError, missing
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.unit import Unit

_DAY = 86400
_NEXT = {
    "pending": ("in_transit", "paid", "failed", "canceled"),
    "in_transit": ("paid", "failed"),
    "paid": ("failed",),
    "failed": (),
    "canceled": (),
}
_BACK = {"failed": "payout_failure", "canceled": "payout_cancel"}
"""The types of the lines by which the money comes back."""


def line(source: Document, type_: str, amount: int, *, fee: int = 0, category: str = "", text: str = "") -> Document:
    """Build the line of the balance that a charge, a refund, a dispute or a payout makes.

    Args:
        source: the charge, refund, dispute or payout.
        type_: `charge`, `refund`, `adjustment`, `payout` and so on.
        amount: what the balance gains, negative where it loses.
        fee: what Stripe takes, negative where it gives it back.
        category: the reporting category, where it is not the type.
        text: what the fee is for.
    """
    moment = clock.now()
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": text or "Stripe processing fees",
        "type": "stripe_fee",
    }
    return {
        "id": new_id("balance_transaction"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": moment,
        "balance_type": "payments",
        "created": moment,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": category or type_,
        "source": source["id"],
        "status": "available",
        "type": type_,
    }


class PayOut(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be paid out now; Stripe does so by the account's schedule."""

    currency: str | None = None
    """Each currency in which there is something, where none is named."""
    before: int | None = None
    """Only lines created before then, in Unix seconds."""
    status: Literal["pending", "in_transit", "paid"] = "paid"


async def pay_out(unit: Unit, currency: str, asked: PayOut) -> Document | None:
    """Pay out what the balance holds in one currency, as an automatic payout.

    Returns:
        The payout, or None where the lines are worth nothing or less: Stripe then waits for better days.
    """
    id_ = new_id("payout")
    before = clock.now() + 1 if asked.before is None else asked.before
    amount = await unit.pay_out(id_, currency, before)
    if amount <= 0:
        await unit.abandon()
        return None
    payout = _payout(id_, amount, currency)
    taken = line(payout, "payout", -amount)
    payout["balance_transaction"] = taken["id"]
    unit.put(payout)
    unit.put(taken, payout=id_)
    unit.tell("payout.created", payout)
    if asked.status != "pending":
        _become(unit, payout, asked.status)
    return payout


async def settle(unit: Unit, payout_id: str, status: str) -> Document:
    """Move a payout on, as the bank does: to the account, or back.

    Raises:
        ApiError: there is no such payout, or its status does not allow this.
    """
    payout = await unit.lock("payout", payout_id)
    if payout is None:
        raise missing("payout", payout_id)
    if status not in _NEXT[payout["status"]]:
        raise ApiError(400, f"A payout with a status of {payout['status']} cannot become {status}.")
    _become(unit, payout, status)
    return payout


def _become(unit: Unit, payout: Document, status: str) -> None:
    previous = {"status": payout["status"]}
    payout["status"] = status
    if status == "paid":
        payout["trace_id"] = {"status": "supported", "value": payout["id"][-12:]}
    elif status in _BACK:
        returned = line(payout, _BACK[status], payout["amount"], category="payout_reversal")
        payout["failure_balance_transaction"] = returned["id"]
        unit.put(returned)
    if status == "failed":
        payout["failure_code"] = "account_closed"
        payout["failure_message"] = "The bank account has been closed."
    unit.put(payout)
    if status == "in_transit":
        unit.tell("payout.updated", payout, previous=previous)
    else:
        unit.tell(f"payout.{status}", payout)


def _payout(id_: str, amount: int, currency: str) -> Document:
    moment = clock.now()
    return {
        "id": id_,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": moment - moment % _DAY,
        "automatic": True,
        "balance_transaction": None,
        "created": moment,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
