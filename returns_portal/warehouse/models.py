"""What arrived, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, String, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, minor_units, moment, one_of


class Condition(StrEnum):
    """How a unit looked when it was counted."""

    RESELLABLE = "resellable"
    WORN = "worn"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    NOT_SHIPPED = "not_shipped"
    """Withdrawn from before it left the shop: nothing had to arrive."""
    KEPT = "kept"
    """The customer keeps it, since the shop's policy says that it is not worth the trip: nothing has to arrive."""

    @property
    def absent(self) -> bool:
        """Whether nothing of it is in the shop's hands, so that there is nothing to put anywhere."""
        return self in (Condition.NOT_SHIPPED, Condition.KEPT)


class Acceptance(StrEnum):
    """Arrived is not accepted: what was decided about a unit."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    PART = "part"
    SENT_BACK = "sent_back"
    SURPLUS = "surplus"
    """More came than the order had: kept and recorded, nothing is paid for it."""


ACCEPTANCE_TRANSITIONS: dict[Acceptance, frozenset[Acceptance]] = {
    Acceptance.WAITING: frozenset({Acceptance.ACCEPTED, Acceptance.PART, Acceptance.SENT_BACK}),
    Acceptance.SURPLUS: frozenset(),
    Acceptance.ACCEPTED: frozenset(),
    Acceptance.PART: frozenset(),
    Acceptance.SENT_BACK: frozenset(),
}


class Disposition(StrEnum):
    """Where goods go from the dock."""

    RESTOCK = "restock"
    CLEAN_RESTOCK = "clean_restock"
    OUTLET = "outlet"
    REPAIR = "repair"
    DONATE = "donate"
    DESTROY = "destroy"
    BACK_TO_CUSTOMER = "back_to_customer"


TO_STOCK: Final = frozenset({Disposition.RESTOCK, Disposition.CLEAN_RESTOCK})
"""What the shop may sell again as new: the shop system is told."""


class Finding(StrEnum):
    """What in a parcel was not as its return announced it."""

    FEWER = "fewer"
    MORE = "more"
    OTHER = "other"
    """Goods of this shop that the return did not name."""
    FOREIGN = "foreign"
    """Goods of another shop."""
    EMPTY = "empty"


def _word() -> Any:  # noqa: ANN401 - a Column, which SQLModel takes untyped
    """A column of text that is empty where nothing is said, also for rows that were there before it."""
    return Column(String, nullable=False, server_default="")


def _disposition(column: str) -> CheckConstraint:
    names = ", ".join(f"'{member.value}'" for member in Disposition)
    return CheckConstraint(f"{column} = '' OR {column} IN ({names})", name=f"{column}_known")


class Parcel(SQLModel, table=True):
    """One parcel of a return, checked in once; an undone check-in stays as a row, marked."""

    __tablename__ = "parcel"
    __table_args__ = (
        # One live check-in per parcel of a return: fifty scanners at once lead to one.
        Index("uq_parcel", "return_id", "number", unique=True, postgresql_where="undone_at IS NULL"),
        Index("ix_parcel_time", "checked_in_at"),
        Index("ix_parcel_counted", "counted_at", postgresql_where="counted_at IS NOT NULL"),
        Index(
            "ix_parcel_own",
            "checked_in_by",
            text("coalesce(counted_at, checked_in_at)"),
            postgresql_where="undone_at IS NULL",
        ),
        Index("ix_parcel_correction", "corrects_id", postgresql_where="corrects_id IS NOT NULL"),
        Index("ix_parcel_box", "box_id", postgresql_where="box_id IS NOT NULL"),
        Index("ix_parcel_found", "found_id", postgresql_where="found_id IS NOT NULL"),
        CheckConstraint("number > 0", name="counted_from_one"),
    )

    id: UUID = Field(primary_key=True)
    return_id: UUID = Field(foreign_key="returns.id")
    number: int
    checked_in_at: datetime = Field(sa_column=moment(nullable=False))
    """When it came. A parcel that was found without a name counts from the moment at which it was found."""
    checked_in_by: str
    note: str = ""
    undone_at: datetime | None = Field(default=None, sa_column=moment())
    """Set when the check-in was undone, or replaced by a correction."""
    undone_by: str = ""
    corrects_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    """The check-in that this one replaces."""
    reviewed_at: datetime | None = Field(default=None, sa_column=moment())
    """When finance looked at a correction that came after the money had gone."""
    box_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    """What several returns' parcels share that came in one box; None where the box held one."""
    found_id: UUID | None = Field(default=None, foreign_key="found_parcel.id")
    """The parcel that nobody could name when it came, and that this return was recognised in later."""
    counted_at: datetime | None = Field(default=None, sa_column=moment())
    """When its count was written down, where it had come before: it waited on a shelf, or for the network."""
    corrected_at: datetime | None = Field(default=None, sa_column=moment())
    """When the count was corrected to this one; the parcel came when it came."""
    warehouse: str | None = None
    """Which of the shop's counted it; None where nobody said so."""


