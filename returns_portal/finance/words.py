"""What finance reads instead of codes: each a sentence or word for people, with the colour that repeats it."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Final

import msgspec

from returns_portal import clock
from returns_portal.i18n import mark, translate

SOON: Final = timedelta(days=3)
"""From so long before a deadline on it is shown as near."""


class Word(msgspec.Struct, frozen=True):
    """A word and its kind: good, wait, bad, or empty for neutral."""

    text: str
    kind: str = ""


STATUSES: Final = {
    "planned": Word(mark("planned"), "wait"),
    "awaiting_transfer": Word(mark("waits for a transfer"), "wait"),
    "submitting": Word(mark("being sent"), "wait"),
    "pending": Word(mark("on its way"), "wait"),
    "succeeded": Word(mark("succeeded"), "good"),
    "failed": Word(mark("failed"), "bad"),
    "canceled": Word(mark("canceled")),
    "unknown": Word(mark("unknown"), "bad"),
}
CREDITED: Final = Word(mark("credited"), "good")

DESTINATIONS: Final = {"original": mark("Card"), "points": mark("Points"), "transfer": mark("Bank transfer")}

CONDITIONS: Final = {
    "damaged": Word(mark("damaged"), "bad"),
    "wrong_item": Word(mark("wrong item"), "wait"),
}

ACCOUNTS: Final = {
    "sales_returns": mark("Returned sales"),
    "goodwill_expense": mark("Goodwill"),
    "refunds_payable": mark("Refunds owed"),
    "gateway_clearing": mark("Card payments"),
    "bank_clearing": mark("Bank transfers"),
    "customer_points": mark("Customer's points"),
    "points_held": mark("Points held for a purchase"),
    "points_redeemed": mark("Points spent"),
    "points_expense": mark("Points earned by purchases"),
    "bonus_expense": mark("Bonus"),
    "breakage": mark("Expired points"),
    "disputes_open": mark("Open disputes"),
    "dispute_losses": mark("Lost disputes"),
    "gateway_fees": mark("Gateway fees"),
}

# Stripe's failure reasons and codes (docs.stripe.com/refunds), and our own.
FAILURES: Final = {
    "expired_or_canceled_card": mark("the card was closed"),
    "lost_or_stolen_card": mark("the card was reported lost or stolen"),
    "declined": mark("the bank declined it"),
    "insufficient_funds": mark("the Stripe balance is too low"),
    "merchant_request": mark("it was canceled in Stripe's dashboard"),
    "charge_for_pending_refund_disputed": mark("the customer disputed the payment"),
    "charge_disputed": mark("the customer disputed the payment"),
    "charge_already_refunded": mark("the payment was refunded before"),
    "amount_not_representable": mark("Stripe cannot pay this amount in this currency"),
}

EVENTS: Final = {
    "planned": mark("tried again"),
    "submitting": mark("sent to the gateway"),
    "pending": mark("taken on by the gateway"),
    "awaiting_transfer": mark("waits for a transfer"),
    "succeeded": mark("succeeded"),
    "failed": mark("failed"),
    "canceled": mark("canceled"),
    "unknown": mark("no answer from the gateway"),
    "asked_again": mark("gateway asked again"),
    "transfer_exported": mark("exported for the bank"),
    "job_retried": mark("its job was started again"),
}


def status(code: str, destination: str = "") -> Word:
    """A refund's status, as a word in the current language."""
    word = CREDITED if (code, destination) == ("succeeded", "points") else STATUSES[code]
    return Word(translate(word.text), word.kind)


def destination(code: str, last4: str = "") -> str:
    """Where a refund goes, in the current language."""
    name = translate(DESTINATIONS[code])
    return f"{name} •• {last4}" if last4 and code == "original" else name


def failure(code: str) -> str:
    """Why a refund failed; the gateway's own word where we have none."""
    if not code:
        return translate(mark("no reason was given"))
    return translate(FAILURES[code]) if code in FAILURES else code


def condition(code: str) -> Word:
    """How an item arrived."""
    word = CONDITIONS.get(code, Word(code))
    return Word(translate(word.text), word.kind)


def account(code: str) -> str:
    """An account of the ledger."""
    return translate(ACCOUNTS[code])


def event(code: str) -> str:
    """Something in the history of a refund."""
    return translate(EVENTS[code]) if code in EVENTS else code


def urgency(deadline: datetime) -> str:
    """The colour of a deadline: bad once it has passed, wait when it is near."""
    now = clock.now()
    return "bad" if deadline < now else "wait" if deadline < now + SOON else ""


FOR_TEMPLATES: Final = SimpleNamespace(
    status=status,
    destination=destination,
    failure=failure,
    condition=condition,
    account=account,
    event=event,
    urgency=urgency,
)
"""What templates call, as `words.status(code)`."""
