"""Labels and their lives, the rules that choose a carrier, what carriers tell, and pick-ups."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.carriers.gateway import ScanCode
from returns_portal.tables import minor_units, moment, one_of, words


class LabelStatus(StrEnum):
    """Where a label, and the parcel that it is on, stands."""

    REQUESTED = "requested"
    """A carrier is being asked for it."""
    BOUGHT = "bought"
    SENT = "sent"
    """A carrier's label that went to the customer by e-mail; the prepaid one is at hand from the filing on."""
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    VOIDED = "voided"
    """Not to be used any more; what the carrier gives back for it is told by `void_status`."""
    EXPIRED = "expired"
    """Nobody used it in its time."""
    LOST = "lost"


_S = LabelStatus
LABEL_TRANSITIONS: Final[dict[LabelStatus, frozenset[LabelStatus]]] = {
    _S.REQUESTED: frozenset({_S.BOUGHT, _S.VOIDED}),
    _S.BOUGHT: frozenset({_S.SENT, _S.IN_TRANSIT, _S.DELIVERED, _S.VOIDED, _S.EXPIRED, _S.LOST}),
    _S.SENT: frozenset({_S.IN_TRANSIT, _S.DELIVERED, _S.VOIDED, _S.EXPIRED, _S.LOST}),
    _S.IN_TRANSIT: frozenset({_S.DELIVERED, _S.LOST}),
    # What was given up turns up now and then.
    _S.LOST: frozenset({_S.IN_TRANSIT, _S.DELIVERED}),
    _S.EXPIRED: frozenset({_S.IN_TRANSIT, _S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.VOIDED: frozenset(),
}
LIVE: Final = (_S.REQUESTED, _S.BOUGHT, _S.SENT, _S.IN_TRANSIT)
"""A parcel of a return has at most one label in these statuses."""
LIVE_SQL: Final = "status IN ('requested', 'bought', 'sent', 'in_transit')"

HELD_SQL: Final = (
    "shipment_ref IS NOT NULL AND (status <> 'voided' OR void_status NOT IN ('refunded', 'not_applicable'))"
)
"""A carrier's shipment belongs to the one label that is so, until the carrier has taken it back."""


class Label(SQLModel, table=True):
    """One label, for one parcel of a return."""

    __tablename__ = "label"
    __table_args__ = (
        one_of(LabelStatus, "status"),
        CheckConstraint("number > 0", name="counted_from_one"),
        CheckConstraint(
            "void_status IN ('', 'submitted', 'refunded', 'rejected', 'not_applicable')", name="void_status_known"
        ),
        CheckConstraint("cost IS NULL OR cost >= 0 AND cost_currency <> ''", name="cost_has_currency"),
        Index("ix_label_return", "return_id"),
        Index("ix_label_code", "code"),
        Index("ix_label_tracking", "tracking", postgresql_where="tracking IS NOT NULL"),
        Index("ix_label_shipment", "carrier", "shipment_ref", postgresql_where="shipment_ref IS NOT NULL"),
        # Two requests at once lead to one label of a parcel.
        Index("uq_label_live", "return_id", "number", unique=True, postgresql_where=LIVE_SQL),
        # What is one label's at the carrier is never another's: voiding the one would kill the other.
        Index("uq_label_shipment", "carrier", "shipment_ref", unique=True, postgresql_where=HELD_SQL),
        # What is asked of carriers again and again: few labels at a time, whatever there were in all years.
        Index("ix_label_open", "carrier", "id", postgresql_where=f"{LIVE_SQL} AND carrier <> 'prepaid'"),
        Index("ix_label_cost", "return_id", "cost", postgresql_where="cost IS NOT NULL"),
        Index(
            "ix_label_ends", "expires_at", postgresql_where="expires_at IS NOT NULL AND status IN ('bought', 'sent')"
        ),
        Index("ix_label_created", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    number: int = 1
    """Which parcel of the return it is for, from 1."""
    carrier: str
    """Empty while none was chosen."""
    service: str = ""
    """The carrier's own word for it; empty where it has one."""
    status: str
    code: str
    """What its barcodes hold: the carrier's tracking number on the carrier's own label, else our RMA."""
    tracking: str | None = None
    """The carrier's number of the parcel."""
    shipment_ref: str | None = None
    """The carrier's id of the shipment; stored before anything is bought."""
    cost: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    cost_currency: str = ""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    asked_at: datetime | None = Field(default=None, sa_column=moment())
    """When the carrier was first asked to sell it: from then on it is looked up before it is asked for again."""
    bought_at: datetime | None = Field(default=None, sa_column=moment())
    voided_at: datetime | None = Field(default=None, sa_column=moment())
    void_status: str = ""
    first_scan_at: datetime | None = Field(default=None, sa_column=moment())
    last_scan_at: datetime | None = Field(default=None, sa_column=moment())
    last_scan: str = ""
    expected_on: date | None = Field(default=None, sa_column=Column(Date))
    """The day on which the carrier means to bring it."""
    delivered_at: datetime | None = Field(default=None, sa_column=moment())
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    """Until when it can be used; None where its carrier sets no end."""
    stuck_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer was told that the parcel does not move."""
    reused_at: datetime | None = Field(default=None, sa_column=moment())
    """When it was seen once more after it had served: a flag, never a refusal."""
    polled_at: datetime | None = Field(default=None, sa_column=moment())
    pdf: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The carrier's own label."""
    qr: str = ""
    """What is named or shown where the parcel is handed in, in place of a printed label."""
    failure: str = ""
    """What the last carrier that was asked said, where it was no."""
    attempts: int = 0
    """How often the present carrier was asked."""
    tried: int = 0
    """The position of the rule that was tried last."""


class CarrierRule(SQLModel, table=True):
    """Which carrier and service a label is bought from. Of those that fit, the first that answers wins."""

    __tablename__ = "carrier_rule"
    __table_args__ = (
        CheckConstraint("position > 0", name="counted_from_one"),
        CheckConstraint("max_weight_grams IS NULL OR max_weight_grams > 0", name="weight_sane"),
        CheckConstraint("min_value >= 0 AND (max_value IS NULL OR max_value >= min_value)", name="values_sane"),
        CheckConstraint("min_value = 0 AND max_value IS NULL OR currency <> ''", name="values_have_currency"),
    )

    id: UUID = Field(primary_key=True)
    position: int = Field(unique=True)
    carrier: str
    service: str
    """Empty for the cheapest."""
    countries: list[str] = Field(sa_column=words())
    """Where the customer lives; none for everywhere."""
    max_weight_grams: int | None = None
    min_value: int = Field(sa_column=minor_units())
    """What the goods are worth, in minor units of `currency`."""
    max_value: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    currency: str
    """Of the values; empty where none are set."""
    enabled: bool


class CarrierPolicy(SQLModel, table=True):
    """The shop's patience with parcels and labels, in days. There is exactly one row, with id 1."""

    __tablename__ = "carrier_policy"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint(
            "label_days BETWEEN 14 AND 1000 AND void_days BETWEEN 1 AND 365 AND stuck_days BETWEEN 1 AND 60"
            " AND lost_days BETWEEN 2 AND 120 AND transit_days BETWEEN 1 AND 60 AND stuck_days < lost_days",
            name="days_sane",
        ),
        CheckConstraint("item_grams BETWEEN 1 AND 30000", name="weight_sane"),
    )

    id: int = Field(default=1, primary_key=True)
    void_days: int
    """After how many days an unused label is given back."""
    label_days: int
    """For how many days a prepaid label can be used."""
    stuck_days: int
    """After how many days without a scan the customer is told."""
    lost_days: int
    """After how many days without a scan a parcel counts as lost."""
    transit_days: int
    """How long a parcel usually takes, where its carrier does not say."""
    item_grams: int
    """What one item weighs, where its product does not say."""
    own_courier: bool
    """Whether somebody of the shop's fetches parcels, where the carrier does not."""
    updated_at: datetime = Field(sa_column=moment(nullable=False))


class TrackingEvent(SQLModel, table=True):
    """One thing that a carrier told of a parcel. Append-only: the database refuses to change a row."""

    __tablename__ = "tracking_event"
    __table_args__ = (
        one_of(ScanCode, "code"),
        Index("uq_tracking_event", "carrier", "event_id", unique=True),
        Index("ix_tracking_event_label", "label_id", "at"),
    )

    id: UUID = Field(primary_key=True)
    label_id: UUID = Field(foreign_key="label.id")
    carrier: str
    event_id: str
    code: str
    words: str
    """The carrier's own."""
    place: str
    """The town; empty where the carrier names none."""
    at: datetime = Field(sa_column=moment(nullable=False))
    received_at: datetime = Field(sa_column=moment(nullable=False))


class CarrierNews(SQLModel, table=True):
    """News that a carrier delivered, stored as it came before it was acknowledged."""

    __tablename__ = "carrier_news"
    __table_args__ = (
        Index("uq_carrier_news", "carrier", "event_id", unique=True),
        Index("ix_carrier_news_body", "received_at", postgresql_where="body IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    carrier: str
    event_id: str
    kind: str
    ref: str
    tracking: str
    received_at: datetime = Field(sa_column=moment(nullable=False))
    handled_at: datetime | None = Field(default=None, sa_column=moment())
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What came, byte for byte; deleted after 90 days, for there may be addresses in it."""


class OutboundParcel(SQLModel, table=True):
    """A parcel in which goods of an order went out: some carriers take back only what they brought."""

    __tablename__ = "outbound_parcel"
    __table_args__ = (
        Index("uq_outbound_parcel", "order_id", "carrier", "tracking", unique=True),
        Index("ix_outbound_parcel_tracking", "tracking"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    carrier: str
    tracking: str
    created_at: datetime = Field(sa_column=moment(nullable=False))
    warehouse: str | None = None
    """Which of the shop's sent it; None where nobody said so."""


class PickupStatus(StrEnum):
    """Where a pick-up stands."""

    REQUESTED = "requested"
    """The carrier is being asked."""
    SCHEDULED = "scheduled"
    DONE = "done"
    REFUSED = "refused"
    """Nobody comes; the customer was told to hand the parcel in."""
    CANCELLED = "cancelled"


_P = PickupStatus
PICKUP_TRANSITIONS: Final[dict[PickupStatus, frozenset[PickupStatus]]] = {
    _P.REQUESTED: frozenset({_P.SCHEDULED, _P.REFUSED, _P.CANCELLED}),
    _P.SCHEDULED: frozenset({_P.DONE, _P.CANCELLED}),
    _P.DONE: frozenset(),
    _P.REFUSED: frozenset(),
    _P.CANCELLED: frozenset(),
}


class Pickup(SQLModel, table=True):
    """Somebody fetches the parcel of a return from the customer's home."""

    __tablename__ = "pickup"
    __table_args__ = (
        one_of(PickupStatus, "status"),
        CheckConstraint("ends_at > begins_at", name="window_sane"),
        Index("uq_pickup_live", "return_id", unique=True, postgresql_where="status IN ('requested', 'scheduled')"),
        Index("ix_pickup_window", "begins_at", postgresql_where="status IN ('requested', 'scheduled')"),
    )

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    label_id: UUID = Field(foreign_key="label.id")
    status: str
    carrier: str
    """Empty where the shop's own courier comes."""
    line1: str
    city: str
    postal_code: str
    country: str
    phone: str
    begins_at: datetime = Field(sa_column=moment(nullable=False))
    ends_at: datetime = Field(sa_column=moment(nullable=False))
    courier_name: str = ""
    carrier_ref: str | None = None
    """The carrier's id of the pick-up; stored before it is booked."""
    confirmation: str = ""
    cost: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    cost_currency: str = ""
    failure: str = ""
    announced_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer was told that the courier is about to come."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
