"""Tables of what is sent anew: one parcel by one decision about a claim, and what is in it."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import moment, one_of


class ReplacementStatus(StrEnum):
    """Where it stands."""

    TO_SEND = "to_send"
    SENT = "sent"
    ENDED = "ended"
    """It was not sent: `end_reason` says why. Its claim waits for another decision."""


S = ReplacementStatus
REPLACEMENT_TRANSITIONS: Final[dict[ReplacementStatus, frozenset[ReplacementStatus]]] = {
    S.TO_SEND: frozenset({S.SENT, S.ENDED}),
    S.SENT: frozenset(),
    S.ENDED: frozenset(),
}


class EndReason(StrEnum):
    """Why it was not sent."""

    MISSING = "missing"
    """A piece that was set aside is not there, or is faulty itself."""
    CALLED_OFF = "called_off"
    """The shop decides otherwise, as the customer asked for it for instance."""
    SETTLED = "settled"
    """What it stands for is in a return or paid back meanwhile, or its order was cancelled."""


class Replacement(SQLModel, table=True):
    """One parcel with what is sent anew. It costs nothing, and changes no amount of its order.

    What is sent takes the place of what was claimed: the line stays what it was, worth what was paid for it, and can be
    sent back once, whichever of the two pieces comes.
    """

    __tablename__ = "replacement"
    __table_args__ = (
        one_of(ReplacementStatus, "status"),
        one_of(EndReason, "end_reason"),
        CheckConstraint(
            "(status = 'sent') = (sent_at IS NOT NULL) AND (status = 'sent') = (sent_by IS NOT NULL)",
            name="sent_by_somebody",
        ),
        CheckConstraint(
            "(status = 'ended') = (ended_at IS NOT NULL) AND (status = 'ended') = (ended_by IS NOT NULL)"
            " AND (status = 'ended') = (end_reason IS NOT NULL)",
            name="end_has_a_reason",
        ),
        Index("ix_replacement_order", "order_id"),
        Index("ix_replacement_claim", "claim_id"),
        # Decided anew, something can be sent anew; never twice by one claim.
        Index("uq_replacement_claim", "claim_id", unique=True, postgresql_where="status <> 'ended'"),
        Index("ix_replacement_to_send", "id", postgresql_where="status = 'to_send'"),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    """As people say it: `N-7K3M-9QXD`."""
    claim_id: UUID = Field(foreign_key="item_claim.id")
    order_id: UUID = Field(foreign_key="orders.id")
    status: str
    carrier: str
    tracking: str
    created_at: datetime = Field(sa_column=moment(nullable=False))
    created_by: str
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    sent_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_column=moment())
    ended_by: str | None = None
    end_reason: str | None = None
    changed_at: datetime = Field(sa_column=moment(nullable=False))


class ReplacementLine(SQLModel, table=True):
    """So many pieces in it, of the article of a line of the order."""

    __tablename__ = "replacement_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        Index("uq_replacement_line", "replacement_id", "order_line_id", unique=True),
        Index("ix_replacement_line_order_line", "order_line_id"),
    )

    id: UUID = Field(primary_key=True)
    replacement_id: UUID = Field(foreign_key="replacement.id")
    order_line_id: UUID = Field(foreign_key="order_line.id")
    variant_id: UUID | None = Field(default=None, foreign_key="variant.id")
    """From whose stock it was taken; none where the catalogue counts no stock of it."""
    quantity: int
