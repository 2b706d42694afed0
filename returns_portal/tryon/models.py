"""Trials: what was sent to be tried, what was decided of it, and what money was held and charged."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, minor_units, moment, one_of, words


class TrialStatus(StrEnum):
    """Where a trial stands."""

    PLACED = "placed"
    AUTHORISED = "authorised"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    """The trial runs."""
    SETTLING = "settling"
    """What is kept is being charged, or something that was to come back has not been seen yet."""
    SETTLED = "settled"
    CANCELLED = "cancelled"
    AUTHORISATION_FAILED = "authorisation_failed"
    AUTHORISATION_EXPIRED = "authorisation_expired"
    """The hold ended and could not be renewed; the customer is asked for a card, the trial goes on."""
    PAYMENT_ACTION_NEEDED = "payment_action_needed"
    """The bank refused a charge, or wants to hear from the customer."""
    OVERDUE = "overdue"
    """The customer did not answer, or what was to come back never came and could not be charged: finance's case."""
    WRITTEN_OFF = "written_off"


T = TrialStatus
TRIAL_TRANSITIONS: dict[TrialStatus, frozenset[TrialStatus]] = {
    T.PLACED: frozenset({T.AUTHORISED, T.AUTHORISATION_FAILED, T.CANCELLED}),
    T.AUTHORISATION_FAILED: frozenset({T.PLACED, T.CANCELLED}),
    T.AUTHORISED: frozenset({T.PACKED, T.SHIPPED, T.AUTHORISATION_EXPIRED, T.CANCELLED}),
    T.PACKED: frozenset({T.AUTHORISED, T.SHIPPED, T.AUTHORISATION_EXPIRED, T.CANCELLED}),
    T.SHIPPED: frozenset({T.DELIVERED, T.AUTHORISATION_EXPIRED, T.SETTLING, T.WRITTEN_OFF}),
    # Back to shipped where one more parcel follows.
    T.DELIVERED: frozenset({T.SHIPPED, T.SETTLING, T.AUTHORISATION_EXPIRED}),
    # With a new card it goes on where it was.
    T.AUTHORISATION_EXPIRED: frozenset({T.AUTHORISED, T.PACKED, T.SHIPPED, T.DELIVERED, T.SETTLING, T.CANCELLED}),
    T.SETTLING: frozenset({T.SETTLED, T.PAYMENT_ACTION_NEEDED, T.OVERDUE}),
    T.PAYMENT_ACTION_NEEDED: frozenset({T.SETTLING, T.SETTLED, T.OVERDUE}),
    T.OVERDUE: frozenset({T.SETTLING, T.SETTLED, T.WRITTEN_OFF}),
    T.SETTLED: frozenset(),
    T.CANCELLED: frozenset(),
    T.WRITTEN_OFF: frozenset(),
}
OPEN = frozenset(T) - {T.SETTLED, T.CANCELLED, T.WRITTEN_OFF}
"""It has not come to its end."""


class Mode(StrEnum):
    """How the customer buys."""

    TRIAL = "trial"
    PURCHASE = "purchase"
    """Bought as anywhere: charged at once, everything is kept."""


class Strategy(StrEnum):
    """How the money for what is kept is made sure of."""

    HOLD = "hold"
    """An authorisation hold, captured in part."""
    CARD_ON_FILE = "card_on_file"
    """A card that may be charged later."""
    CHARGE = "charge"
    """Charged at checkout: a purchase."""


class Decision(StrEnum):
    """What the customer says of an item."""

    UNDECIDED = "undecided"
    KEEP = "keep"
    RETURN = "return"
    PROBLEM = "problem"
    """It came damaged, not at all, or is another than was ordered: it is not charged."""


class Outcome(StrEnum):
    """What became of an item."""

    OPEN = "open"
    KEPT = "kept"
    """Charged, or being charged: `charge_id` says by what."""
    RETURNED = "returned"
    """The warehouse had it before it was charged."""
    WAIVED = "waived"
    """Not charged: a problem, or written off."""