class ParcelItem(SQLModel, table=True):
    """Units of one order line and one condition, counted in one parcel."""

    __tablename__ = "parcel_item"
    __table_args__ = (
        one_of(Condition, "condition"),
        one_of(Acceptance, "acceptance"),
        _disposition("disposition"),
        _disposition("asked"),
        CheckConstraint("quantity > 0", name="some"),
        CheckConstraint("order_line_id IS NOT NULL OR acceptance = 'surplus'", name="known_or_surplus"),
        Index("ix_parcel_item_parcel", "parcel_id"),
        Index("ix_parcel_item_line", "order_line_id"),
        Index("ix_parcel_item_waiting", "id", postgresql_where="acceptance = 'waiting'"),
        Index(
            "ix_parcel_item_place",
            "id",
            postgresql_where="disposition = '' AND acceptance <> 'waiting'"
            " AND condition NOT IN ('not_shipped', 'kept')",
        ),
    )

    id: UUID = Field(primary_key=True)
    parcel_id: UUID = Field(foreign_key="parcel.id")
    order_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    """None for goods that are not of this order."""
    quantity: int
    condition: str
    acceptance: str
    description: str = ""
    """What it is, where it is not of this order."""
    decided_at: datetime | None = Field(default=None, sa_column=moment())
    decided_by: str = ""
    decision_reason: str = ""
    amount: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    """What a decision gives for these units together, where it gives only a part of what they cost."""
    disposition: str = Field(default="", sa_column=_word())
    """Where it goes; empty while that is open. What waits for a decision goes nowhere before it."""
    asked: str = Field(default="", sa_column=_word())
    """Where somebody wants it to go who may not say so alone."""
    disposed_by: str = Field(default="", sa_column=_word())
    """Who said where it goes, or (while that needs another person) who asked."""
    disposed_at: datetime | None = Field(default=None, sa_column=moment())
    note: str = Field(default="", sa_column=_word())


class ParcelFinding(SQLModel, table=True):
    """Something in a parcel that was not as announced; the customer is told."""

    __tablename__ = "parcel_finding"
    __table_args__ = (
        one_of(Finding, "kind"),
        CheckConstraint("quantity >= 0", name="not_negative"),
        Index("ix_parcel_finding_parcel", "parcel_id"),
    )

    id: UUID = Field(primary_key=True)
    parcel_id: UUID = Field(foreign_key="parcel.id")
    kind: str
    quantity: int
    """Units that are missing, too many or not of this return; 0 for an empty box."""
    order_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    description: str = ""


