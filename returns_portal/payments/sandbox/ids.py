"""Ids as long and as unguessable as Stripe's, with Stripe's prefixes."""

import secrets

_PREFIXES = {
    "balance_transaction": "txn_3",
    "charge": "ch_3",
    "customer": "cus_",
    "dispute": "du_1",
    "event": "evt_1",
    "payment_intent": "pi_3",
    "payment_method": "pm_1",
    "payout": "po_1",
    "plan": "plan_",
    "refund": "re_3",
    "setup_intent": "seti_1",
    "webhook_endpoint": "we_1",
}


def new_id(object_: str) -> str:
    """Make an id for one of Stripe's kinds of object, or for a plan of the sandbox's own."""
    return _PREFIXES[object_] + secrets.token_hex(12)
