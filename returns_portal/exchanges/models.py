"""Exchanges: what is to be sent instead of what comes back, and the card payments of what it costs more."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class ExchangeStatus(StrEnum):
    """Where an exchange stands."""

    AWAITING_HOLD = "awaiting_hold"
    """It is to be sent at once, and no bank holds yet what it costs."""
    AWAITING_PAYMENT = "awaiting_payment"
    """The replacement costs more, and the difference is not paid yet, whether the goods are back or not."""
    AWAITING_GOODS = "awaiting_goods"
    TO_SEND = "to_send"
    SENT = "sent"
    ENDED = "ended"
    """It did not come about: `end_reason` says why. What is owed goes back as money."""


S = ExchangeStatus
EXCHANGE_TRANSITIONS: Final[dict[ExchangeStatus, frozenset[ExchangeStatus]]] = {
    S.AWAITING_HOLD: frozenset({S.AWAITING_PAYMENT, S.AWAITING_GOODS, S.TO_SEND, S.ENDED}),
    S.AWAITING_PAYMENT: frozenset({S.AWAITING_GOODS, S.TO_SEND, S.ENDED}),
    S.AWAITING_GOODS: frozenset({S.TO_SEND, S.ENDED}),
    # A check-in that is undone takes it back to where it waits for the goods, and so does a hold that is lost.
    S.TO_SEND: frozenset({S.AWAITING_PAYMENT, S.AWAITING_GOODS, S.SENT, S.ENDED}),
    S.SENT: frozenset(),
    S.ENDED: frozenset(),
}
LIVE: Final = frozenset({S.AWAITING_HOLD, S.AWAITING_PAYMENT, S.AWAITING_GOODS, S.TO_SEND})
"""The replacement is set aside for it."""


class EndReason(StrEnum):
    """Why an exchange did not come about."""

    CUSTOMER = "customer"
    """The customer would rather have the money."""
    RETURN_CANCELLED = "return_cancelled"
    NEVER_CAME = "never_came"
    NOT_PAID = "not_paid"
    NOT_AS_EXPECTED = "not_as_expected"
    """The goods were not accepted in full."""
    PAID_BACK = "paid_back"
    """The money for the goods went back in another way meanwhile."""
    SOLD_OUT = "sold_out"
    """The piece that was set aside turned out to be missing or faulty."""


class Outcome(StrEnum):
    """How it came out whether what was sent at once is paid for by the goods that come back, or by the card."""

    GOODS = "goods"
    """The goods came and were accepted: at most the difference is charged."""
    GIVEN_BACK = "given_back"
    """What was sent came back itself: nothing is charged."""
    NEVER_CAME = "never_came"
    NOT_AS_EXPECTED = "not_as_expected"
    """The goods were not accepted in full."""
    KEPT = "kept"
    """The customer called the return off: they keep both."""
    PAID_BACK = "paid_back"
    """The money for the goods went back in another way meanwhile."""
    HOLD_ENDED = "hold_ended"
    """The bank would not hold the money any longer."""


class Exchange(SQLModel, table=True):
    """One unit that comes back, and the unit that is sent instead. Amounts are minor units of `currency`.

    What the unit that comes back cost moves to the replacement: when the goods are counted, from the unit to what the
    order holds for no unit (`orders.extras_paid`); when the replacement is sent, to a new line of the same order. So
    the refund of the unit is the rest of what it cost, by the arithmetic of every refund, and what was paid for the
    replacement goes back, should it come back, to the payments of the order.

    One that is sent at once is a line that cost nothing, with a hold on a card for its price, until its `outcome` is
    known. Then the line costs what was moved to it and what was captured, so that at every moment it is worth what was
    paid for it: sent back before, it brings nothing, and the hold is released.
    """

    __tablename__ = "exchange"
    __table_args__ = (
        one_of(ExchangeStatus, "status"),
        one_of(EndReason, "end_reason"),
        one_of(Outcome, "outcome"),
        CheckConstraint(
            "value >= 0 AND price >= 0 AND list_price >= price AND to_pay BETWEEN 0 AND price", name="sums"
        ),
        CheckConstraint("moved >= 0 AND moved_tax BETWEEN 0 AND moved", name="moved_sane"),
        CheckConstraint("owed >= 0 AND (owed = 0 OR status = 'ended')", name="owed_at_the_end"),
        CheckConstraint("moved = 0 OR (unit IS NOT NULL AND arrived_at IS NOT NULL)", name="moved_with_the_goods"),
        CheckConstraint("status <> 'to_send' OR arrived_at IS NOT NULL OR at_once", name="sent_against_goods"),
        CheckConstraint("status <> 'awaiting_hold' OR at_once", name="held_at_once"),
        CheckConstraint("at_once = (days IS NOT NULL) AND (at_once OR outcome IS NULL)", name="terms_at_once"),
        CheckConstraint("due BETWEEN 0 AND price AND (due = 0 OR outcome IS NOT NULL)", name="due_sane"),
        CheckConstraint(
            "CASE WHEN outcome IS NULL THEN covered_at IS NULL ELSE due > 0 OR covered_at IS NOT NULL END",
            name="due_or_covered",
        ),
        CheckConstraint("(status = 'sent') = (replacement_line_id IS NOT NULL)", name="sent_is_a_line"),
        CheckConstraint("(status = 'ended') = (end_reason IS NOT NULL)", name="end_has_a_reason"),
        CheckConstraint(
            "reserved = (status IN ('awaiting_hold', 'awaiting_payment', 'awaiting_goods', 'to_send'))",
            name="set_aside",
        ),
        Index("ix_exchange_order", "order_id"),
        Index("ix_exchange_return", "return_id"),
        Index("ix_exchange_line", "order_line_id"),
        Index("ix_exchange_variant", "variant_id"),
        Index(
            "ix_exchange_live",
            "status",
            "reserved_until",
            postgresql_where="status IN ('awaiting_hold', 'awaiting_payment', 'awaiting_goods', 'to_send')",
        ),
        Index("ix_exchange_lent", "return_by", postgresql_where="at_once AND status = 'sent' AND covered_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    """As people say it: `E-7K3M-9QXD`."""
    order_id: UUID = Field(foreign_key="orders.id")
    return_id: UUID = Field(foreign_key="returns.id")
    order_line_id: UUID = Field(foreign_key="order_line.id")
    """The line of which one unit comes back."""
    variant_id: UUID = Field(foreign_key="variant.id")
    sku: str
    title: str
    size: str
    color: str
    status: str
    currency: str
    value: int = Field(sa_column=minor_units())
    """What the unit that comes back cost, as it was known when the exchange was asked for."""
    price: int = Field(sa_column=minor_units())
    """What the replacement is to cost, tax in it, as the customer was told."""
    list_price: int = Field(sa_column=minor_units())
    """What it cost in the catalogue at that moment, or `price`, where that is more."""
    to_pay: int = Field(sa_column=minor_units())
    """The difference that the customer pays by card; 0 where there is none, or too little for a card."""
    tax_rate: int
    """The tax in the price, in hundredths of a percent."""
    reserved: bool
    """Whether the replacement is taken from the stock for it, and not sent."""
    reserved_until: datetime = Field(sa_column=moment(nullable=False))
    """Until when it waits for goods, for the difference, or for a hold."""
    at_once: bool = False
    """Whether it is sent before the goods are back, against a hold of `price`."""
    days: int | None = None
    """Within so many days of the sending the goods are to be back, where it is sent at once."""
    return_by: datetime | None = Field(default=None, sa_column=moment())
    """By when the goods are to be back, from when it was sent at once."""
    reminded_at: datetime | None = Field(default=None, sa_column=moment())
    outcome: str | None = None
    """How it came out, where it was sent at once, or was to be."""
    due: int = Field(default=0, sa_column=minor_units())
    """What of the hold is to be taken by that, whether it was yet or not."""
    covered_at: datetime | None = Field(default=None, sa_column=moment())
    """When all that is due was taken."""
    arrived_at: datetime | None = Field(default=None, sa_column=moment())
    """When the goods were counted and accepted."""
    parcel_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    unit: int | None = None
    """Which unit of its line came back for it."""
    moved: int = Field(default=0, sa_column=minor_units())
    """What of the unit's cost pays for the replacement."""
    moved_tax: int = Field(default=0, sa_column=minor_units())
    payment_id: UUID | None = Field(default=None, foreign_key="payment.id")
    """The payment of the difference; of what is due, where it was sent at once."""
    paid_at: datetime | None = Field(default=None, sa_column=moment())
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    carrier: str = ""
    tracking: str = ""
    replacement_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    """The line of the order that the replacement is, from when it was sent."""
    end_reason: str | None = None
    ended_at: datetime | None = Field(default=None, sa_column=moment())
    owed: int = Field(default=0, sa_column=minor_units())
    """What of the unit's cost is to go back because it ended after the goods had come."""
    owed_tax: int = Field(default=0, sa_column=minor_units())
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    """When the refund of `owed` was written."""
    paid_back_at: datetime | None = Field(default=None, sa_column=moment())
    """When the refund of the difference was written."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class ChargeKind(StrEnum):
    """What is asked of a bank."""

    PAYMENT = "payment"
    HOLD = "hold"
    """The price of what is sent at once: all of it, a part or nothing is taken in the end."""


class ChargeStatus(StrEnum):
    """Where a payment of a difference, or a hold, stands."""

    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACTION_NEEDED = "action_needed"
    """The bank wants to hear from the customer, or the customer has yet to give a card to Stripe's own form."""
    HELD = "held"
    """The bank holds the money for us."""
    CAPTURING = "capturing"
    """What is due is being taken of what is held; the rest is released."""
    CANCELING = "canceling"
    """It is given up: nobody wants it any more, or the customer gives another card."""
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELED = "canceled"


