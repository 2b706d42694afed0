"""Pure decisions about products: the names in their addresses, their article numbers, how their sizes are meant."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from anyascii import anyascii

from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.sizes import Sizing, guess_group, guess_system
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.web.drawings import drawing_for

MAX_HANDLE: Final = 100
_HANDLE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WORD: Final = re.compile(r"[^\W_]+")
_GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})
_EAN: Final = 13


def is_handle(text: str) -> bool:
    """Whether a text can be the name of a product in an address."""
    return len(text) <= MAX_HANDLE and _HANDLE.fullmatch(text) is not None


def handle_of(text: str) -> str:
    """The name in an address that a title (or another shop's handle) makes, in any script; empty where it makes none.

    `Дербі «Київ»` becomes `derbi-kiyiv`.
    """
    words = re.findall(r"[a-z0-9]+", anyascii(text).lower())
    handle = ""
    for word in words:
        longer = f"{handle}-{word}" if handle else word
        if len(longer) > MAX_HANDLE:
            break
        handle = longer
    return handle


def words_of(text: str) -> list[str]:
    """The words by which a text is found, in any script: letters and digits alone, small and large ones the same.

    `Дербі «Київ»` has `дербі` and `київ`. What is stored and what is looked for are taken apart by this alone, because
    databases of different locales disagree on which letters there are and on which are small.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def searchable(title: str, brand: str) -> str:
    """What is stored of a product for the search."""
    return " ".join(words_of(f"{title} {brand}"))


def check_digit(digits: str) -> int:
    """The last digit of a GTIN over the others: weights 3 and 1 from the right (GS1 General Specifications, 7.9.1)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def article_number(text: str) -> str:
    """An EAN in the form in which scanners give it: 13 digits, or 8.

    A UPC of 12 digits is one of 13 that begins with 0, and so is a GTIN-14 that does (GS1 General Specifications, 3.3).

    Raises:
        InvalidError: it is none, or its check digit is wrong.
    """
    digits = re.sub(r"[\s-]", "", text).removeprefix("'")
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in _GTIN_LENGTHS:
        raise InvalidError(mark("An EAN has 13 digits, or 8."), field="ean")
    if check_digit(digits[:-1]) != int(digits[-1]):
        raise InvalidError(mark("The last digit of this EAN does not fit the others."), field="ean")
    if len(digits) > _EAN:
        if digits[0] != "0":
            raise InvalidError(mark("This is the number of a case, not of a single item."), field="ean")
        digits = digits[1:]
    return digits if len(digits) == min(_GTIN_LENGTHS) else digits.rjust(_EAN, "0")


def guess_kind(title: str) -> ProductKind:
    """What kind of thing a title names, in the languages whose words are known."""
    drawing = drawing_for(title)
    if drawing == "shoe":
        return ProductKind.SHOE
    return ProductKind.OTHER if drawing == "accessory" else ProductKind.CLOTHING


def settled_sizing(
    kind: ProductKind, sizes: Sequence[str], system: SizeSystem | None, group: SizeGroup | None
) -> Sizing:
    """How the sizes of a product are meant: as was said, and guessed where nothing was."""
    settled = Sizing(kind, group or SizeGroup.UNISEX, system or guess_system(kind, sizes))
    return settled if group else Sizing(kind, guess_group(settled, sizes), settled.system)


_GROUP_WORDS: Final = {
    SizeGroup.WOMEN: r"wom[ae]n|lad(y|ies)|damen|female|жіноч|женск|дамск",
    SizeGroup.MEN: r"m[ae]n\b|men'?s|herren|male|gents|чоловіч|мужск|мъжк",
    SizeGroup.KIDS: r"kid|child|boys?\b|girls?\b|junior|bab(y|ies)|toddler|infant|kinder|дитяч|детск",
}
_GROUPS: Final = {group: re.compile(rf"\b(?:{words})", re.IGNORECASE) for group, words in _GROUP_WORDS.items()}


def group_in_words(text: str) -> SizeGroup | None:
    """For whom something is, where its words name one group and no other."""
    named = [group for group, pattern in _GROUPS.items() if pattern.search(text)]
    if SizeGroup.KIDS in named:
        return SizeGroup.KIDS
    return named[0] if len(named) == 1 else None


def tax_in(price: int, rate: int) -> int:
    """The tax in a price, at a rate in hundredths of a percent, rounded half up."""
    return (2 * price * rate + 10_000 + rate) // (2 * (10_000 + rate))
