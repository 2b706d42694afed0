"""Tables of who may come in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.tables import json, moment, words


class Role(StrEnum):
    """What a member of staff does; an admin may do everything."""

    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    SUPPORT = "support"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API key may do; `all` may do everything."""

    ALL = "all"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    RETURNS_READ = "returns:read"
    RETURNS_WRITE = "returns:write"
    CHECK_INS_WRITE = "check-ins:write"
    REFUNDS_READ = "refunds:read"
    REFUNDS_WRITE = "refunds:write"
    REPORTS_READ = "reports:read"
    POINTS_READ = "points:read"
    POINTS_WRITE = "points:write"
    RESTOCK_READ = "restock:read"
    RESTOCK_WRITE = "restock:write"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    TRIALS_READ = "trials:read"
    TRIALS_WRITE = "trials:write"
    EXCHANGES_READ = "exchanges:read"
    EXCHANGES_WRITE = "exchanges:write"


class Staff(SQLModel, table=True):
    """A member of staff."""

    __tablename__ = "staff"

    id: UUID = Field(primary_key=True)
    email: str = Field(unique=True)
    """Lower case."""
    name: str
    password_hash: str
    roles: list[str] = Field(sa_column=words())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=moment())


class StaffBadge(SQLModel, table=True):
    """A badge with which a member of staff takes a station over; it opens nothing else."""

    __tablename__ = "staff_badge"

    staff_id: UUID = Field(primary_key=True, foreign_key="staff.id")
    digest: bytes = Field(unique=True, sa_type=LargeBinary)
    """SHA-256 of what its barcode holds, 80 random bits."""
    pin_hash: str
    created_at: datetime = Field(sa_column=moment(nullable=False))


class WebSession(SQLModel, table=True):
    """A signed-in browser: of a member of staff, of a customer for one order, or of the receiver of a gift."""

    __tablename__ = "web_session"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """SHA-256 of the cookie's token: who reads the table cannot sign in."""
    staff_id: UUID | None = Field(default=None, foreign_key="staff.id", index=True)
    order_id: UUID | None = Field(default=None, foreign_key="orders.id", index=True)
    gift_id: UUID | None = Field(default=None, foreign_key="gift.id", index=True)
    created_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime = Field(sa_column=moment(nullable=False))


class ApiKey(SQLModel, table=True):
    """A program's key, kept as its SHA-256."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    name: str
    prefix: str
    """The first characters, to tell keys apart in lists."""
    digest: bytes = Field(unique=True, sa_type=LargeBinary)
    scopes: list[str] = Field(sa_column=words())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=moment())


class LoginCode(SQLModel, table=True):
    """A one-time code that was e-mailed to a customer."""

    __tablename__ = "login_code"
    __table_args__ = (Index("ix_login_code_challenge", "challenge"),)

    id: UUID = Field(primary_key=True)
    challenge: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of order number and e-mail as typed: found again without telling whether the order exists."""
    order_id: UUID | None = Field(default=None, foreign_key="orders.id")
    """None when there is no such order; the row is written all the same, so that time and answer are alike."""
    digest: bytes = Field(sa_type=LargeBinary)
    """HMAC of the code under the portal's secret: six digits alone would be found by trying."""
    attempts: int = 0
    created_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime = Field(sa_column=moment(nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=moment())


class SpentLink(SQLModel, table=True):
    """A link that opens once and was opened; kept for as long as it could be tried again."""

    __tablename__ = "spent_link"
    __table_args__ = (Index("ix_spent_link_expires_at", "expires_at"),)

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """SHA-256 of what may be used once: who reads the table cannot use it."""
    browser: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the browser's own token against foreign forms: a double click of one browser is one use."""
    used_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime = Field(sa_column=moment(nullable=False))


class RateLimit(SQLModel, table=True):
    """How often something was tried in one window of time."""

    __tablename__ = "rate_limit"

    bucket: str = Field(primary_key=True)
    """What is limited and for whom, hashed: `code:order:…`."""
    window_start: datetime = Field(sa_column=moment(nullable=False))
    count: int


class IdempotencyKey(SQLModel, table=True):
    """An API call that was answered, so that its repetition gets the same answer."""

    __tablename__ = "idempotency_key"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of method, path and body."""
    status: int
    body: dict[str, object] = Field(sa_column=json())
    created_at: datetime = Field(sa_column=moment(nullable=False))