C = ChargeStatus
CHARGE_TRANSITIONS: Final[dict[ChargeStatus, frozenset[ChargeStatus]]] = {
    C.SUBMITTING: frozenset({C.UNKNOWN, C.ACTION_NEEDED, C.HELD, C.CAPTURED, C.FAILED, C.CANCELED}),
    C.UNKNOWN: frozenset({C.SUBMITTING, C.ACTION_NEEDED, C.HELD, C.CAPTURED, C.FAILED, C.CANCELED}),
    C.ACTION_NEEDED: frozenset({C.HELD, C.CAPTURED, C.FAILED, C.CANCELING, C.CANCELED}),
    # A hold ends by itself when the bank's time is over.
    C.HELD: frozenset({C.CAPTURING, C.CANCELING, C.CANCELED}),
    C.CAPTURING: frozenset({C.CAPTURED, C.CANCELED}),
    C.CANCELING: frozenset({C.CAPTURED, C.CANCELED}),
    C.CAPTURED: frozenset(),
    C.FAILED: frozenset(),
    C.CANCELED: frozenset(),
}
BEGUN_CHARGES: Final = frozenset({C.SUBMITTING, C.UNKNOWN, C.ACTION_NEEDED, C.CANCELING})
"""Of these an exchange has one at most; beside it an earlier hold may stand that it renews."""
OPEN_CHARGES: Final = BEGUN_CHARGES | {C.HELD, C.CAPTURING}


