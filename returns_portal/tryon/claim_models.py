"""Claims against carriers: what came damaged, or did not come at all, is theirs to pay for."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class ClaimKind(StrEnum):
    """What is claimed for."""

    DAMAGED = "damaged"
    MISSING = "missing"
    WRONG = "wrong"
    """Another item than was sent."""


class ClaimStatus(StrEnum):
    """Where it stands."""

    OPEN = "open"
    """Nobody has written to the carrier yet."""
    CLAIMED = "claimed"
    PAID = "paid"
    REFUSED = "refused"
    DROPPED = "dropped"
    """There is nothing to claim after all, or the shop lets it be."""


S = ClaimStatus
CLAIM_TRANSITIONS: dict[ClaimStatus, frozenset[ClaimStatus]] = {
    S.OPEN: frozenset({S.CLAIMED, S.DROPPED}),
    S.CLAIMED: frozenset({S.PAID, S.REFUSED, S.DROPPED}),
    # Carriers are asked again where they refuse, and with new photos they pay.
    S.REFUSED: frozenset({S.CLAIMED, S.PAID}),
    S.DROPPED: frozenset({S.OPEN}),
    S.PAID: frozenset(),
}


class CarrierClaim(SQLModel, table=True):
    """A claim for one item of a trial on its way to the customer, or for a return on its way back.

    It is a note of what the carrier is asked for: what it pays comes to the shop's bank, and is not in these books.
    """

    __tablename__ = "carrier_claim"
    __table_args__ = (
        one_of(ClaimKind, "kind"),
        one_of(ClaimStatus, "status"),
        CheckConstraint("(item_id IS NULL) <> (return_id IS NULL)", name="of_one_thing"),
        CheckConstraint("amount >= 0", name="amount_sane"),
        Index("uq_carrier_claim_item", "item_id", unique=True, postgresql_where="item_id IS NOT NULL"),
        Index("uq_carrier_claim_return", "return_id", unique=True, postgresql_where="return_id IS NOT NULL"),
        Index("ix_carrier_claim_listed", "status", "id"),
    )

    id: UUID = Field(primary_key=True)
    item_id: UUID | None = Field(default=None, foreign_key="trial_item.id")
    return_id: UUID | None = Field(default=None, foreign_key="returns.id")
    kind: str
    status: str
    carrier: str = ""
    tracking: str = ""
    """Of the parcels in which it can have been."""
    currency: str
    amount: int = Field(sa_column=minor_units())
    """What is claimed, in minor units of `currency`; what was paid, once it is paid."""
    reference: str = ""
    """The carrier's number of the claim."""
    notes: str = Field(default="", sa_column=Column(Text, nullable=False))
    opened_at: datetime = Field(sa_column=moment(nullable=False))
    opened_by: str
    changed_at: datetime = Field(sa_column=moment(nullable=False))
    changed_by: str
