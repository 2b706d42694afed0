"""What is decided about other shops and requests without asking anybody. Pure."""

from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

MAX_LINK: Final = 500
MAX_SHOP: Final = 80
MAX_WORDS: Final = 1000
MAX_WHAT: Final = 200
STALE: Final = timedelta(days=30)
"""So long after a price was seen it is looked at again, and its day is said with it."""
WISH_LASTS: Final = timedelta(days=180)
READERS_PER_PIECE: Final = 3
"""So many are told of each piece that is back: not all of them still want it, and who comes finds some left."""


def check_link(text: str) -> str:
    """The address of a page of another shop.

    Raises:
        InvalidError: it is not https, names no public host, or holds what could show another host than it leads to.
    """
    link = text.strip()
    if len(link) > MAX_LINK:
        raise InvalidError(mark("This is longer than {limit} characters."), field="url", limit=MAX_LINK)
    try:
        parts = urlsplit(link)
        plain = parts.port is None and parts.username is None and parts.password is None
    except ValueError:
        raise _no_link() from None
    host = parts.hostname or ""
    named = "." in host.strip(".") and not host.replace(".", "").isdigit()
    if parts.scheme != "https" or not (plain and named) or not link.isascii() or not link.isprintable() or " " in link:
        raise _no_link()
    if "\\" in link or not link.startswith("https://"):
        raise _no_link()
    return link


def _no_link() -> InvalidError:
    return InvalidError(
        mark("Give the whole address of the page, as https://shop.example/boots; no others are taken."), field="url"
    )


def check_seen(day: date, today: date) -> date:
    """The day on which a price was seen.

    Raises:
        InvalidError: it is still to come.
    """
    if day > today:
        raise InvalidError(mark("This day is still to come. Give the day on which you saw the price."), field="seen_on")
    return day


def is_stale(seen_on: date, today: date) -> bool:
    """Whether a price was seen so long ago that it may be another by now."""
    return today - seen_on > STALE


def readers_of(pieces: int, stock: int) -> int:
    """How many are told that something is back, of so many pieces that came and so many that are still there."""
    return READERS_PER_PIECE * max(0, min(pieces, stock))
