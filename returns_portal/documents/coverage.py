"""Which characters can be printed, and what stands for those that cannot.

People's names come in every script. The package's own fonts hold Latin, Greek and Cyrillic; for other scripts
fontconfig, which finds the fonts for the PDF as well, is asked what the machine has.
"""

import ctypes
import re
import unicodedata
from functools import cache, lru_cache
from typing import Protocol

from anyascii import anyascii
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types.

from returns_portal.documents.fonts import FONT_FILES
from returns_portal.documents.native import loaded

_LIBRARIES = ("libfontconfig.so.1", "libfontconfig.1.dylib", "fontconfig-1.dll")
_OUTLINE_FORMATS = (b"TrueType", b"CFF")
"""What Pango can shape: not bitmaps, not Type 1."""

_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Unicode counts these as format characters, but they are signs of number and year that are seen."""
_JOINERS = "\u200c\u200d"
_STRAY_JOINERS = re.compile(rf"(?<![\u0600-\u1aff])[{_JOINERS}]+")
"""Joiners shape Arabic and Indic letters; after anything else they are remains of an emoji or a trick."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f\u034f\u115f\u1160\u3164\uffa0]")
"""Variation selectors and fillers, which choose among glyphs or stand for nothing, and are not seen."""


class _FontSet(ctypes.Structure):
    _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int), ("fonts", ctypes.POINTER(ctypes.c_void_p)))


class _Contains(Protocol):
    def __call__(self, codepoint: int) -> bool: ...


def printable(text: str) -> str:
    """Return `text` as it can be printed: on one line, in order, every sign of it.

    Control characters and marks that turn the writing direction are taken out; a character that no font has is
    written in Latin letters, or as its code point where it has no Latin form.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = _SELECTORS.sub("", unicodedata.normalize("NFC", text))
    shown = "".join(_shown(character) for character in plain)
    return " ".join(_STRAY_JOINERS.sub("", shown).split())


@lru_cache(maxsize=16384)
def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category in ("Cc", "Cs") or (category == "Cf" and character not in _VISIBLE_FORMATS):
        return character if character in _JOINERS else ""
    return character if can_print(character) else _latin(character)


def _latin(character: str) -> str:
    """What stands for a character that no font has: Latin letters, or its code point."""
    form = "".join(letter for letter in anyascii(character) if letter.isprintable())
    if form.strip() or unicodedata.category(character).startswith("M"):
        return form  # A mark that has no Latin form (a vowel sign, an accent) goes with its letter.
    return f"U+{ord(character):04X}"


def can_print(character: str) -> bool:
    """Whether a font has the character.

    Symbols count only where the package's own fonts have them: the machine's font for them may be one of colour
    pictures, which a label printer turns into blots.
    """
    if ord(character) in _own_characters():
        return True
    return not unicodedata.category(character).startswith("S") and _machine_has()(ord(character))


@cache
def _own_characters() -> frozenset[int]:
    sets = []
    for file in FONT_FILES:
        if "Mono" not in file.name:
            with TTFont(file, lazy=True) as font:
                sets.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*sets)


@cache
def _machine_has() -> _Contains:
    """A test for the characters of all outline fonts that fontconfig knows; colour fonts are left out."""
    library = _fontconfig()
    config = library.FcInitLoadConfigAndFonts()
    pattern, wanted = library.FcPatternCreate(), library.FcObjectSetCreate()
    for name in (b"charset", b"color", b"fontformat"):
        library.FcObjectSetAdd(wanted, name)
    found = library.FcFontList(config, pattern, wanted).contents
    union = library.FcCharSetCreate()
    for place in range(found.count):
        _add_characters(library, union, found.fonts[place])
    return lambda codepoint: bool(library.FcCharSetHasChar(union, codepoint))


def _add_characters(library: ctypes.CDLL, union: int, font: int) -> None:
    color, form, characters = ctypes.c_int(0), ctypes.c_char_p(), ctypes.c_void_p()
    library.FcPatternGetBool(font, b"color", 0, ctypes.byref(color))
    library.FcPatternGetString(font, b"fontformat", 0, ctypes.byref(form))
    if color.value or form.value not in _OUTLINE_FORMATS:
        return
    if library.FcPatternGetCharSet(font, b"charset", 0, ctypes.byref(characters)) == 0:
        library.FcCharSetMerge(union, characters, None)


def _fontconfig() -> ctypes.CDLL:
    """Fontconfig with the signatures that are used here (fontconfig.org, API reference)."""
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = (
        ("FcInitLoadConfigAndFonts", pointer, ()),
        ("FcPatternCreate", pointer, ()),
        ("FcObjectSetCreate", pointer, ()),
        ("FcObjectSetAdd", number, (pointer, text)),
        ("FcFontList", ctypes.POINTER(_FontSet), (pointer, pointer, pointer)),
        ("FcPatternGetBool", number, (pointer, text, number, pointer)),
        ("FcPatternGetString", number, (pointer, text, number, pointer)),
        ("FcPatternGetCharSet", number, (pointer, text, number, pointer)),
        ("FcCharSetCreate", pointer, ()),
        ("FcCharSetMerge", number, (pointer, pointer, pointer)),
        ("FcCharSetHasChar", number, (pointer, ctypes.c_uint32)),
    )
    return loaded("fontconfig", _LIBRARIES, signatures)
