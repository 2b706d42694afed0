"""Products and their variants."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, String, literal_column, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class ProductKind(StrEnum):
    """What kind of thing it is, which decides how its sizes are read."""

    SHOE = "shoe"
    CLOTHING = "clothing"
    OTHER = "other"


class SizeSystem(StrEnum):
    """In which system the shop names the sizes of a product."""

    EU = "eu"
    UK = "uk"
    US = "us"
    ALPHA = "alpha"
    """XS, S, M, L, XL …"""
    OWN = "own"
    """Anything else: sizes are compared as they are written."""


class SizeGroup(StrEnum):
    """For whom a product is cut: the same foot has other numbers in the tables for men and for women."""

    MEN = "men"
    WOMEN = "women"
    KIDS = "kids"
    UNISEX = "unisex"


class Product(SQLModel, table=True):
    """One model of the shop, in one or several variants."""

    __tablename__ = "product"
    __table_args__ = (
        one_of(ProductKind, "kind"),
        one_of(SizeSystem, "size_system"),
        one_of(SizeGroup, "size_group"),
        CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="tax_rate_sane"),
        Index("ix_product_listed", "title", "id", postgresql_where="listed"),
        Index("ix_product_words", text("to_tsvector('simple', words)"), postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    handle: str = Field(unique=True)
    """Its name in addresses: lower case letters, digits and dashes."""
    title: str
    kind: str
    brand: str = ""
    supplier: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    """From whom the shop gets it; customers never see that."""
    description: str = ""
    """Plain text, in paragraphs."""
    size_system: str
    size_group: str
    tax_rate: int = 0
    """The tax in its prices, in hundredths of a percent: 1900 is 19 %."""
    words: str
    """What title and brand are found by: the words in them, in small letters, with a space between two."""
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(String), nullable=False, server_default="{}"))
    """Words by which the shop groups its goods; policies can speak of them."""
    listed: bool = True
    """Whether the storefront shows it; what was only imported from orders is not shown until somebody says so."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    updated_at: datetime = Field(sa_column=moment(nullable=False))


class Variant(SQLModel, table=True):
    """A product in one size and colour. The price is in minor units of `currency`, tax in it."""

    __tablename__ = "variant"
    __table_args__ = (
        CheckConstraint("price >= 0 AND stock >= 0 AND weight_grams >= 0", name="amounts"),
        Index("ix_variant_product", "product_id", "position"),
        Index("ix_variant_ean", "ean", postgresql_where="ean <> ''"),
        Index(
            "ix_variant_search",
            literal_column("lower(sku)").label("lower_sku"),
            postgresql_ops={"lower_sku": "text_pattern_ops"},
        ),
        Index("ix_variant_size", "size", postgresql_where="archived_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    product_id: UUID = Field(foreign_key="product.id")
    position: int
    sku: str = Field(unique=True)
    size: str
    color: str
    price: int = Field(sa_column=minor_units())
    currency: str
    ean: str = ""
    weight_grams: int = 0
    stock: int = 0
    """How many can be ordered. Placing takes from it under the row's lock, cancelling gives back."""
    archived_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when it is no longer offered; orders still name it."""


class ProductPicture(SQLModel, table=True):
    """A picture of a product, rebuilt from its pixels."""

    __tablename__ = "product_picture"
    __table_args__ = (Index("ix_product_picture", "product_id", "position"),)

    id: UUID = Field(primary_key=True)
    product_id: UUID = Field(foreign_key="product.id")
    position: int
    color: str = ""
    """Of which colour it is; empty for all of them."""
    alt: str = ""
    width: int
    height: int
    data: bytes = Field(sa_type=LargeBinary)
    """JPEG."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
