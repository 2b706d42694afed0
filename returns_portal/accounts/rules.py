"""Pure decisions about who comes in: secrets and their digests, what an entry means, where staff land."""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final

from returns_portal.accounts.models import Role, Scope
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

STAFF_SESSION: Final = timedelta(hours=12)
CUSTOMER_SESSION: Final = timedelta(hours=2)
CODE_LASTS: Final = timedelta(minutes=10)
CODE_ATTEMPTS: Final = 5
MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 200
MAX_KEY: Final = 255
"""Characters of an idempotency key."""

LANDING: Final = (
    (Role.WAREHOUSE, "/station"),
    (Role.FINANCE, "/finance"),
    (Role.SUPPORT, "/finance/decisions"),
    (Role.ADMIN, "/finance"),
)
"""The page on which staff of each role begin; the first role that fits decides."""

_KEY: Final = re.compile(r"rp_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LED_BACK: Final = ("/returns", "/refunds/", "/trials/", "/claims/", "/exchanges/", "/questions/")
"""How the paths of those pages begin to which somebody is led back who had to say first which order is theirs."""


def landing_page(roles: frozenset[str]) -> str:
    """Where a member of staff begins."""
    return next((path for role, path in LANDING if role.value in roles), "/")


def digest(token: str) -> bytes:
    """How a token of 256 random bits is kept: who reads the table cannot use it."""
    return hashlib.sha256(token.encode()).digest()


def new_token() -> str:
    """256 random bits, as text for a cookie."""
    return secrets.token_urlsafe(32)


def new_key() -> tuple[str, str]:
    """A key for a program, `rp_<prefix>_<secret>`, and its prefix, by which people tell keys apart."""
    prefix = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))
    return f"rp_{prefix}_{secrets.token_urlsafe(32)}", prefix


_PLACED: Final = "placed."


def new_placed_token() -> str:
    """A token for who has placed an order just now, and has proven nothing of its e-mail address.

    That stands in the token itself, whose digest is what is kept: whoever changes it has none that fits.
    """
    return _PLACED + new_token()


def knows_inbox(token: str) -> bool:
    """Whether a session with this token was opened by a code that was sent to the order's address."""
    return not token.startswith((_PLACED, _VIEW))


_VIEW: Final = "view."


def new_view_token() -> str:
    """A token for who came by a link that only shows. As with placed orders, it says so itself."""
    return _VIEW + new_token()


def views_only(token: str) -> bool:
    """Whether a session with this token changes nothing."""
    return token.startswith(_VIEW)


_BADGE: Final = "badge."
BADGE_GRANTS: Final = frozenset({Role.WAREHOUSE.value, Role.SUPPORT.value})
"""What somebody may do, at most, who has shown a badge and a PIN of six digits instead of a password."""


def new_badge_token() -> str:
    """A token for who has taken a station over with a badge. As with placed orders, it says so itself."""
    return _BADGE + new_token()


def grants_of(token: str, roles: frozenset[str]) -> frozenset[str]:
    """What a member of staff may do in the session with this token."""
    if not token.startswith(_BADGE):
        return roles
    return BADGE_GRANTS if Role.ADMIN.value in roles else roles & BADGE_GRANTS


def looks_like_key(token: str) -> bool:
    """Whether a text has the shape of a key at all; what has not is not looked up."""
    return _KEY.fullmatch(token) is not None


def new_code() -> str:
    """Six digits for a person to type."""
    return f"{secrets.randbelow(10**6):06d}"


def code_digest(secret: bytes, challenge: bytes, code: str) -> bytes:
    """How a code is kept: six digits alone would be found by trying, so the portal's secret is needed too."""
    return hmac.digest(secret, challenge + code.encode(), hashlib.sha256)


def digits(text: str) -> str:
    """The digits of a code as people type or paste it: `123 456`, `123-456`."""
    return re.sub(r"[\s\-]", "", text)


def order_number(text: str) -> str:
    """An order number as people type it, without the `#` that some shops print before it."""
    return text.strip().lstrip("#").strip()


def number_in_path(path: PurePosixPath) -> str:
    """An order number out of the last part of an address, which holds all the slashes that the number has."""
    return order_number(str(path).lstrip("/"))


def email_key(text: str) -> str:
    """An address folded for comparison."""
    return text.strip().lower()


def is_email(text: str) -> bool:
    """Whether a text could be an e-mail address; whether it is one, only a message to it can tell."""
    return _EMAIL.fullmatch(text.strip()) is not None


def challenge_for(number: str, email: str) -> bytes:
    """What stands for an order number and an e-mail as typed, whether or not they name an order."""
    return hashlib.sha256(f"{order_number(number).upper()}\x00{email_key(email)}".encode()).digest()


def check_password(password: str) -> None:
    """Refuse a password that is too short to be safe, or too long to be hashed cheaply.

    Raises:
        InvalidError: with the field `password`.
    """
    if len(password) < MIN_PASSWORD:
        raise InvalidError(mark("A password needs at least {count} characters."), field="password", count=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        raise InvalidError(mark("A password has at most {count} characters."), field="password", count=MAX_PASSWORD)


def known_roles(roles: list[str]) -> list[str]:
    """The roles, sorted, each once.

    Raises:
        InvalidError: there are none, or one is unknown.
    """
    return _known(roles, [role.value for role in Role], "roles")


def known_scopes(scopes: list[str]) -> list[str]:
    """The scopes, sorted, each once.

    Raises:
        InvalidError: there are none, or one is unknown.
    """
    return _known(scopes, [scope.value for scope in Scope], "scopes")


def _known(given: list[str], possible: list[str], field: str) -> list[str]:
    unknown = sorted(set(given) - set(possible))
    if unknown or not given:
        raise InvalidError(
            mark("{given} is not one of: {possible}."),
            field=field,
            given=", ".join(unknown) or "–",
            possible=", ".join(possible),
        )
    return sorted(set(given))
