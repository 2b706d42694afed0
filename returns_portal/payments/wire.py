"""The fields of Stripe's answers that are read; all others are passed over. Amounts are in Stripe's units."""

from typing import Generic, TypeVar

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


class HeldCard(Card):
    """The card of a charge that may be captured later; until when, in Unix seconds."""

    capture_before: int | None = None


class HeldDetails(msgspec.Struct):
    """How such a charge is paid."""

    card: HeldCard = msgspec.field(default_factory=HeldCard)


class OwnCharge(msgspec.Struct):
    """The charge of a payment that the portal makes."""

    payment_method_details: HeldDetails | None = None


class LastError(msgspec.Struct):
    """Why the last attempt failed."""

    code: str | None = None
    decline_code: str | None = None


class OwnIntent(msgspec.Struct):
    """A payment intent that the portal makes; in lists the charge is its id alone."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    created: int
    client_secret: str | None = None
    payment_method: str | None = None
    latest_charge: OwnCharge | str | None = None
    last_payment_error: LastError | None = None
    metadata: dict[str, str] = {}


class Method(msgspec.Struct):
    """A payment method; other means than cards have none."""

    id: str
    card: Card | None = None


class SetupIntent(msgspec.Struct):
    """A setup intent with its payment method; in lists that is its id alone."""

    id: str
    status: str
    created: int
    client_secret: str | None = None
    payment_method: Method | str | None = None
    last_setup_error: LastError | None = None
    metadata: dict[str, str] = {}


class Named(msgspec.Struct):
    """Anything of which only the id is needed."""

    id: str


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
    reason: str | None = None


class PlainCharge(msgspec.Struct):
    """A charge by itself."""

    id: str
    disputed: bool
    payment_intent: str | None = None


class BalanceLine(msgspec.Struct):
    """A line of the account's balance; the amount is without the fee."""

    amount: int
    currency: str


class BalanceSource(msgspec.Struct):
    """What a line of the balance belongs to; many kinds of objects, of which each has some of the fields."""

    id: str
    object: str
    amount: int | None = None
    currency: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    metadata: dict[str, str] | None = None


class BalanceTransaction(msgspec.Struct):
    """A line of the account's balance, with its source."""

    id: str
    type: str
    reporting_category: str
    amount: int
    fee: int
    currency: str
    created: int
    available_on: int
    exchange_rate: float | None = None
    source: BalanceSource | str | None = None


class Payout(msgspec.Struct):
    """A payout; `arrival_date` is the beginning of a day in UTC."""

    id: str
    amount: int
    currency: str
    status: str
    automatic: bool
    reconciliation_status: str
    created: int
    arrival_date: int
    livemode: bool


class EvidenceDetails(msgspec.Struct):
    """Until when evidence can be handed in, in Unix seconds."""

    due_by: int | None = None


class Dispute(msgspec.Struct):
    """A dispute."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    charge: str
    created: int
    balance_transactions: list[BalanceLine]
    evidence_details: EvidenceDetails
    payment_intent: str | None = None


class Subject(msgspec.Struct):
    """What an event tells of; some objects (a balance) have no id."""

    object: str
    id: str = ""


class EventData(msgspec.Struct):
    """The object of an event, as it was then."""

    object: Subject


class Event(msgspec.Struct):
    """An event."""

    id: str
    type: str
    created: int
    data: EventData


class Endpoint(msgspec.Struct):
    """A webhook endpoint."""

    id: str
    url: str = ""
    enabled_events: list[str] = []
    status: str = ""
    metadata: dict[str, str] = {}
    secret: str | None = None


Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    has_more: bool
