"""Sizes as shops write them, read as numbers: `42`, `42,5`, `42 1/3`, `EU 38/40`, `UK 8`, `XXL`, `10.5C`, `W32 L34`."""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from returns_portal.catalog.models import SizeSystem

Sort = Literal["number", "letters", "waist"]


class Label(NamedTuple):
    """A size as it reads. A double size such as `38/40` has two ends, any other has the same one twice."""

    sort: Sort
    low: float
    """The number; for letters, how far from M: S is -1, XL is 2."""
    high: float
    system: SizeSystem | None = None
    """The system that the label itself names."""
    mark: str = ""
    """C for a child's shoe, Y for a junior's or for years of age."""
    leg: int = 0
    """The length of trousers that are sized by waist and length."""

    @property
    def middle(self) -> float:
        """Where it stands among the others."""
        return (self.low + self.high) / 2


_NAMES: Final = {
    "eu": SizeSystem.EU, "eur": SizeSystem.EU, "uk": SizeSystem.UK, "gb": SizeSystem.UK, "us": SizeSystem.US,
    "usa": SizeSystem.US,
}  # fmt: skip
_FRACTIONS: Final = {"½": 1 / 2, "⅓": 1 / 3, "⅔": 2 / 3, "1/2": 1 / 2, "1/3": 1 / 3, "2/3": 2 / 3}
_NAME: Final = r"(?P<name>eur?|uk|gb|usa?)"
_PART: Final = r"(\d{1,3}(?:[.,]\d{1,2})?)(?:\s*(½|⅓|⅔)|\s+(1/2|1/3|2/3))?"
_NUMBERS: Final = re.compile(
    rf"(?:{_NAME}\s*)?{_PART}(?:\s*[-–/]\s*{_PART})?\s*(?P<mark>[cky]|yrs?|years?)?(?:\s*(?P<after>eur?|uk|gb|usa?))?",
    re.IGNORECASE,
)
_LETTER: Final = r"(?:(\d)X|(X*))([SL])|(M)"
_LETTERS: Final = re.compile(rf"(?:{_LETTER})(?:\s*[-–/]\s*(?:{_LETTER}))?", re.IGNORECASE)
_WAIST: Final = re.compile(r"(?:W\s*(\d{2})|(\d{2})\s*W)[\s/x-]*(?:L\s*(\d{2})|(\d{2})\s*L)", re.IGNORECASE)
_LONGEST: Final = 40


@lru_cache(4096)
def read(text: str) -> Label | None:
    """Read a size as it is written; None where it says nothing that could be compared."""
    label = " ".join(text.split())
    if not label or len(label) > _LONGEST:
        return None
    if found := _WAIST.fullmatch(label):
        waist, leg = int(found[1] or found[2]), int(found[3] or found[4])
        return Label("waist", waist, waist, leg=leg)
    if found := _LETTERS.fullmatch(label):
        low = _rank(*found.groups()[:4])
        high = _rank(*found.groups()[4:]) if any(found.groups()[4:]) else low
        return Label("letters", min(low, high), max(low, high))
    if found := _NUMBERS.fullmatch(label):
        return _numbers(found)
    return None


def _numbers(found: re.Match[str]) -> Label:
    _name, whole, sign, words, to_whole, to_sign, to_words, mark, _after = found.groups()
    low = _number(whole, sign or words)
    high = _number(to_whole, to_sign or to_words) if to_whole else low
    name = (found["name"] or found["after"] or "").lower()
    marked = (mark or "").upper()[:1].replace("K", "C")
    return Label("number", low, high, _NAMES.get(name), marked)


def _number(whole: str, fraction: str | None) -> float:
    return float(whole.replace(",", ".")) + (_FRACTIONS[fraction] if fraction else 0)


def _rank(times: str | None, exes: str | None, end: str | None, middle: str | None) -> int:
    if middle or not end:
        return 0
    steps = 1 + (int(times) if times else len(exes or ""))
    return steps if end.upper() == "L" else -steps


def letters(rank: int) -> str:
    """Write a rank as letters: `S`, `XXL`, `3XL`."""
    if rank == 0:
        return "M"
    end, exes = ("L" if rank > 0 else "S"), abs(rank) - 1
    return f"{exes}X{end}" if exes > 2 else "X" * exes + end  # noqa: PLR2004 - XXL is read at a glance, XXXL is counted


def plain(number: float) -> str:
    """Write a number without a needless decimal place."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
