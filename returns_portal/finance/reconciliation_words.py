"""What finance reads of a reconciliation instead of codes."""

from types import SimpleNamespace
from typing import Final

from returns_portal.finance.matching_differences import Kind
from returns_portal.finance.reconciliation_view import PayoutView
from returns_portal.finance.words import Word
from returns_portal.i18n import mark, translate

DIFFERENCES: Final = {
    Kind.MISSING_THERE: mark("Missing at Stripe"),
    Kind.MISSING_HERE: mark("Missing here"),
    Kind.AMOUNT: mark("Amount differs"),
    Kind.CURRENCY: mark("Currency differs"),
    Kind.PAYOUT: mark("Payout is not the sum of its lines"),
}
POSTINGS: Final = {
    "refund": mark("Refunds paid"),
    "refund_reversal": mark("Refunds that came back"),
    "dispute": mark("Disputes"),
}
# https://docs.stripe.com/reports/reporting-categories
CATEGORIES: Final = {
    "charge": mark("Payments"),
    "charge_failure": mark("Payments that failed later"),
    "refund": mark("Refunds"),
    "refund_failure": mark("Refunds that came back"),
    "dispute": mark("Disputes: taken"),
    "dispute_reversal": mark("Disputes: given back"),
    "payout": mark("Payouts"),
    "payout_reversal": mark("Payouts that came back"),
    "fee": mark("Fees"),
}
PAYOUTS: Final = {
    "pending": Word(mark("pending"), "wait"),
    "in_transit": Word(mark("on its way"), "wait"),
    "paid": Word(mark("paid"), "good"),
    "failed": Word(mark("failed"), "bad"),
    "canceled": Word(mark("canceled")),
}


def difference(kind: Kind) -> str:
    """What does not agree."""
    return translate(DIFFERENCES[kind])


def posting(kind: str) -> str:
    """What was booked."""
    return translate(POSTINGS[kind]) if kind in POSTINGS else kind.replace("_", " ")


def category(code: str) -> str:
    """What a line of the balance is; Stripe's own word where we have none."""
    return translate(CATEGORIES[code]) if code in CATEGORIES else code.replace("_", " ")


def payout(code: str) -> Word:
    """Where a payout stands; Stripe's own word where we have none."""
    word = PAYOUTS.get(code, Word(code))
    return Word(translate(word.text), word.kind)


def verdict(view: PayoutView) -> Word:
    """Whether a payout and its lines agree."""
    if not view.telling:
        return Word(translate(mark("made by hand: Stripe does not tell its lines")))
    if not view.read:
        return Word(translate(mark("its lines are not told yet")), "wait")
    if not view.sums_up:
        return Word(translate(mark("not the sum of its lines")), "bad")
    if view.wrong:
        return Word(translate(mark("has lines that do not agree")), "bad")
    return Word(translate(mark("agrees")), "good")


FOR_TEMPLATES: Final = SimpleNamespace(
    difference=difference, posting=posting, category=category, payout=payout, verdict=verdict
)
"""What the template calls, as `words.posting(kind)`."""
