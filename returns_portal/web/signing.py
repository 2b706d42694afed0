"""Small things that a browser keeps for us, signed so that it cannot change them."""

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import Any, Final

import msgspec
from litestar.datastructures import Cookie

from returns_portal import clock

SESSION_COOKIE: Final = "__Host-session"
CSRF_COOKIE: Final = "__Host-csrf"
FLASH_COOKIE: Final = "__Host-flash"


def derive(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose, from the portal's secret: what one key signs another does not accept."""
    return hmac.digest(secret, f"returns-portal {purpose}".encode(), hashlib.sha256)


def seal(key: bytes, value: Any, *, lasting: timedelta) -> str:  # noqa: ANN401 - whatever msgspec encodes
    """Write a value so that it can be read back unchanged until its time is over."""
    expires = int((clock.now() + lasting).timestamp())
    body = msgspec.msgpack.encode((expires, value))
    return _spelt(hmac.digest(key, body, hashlib.sha256) + body)


def _spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unseal(key: bytes, text: str) -> Any:  # noqa: ANN401 - what was sealed
    """Read a sealed value; None when it was changed, made with another key, or is too old.

    It is read in the one spelling in which it was sealed: what is spent by its text is not let in by another.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _spelt(raw) != text:
        return None
    signature, body = raw[:32], raw[32:]
    if not hmac.compare_digest(signature, hmac.digest(key, body, hashlib.sha256)):
        return None
    expires, value = msgspec.msgpack.decode(body)
    return value if expires > clock.now().timestamp() else None


def cookie(name: str, value: str, *, lasting: timedelta | None = None) -> Cookie:
    """A cookie of this host alone (`__Host-`): secure, not for scripts, not sent along from other sites' forms."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
        max_age=None if lasting is None else int(lasting.total_seconds()),
    )


def forget(name: str) -> Cookie:
    """What makes the browser drop a cookie."""
    return cookie(name, "", lasting=timedelta())
