"""The shop's colour: whether it can be read, and what goes with it on light and on dark paper. Pure.

Contrast is that of WCAG 2.2: the ratio of relative luminances, from 1 to 21; text needs 4.5 (success criterion 1.4.3).
"""

import colorsys
import re
from functools import lru_cache
from typing import Final

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

LEAST: Final = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of ordinary size."""
_BEST: Final = 7.0
"""Criterion 1.4.6, level AAA: of the shades that are ours to choose."""
_LIGHT_GROUNDS: Final = ("#faf8f4", "#ffffff", "#e6f3ea", "#fbf0d9", "#fbe6e3")
"""Paper, sheet and notices, on all of which there are links in this colour; as in tokens.css."""
_DARK_GROUNDS: Final = ("#171614", "#201f1c", "#1c3325", "#3a2e12", "#42201d")
_ON: Final = ("#ffffff", "#0b201a")
"""What may stand on the colour, where it is a button's."""
_STEPS: Final = 200
_MEETS: Final = 0.03928
"""Where the two parts of the curve of sRGB meet, as WCAG writes it."""


class Scheme(msgspec.Struct, frozen=True):
    """The colour on light and on dark paper, and that of words on it, each as `#rrggbb`."""

    accent: str
    on_accent: str
    accent_dark: str
    on_accent_dark: str


OURS: Final = Scheme("#0f5c4a", "#ffffff", "#6fd3b4", "#0b201a")
"""As in tokens.css, where the shop has chosen none."""


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, each as `#rrggbb`: from 1 (the same) to 21 (black on white)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=64)
def scheme_of(accent: str) -> Scheme:
    """What goes with a colour; the portal's own for none.

    Raises:
        InvalidError: it is no colour, or cannot be read on light paper; says which one near it can.
    """
    if not accent:
        return OURS
    colour = accent.strip().casefold()
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise InvalidError(mark("Give the colour as # and six signs, such as #0f5c4a."), field="accent")
    if not _readable(colour, _LIGHT_GROUNDS):
        raise InvalidError(
            mark(
                "Links in this colour could not be read on light paper: its contrast is {ratio}, and 4.5 is needed. "
                "{near} is near and can be read."
            ),
            field="accent",
            ratio=f"{min(contrast(colour, ground) for ground in _LIGHT_GROUNDS):.1f}",
            near=_nearest(colour, _LIGHT_GROUNDS, darker=True),
        )
    dark = _nearest(colour, _DARK_GROUNDS, darker=False, least=_BEST)
    return Scheme(colour, _on(colour), dark, _on(dark))


def style_of(scheme: Scheme, selector: str) -> str:
    """A style sheet that gives the pages the colours. It stands in no layer, so that it counts before all that do."""
    return (
        f"{selector}{{--accent:light-dark({scheme.accent},{scheme.accent_dark});"
        f"--on-accent:light-dark({scheme.on_accent},{scheme.on_accent_dark})}}\n"
    )


def _readable(colour: str, grounds: tuple[str, ...], least: float = LEAST) -> bool:
    return all(contrast(colour, ground) >= least for ground in grounds) and contrast(colour, _on(colour)) >= least


def _on(colour: str) -> str:
    return max(_ON, key=lambda words: contrast(words, colour))


def _nearest(colour: str, grounds: tuple[str, ...], *, darker: bool, least: float = LEAST) -> str:
    """The colour itself where it can be read, else the next darker or lighter one of its hue that can."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    end = 0.0 if darker else 1.0
    for step in range(_STEPS + 1):
        nearer = lightness + (end - lightness) * step / _STEPS
        parts = colorsys.hls_to_rgb(hue, nearer, saturation)
        found = colour if not step else "#" + "".join(f"{round(part * 255):02x}" for part in parts)
        if _readable(found, grounds, least):
            return found
    return _ON[0] if not darker else "#000000"


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= _MEETS else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
