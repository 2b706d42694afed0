"""The language of the current request or job, and gettext catalogs for it.

English is written in the code and needs no catalog. Any other language is a folder
`locale/<language>/LC_MESSAGES/messages.mo` beside this module, and nothing else.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

DEFAULT: Final = "en"
LOCALE_DIR = Path(__file__).with_name("locale")

_current: ContextVar[str] = ContextVar("locale", default=DEFAULT)


def current() -> str:
    """The language that is spoken now, as a tag such as `en` or `pt-BR`."""
    return _current.get()


def speak(locale: str) -> None:
    """Speak this language from here on, in this request or job; one without a catalog becomes English."""
    _current.set(supported(locale))


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Speak a language for the length of a block (an e-mail to somebody else, say)."""
    token = _current.set(supported(locale))
    try:
        yield
    finally:
        _current.reset(token)


@cache
def available() -> tuple[str, ...]:
    """The languages that the portal speaks, English first."""
    found = sorted(path.parent.parent.name for path in LOCALE_DIR.glob("*/LC_MESSAGES/messages.mo"))
    return (DEFAULT, *(name.replace("_", "-") for name in found))


def supported(locale: str) -> str:
    """The nearest language that the portal speaks: the same, the same without its region, or English."""
    tag = locale.replace("_", "-")
    for candidate in (tag, tag.split("-")[0]):
        if candidate in available():
            return candidate
    return DEFAULT


def preferred(accept_language: str) -> str:
    """Choose from an Accept-Language header (RFC 9110, 12.5.4) the first language that the portal speaks."""
    if len(available()) == 1 or not accept_language:
        return DEFAULT
    wishes: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _separator, weight = part.partition(";q=")
        try:
            wishes.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    for _weight, tag in sorted(wishes):
        if (found := supported(tag)) != DEFAULT or tag.lower().startswith(DEFAULT):
            return found
    return DEFAULT


def formatting_locale(tag: str) -> Locale:
    """Babel's locale for a tag; English where Babel knows none of that name."""
    return _babel(tag)


@cache
def _babel(tag: str) -> Locale:
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(DEFAULT)


@cache
def _catalog(locale: str) -> gettext.NullTranslations:
    return gettext.translation("messages", LOCALE_DIR, [locale.replace("-", "_")], fallback=True)


def translate(message: str, /, **values: object) -> str:
    """Say a sentence in the current language, with its `{named}` places filled in.

    Filled in only where there are values, so that a sentence may hold braces of its own.
    """
    text = _catalog(_current.get()).gettext(message)
    return text.format(**values) if values else text


def ngettext(singular: str, plural: str, n: int, /, **values: object) -> str:
    """Say a sentence about `n` things in the current language; `{n}` and the named places are filled in."""
    return _catalog(_current.get()).ngettext(singular, plural, n).format(n=n, **values)


def mark(message: str) -> str:
    """Mark a sentence for the catalogs, to be translated later, where it is shown."""
    return message


_ = translate
