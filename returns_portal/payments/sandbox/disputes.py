"""Disputes: an inquiry asks, a chargeback takes the money at once, and only winning brings it back."""

import msgspec

from returns_portal.payments.sandbox import balance, clock
from returns_portal.payments.sandbox.cards import BY_LAST4
from returns_portal.payments.sandbox.currencies import dispute_fee_of
from returns_portal.payments.sandbox.errors import ApiError, missing, not_simulated
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.objects import Document, merged, plan
from returns_portal.payments.sandbox.params import DisputeUpdate
from returns_portal.payments.sandbox.unit import Unit

_ANSWER_SECONDS = 9 * 86400
_NEXT = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
    "warning_closed": (),
    "won": (),
    "lost": (),
}
_CLOSED = ("won", "lost", "warning_closed")
_REASONS = (
    *("bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized"),
    *("duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant"),
    *("product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized"),
)
_CODES = {
    "fraudulent": "10.4",
    "product_not_received": "13.1",
    "subscription_canceled": "13.2",
    "product_unacceptable": "13.3",
    "credit_not_processed": "13.6",
    "duplicate": "12.6",
}
"""Visa's reason codes."""
_TEXTS = (
    *("access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal"),
    *("customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation"),
    *("service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number"),
    "uncategorized_text",
)
_FILES = (
    *("cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation"),
    *("receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file"),
)
_VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost", "escalate_inquiry_evidence": "needs_response"}
"""What test evidence leads to: https://docs.stripe.com/testing#disputes."""


class Opening(msgspec.Struct, forbid_unknown_fields=True):
    """A dispute that is to be opened now, as a card holder's bank does."""

    charge: str | None = None
    payment_intent: str | None = None
    amount: int | None = None
    """What is left of the charge, where it is not said; at most what was captured."""
    reason: str = "fraudulent"
    inquiry: bool = False


