"""The fields of Stripe's answers that are read; all others are passed over. Amounts are in Stripe's units."""

import msgspec


class Card(msgspec.Struct):
    """The card of a charge."""

    brand: str | None = None
    last4: str | None = None


class MethodDetails(msgspec.Struct):
    """How a charge was paid; `card` is empty for other means."""

    card: Card = msgspec.field(default_factory=Card)


class Charge(msgspec.Struct):
    """A charge, expanded in its payment intent."""

    id: str
    amount_refunded: int
    disputed: bool
    payment_method_details: MethodDetails | None = None


class Intent(msgspec.Struct):
    """A payment intent with its latest charge."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    livemode: bool
    created: int
    latest_charge: Charge | None = None


class CardDestination(msgspec.Struct):
    """Where a card refund went."""

    reference: str | None = None


class Destination(msgspec.Struct):
    """Where a refund went."""

    card: CardDestination | None = None


class Refund(msgspec.Struct):
    """A refund."""

    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    failure_reason: str | None = None
    pending_reason: str | None = None
    balance_transaction: str | None = None
    destination_details: Destination | None = None
    metadata: dict[str, str] | None = None


class RefundPage(msgspec.Struct):
    """One page of a list of refunds."""

    data: list[Refund]
    has_more: bool
