"""What finance reads instead of codes: each a sentence or word for people, with the colour that repeats it."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Final

import msgspec
from babel import dates

from returns_portal import clock, i18n
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

KINDS: Final = {
    "return": mark("Return"),
    "goodwill": mark("Goodwill"),
    "outside": mark("Made at the gateway"),
    "deposit": mark("Deposit"),
    "exchange": mark("Exchange"),
}

TENDERS: Final = {"stripe": mark("Card"), "points": mark("Points"), "external": mark("Other means")}

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
    "postage_income": mark("Return postage"),
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
    "balance_insufficient": mark("the Stripe balance is too low"),
    "merchant_request": mark("it was canceled in Stripe's dashboard"),
    "charge_for_pending_refund_disputed": mark("the customer disputed the payment"),
    "charge_disputed": mark("the customer disputed the payment"),
    "charge_already_refunded": mark("the payment was refunded before"),
    "nothing_left": mark("less is left of the payment than this refund"),
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
    "rerouted": mark("another way was chosen"),
    "turned_into_transfer": mark("to be paid by transfer: the payment is another account's"),
    "bank_account_given": mark("account number given"),
    "transfer_exported": mark("exported for the bank"),
    "job_retried": mark("its job was started again"),
    "held": mark("held back, because the payment is disputed"),
    "released": mark("goes on, because the dispute is over"),
    "lowered": mark("lowered to what is left of the payment"),
}


# Stripe's words of a dispute (docs.stripe.com/disputes), an inquiry being one that has not taken any money.
DISPUTES: Final = {
    "warning_needs_response": Word(mark("inquiry, needs an answer"), "bad"),
    "warning_under_review": Word(mark("inquiry, being looked at"), "wait"),
    "warning_closed": Word(mark("inquiry, closed"), "good"),
    "needs_response": Word(mark("needs an answer"), "bad"),
    "under_review": Word(mark("being looked at"), "wait"),
    "prevented": Word(mark("prevented"), "good"),
    "won": Word(mark("won"), "good"),
    "lost": Word(mark("lost"), "bad"),
}

DISPUTE_REASONS: Final = {
    "fraudulent": mark("the payment was not made by the card's owner"),
    "product_not_received": mark("the goods did not arrive"),
    "product_unacceptable": mark("the goods are not as described, or damaged"),
    "credit_not_processed": mark("a refund that was owed did not come"),
    "duplicate": mark("it was paid twice"),
    "unrecognized": mark("the card's owner does not recognise the payment"),
    "subscription_canceled": mark("a subscription was cancelled"),
    "general": mark("no particular reason"),
}


def dispute(code: str) -> Word:
    """Where a dispute stands, in the current language."""
    word = DISPUTES.get(code, Word(code))
    return Word(translate(word.text), word.kind)


def dispute_reason(code: str) -> str:
    """Why a payment is disputed; Stripe's own word where we have none."""
    return translate(DISPUTE_REASONS[code]) if code in DISPUTE_REASONS else code.replace("_", " ")


COUNTED: Final = {
    "resellable": mark("in order"),
    "worn": mark("worn"),
    "damaged": mark("damaged"),
    "wrong_item": mark("wrong item"),
    "not_shipped": mark("had not left us"),
    "kept": mark("kept by the customer"),
}


def counted(code: str) -> str:
    """How an item was counted, in the current language."""
    return translate(COUNTED[code])


def status(code: str, destination: str = "") -> Word:
    """A refund's status, as a word in the current language."""
    word = CREDITED if (code, destination) == ("succeeded", "points") else STATUSES[code]
    return Word(translate(word.text), word.kind)


def destination(code: str, last4: str = "") -> str:
    """Where a refund goes, in the current language."""
    name = translate(DESTINATIONS[code])
    return f"{name} •• {last4}" if last4 and code == "original" else name


def tender(code: str) -> str:
    """How money came in, in the current language."""
    return translate(TENDERS[code])


def kind(code: str) -> str:
    """Why money goes back, in the current language."""
    return translate(KINDS[code])


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


def month(first: date) -> str:
    """A month by its first day: October 2026."""
    return dates.format_skeleton("yMMMM", first, locale=i18n.formatting_locale(i18n.current()))


def urgency(deadline: datetime) -> str:
    """The colour of a deadline: bad once it has passed, wait when it is near."""
    now = clock.now()
    return "bad" if deadline < now else "wait" if deadline < now + SOON else ""


FOR_TEMPLATES: Final = SimpleNamespace(
    status=status,
    kind=kind,
    tender=tender,
    destination=destination,
    dispute=dispute,
    dispute_reason=dispute_reason,
    counted=counted,
    failure=failure,
    condition=condition,
    account=account,
    event=event,
    month=month,
    urgency=urgency,
)
"""What templates call, as `words.status(code)`."""
