"""Text set in lines without a layout engine, as far as it takes no more than the package's fonts."""

import re
from itertools import accumulate
from pathlib import Path
from typing import Final

from returns_portal.documents.shaping import Line, shaped

_UNSURE: Final = 0.05
"""Points: whether a line this near to its limit fits depends on how each glyph is rounded; Pango decides then."""
_WORD: Final = r"[\w(&#№·][\w.,:'’)/-]*"
_WORDS: Final = re.compile(f"{_WORD}(?: {_WORD})*")
"""Text whose lines may end at its spaces, and after a hyphen or stroke before a letter, and nowhere else."""
_PART: Final = re.compile(r"[^ ]+?[-/](?=[^\W\d_])|[^ ]+ ?")
"""What stays together in such a text (Unicode Standard Annex 14: classes SP, HY and SY)."""
_ELLIPSIS: Final = "…"


class NotPlainError(Exception):
    """The text needs the layout engine."""


def one_line(path: Path, points: float, text: str, language: str, room: float) -> Line:
    """The text in one line, `room` points wide at most.

    Raises:
        NotPlainError: it does not fit, or is not plain.
    """
    line = _line(path, text, language)
    if not _fits(line.width, points, room):
        raise NotPlainError
    return line


def cut_line(path: Path, points: float, text: str, language: str, room: float) -> Line:
    """The text in one line, cut with an ellipsis where it is wider than `room` points.

    Raises:
        NotPlainError: it is not plain.
    """
    line = _line(path, text, language)
    if _fits(line.width, points, room):
        return line
    ellipsis = _line(path, _ELLIPSIS, language)
    kept = sum(_fits(width + ellipsis.width, points, room) for width in accumulate(line.advances))
    return _line(path, text[:kept], language).followed_by(ellipsis)


def broken(path: Path, points: float, text: str, language: str, room: float) -> list[Line]:
    """The text in as many lines as it takes, each as full as it can be.

    Raises:
        NotPlainError: it is not plain, or it is not known where it may be broken.
    """
    line = _line(path, text, language)
    if _fits(line.width, points, room):
        return [line]
    if not _WORDS.fullmatch(text):
        raise NotPlainError
    lines: list[str] = []
    for part in _PART.findall(text):
        longer = f"{lines[-1]}{part}" if lines else part
        if lines and not _fits(_line(path, longer.rstrip(), language).width, points, room):
            lines.append(part)
        else:
            lines[-1:] = [longer]
    return [one_line(path, points, part.rstrip(), language, room) for part in lines]


def _fits(width: int, points: float, room: float) -> bool:
    spare = room - width * points / 1000
    if abs(spare) < _UNSURE:
        raise NotPlainError
    return spare > 0


def _line(path: Path, text: str, language: str) -> Line:
    line = shaped(path, text, language)
    if line is None:
        raise NotPlainError
    return line
