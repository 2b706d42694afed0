"""The language that a visitor has chosen, which counts before what the browser asks for."""

from http.cookies import CookieError, SimpleCookie
from typing import Final

import msgspec

from returns_portal import i18n

LANGUAGE_COOKIE: Final = "__Host-language"
_OURS: Final = LANGUAGE_COOKIE.encode()

NAMES: Final = {"bg": "Български", "de": "Deutsch", "en": "English", "ru": "Русский", "uk": "Українська"}
"""What those who speak them call their languages."""


class Choice(msgspec.Struct, frozen=True):
    """A language that pages can be read in."""

    tag: str
    name: str


def choices() -> list[Choice]:
    """The languages that there are, by their own names."""
    known = [Choice(tag, NAMES.get(tag, tag)) for tag in i18n.available()]
    return sorted(known, key=lambda choice: choice.name)


def spoken(cookies: bytes, accepted: bytes) -> str:
    """The language of a request: as chosen before, else as the browser asks."""
    if _OURS in cookies and (chosen := _chosen(cookies)) in i18n.available():
        return chosen
    return i18n.preferred(accepted.decode("latin-1"))


def _chosen(cookies: bytes) -> str:
    try:
        morsel = SimpleCookie(cookies.decode("latin-1")).get(LANGUAGE_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
