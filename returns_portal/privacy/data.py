"""Everything that is kept about a person, as they get it (GDPR, Art. 15 and 20). These records are the file's schema.

Amounts are whole minor units of the `currency` beside them; moments are RFC 3339 in UTC.
"""

from datetime import datetime

import msgspec

from returns_portal.privacy.asked import LookedFor, Question

VERSION = 1
"""Raised when a field changes its meaning or goes; new ones may come at any time."""


class Line(msgspec.Struct, frozen=True):
    """A line of an order; `paid` is of all its units together, tax in it."""

    sku: str
    title: str
    size: str
    color: str
    quantity: int
    unit_price: int
    paid: int


class PaymentMade(msgspec.Struct, frozen=True):
    """How an order was paid; of a card, what stands on receipts."""

    tender: str
    method: str
    card_brand: str
    card_last4: str
    amount: int
    currency: str
    reference: str | None
    """At the payment provider."""


class Announced(msgspec.Struct, frozen=True):
    """What was to come back, and why, in the customer's words."""

    sku: str
    title: str
    quantity: int
    reason: str


class Parcel(msgspec.Struct, frozen=True):
    """A parcel that arrived, and what was noted of it."""

    checked_in_at: datetime
    note: str
    photos: int
    counted: list[str]
    """Each as `2 × SKU: condition, what was decided, why`."""


class Label(msgspec.Struct, frozen=True):
    """A label, and what its carrier told."""

    carrier: str
    tracking: str | None
    created_at: datetime
    first_scan_at: datetime | None
    delivered_at: datetime | None


class PickUp(msgspec.Struct, frozen=True):
    """Somebody was to fetch a parcel."""

    address: str
    phone: str
    begins_at: datetime
    status: str


class Exchanged(msgspec.Struct, frozen=True):
    """What was to be sent instead of something that comes back, and what it cost more."""

    number: str
    sku: str
    title: str
    size: str
    color: str
    status: str
    end_reason: str | None
    price: int | None
    """None for the receiver of a gift, to whom it would tell what that cost."""
    paid_on_top: int
    currency: str
    at_once: bool
    """Whether it was to be sent before the goods were back, against a hold on a card."""
    outcome: str | None
    """How that came out."""
    asked_at: datetime
    sent_at: datetime | None
    carrier: str
    tracking: str
    tries_to_pay: list[str]
    """Each as `amount, status, what the bank said`."""


class ReturnFiled(msgspec.Struct, frozen=True):
    """A return."""

    number: str
    status: str
    in_parcel_of: str | None
    """The number of the return in whose parcel it travels, where that is another's."""
    filed_at: datetime
    cancelled_at: datetime | None
    refund_to: str
    points_consent_at: datetime | None
    bank_account_kept: bool
    """Encrypted, until it has served."""
    lines: list[Announced]
    parcels: list[Parcel]
    labels: list[Label]
    pickups: list[PickUp]
    exchanges: list[Exchanged]


class RefundMade(msgspec.Struct, frozen=True):
    """Money or points that went back, or are to."""

    return_number: str | None
    kind: str
    destination: str
    status: str
    amount: int
    bonus: int
    currency: str
    reason: str
    requested_at: datetime
    settled_at: datetime | None


class SentAnew(msgspec.Struct, frozen=True):
    """What was set aside to be sent anew because of a claim, and what became of it."""

    number: str
    status: str
    end_reason: str | None
    set_aside_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    carrier: str
    tracking: str
    items: list[str]
    """Each as `2 × SKU`."""


class Claimed(msgspec.Struct, frozen=True):
    """What was said to be wrong with items, and what became of it."""

    kind: str
    remedy: str
    """What was asked for."""
    said: str
    status: str
    answer: str
    filed_at: datetime
    closed_at: datetime | None
    photos: int
    items: list[str]
    """Each as `2 × SKU`."""
    sent_anew: list[SentAnew]


class Called(msgspec.Struct, frozen=True):
    """That somebody of the shop was to call about an order, why, and what came of it."""

    reasons: list[str]
    asked_at: datetime
    outcome: str | None
    tries: list[str]
    """Each as `moment: outcome, what was noted`."""


class OrderPlaced(msgspec.Struct, frozen=True):
    """An order with all that came of it."""

    number: str
    email: str
    name: str
    phone: str
    language: str
    currency: str
    total: int
    placed_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    address: dict[str, str | None]
    lines: list[Line]
    payments: list[PaymentMade]
    returns: list[ReturnFiled]
    refunds: list[RefundMade]
    claims: list[Claimed]
    calls: list[Called]
    disputes: list[str]
    """What a bank asked about: reason, status."""
    carrier_claims: list[str]
    """What was asked of a carrier because of it: what for, status, notes."""


class GiftSentBack(msgspec.Struct, frozen=True):
    """What was sent back of things that somebody else had ordered. Whose order it was is not the receiver's to know."""

    email: str
    name: str
    language: str
    address: dict[str, str | None]
    returns: list[ReturnFiled]
    refunds: list[RefundMade]


class Trial(msgspec.Struct, frozen=True):
    """Things that were ordered to try."""

    number: str
    status: str
    consented_at: datetime
    terms: str
    card_brand: str
    card_last4: str
    problems: list[str]
    photos: int


class Statement(msgspec.Struct, frozen=True):
    """A statement of withdrawal."""

    name: str
    order_number: str
    email: str
    details: str
    submitted_at: datetime


class Movement(msgspec.Struct, frozen=True):
    """A change of points; below zero where they were spent, or expired."""

    at: datetime
    kind: str
    points: int
    currency: str
    reason: str


class Surprised(msgspec.Struct, frozen=True):
    """Something that the shop put into a parcel, or thought of, without it having been paid for."""

    at: datetime
    order_number: str
    kind: str
    occasion: str
    """`first`, `round` or `year`: their first order, one of every so many, or years since the first; else empty."""
    status: str
    """`withheld` where the lot had it that none was given, to compare."""


class Letter(msgspec.Struct, frozen=True):
    """An e-mail or an SMS."""

    channel: str
    about: str
    recipient: str
    status: str
    written_at: datetime
    content: str
    """The text of an SMS; what an e-mail was made of, as JSON, without what is good for something by itself."""


class Session(msgspec.Struct, frozen=True):
    """A browser that was let in to an order."""

    order_number: str
    opened_at: datetime
    ends_at: datetime


class Everything(msgspec.Struct, frozen=True):
    """The whole file."""

    version: int
    shop: str
    email: str
    made_at: datetime
    orders: list[OrderPlaced]
    gifts: list[GiftSentBack]
    trials: list[Trial]
    withdrawals: list[Statement]
    questions: list[Question]
    looked_for: list[LookedFor]
    points: list[Movement]
    surprises: list[Surprised]
    letters: list[Letter]
    sessions: list[Session]
