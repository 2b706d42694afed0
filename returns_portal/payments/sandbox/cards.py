"""Stripe's test cards: https://docs.stripe.com/testing, by payment method name and by number."""

from typing import Literal

import msgspec


class Card(msgspec.Struct, frozen=True):
    """One test card and what happens to it."""

    name: str
    number: str
    brand: str = "visa"
    decline: str | None = None
    """Decline code with which a payment is refused."""
    authenticate: bool = False
    """Whether the customer must authenticate each payment."""
    refund: Literal["succeeds", "pending", "fails"] = "succeeds"
    """`pending` refunds succeed some time later; `fails` succeed at once and fail some time later."""

    @property
    def last4(self) -> str:
        """The digits by which a charge recognises its card: no two test cards share them."""
        return self.number[-4:]


_CARDS = (
    Card("pm_card_visa", "4242424242424242"),
    Card("pm_card_visa_debit", "4000056655665556"),
    Card("pm_card_mastercard", "5555555555554444", brand="mastercard"),
    Card("pm_card_amex", "378282246310005", brand="amex"),
    Card("pm_card_chargeDeclined", "4000000000000002", decline="generic_decline"),
    Card("pm_card_chargeDeclinedInsufficientFunds", "4000000000009995", decline="insufficient_funds"),
    Card("pm_card_chargeDeclinedLostCard", "4000000000009987", decline="lost_card"),
    Card("pm_card_authenticationRequired", "4000002760003184", authenticate=True),
    Card("pm_card_pendingRefund", "4000000000007726", refund="pending"),
    Card("pm_card_refundFail", "4000000000005126", refund="fails"),
)

BY_NAME = {card.name: card for card in _CARDS}
BY_NUMBER = {card.number: card for card in _CARDS}
BY_LAST4 = {card.last4: card for card in _CARDS}

DECLINE_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "authentication_required": (
        "Your card was declined. This transaction requires authentication. Please check your card details "
        "and try again."
    ),
}
