"""A PDF of many pages that share what they have in common: fonts are in it once, and so is each layout.

A page is a layout (a page that WeasyPrint made, as a form of its own) with text and symbols written over it.
"""

from functools import cache
from io import BytesIO
from pathlib import Path

import msgspec
import pikepdf
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types.
from pikepdf import Array, Dictionary, Name

from returns_portal.documents.fonts import FONT_FILES
from returns_portal.documents.shaping import Line, face
from returns_portal.documents.symbols import POINTS_PER_DOT

_NAMES = {path: f"/F{number}" for number, path in enumerate(FONT_FILES)}
_TABLES = frozenset(("glyf", "head", "hhea", "hmtx", "loca", "maxp", "cvt ", "fpgm", "prep"))
"""What a font in a PDF needs whose glyphs are called by number (ISO 32000-1, 9.9)."""
_SYMBOLIC = 4
"""A font's flag: its letters are not those of the standard Latin set (ISO 32000-1, table 123)."""
_CMAP_BLOCK = 100
"""Entries in one block of a character map, at most (Adobe technical note 5014)."""


class Layout(msgspec.Struct, frozen=True):
    """What pages have in common: a PDF of one page, its width and height in points."""

    pdf: bytes
    width: float
    height: float


class StampedFile:
    """Pages are added one by one; `close` gives the file. The same pages give the same bytes."""

    def __init__(self) -> None:
        self._pdf = pikepdf.new()
        self._forms: dict[Layout, pikepdf.Object] = {}
        self._fonts: pikepdf.Object | None = None

    def add(self, layout: Layout, text: str, symbols: str) -> None:
        """Add a page of this layout.

        Args:
            layout: what is below.
            text: operators in points from the page's bottom left corner, as `text_operators` gives them.
            symbols: operators in dots from the page's top left corner, as `pdf_operators` gives them.
        """
        dots = f"{POINTS_PER_DOT:.10f} 0 0 {-POINTS_PER_DOT:.10f} 0 {layout.height:.10f} cm"
        content = f"q\n/L Do\nQ\n0 g\nBT\n{text}\nET\nq\n{dots}\n{symbols}\nQ"
        page = Dictionary(
            Type=Name.Page,
            MediaBox=[0, 0, layout.width, layout.height],
            Resources=Dictionary(XObject=Dictionary(L=self._form(layout)), Font=self._font_resources()),
            Contents=self._pdf.make_stream(content.encode("ascii")),
        )
        self._pdf.pages.append(pikepdf.Page(self._pdf.make_indirect(page)))

    def add_pages(self, pdf: bytes) -> None:
        """Add the pages of another file as they are."""
        with pikepdf.open(BytesIO(pdf)) as other:
            self._pdf.pages.extend(other.pages)

    def close(self) -> bytes:
        """The file; nothing can be added any more."""
        file = BytesIO()
        with self._pdf as pdf:
            pdf.save(file, deterministic_id=True)
        return file.getvalue()

    def _form(self, layout: Layout) -> pikepdf.Object:
        if layout not in self._forms:
            with pikepdf.open(BytesIO(layout.pdf)) as pdf:
                self._forms[layout] = self._pdf.copy_foreign(pdf.pages[0].as_form_xobject())
        return self._forms[layout]

    def _font_resources(self) -> pikepdf.Object:
        if self._fonts is None:
            fonts = {name: _font(self._pdf, path) for path, name in _NAMES.items()}
            self._fonts = self._pdf.make_indirect(Dictionary(fonts))
        return self._fonts


def text_operators(path: Path, points: float, line: Line, x: float, y: float) -> str:
    """A line of text in a font of the package, its pen starting at x and y: points from the bottom left corner."""
    return f"{_NAMES[path]} {points:g} Tf\n1 0 0 1 {x:.3f} {y:.3f} Tm\n{line.shown}TJ"


def _font(pdf: pikepdf.Pdf, path: Path) -> pikepdf.Object:
    """The font of a file as a composite font whose codes are its glyphs' numbers (ISO 32000-1, 9.7)."""
    name = Name("/" + path.stem)
    program = pdf.make_stream(_program(path))
    program.Length1 = len(_program(path))
    descriptor = pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=_SYMBOLIC,
            FontFile2=program,
            ItalicAngle=0,
            StemV=80,
        )
    )
    for key, value in _measures(path).items():
        descriptor[key] = value
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        CIDToGIDMap=Name.Identity,
        FontDescriptor=descriptor,
        W=Array([0, Array(face(path).widths)]),
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=name,
        Encoding=Name("/Identity-H"),
        DescendantFonts=[pdf.make_indirect(descendant)],
        ToUnicode=pdf.make_stream(_character_map(path)),
    )
    return pdf.make_indirect(font)


@cache
def _program(path: Path) -> bytes:
    """The font file without what only shaping needs."""
    with TTFont(path, recalcTimestamp=False) as font:
        for table in set(font.keys()) - _TABLES - {"GlyphOrder"}:
            del font[table]
        file = BytesIO()
        font.save(file, reorderTables=True)
        return file.getvalue()


@cache
def _measures(path: Path) -> dict[str, int | list[int]]:
    with TTFont(path, lazy=True) as font:
        head, across, system = font["head"], font["hhea"], font["OS/2"]
        return {
            "/FontBBox": [head.xMin, head.yMin, head.xMax, head.yMax],
            "/Ascent": across.ascent,
            "/Descent": across.descent,
            "/CapHeight": system.sCapHeight,
        }


@cache
def _character_map(path: Path) -> bytes:
    """Which character each glyph stands for, so that text can be searched and copied (ISO 32000-1, 9.10.3)."""
    shown: dict[int, int] = {}
    for character, glyph in sorted(face(path).glyphs.items()):
        shown.setdefault(glyph, character)
    entries = [f"<{glyph:04x}> <{chr(character).encode('utf-16-be').hex()}>" for glyph, character in shown.items()]
    blocks = [entries[start : start + _CMAP_BLOCK] for start in range(0, len(entries), _CMAP_BLOCK)]
    mapped = "\n".join(f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CMapName /Characters def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{mapped}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode("ascii")