class ExchangeCharge(SQLModel, table=True):
    """One try to pay a difference by card, or to have it hold a price. Its id is the key of all that is sent for it."""

    __tablename__ = "exchange_charge"
    __table_args__ = (
        one_of(ChargeKind, "kind"),
        one_of(ChargeStatus, "status"),
        CheckConstraint("amount > 0", name="some"),
        CheckConstraint("to_capture BETWEEN 0 AND amount AND captured BETWEEN 0 AND amount", name="within"),
        CheckConstraint("(status = 'captured') = (captured > 0)", name="captured_some"),
        CheckConstraint("kind = 'hold' OR status NOT IN ('held', 'capturing')", name="holds_are_held"),
        # Two clicks, or two browsers, cannot both begin to pay. A hold that is let go stands in nobody's way.
        Index(
            "uq_exchange_charge_open",
            "exchange_id",
            unique=True,
            postgresql_where="status IN ('submitting', 'unknown', 'action_needed')"
            " OR status = 'canceling' AND kind = 'payment'",
        ),
        Index("ix_exchange_charge", "exchange_id"),
        Index("uq_exchange_charge_reference", "reference", unique=True, postgresql_where="reference IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    exchange_id: UUID = Field(foreign_key="exchange.id")
    kind: str = ChargeKind.PAYMENT
    status: str
    currency: str
    amount: int = Field(sa_column=minor_units())
    to_capture: int = Field(default=0, sa_column=minor_units())
    """What is to be taken of a hold, once that is known."""
    captured: int = Field(default=0, sa_column=minor_units())
    capture_before: datetime | None = Field(default=None, sa_column=moment())
    """Until when the bank holds the money."""
    unattended: bool = False
    """Whether it is asked for without the customer, with the card of an earlier hold."""
    customer: str | None = None
    """Stripe's customer, made for this one payment."""
    payment_method: str | None = None
    """Stripe's payment method; None where the customer's browser gives it to Stripe itself."""
    reference: str | None = None
    """Stripe's `pi_…`."""
    failure: str = ""
    attempts: int = 0
    submitted_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    changed_at: datetime = Field(sa_column=moment(nullable=False))
