"""What customers claim: that something came damaged, is faulty, is missing, or is not what they ordered."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class Kind(StrEnum):
    """What is wrong."""

    DAMAGED = "damaged"
    FAULTY = "faulty"
    MISSING = "missing"
    WRONG = "wrong"
    """Another item than was ordered."""


class Remedy(StrEnum):
    """What the customer would like (Directive (EU) 2019/771, Art. 13)."""

    REFUND = "refund"
    REPLACEMENT = "replacement"
    REDUCTION = "reduction"


class Status(StrEnum):
    """Where a claim stands, as it is stored; `queries.STANDING` adds what follows from what it led to."""

    FILED = "filed"
    RETURNING = "returning"
    """The shop asks for the goods first; the refund is that return's."""
    REFUNDED = "refunded"
    REPLACED = "replaced"
    """A new one is to be sent, or was; `replacements` says which, and whether it came to nothing."""
    REDUCED = "reduced"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


S = Status
TRANSITIONS: dict[Status, frozenset[Status]] = {
    S.FILED: frozenset({S.RETURNING, S.REFUNDED, S.REPLACED, S.REDUCED, S.REFUSED, S.WITHDRAWN}),
    # The return was cancelled; or it was paid for.
    S.RETURNING: frozenset({S.FILED, S.REFUNDED}),
    # The second person declined.
    S.REFUNDED: frozenset({S.FILED}),
    S.REDUCED: frozenset({S.FILED}),
    # The piece turned out to be missing, or the shop decides otherwise.
    S.REPLACED: frozenset({S.FILED}),
    S.REFUSED: frozenset(),
    S.WITHDRAWN: frozenset(),
}


class ItemClaim(SQLModel, table=True):
    """One claim about items of one order, which all have the same thing wrong with them."""

    __tablename__ = "item_claim"
    __table_args__ = (
        one_of(Kind, "kind"),
        one_of(Remedy, "remedy"),
        one_of(Status, "status"),
        CheckConstraint("kind <> 'missing' OR remedy <> 'reduction'", name="what_is_missing_has_no_price_to_reduce"),
        CheckConstraint("status <> 'returning' OR return_id IS NOT NULL", name="returning_by_a_return"),
        CheckConstraint("status <> 'refused' OR answer <> ''", name="refused_with_words"),
        CheckConstraint("status NOT IN ('refused', 'withdrawn') OR closed_at IS NOT NULL", name="closed_where_it_ends"),
        CheckConstraint("status NOT IN ('filed', 'returning') OR closed_at IS NULL", name="open_until_decided"),
        Index("ix_item_claim_order", "order_id"),
        Index("ix_item_claim_open", "id", postgresql_where="closed_at IS NULL"),
        Index("uq_item_claim_goodwill", "goodwill_id", unique=True, postgresql_where="goodwill_id IS NOT NULL"),
        Index("uq_item_claim_return", "return_id", unique=True, postgresql_where="return_id IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    kind: str
    remedy: str
    said: str = Field(sa_column=Column(Text, nullable=False))
    """The customer's words, if any."""
    status: str
    answer: str = Field(sa_column=Column(Text, nullable=False))
    """What the shop says to the customer about its decision."""
    goodwill_id: UUID | None = Field(default=None, foreign_key="goodwill.id")
    """The gesture by which money goes back without goods."""
    return_id: UUID | None = Field(default=None, foreign_key="returns.id")
    """The return by which the goods come first."""
    filed_by: str
    filed_at: datetime = Field(sa_column=moment(nullable=False))
    changed_at: datetime = Field(sa_column=moment(nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=moment())
    """When nothing was left to be done about it."""


class ItemClaimLine(SQLModel, table=True):
    """So many units of a line that are claimed about."""

    __tablename__ = "item_claim_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        CheckConstraint("reduced >= 0", name="reduced_not_raised"),
        Index("uq_item_claim_line", "claim_id", "order_line_id", unique=True),
        Index("ix_item_claim_line_order_line", "order_line_id"),
    )

    id: UUID = Field(primary_key=True)
    claim_id: UUID = Field(foreign_key="item_claim.id")
    order_line_id: UUID = Field(foreign_key="order_line.id")
    quantity: int
    reduced: int = Field(sa_column=minor_units())
    """By how much the price of all of them together is reduced, in minor units, once that was paid."""


class ItemClaimPhoto(SQLModel, table=True):
    """A photo of what is wrong, rebuilt from its pixels."""

    __tablename__ = "item_claim_photo"
    __table_args__ = (Index("ix_item_claim_photo", "claim_id"),)

    id: UUID = Field(primary_key=True)
    claim_id: UUID = Field(foreign_key="item_claim.id")
    width: int
    height: int
    data: bytes = Field(sa_type=LargeBinary)
    """JPEG."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