class FoundParcel(SQLModel, table=True):
    """A parcel that came and that nobody could name: kept on a shelf until it is."""

    __tablename__ = "found_parcel"
    __table_args__ = (
        CheckConstraint("matched_at IS NULL OR closed_at IS NULL", name="one_end"),
        Index("ix_found_parcel_open", "found_at", postgresql_where="matched_at IS NULL AND closed_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    found_at: datetime = Field(sa_column=moment(nullable=False))
    found_by: str
    shelf: str
    description: str = ""
    sender: str = ""
    """What can be read of who sent it."""
    codes: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    """What was scanned on it and in it: codes that led nowhere, and EANs."""
    counts: list[dict[str, Any]] = Field(sa_column=json())
    """What was counted in it already: code, quantity, condition."""
    matched_at: datetime | None = Field(default=None, sa_column=moment())
    matched_by: str = ""
    closed_at: datetime | None = Field(default=None, sa_column=moment())
    """When it was given up without a return: it was no return of ours, or the carrier took it back."""
    closed_by: str = ""
    closed_reason: str = ""


class DockPhoto(SQLModel, table=True):
    """A picture that was taken at the dock, rebuilt from its pixels.

    One that is taken while its parcel is being counted belongs to the count's token until the parcel is closed.
    """

    __tablename__ = "dock_photo"
    __table_args__ = (
        CheckConstraint("num_nonnulls(parcel_id, found_id, nullif(draft, '')) >= 1", name="of_something"),
        Index("ix_dock_photo_parcel", "parcel_id", postgresql_where="parcel_id IS NOT NULL"),
        Index("ix_dock_photo_found", "found_id", postgresql_where="found_id IS NOT NULL"),
        Index("ix_dock_photo_draft", "draft", postgresql_where="draft <> ''"),
    )

    id: UUID = Field(primary_key=True)
    parcel_id: UUID | None = Field(default=None, foreign_key="parcel.id")
    found_id: UUID | None = Field(default=None, foreign_key="found_parcel.id")
    draft: str = ""
    order_line_id: UUID | None = Field(default=None, foreign_key="order_line.id")
    width: int
    height: int
    data: bytes = Field(sa_type=LargeBinary)
    """JPEG."""
    taken_at: datetime = Field(sa_column=moment(nullable=False))
    taken_by: str


class RestockEvent(SQLModel, table=True):
    """Units that may be sold again, or no longer may: told to the shop system, never changed."""

    __tablename__ = "restock_event"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="some"),
        _disposition("disposition"),
        Index("ix_restock_event_item", "item_id"),
        Index("ix_restock_event_time", "at"),
        Index("ix_restock_event_open", "id", postgresql_where="taken_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    item_id: UUID = Field(foreign_key="parcel_item.id")
    order_line_id: UUID = Field(foreign_key="order_line.id")
    sku: str
    quantity: int
    """Below zero where a check-in was undone or corrected, or the goods go elsewhere after all."""
    disposition: str
    """`restock`, or `clean_restock` where it has to be cleaned first."""
    at: datetime = Field(sa_column=moment(nullable=False))
    taken_at: datetime | None = Field(default=None, sa_column=moment())
    """When the shop system said that it has it."""


class ConditionRule(SQLModel, table=True):
    """What the shop makes of goods in a condition, until a person says otherwise."""

    __tablename__ = "condition_rule"
    __table_args__ = (one_of(Condition, "condition"), _disposition("disposition"))

    condition: str = Field(primary_key=True)
    name: str = ""
    """The shop's own word for it; empty for the usual one."""
    disposition: str = ""
    """Where such goods go; empty where a person says so each time."""


class DispositionRule(SQLModel, table=True):
    """Whether the shop sends goods there, and whether it takes two people to say so."""

    __tablename__ = "disposition_rule"
    __table_args__ = (_disposition("disposition"), CheckConstraint("disposition <> ''", name="named"))

    disposition: str = Field(primary_key=True)
    offered: bool = Field(sa_column=Column(Boolean, nullable=False))
    second_person: bool = Field(sa_column=Column(Boolean, nullable=False))
