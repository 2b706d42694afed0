"""Text as glyphs of the package's own fonts, spaced by HarfBuzz as Pango does it: for text written beside a layout."""

import ctypes
import struct
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

import msgspec
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types.

from returns_portal.documents.native import loaded

_LIBRARIES = ("libharfbuzz.so.0", "libharfbuzz.0.dylib", "libharfbuzz-0.dll")
_INFO = struct.Struct("=5I")
"""hb_glyph_info_t: the glyph, and four numbers that are of no interest here."""
_POSITION = struct.Struct("=4iI")
"""hb_glyph_position_t: advance across and down, offset across and down, and a private number."""


class Line(msgspec.Struct, frozen=True):
    """A line of text in one font; widths are thousandths of the type size."""

    shown: str
    """The array of glyphs for the operator TJ, by their numbers (ISO 32000-1, 9.4.3)."""
    advances: tuple[int, ...]
    """How far each character moves the pen."""

    @property
    def width(self) -> int:
        """How far all of it does."""
        return sum(self.advances)

    def followed_by(self, line: "Line") -> "Line":
        """This text and another, with no kerning between them."""
        return Line(f"{self.shown[:-1]}{line.shown[1:]}", self.advances + line.advances)


class Face:
    """One font file of the package; all of them have 1000 units to the em."""

    def __init__(self, path: Path) -> None:
        with TTFont(path, lazy=True) as font:
            numbers = font.getReverseGlyphMap()
            self.glyphs: dict[int, int] = {code: numbers[name] for code, name in font.getBestCmap().items()}
            """The glyph of each character."""
            self.widths: list[int] = [font["hmtx"][name][0] for name in font.getGlyphOrder()]
            """The advance of each glyph, before kerning."""
        library = _harfbuzz()
        blob = library.hb_blob_create_from_file(str(path).encode())
        self._font = library.hb_font_create(library.hb_face_create(blob, 0))
        self._buffer = library.hb_buffer_create()

    def line(self, text: str, language: str) -> Line | None:
        """The text set in one line; None where its letters are more than one plain glyph each.

        Marks over letters, letters that join or change by neighbour or language, scripts from right to left and
        characters of other fonts are left to Pango.
        """
        try:
            glyphs = tuple([self.glyphs[ord(character)] for character in text])
        except KeyError:
            return None
        advances = self._advances(text, language, glyphs)
        return Line(self._shown(glyphs, advances), advances) if advances is not None else None

    def _shown(self, glyphs: tuple[int, ...], advances: tuple[int, ...]) -> str:
        parts = ["["]
        run = ""
        for glyph, advance in zip(glyphs, advances, strict=True):
            run += f"{glyph:04x}"
            if advance != self.widths[glyph]:
                parts.append(f"<{run}>{self.widths[glyph] - advance}")
                run = ""
        return "".join((*parts, f"<{run}>" if run else "", "]"))

    def _advances(self, text: str, language: str, glyphs: tuple[int, ...]) -> tuple[int, ...] | None:
        """What HarfBuzz says of each glyph's advance; None where it chooses or places glyphs otherwise."""
        library, buffer = _harfbuzz(), self._buffer
        encoded = text.encode()
        library.hb_buffer_clear_contents(buffer)
        library.hb_buffer_add_utf8(buffer, encoded, len(encoded), 0, len(encoded))
        library.hb_buffer_set_language(buffer, _language(language))
        library.hb_buffer_guess_segment_properties(buffer)
        library.hb_shape(self._font, buffer, None, 0)
        count = ctypes.c_uint()
        infos = library.hb_buffer_get_glyph_infos(buffer, ctypes.byref(count))
        places = library.hb_buffer_get_glyph_positions(buffer, None)
        shaped = [info[0] for info in _INFO.iter_unpack(ctypes.string_at(infos, _INFO.size * count.value))]
        moves = list(_POSITION.iter_unpack(ctypes.string_at(places, _POSITION.size * count.value)))
        if shaped != list(glyphs) or any(chain.from_iterable(move[1:4] for move in moves)):
            return None
        return tuple([move[0] for move in moves])


@cache
def face(path: Path) -> Face:
    """The face of a font file, loaded once."""
    return Face(path)


@lru_cache(maxsize=8192)
def shaped(path: Path, text: str, language: str) -> Line | None:
    """As `Face.line`; what many labels say (a size, a colour, a date) is shaped once."""
    return face(path).line(text, language)


@cache
def _language(tag: str) -> int:
    number: int = _harfbuzz().hb_language_from_string(tag.encode(), -1)
    return number


@cache
def _harfbuzz() -> ctypes.CDLL:
    """HarfBuzz, which Pango brings along, with the signatures that are used here (harfbuzz.github.io)."""
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint
    counted = ctypes.POINTER(ctypes.c_uint)
    signatures = (
        ("hb_blob_create_from_file", pointer, (text,)),
        ("hb_face_create", pointer, (pointer, number)),
        ("hb_font_create", pointer, (pointer,)),
        ("hb_buffer_create", pointer, ()),
        ("hb_buffer_clear_contents", None, (pointer,)),
        ("hb_buffer_add_utf8", None, (pointer, text, ctypes.c_int, number, ctypes.c_int)),
        ("hb_buffer_set_language", None, (pointer, pointer)),
        ("hb_buffer_guess_segment_properties", None, (pointer,)),
        ("hb_language_from_string", pointer, (text, ctypes.c_int)),
        ("hb_shape", None, (pointer, pointer, pointer, number)),
        ("hb_buffer_get_glyph_infos", pointer, (pointer, counted)),
        ("hb_buffer_get_glyph_positions", pointer, (pointer, counted)),
    )
    return loaded("HarfBuzz", _LIBRARIES, signatures)
