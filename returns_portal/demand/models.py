"""What people asked for that was not in stock, other shops that have it, and whether they went there."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Text
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class Elsewhere(SQLModel, table=True):
    """Another shop that has a product of ours, as somebody of the staff saw it. The price is with tax."""

    __tablename__ = "elsewhere"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_sane"),
        # What leads away from here is a page that nobody can have changed on its way, whoever writes here.
        CheckConstraint("url LIKE 'https://%'", name="url_secure"),
        CheckConstraint("product_id IS NOT NULL OR NOT listed", name="listed_by_product"),
        Index("ix_elsewhere_product", "product_id", postgresql_where="listed AND removed_at IS NULL"),
        Index("ix_elsewhere_seen", "seen_on", "id", postgresql_where="listed AND removed_at IS NULL"),
    )

    id: UUID = Field(primary_key=True)
    product_id: UUID | None = Field(default=None, foreign_key="product.id")
    """None where it was named to one person who looked for something that is no product of ours."""
    size: str
    """Empty for every size."""
    color: str
    """Empty for every colour."""
    shop: str
    url: str
    price: int = Field(sa_column=minor_units())
    currency: str
    seen_on: date
    """The day on which the page and its price were seen."""
    listed: bool
    """Whether it is named to everybody who asks; others were named once, by a person to a person."""
    created_at: datetime = Field(sa_column=moment(nullable=False))
    removed_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when nobody is sent there any more; who was sent there is still counted."""


class Source(StrEnum):
    """Where somebody asked."""

    PRODUCT = "product"
    """On a product's page, or one that leads from there."""
    EXCHANGE = "exchange"
    """Where they chose what to have in exchange."""
    QUESTION = "question"


class State(StrEnum):
    """What a person of the shop said to it."""

    OPEN = "open"
    ELSEWHERE = "elsewhere"
    """Another shop was named."""
    COMING = "coming"
    """We will have it."""
    DECLINED = "declined"
    """We do not get it."""


class Wish(StrEnum):
    """Whether somebody wants to be told when it is back."""

    NONE = "none"
    WAITING = "waiting"
    TOLD = "told"
    ENDED = "ended"
    """They said so, or its time was over."""


class ProductRequest(SQLModel, table=True):
    """What somebody asked for that was not in stock."""

    __tablename__ = "product_request"
    __table_args__ = (
        one_of(Source, "source"),
        one_of(State, "state"),
        one_of(Wish, "wish"),
        CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered_since"),
        CheckConstraint("wish <> 'waiting' OR (email <> '' AND product_id IS NOT NULL)", name="somebody_waits"),
        CheckConstraint("email = '' OR consent <> ''", name="agreed_to"),
        Index("ix_product_request_open", "id", postgresql_where="state = 'open'"),
        Index("ix_product_request_asked", "asked_at"),
        Index("ix_product_request_waiting", "product_id", "id", postgresql_where="wish = 'waiting'"),
        Index("ix_product_request_question", "question_id", postgresql_where="question_id IS NOT NULL"),
        Index("ix_product_request_email", "email_key", postgresql_where="email_key <> ''"),
    )

    id: UUID = Field(primary_key=True)
    product_id: UUID | None = Field(default=None, foreign_key="product.id")
    what: str
    """What it is called: the product's title on that day, or the asker's words."""
    size: str
    color: str
    words: str = Field(sa_column=Column(Text, nullable=False))
    """What else they said."""
    email: str
    """Where they may be written to about this and nothing else; empty where they gave no address."""
    email_key: str
    consent: str = Field(sa_column=Column(Text, nullable=False))
    """The sentence under which they gave it, in their language (GDPR, Art. 7(1)); empty without an address."""
    locale: str
    source: str
    question_id: UUID | None = Field(default=None, foreign_key="question.id")
    asked_at: datetime = Field(sa_column=moment(nullable=False))
    state: str
    answered_at: datetime | None = Field(default=None, sa_column=moment())
    answered_by: UUID | None = Field(default=None, foreign_key="staff.id")
    answer: str = Field(sa_column=Column(Text, nullable=False))
    wish: str
    told_at: datetime | None = Field(default=None, sa_column=moment())
    came_back_order_id: UUID | None = Field(default=None, foreign_key="orders.id")
    """The first order of the same address, placed after asking, that has the product."""


class Shown(StrEnum):
    """Where another shop was named."""

    PRODUCT = "product"
    """On the product's page, to whoever looked at it; such a row is only written when they went there."""
    PAGE = "page"
    """On the page that answers a request."""
    MAIL = "mail"
    """In the answer of a person."""


class Referral(SQLModel, table=True):
    """Another shop that was named to somebody, and whether they went there."""

    __tablename__ = "referral"
    __table_args__ = (
        one_of(Shown, "shown"),
        CheckConstraint("(shown = 'product') = (request_id IS NULL)", name="asked_or_looked"),
        CheckConstraint("shown <> 'product' OR followed_at IS NOT NULL", name="looked_and_went"),
        Index("ix_referral_shown", "shown_at"),
        Index("ix_referral_request", "request_id", postgresql_where="request_id IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    elsewhere_id: UUID = Field(foreign_key="elsewhere.id")
    request_id: UUID | None = Field(default=None, foreign_key="product_request.id")
    shown: str
    shown_at: datetime = Field(sa_column=moment(nullable=False))
    followed_at: datetime | None = Field(default=None, sa_column=moment())
    """When they went there first."""


class StockRise(SQLModel, table=True):
    """Pieces of a variant that came into stock while somebody waited for its product; gone once they were told.

    The database writes it (a trigger on `variant`), since stock rises in many ways: counts, pushes and files of the
    catalogue, what is put back from returns, what an exchange or a trial gives up.
    """

    __tablename__ = "stock_rise"
    __table_args__ = (
        CheckConstraint("pieces > 0", name="pieces_came"),
        Index("ix_stock_rise_variant", "variant_id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    variant_id: UUID = Field(foreign_key="variant.id")
    pieces: int