async def open_(
    unit: Unit, charge_id: str, *, reason: str, inquiry: bool = False, amount: int | None = None
) -> Document:
    """Open a dispute of a charge. A chargeback withdraws its amount and a fee; an inquiry moves no money.

    Raises:
        ApiError: there is no such charge, nothing of it was captured, or it is in dispute already.
    """
    charge = await unit.lock("charge", charge_id)
    if charge is None:
        raise missing("charge", charge_id, "charge")
    if reason not in _REASONS:
        raise ApiError(400, f"Invalid reason: must be one of {', '.join(_REASONS)}", param="reason")
    left = charge["amount_captured"] - charge["amount_refunded"]
    disputed = left if amount is None else amount
    if not 0 < disputed <= charge["amount_captured"]:
        raise ApiError(400, f"Charge {charge_id} has nothing captured that could be disputed.", param="amount")
    if any(dispute["status"] not in _CLOSED for dispute in await unit.all_of("dispute", charge_id)):
        raise ApiError(400, f"Charge {charge_id} has an open dispute already.", param="charge")
    dispute = _dispute(charge, disputed, reason, inquiry=inquiry)
    charge["disputed"] = True
    unit.put(charge, dispute)
    unit.tell("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(unit, dispute)
    return dispute


async def settle(unit: Unit, dispute_id: str, status: str) -> Document:
    """Move a dispute on, as the card holder's bank does.

    Raises:
        ApiError: there is no such dispute, or its status does not allow this.
    """
    dispute = await _locked(unit, dispute_id)
    if status not in _NEXT[dispute["status"]]:
        raise ApiError(400, f"A dispute with a status of {dispute['status']} cannot become {status}.")
    _become(unit, dispute, status)
    return dispute


async def of_charge(unit: Unit, charge: Document) -> list[Document]:
    """Read a charge's disputes, newest first; a charge that says that it has none is believed."""
    return await unit.all_of("dispute", charge["id"]) if charge["disputed"] else []


def refundable(disputes: list[Document]) -> bool:
    """Whether the charge of these disputes can be refunded: not while, or after, the money was taken back."""
    return all(dispute["is_charge_refundable"] or dispute["status"] == "won" for dispute in disputes)


def refunded(unit: Unit, disputes: list[Document]) -> None:
    """Close the inquiries of a charge that was refunded in full: nothing is left to ask."""
    for dispute in disputes:
        if "warning_closed" in _NEXT[dispute["status"]]:
            _become(unit, dispute, "warning_closed")


def foreseen(charge: Document, later: float) -> tuple[Document, float] | None:
    """Plan the dispute that a test card leads to; returns the plan and when it is due."""
    card = BY_LAST4[charge["payment_method_details"]["card"]["last4"]]
    if card.dispute is None:
        return None
    planned = plan(dispute_of=charge["id"], reason=card.dispute, inquiry=card.inquiry)
    return planned, clock.moment() + later


async def update(unit: Unit, params: DisputeUpdate, dispute_id: str) -> Document:
    """Take evidence and, unless it is only a draft, submit it: once, and for good."""
    dispute = await _locked(unit, dispute_id)
    dispute["metadata"] = merged(dispute["metadata"], params.metadata)
    unit.put(dispute)
    if not params.evidence and not params.submit:
        return dispute
    if not dispute["status"].endswith("needs_response"):
        raise ApiError(400, f"This dispute's status is {dispute['status']}: it takes no evidence any more.")
    details = dispute["evidence_details"]
    for name, text in params.evidence.items():
        _check_evidence(name, text)
        dispute["evidence"][name] = text or None
    details["has_evidence"] = any(dispute["evidence"][name] for name in _TEXTS)
    if params.submit is not False:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        verdict = _VERDICTS.get(dispute["evidence"]["uncategorized_text"] or "")
        if verdict:
            unit.put(plan(dispute=dispute_id, becomes=verdict), due=clock.moment() + unit.later)
        _become(unit, dispute, "warning_under_review" if dispute["status"].startswith("warning") else "under_review")
    else:
        unit.tell("charge.dispute.updated", dispute)
    return dispute


async def close(unit: Unit, _params: Params, dispute_id: str) -> Document:
    """Accept a dispute: it is lost."""
    dispute = await _locked(unit, dispute_id)
    if dispute["status"] != "needs_response":
        raise ApiError(400, f"This dispute's status is {dispute['status']}, so it cannot be closed.")
    _become(unit, dispute, "lost")
    return dispute


async def _locked(unit: Unit, dispute_id: str) -> Document:
    """Lock the charge and then the dispute: in the order in which refunds and disputes are made too."""
    known = await unit.find("dispute", dispute_id)
    if known is None:
        raise missing("dispute", dispute_id, "dispute")
    await unit.lock("charge", known["charge"])
    dispute = await unit.lock("dispute", dispute_id)
    if dispute is None:
        raise missing("dispute", dispute_id, "dispute")
    return dispute


def _check_evidence(name: str, text: object) -> None:
    param = f"evidence[{name}]"
    if name in _FILES or not isinstance(text, str):
        raise not_simulated(f"the parameter {param}")
    if name not in _TEXTS:
        raise ApiError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def _become(unit: Unit, dispute: Document, status: str) -> None:
    previous = {"status": dispute["status"]}
    dispute["status"] = status
    unit.put(dispute)
    if status in _CLOSED:
        dispute["is_charge_refundable"] = status != "lost"
        if status == "won":
            _reinstate(unit, dispute)
        unit.tell("charge.dispute.closed", dispute)
        return
    if status == "needs_response":
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        dispute["evidence_details"]["due_by"] = clock.now() + _ANSWER_SECONDS
    unit.tell("charge.dispute.updated", dispute, previous=previous)
    if status == "needs_response":
        _withdraw(unit, dispute)


def _withdraw(unit: Unit, dispute: Document) -> None:
    dispute["is_charge_refundable"] = False
    fee = dispute_fee_of(dispute["currency"])
    _move(unit, dispute, -dispute["amount"], fee, "dispute", "charge.dispute.funds_withdrawn")


def _reinstate(unit: Unit, dispute: Document) -> None:
    """Give back what was withdrawn, and the fee of a dispute that was countered with success."""
    fee = dispute_fee_of(dispute["currency"])
    _move(unit, dispute, dispute["amount"], -fee, "dispute_reversal", "charge.dispute.funds_reinstated")


def _move(unit: Unit, dispute: Document, amount: int, fee: int, category: str, event: str) -> None:
    moved = balance.line(dispute, "adjustment", amount, fee=fee, category=category, text="Dispute fee")
    moved["description"] = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}"
    dispute["balance_transactions"].append(moved)
    unit.put(moved, dispute)
    unit.tell(event, dispute)


def _dispute(charge: Document, amount: int, reason: str, *, inquiry: bool) -> Document:
    network = charge["payment_method_details"]["card"]["network"]
    code = _CODES.get(reason, "10.4")
    return {
        "id": new_id("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": clock.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys((*_TEXTS, *_FILES)) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": clock.now() + _ANSWER_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},
        "network_reason_code": code.partition(".")[0] if inquiry else code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": network,
                "network_reason_code": code,
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
