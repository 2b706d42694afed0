"""Who is signed in at the shop need not prove again who they are: the shop signs it (JWS, RFC 7515, compact, HS256)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.doors import OwnOrder, come_in, orders_of
from returns_portal.accounts.rules import is_email, order_number
from returns_portal.accounts.spent import spend

log = structlog.get_logger(__name__)

LONGEST: Final = timedelta(minutes=10)
"""How long a token may last: it stands in an address, and addresses stand in histories and logs."""
SKEW: Final = timedelta(seconds=60)
"""How far the shop's clock may be from ours."""
MAX_TOKEN: Final = 2000
_MAX_EMAIL: Final = 254
_JTI: Final = range(8, 129)


class _Header(msgspec.Struct):
    alg: str
    crit: list[str] | None = None


class _Claims(msgspec.Struct):
    email: str
    exp: int | float
    jti: str
    nbf: int | float = 0
    order: str | int | None = None
    return_url: str = ""


class Visitor(msgspec.Struct, frozen=True):
    """Whom the shop sends: the address, the order that they look at there, and the way back."""

    email: str
    jti: str
    expires_at: datetime
    order: str
    return_url: str


def visitor(secrets: Sequence[bytes], origins: Collection[str], token: str) -> Visitor | None:
    """Whom a token names; None where the shop did not sign it so, or where its time is over.

    The header's algorithm is compared, not obeyed: a token that says `none`, or names another one, is nobody's.
    """
    head, _, signature = token.rpartition(".")
    if not (head.count(".") == 1 and len(token) <= MAX_TOKEN and token.isascii()):
        return None
    given = _decoded(signature)
    # Every secret is tried, so that how long it takes does not tell which one fits.
    fits = [hmac.compare_digest(given, hmac.digest(secret, head.encode(), hashlib.sha256)) for secret in secrets]
    if not any(fits):
        return None
    header, payload = head.split(".")
    try:
        told = msgspec.json.decode(_decoded(header), type=_Header)
        claims = msgspec.json.decode(_decoded(payload), type=_Claims)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return _named(claims, origins) if told.alg == "HS256" and not told.crit else None


def _named(claims: _Claims, origins: Collection[str]) -> Visitor | None:
    now = clock.now()
    try:
        expires_at = datetime.fromtimestamp(claims.exp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    on_time = now - SKEW < expires_at <= now + LONGEST + SKEW and claims.nbf <= (now + SKEW).timestamp()
    email = claims.email.strip()
    known = is_email(email) and len(email) <= _MAX_EMAIL and len(claims.jti) in _JTI
    if not (on_time and known):
        return None
    order = "" if claims.order is None else order_number(str(claims.order))
    return Visitor(email, claims.jti, expires_at, order, _way_back(claims.return_url, origins))


def _way_back(url: str, origins: Collection[str]) -> str:
    """The address when it is one of the shop's; else none: a link of ours leads nowhere else, whoever signed it."""
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        origin = ""
    if url and origin in origins and url.isprintable() and "\\" not in url:
        return url
    if url:
        log.warning("shop_login.return_url_refused", origin=origin)
    return ""


def _decoded(text: str) -> bytes:
    """Base64url without padding; empty for what is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


async def let_in(db: AsyncConnection, whom: Visitor, *, browser: str) -> tuple[OwnOrder, str] | None:
    """Open the order that the shop named, else the newest of the address; the order and the session's token.

    None where the address has no order here, or the token was used before. It is used up either way.
    """
    # The shop's own id of the token, not the token: the same claims may be signed with each of two secrets.
    used = f"shop-login {whom.jti}"
    if not await spend(db, used, browser=browser, expires_at=whom.expires_at + SKEW):
        return None
    found = await orders_of(db, whom.email)
    wanted = [order for order in found if order.number.upper() == whom.order.upper()] or found
    return (wanted[0], await come_in(db, wanted[0].id, by="shop")) if wanted else None