class TrialPolicy(SQLModel, table=True):
    """What the shop allows. There is exactly one row, with id 1."""

    __tablename__ = "trial_policy"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("max_items BETWEEN 1 AND 50 AND open_trials BETWEEN 1 AND 50", name="counts_sane"),
        CheckConstraint("max_value > 0 AND deposit_percent BETWEEN 0 AND 100", name="amounts_sane"),
        CheckConstraint("trial_days BETWEEN 1 AND max_trial_days AND max_trial_days <= 60", name="trial_days_sane"),
        CheckConstraint(
            "extension_days BETWEEN 0 AND 30 AND delivery_days BETWEEN 1 AND 60"
            " AND transit_days BETWEEN 0 AND 30 AND grace_days BETWEEN 1 AND 60",
            name="days_sane",
        ),
    )

    id: int = Field(default=1, primary_key=True)
    offered: bool = True
    max_items: int = 6
    max_value: int = Field(default=150_000, sa_column=minor_units())
    """The most that a trial may be worth, in hundredths of any currency that `max_values` does not name."""
    max_values: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False, server_default="{}"))
    """The most that a trial may be worth, by currency, in its minor units: 1500 of one is not 1500 of another."""
    open_trials: int = 2
    """How many trials one customer (one e-mail address) may have at a time."""
    deposit_percent: int = 0
    """Which part of the most that can be charged is charged at checkout."""
    trial_days: int = 7
    """How long a trial runs from the day of the last delivery."""
    max_trial_days: int = 30
    extension_days: int = 3
    """By how much the customer may prolong it, once; 0 for never."""
    transit_days: int = 2
    """How long a parcel usually takes to the customer: decides whether a hold lasts until the trial ends."""
    delivery_days: int = 7
    """So many days after it was shipped a parcel is taken for delivered when nobody says so."""
    grace_days: int = 14
    """How long after the end of the trial something that is to come back may take until a scan proves its way."""
    silence_keeps: bool = True
    """Whether the terms say that what nothing was said of is kept."""
    countries: list[str] = Field(sa_column=words())
    """ISO 3166-1 alpha-2 codes of where trials are sent to; empty for everywhere."""
    updated_at: datetime = Field(sa_column=moment(nullable=False))


