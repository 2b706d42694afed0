"""Orders as the shop took them."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.tables import amounts, json, minor_units, moment, one_of


class FinancialStatus(StrEnum):
    """How far the order is paid, in the words of shop systems."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class FulfillmentStatus(StrEnum):
    """How far the order is shipped."""

    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"


TRIAL: Final = "trial"
"""The source of an order that is a trial: its units cost nothing until they are charged."""


class Order(SQLModel, table=True):
    """One order. Amounts are minor units of `currency`; what was paid is frozen when the order is taken."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of(FinancialStatus, "financial_status"),
        one_of(FulfillmentStatus, "fulfillment_status"),
        Index("ix_orders_email", "email_key"),
        CheckConstraint("extras_paid >= 0", name="extras_not_negative"),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    """As people say it, without a leading `#`."""
    email: str
    email_key: str
    """The address folded for comparison (lower case)."""
    name: str
    phone: str
    locale: str
    locale_chosen_at: datetime | None = Field(default=None, sa_column=moment())
    """When the customer chose it here; the shop's system does not change it then."""
    erased_at: datetime | None = Field(default=None, sa_column=moment())
    """When its person was forgotten; who it was is not taken in again."""
    currency: str
    placed_at: datetime = Field(sa_column=moment(nullable=False))
    shipped_at: datetime | None = Field(default=None, sa_column=moment())
    delivered_at: datetime | None = Field(default=None, sa_column=moment())
    cancelled_at: datetime | None = Field(default=None, sa_column=moment())
    financial_status: str
    fulfillment_status: str
    address: dict[str, str] = Field(sa_column=json())
    """name, line1, line2, city, region, postal_code, country."""
    tax_included: bool
    total: int = Field(sa_column=minor_units())
    """What the order costs, tax and shipping in it."""
    order_discount: int = Field(sa_column=minor_units())
    shipping_price: int = Field(sa_column=minor_units())
    shipping_discount: int = Field(sa_column=minor_units())
    shipping_tax: int = Field(sa_column=minor_units())
    shipping_standard_price: int | None = Field(default=None, sa_column=minor_units(nullable=True))
    """The least expensive standard delivery, where a dearer one was chosen; None where this was it."""
    shipping_paid: int = Field(sa_column=minor_units())
    """What the customer paid for shipping, tax in it, net of shipping promotions."""
    shipping_refundable: int = Field(sa_column=minor_units())
    """`shipping_paid` up to the price of standard delivery (Directive 2011/83/EU, Art. 13(2))."""
    extras_paid: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """Duties, tips and the like: part of the total that was paid for no unit and no shipping. No return gives any of it
    back; a gesture may."""
    source: str
    """shopify, portal, api or trial."""
    fingerprint: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of what was taken in: the same again changes nothing."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    updated_at: datetime = Field(sa_column=moment(nullable=False))


class OrderLine(SQLModel, table=True):
    """One line of an order, with what was paid for each of its units.

    `unit_paid[i]` is what the customer paid for unit i, tax in it; `unit_tax[i]` the tax in it; `unit_discount[i]`
    its share of line and order discounts. Their sums, the shipping and the extras are the order's total, exactly.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        Index("ix_order_line_order", "order_id", "position", unique=True),
        CheckConstraint("quantity > 0 AND shipped BETWEEN 0 AND quantity", name="quantities"),
        CheckConstraint(
            "cardinality(unit_paid) = quantity AND cardinality(unit_tax) = quantity"
            " AND cardinality(unit_discount) = quantity",
            name="every_unit_priced",
        ),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID = Field(foreign_key="orders.id")
    position: int
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    shipped: int
    """How many of them have left the shop; the others can be withdrawn from before they do."""
    unit_price: int = Field(sa_column=minor_units())
    discount: int = Field(sa_column=minor_units())
    """Of the whole line, as the shop gave it (its share of the order's discount is in `unit_discount`)."""
    tax: int = Field(sa_column=minor_units())
    unit_discount: list[int] = Field(sa_column=amounts())
    unit_tax: list[int] = Field(sa_column=amounts())
    unit_paid: list[int] = Field(sa_column=amounts())
