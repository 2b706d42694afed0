"""Stripe's test cards: https://docs.stripe.com/testing, by payment method name and by number."""

from typing import Literal

import msgspec


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One test card and what happens to it."""

    name: str
    number: str
    brand: str = "visa"
    decline: str | None = None
    """Decline code with which a payment is refused."""
    saves: bool = True
    """Whether it can be kept for later, for a customer or by a setup intent, where `decline` refuses payments."""
    authenticate: Literal["never", "on_session", "unless_set_up", "always"] = "never"
    """When the customer must authenticate: in person only, or until the card is set up, or each time."""
    refund: Literal["succeeds", "pending", "fails"] = "succeeds"
    """`pending` refunds succeed some time later; `fails` succeed at once and fail some time later."""
    dispute: str | None = None
    """The reason of the dispute that is opened some time after the charge."""
    inquiry: bool = False
    """Whether that dispute only asks."""

    @property
    def last4(self) -> str:
        """The digits by which a charge recognises its card: no two test cards share them."""
        return self.number[-4:]


def _declining(name: str, number: str, decline: str) -> Card:
    return Card(name=name, number=number, decline=decline, saves=False)


_CARDS = (
    Card(name="visa", number="4242424242424242"),
    Card(name="visa_debit", number="4000056655665556"),
    Card(name="mastercard", number="5555555555554444", brand="mastercard"),
    Card(name="mastercard_debit", number="5200828282828210", brand="mastercard"),
    Card(name="amex", number="378282246310005", brand="amex"),
    _declining("chargeDeclined", "4000000000000002", "generic_decline"),
    _declining("chargeDeclinedInsufficientFunds", "4000000000009995", "insufficient_funds"),
    _declining("chargeDeclinedLostCard", "4000000000009987", "lost_card"),
    _declining("chargeDeclinedStolenCard", "4000000000009979", "stolen_card"),
    _declining("chargeDeclinedVelocityLimitExceeded", "4000000000006975", "card_velocity_exceeded"),
    _declining("chargeDeclinedExpiredCard", "4000000000000069", "expired_card"),
    _declining("chargeDeclinedIncorrectCvc", "4000000000000127", "incorrect_cvc"),
    _declining("chargeDeclinedProcessingError", "4000000000000119", "processing_error"),
    Card(name="chargeCustomerFail", number="4000000000000341", decline="generic_decline"),
    Card(name="authenticationRequired", number="4000002760003184", authenticate="always"),
    Card(name="authenticationRequiredOnSetup", number="4000002500003155", authenticate="unless_set_up"),
    Card(name="authenticationRequiredSetupForOffSession", number="4000003800000446", authenticate="on_session"),
    Card(
        name="authenticationRequiredChargeDeclinedInsufficientFunds",
        number="4000008260003178",
        authenticate="unless_set_up",
        decline="insufficient_funds",
    ),
    Card(name="pendingRefund", number="4000000000007726", refund="pending"),
    Card(name="refundFail", number="4000000000005126", refund="fails"),
    Card(name="createDispute", number="4000000000000259", dispute="fraudulent"),
    Card(name="createDisputeProductNotReceived", number="4000000000002685", dispute="product_not_received"),
    Card(name="createDisputeInquiry", number="4000000000001976", dispute="fraudulent", inquiry=True),
)

_BY_NAME = {card.name: card for card in _CARDS}
# Stripe has some of them under the network's name besides.
_BY_NAME |= {f"visa_{card.name}": card for card in _CARDS if card.name.startswith("chargeDeclined")}
BY_NAME = {f"pm_card_{name}": card for name, card in _BY_NAME.items()}
BY_TOKEN = {f"tok_{name}": card for name, card in _BY_NAME.items()}
BY_NUMBER = {card.number: card for card in _CARDS}
BY_LAST4 = {card.last4: card for card in _CARDS}

WITH_OWN_CODE = frozenset({"authentication_required", "expired_card", "incorrect_cvc", "processing_error"})
"""The declines that are error codes themselves; the code of all others is `card_declined`."""

DECLINE_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently or exceeding its "
    "amount limit.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": (
        "Your card was declined. This transaction requires authentication. Please check your card details "
        "and try again."
    ),
}