class Trial(SQLModel, table=True):
    """One trial, and the order that it is. Amounts are minor units of `currency`.

    The units of its order cost nothing until they are charged: a unit's price becomes what was paid for it in the
    transaction that records the charge.
    """

    __tablename__ = "trial"
    __table_args__ = (
        one_of(TrialStatus, "status"),
        one_of(Mode, "mode"),
        one_of(Strategy, "strategy"),
        CheckConstraint("max_charge >= 0 AND deposit BETWEEN 0 AND max_charge", name="amounts"),
        CheckConstraint("points BETWEEN 0 AND max_charge", name="points_sane"),
        CheckConstraint("(status = 'delivered') <= (ends_at IS NOT NULL)", name="running_ends"),
        Index("ix_trial_customer", "email_key", "status"),
        Index("ix_trial_listed", "status", "placed_at"),
        Index("ix_trial_ends", "ends_at", postgresql_where="status = 'delivered'"),
        Index("ix_trial_settling", "grace_ends_at", postgresql_where="status = 'settling'"),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    """As people say it: `T-7K3M-9QXD`; it is the number of the order, too."""
    order_id: UUID = Field(foreign_key="orders.id", unique=True)
    status: str
    mode: str
    strategy: str
    strategy_reason: dict[str, object] = Field(sa_column=json())
    """Why that way was chosen: `code` and the days that it was decided by, for staff."""
    email_key: str
    currency: str
    max_charge: int = Field(sa_column=minor_units())
    """The most that can be charged, as the customer was told. No hold is ever larger."""
    deposit: int = Field(sa_column=minor_units())
    """How much of it is charged at checkout."""
    points: int = Field(sa_column=minor_units())
    """How much of it is paid with points, which are held until it is settled."""
    redemption_id: UUID | None = Field(default=None, foreign_key="points_redemption.id")
    trial_days: int
    extended_days: int = 0
    policy: dict[str, int] = Field(sa_column=json())
    """The shop's days at the time of the order: `transit_days`, `delivery_days`, `grace_days`, `extension_days`."""
    silence_keeps: bool
    terms: str = Field(sa_column=Column(Text, nullable=False))
    """The terms as the customer saw them, and agreed to at `consented_at`."""
    locale: str
    consented_at: datetime = Field(sa_column=moment(nullable=False))
    customer: str | None = None
    """Stripe's customer."""
    payment_method: str | None = None
    """Stripe's payment method: which card may be charged later."""
    card_brand: str = ""
    card_last4: str = ""
    return_id: UUID | None = Field(default=None, foreign_key="returns.id")
    """The return whose label lies in the parcel: announced are all items that may still come back."""
    return_scanned_at: datetime | None = Field(default=None, sa_column=moment())
    """When a carrier last scanned its label: what is on its way is not charged."""
    placed_at: datetime = Field(sa_column=moment(nullable=False))
    stocked_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when its items are taken from the stock; None while they are not, because no card was given for so long."""
    authorised_at: datetime | None = Field(default=None, sa_column=moment())
    packed_at: datetime | None = Field(default=None, sa_column=moment())
    shipped_at: datetime | None = Field(default=None, sa_column=moment())
    delivered_at: datetime | None = Field(default=None, sa_column=moment())
    """When the last parcel arrived."""
    delivery_assumed: bool = False
    ends_at: datetime | None = Field(default=None, sa_column=moment())
    reminders_since: datetime | None = Field(default=None, sa_column=moment())
    """From when reminders count: when it was known to run, or when it got more time."""
    settling_at: datetime | None = Field(default=None, sa_column=moment())
    grace_ends_at: datetime | None = Field(default=None, sa_column=moment())
    """From when what was to come back, and was not seen, is charged."""
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    cancelled_at: datetime | None = Field(default=None, sa_column=moment())
    livemode: bool
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class TrialItem(SQLModel, table=True):
    """One unit on trial. It is one line of the order."""

    __tablename__ = "trial_item"
    __table_args__ = (
        one_of(Decision, "decision"),
        one_of(Outcome, "outcome"),
        CheckConstraint("price >= 0 AND tax BETWEEN 0 AND price", name="amounts"),
        CheckConstraint("(outcome = 'kept') = (charge_id IS NOT NULL)", name="kept_is_charged"),
        Index("ix_trial_item", "trial_id", "position", unique=True),
        Index("ix_trial_item_variant", "variant_id"),
        Index("ix_trial_item_charge", "charge_id"),
    )

    id: UUID = Field(primary_key=True)
    trial_id: UUID = Field(foreign_key="trial.id")
    order_line_id: UUID = Field(foreign_key="order_line.id", unique=True)
    variant_id: UUID = Field(foreign_key="variant.id")
    position: int
    price: int = Field(sa_column=minor_units())
    tax: int = Field(sa_column=minor_units())
    """The tax in the price."""
    decision: str
    decided_at: datetime | None = Field(default=None, sa_column=moment())
    outcome: str
    charge_id: UUID | None = Field(default=None, foreign_key="trial_charge.id")
    problem: str = ""
    """damaged, missing or wrong."""
    problem_note: str = ""
    restocked_at: datetime | None = Field(default=None, sa_column=moment())
    """When it came back and was put into the stock again."""


class TrialShipment(SQLModel, table=True):
    """One parcel on its way to the customer."""

    __tablename__ = "trial_shipment"
    __table_args__ = (Index("ix_trial_shipment", "trial_id"),)

    id: UUID = Field(primary_key=True)
    trial_id: UUID = Field(foreign_key="trial.id")
    carrier: str = ""
    tracking: str = ""
    shipped_at: datetime = Field(sa_column=moment(nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=moment())


class ChargeKind(StrEnum):
    """What is asked of the gateway."""

    HOLD = "hold"
    """A payment intent with manual capture, for at most what the customer was told."""
    SETUP = "setup"
    """A setup intent: a card that may be charged later. Its amount is 0."""
    DEPOSIT = "deposit"
    """A payment at checkout; also the whole of a purchase."""
    CHARGE = "charge"
    """A payment off-session, for what is kept."""


class ChargeStatus(StrEnum):
    """Where it stands."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACTION_NEEDED = "action_needed"
    """The bank wants to hear from the customer, or the customer has yet to give a card."""
    HELD = "held"
    """Money is held, or (a setup) the card may be charged."""
    CAPTURING = "capturing"
    CAPTURED = "captured"
    CANCELING = "canceling"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FAILED = "failed"


C = ChargeStatus
CHARGE_TRANSITIONS: dict[ChargeStatus, frozenset[ChargeStatus]] = {
    C.PLANNED: frozenset({C.SUBMITTING, C.ACTION_NEEDED, C.CANCELED}),
    C.SUBMITTING: frozenset({C.UNKNOWN, C.ACTION_NEEDED, C.HELD, C.CAPTURED, C.FAILED, C.CANCELED}),
    C.UNKNOWN: frozenset({C.SUBMITTING, C.ACTION_NEEDED, C.HELD, C.CAPTURED, C.FAILED, C.CANCELED}),
    C.ACTION_NEEDED: frozenset({C.SUBMITTING, C.HELD, C.CAPTURED, C.FAILED, C.CANCELING, C.CANCELED}),
    C.HELD: frozenset({C.CAPTURING, C.CANCELING, C.EXPIRED}),
    C.CAPTURING: frozenset({C.CAPTURED, C.EXPIRED, C.FAILED}),
    C.CANCELING: frozenset({C.CANCELED, C.EXPIRED, C.CAPTURED}),
    C.CAPTURED: frozenset(),
    C.CANCELED: frozenset(),
    C.EXPIRED: frozenset(),
    C.FAILED: frozenset(),
}


class TrialCharge(SQLModel, table=True):
    """One effect at the gateway: a hold, a card on file, a charge. Its id is the key of everything sent for it."""

    __tablename__ = "trial_charge"
    __table_args__ = (
        one_of(ChargeKind, "kind"),
        one_of(ChargeStatus, "status"),
        CheckConstraint("amount >= 0 AND captured BETWEEN 0 AND amount", name="amounts"),
        CheckConstraint("to_capture BETWEEN 0 AND amount AND points >= 0 AND deposit >= 0", name="capture_sane"),
        CheckConstraint("kind <> 'setup' OR amount = 0", name="setup_is_free"),
        Index("ix_trial_charge", "trial_id"),
        Index("uq_trial_charge_reference", "reference", unique=True, postgresql_where="reference IS NOT NULL"),
        Index("ix_trial_charge_hold", "capture_before", postgresql_where="kind = 'hold' AND status = 'held'"),
        Index(
            "ix_trial_charge_open",
            "changed_at",
            postgresql_where="status IN ('planned', 'submitting', 'unknown', 'capturing', 'canceling')",
        ),
    )

    id: UUID = Field(primary_key=True)
    trial_id: UUID = Field(foreign_key="trial.id")
    kind: str
    status: str
    currency: str
    amount: int = Field(sa_column=minor_units())
    """What is held or charged."""
    to_capture: int = Field(default=0, sa_column=minor_units())
    """What was decided to capture of a hold, before it is sent; the rest is released."""
    captured: int = Field(default=0, sa_column=minor_units())
    points: int = Field(default=0, sa_column=minor_units())
    """How much of the points that are held is spent together with it."""
    deposit: int = Field(default=0, sa_column=minor_units())
    """How much of the deposit pays for the same items."""
    reference: str | None = None
    """Stripe's `pi_…` or `seti_…`."""
    payment_id: UUID | None = Field(default=None, foreign_key="payment.id")
    """The payment of the order that it became."""
    capture_before: datetime | None = Field(default=None, sa_column=moment())
    failure: str = ""
    """Stripe's code, or the bank's."""
    attempts: int = 0
    next_try_at: datetime | None = Field(default=None, sa_column=moment())
    unattended: bool = False
    """A hold that is asked for without the customer, who cannot answer their bank."""
    submitted_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class TrialPhoto(SQLModel, table=True):
    """A photo of a problem, rebuilt from its pixels."""

    __tablename__ = "trial_photo"
    __table_args__ = (Index("ix_trial_photo", "item_id"),)

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="trial_item.id")
    width: int
    height: int
    data: bytes = Field(sa_type=LargeBinary)
    """JPEG."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
