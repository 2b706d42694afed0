"""The objects as Stripe answers them: plain documents, amounts in Stripe's units, times in Unix seconds."""

import secrets
from typing import Any

from returns_portal.payments.sandbox.cards import Card
from returns_portal.payments.sandbox.clock import now, today
from returns_portal.payments.sandbox.ids import new_id

Document = dict[str, Any]

_HOLD_SECONDS = 7 * 86400
_FACE = (
    *("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4"),
    *("regulated_status", "wallet"),
)
"""What a charge shows of its card."""
_NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_NOBODY = {"address": _NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
_NO_CHECKS = dict.fromkeys(("address_line1_check", "address_postal_code_check", "cvc_check"))


def merged(metadata: Document, given: dict[str, str]) -> Document:
    """Return metadata with what was given; a key with an empty value is removed."""
    return {key: value for key, value in (metadata | given).items() if value}


def payment_method(card: Card, **given: object) -> Document:
    """Build the payment method that one use of a test card makes; `given` are the fields that the request set."""
    networks = {"available": [card.brand], "preferred": None}
    return {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": _NOBODY,
        "card": _face(card)
        | {"display_brand": card.brand, "generated_from": None, "networks": networks}
        | {"three_d_secure_usage": {"supported": True}},
        "created": now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    } | given


def _face(card: Card) -> Document:
    return {
        "brand": card.brand,
        "checks": _NO_CHECKS,
        "country": "US",
        "exp_month": 12,
        "exp_year": today().year + 3,
        "fingerprint": f"Sandbox{card.last4}",
        "funding": "credit",
        "last4": card.last4,
        "regulated_status": "unregulated",
        "wallet": None,
    }


def payment_intent(amount: int, currency: str, **given: object) -> Document:
    """Build a payment intent that waits for a payment method; `given` are the fields that the request set."""
    id_ = new_id("payment_intent")
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id_}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": currency,
        "customer": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    } | given


def charge(intent: Document, method: Document, decline: str | None = None) -> Document:
    """Build the charge that confirming the intent makes: captured at once, held, or refused."""
    held = intent["capture_method"] == "manual"
    paid = decline is None
    card = method["card"]
    created = now()
    return {
        "id": new_id("charge"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid and not held else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX" if paid else None,
        "captured": paid and not held,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if paid else "card_declined",
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {name: card[name] for name in _FACE}
            | {
                "amount_authorized": intent["amount"] if paid else None,
                "authorization_code": secrets.token_hex(3) if paid else None,
                "capture_before": created + _HOLD_SECONDS if paid and held else None,
                "extended_authorization": {"status": "disabled"},
                "incremental_authorization": {"status": "unavailable"},
                "installments": None,
                "mandate": None,
                "multicapture": {"status": "unavailable"},
                "network": card["brand"],
                "network_token": {"used": False},
                "network_transaction_id": str(secrets.randbelow(10**15)).zfill(15),
                "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
                "three_d_secure": None,
            },
            "type": "card",
        },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(decline: str | None) -> Document:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if decline is None else "01",
        "network_status": "approved_by_network" if decline is None else "declined_by_network",
        "reason": decline,
        "risk_level": "normal",
        "risk_score": 1,
        "seller_message": "Payment complete." if decline is None else "The bank did not return any further details.",
        "type": "authorized" if decline is None else "issuer_declined",
    }


def refund(charge_: Document, amount: int, *, status: str, metadata: Document, reason: str | None) -> Document:
    """Build a refund of part or all of a charge."""
    return {
        "id": new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge_["id"],
        "created": now(),
        "currency": charge_["currency"],
        "destination_details": {"card": _reference(status), "type": "card"},
        "metadata": metadata,
        "payment_intent": charge_["payment_intent"],
        "payment_method": charge_["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def _reference(status: str) -> Document:
    if status != "succeeded":
        return {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "pending",
        }
    number = str(secrets.randbelow(10**23)).zfill(23)
    return {
        "reference": number,
        "reference_status": "available",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }


def set_refund_status(refund_: Document, status: str) -> None:
    """Set a refund's status and, once it has gone to the bank, the reference under which it can be traced."""
    refund_["status"] = status
    if status == "succeeded":
        refund_["destination_details"] = {"card": _reference(status), "type": "card"}


def plan(**what: object) -> Document:
    """Build the sandbox's own note of what is to happen later; the API never shows it."""
    return {"id": new_id("plan"), "object": "plan", "created": now()} | what


def authentication() -> Document:
    """Build the `next_action` of a customer who has to authenticate."""
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
