"""Workbooks (XLSX) written row by row, in the same memory whether they are long or short.

The parts are those of Office Open XML (ECMA-376, part 1, chapter 18), with strings inside their cells. XlsxWriter needs
fifty seconds of processor time for the report's 100,000 rows and its port to Rust as long as this, without formats that
differ from cell to cell. The same rows make the same bytes: no date and no name of a machine stands in the file.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import IO, Final, Self
from xml.sax.saxutils import escape

import msgspec

MAX_ROWS: Final = 500_000
"""Rows of one sheet: fewer than the format's 1,048,576, so that a sheet stays below two gigabytes."""
MAX_TEXT: Final = 32_767
"""Characters of one cell (Excel's limit)."""

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# What XML has no place for is written as _xHHHH_, and text that looks like that has its own underscore written so
# (ST_Xstring, 22.9.2.19).
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL: Final = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x")


class Style(IntEnum):
    """The formats of cells, as `_STYLES` lists them."""

    PLAIN = 0
    HEADING = 1
    TITLE = 2
    MOMENT = 3
    PLACES_0 = 4
    PLACES_1 = 5
    PLACES_2 = 6
    PLACES_3 = 7
    PLACES_4 = 8


_FORMATS: Final = (
    (0, 0),
    (0, 1),
    (0, 2),
    (164, 0),
    (165, 0),
    (166, 0),
    (167, 0),
    (168, 0),
    (169, 0),
)
"""Number format and font of each style."""
_NUMBERS: Final = ("yyyy-mm-dd hh:mm:ss", "#,##0", "#,##0.0", "#,##0.00", "#,##0.000", "#,##0.0000")
_FONT: Final = '<name val="Calibri"/><family val="2"/>'
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(_NUMBERS)}">'
    + "".join(f'<numFmt numFmtId="{164 + index}" formatCode="{code}"/>' for index, code in enumerate(_NUMBERS))
    + f'</numFmts><fonts count="3"><font><sz val="11"/>{_FONT}</font><font><b/><sz val="11"/>{_FONT}</font>'
    f'<font><b/><sz val="14"/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="{len(_FORMATS)}">'
    + "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="0" borderId="0" xfId="0"'
        f' applyNumberFormat="{int(number > 0)}" applyFont="{int(font > 0)}"/>'
        for number, font in _FORMATS
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def places(count: int) -> Style:
    """The style of amounts with so many decimal places, from 0 to 4."""
    return Style(Style.PLACES_0 + count)


def text(value: str) -> str:
    """Text as it stands in a cell."""
    value = value[:MAX_TEXT]
    if not _SPECIAL.search(value):
        return value
    return escape(_ODD.sub(lambda odd: f"_x{ord(odd[0]):04X}_", value)).replace("\r", "_x000D_")


class Cell(msgspec.Struct, frozen=True):
    """A cell of a row that is written by itself: text, or a number as its digits."""

    value: str
    style: Style = Style.PLAIN
    number: bool = False


class Workbook:
    """Writes sheets into a file, one after the other; `close` completes it."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin a workbook in an empty file."""
        self._archive = zipfile.ZipFile(file, "w")
        self._sheets: list[Sheet] = []
        self._open: Sheet | None = None

    def sheet(self, name: str, widths: Sequence[float], *, frozen: int = 0, first: bool = False) -> "Sheet":
        """Begin a sheet; the one that was begun before is complete then.

        Args:
            name: up to 31 characters.
            widths: of the columns, in characters.
            frozen: how many rows stay where they are when the others move; with them the rows can be filtered.
            first: whether it stands before all others and is the one that is shown, whenever it is written.
        """
        self._complete()
        number = len(self._sheets) + 1
        part = self._archive.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w")
        self._open = Sheet(number, name, part, widths, frozen, shown=first)
        self._sheets.insert(0 if first else number, self._open)
        return self._open

    def _complete(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Write what tells of the sheets."""
        self._complete()
        for name, content in self._parts().items():
            self._archive.writestr(_entry(name), content)
        self._archive.close()

    def _parts(self) -> dict[str, str]:
        overrides = "".join(
            f'<Override PartName="/xl/{part}" ContentType="application/vnd.openxmlformats-officedocument.'
            f'spreadsheetml.{kind}+xml"/>'
            for part, kind in [
                ("workbook.xml", "sheet.main"),
                ("styles.xml", "styles"),
                *((sheet.part, "worksheet") for sheet in self._sheets),
            ]
        )
        sheets = "".join(
            f'<sheet name="{escape(sheet.name, _QUOTE)}" sheetId="{sheet.number}" r:id="rId{sheet.number}"/>'
            for sheet in self._sheets
        )
        filters = "".join(
            f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">'
            f"'{escape(sheet.name)}'!{sheet.area}</definedName>"
            for index, sheet in enumerate(self._sheets)
            if sheet.area
        )
        relations = "".join(
            f'<Relationship Id="rId{sheet.number}" Type="{_RELATIONS}/worksheet" Target="{sheet.part}"/>'
            for sheet in self._sheets
        )
        styles = f'<Relationship Id="rId{len(self._sheets) + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        return {
            "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            f' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
            "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets>'
            + (f"<definedNames>{filters}</definedNames>" if filters else "")
            + "</workbook>",
            "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
            f"{relations}{styles}</Relationships>",
            "xl/styles.xml": _STYLES,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()


_QUOTE: Final = {'"': "&quot;"}
_SHOWN: Final = ' tabSelected="1"'


class Sheet:
    """One sheet, to which rows are added."""

    def __init__(
        self, number: int, name: str, part: IO[bytes], widths: Sequence[float], frozen: int, *, shown: bool
    ) -> None:
        """Begin it; see `Workbook.sheet`."""
        self.number = number
        self.name = name
        self.part = f"worksheets/sheet{number}.xml"
        self.rows = 0
        self.area = ""
        """What can be filtered; empty where nothing can, and until it is complete."""
        self._file = part
        self._columns = len(widths)
        self._frozen = frozen
        pane = (
            f'<pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" activePane="bottomLeft" state="frozen"/>'
            if frozen
            else ""
        )
        columns = "".join(
            f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
            for number, width in enumerate(widths, 1)
        )
        self._write(
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"'
            f"{_SHOWN if shown else ''}>{pane}</sheetView></sheetViews>"
            f"<cols>{columns}</cols><sheetData>"
        )

    def add(self, *cells: Cell | None) -> None:
        """Add one row; None leaves its place empty."""
        self.write("<row>" + "".join(_cell(cell) for cell in cells) + "</row>", 1)

    def write(self, rows: str, count: int) -> None:
        """Add rows that are written out already."""
        self.rows += count
        self._write(rows)

    def _write(self, content: str) -> None:
        self._file.write(content.encode())

    def close(self) -> None:
        """Complete it."""
        ending = ""
        if self._frozen:
            last, bottom = column_name(self._columns), max(self.rows, self._frozen)
            ending = f'<autoFilter ref="A{self._frozen}:{last}{bottom}"/>'
            self.area = f"$A${self._frozen}:${last}${bottom}"
        self._write(f"</sheetData>{ending}</worksheet>")
        self._file.close()


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "<c/>"
    if cell.number:
        return f'<c s="{cell.style:d}"><v>{cell.value}</v></c>'
    return f'<c s="{cell.style:d}" t="inlineStr"><is><t xml:space="preserve">{text(cell.value)}</t></is></c>'


def column_name(number: int) -> str:
    """The letters of a column, counted from 1: A, B … Z, AA."""
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _entry(name: str) -> zipfile.ZipInfo:
    """A part of the archive, dated by the format's own beginning."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class RowWriter:
    """Writes rows of strings out, each column in its kind; fast, since a year has a hundred thousand of them.

    Rows alike in what is empty and in the style of their amounts share a pattern that is filled in at once.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        """Take what each column holds: text, number, amount, moment."""
        self._kinds = kinds
        self._patterns: dict[tuple[Style, tuple[bool, ...]], str] = {}

    def write(self, rows: Iterable[tuple[Sequence[str | None], Style]]) -> str:
        """Rows with the style of their amounts."""
        return "".join([self._row(row, amounts) for row, amounts in rows])

    def _row(self, row: Sequence[str | None], amounts: Style) -> str:
        key = (amounts, tuple([not value for value in row]))
        pattern = self._patterns.get(key) or self._patterns.setdefault(key, self._pattern(*key))
        values = tuple([value for value in row if value])
        whole = "".join(values)
        if len(whole) > MAX_TEXT or _SPECIAL.search(whole):
            values = tuple([text(value) for value in values])
        return pattern % values

    def _pattern(self, amounts: Style, empty: tuple[bool, ...]) -> str:
        styles = {"number": Style.PLAIN, "amount": amounts, "moment": Style.MOMENT}
        cells = []
        for kind, missing in zip(self._kinds, empty, strict=True):
            if missing:
                cells.append("<c/>")
            elif kind in styles:
                cells.append(f'<c s="{styles[kind]:d}"><v>%s</v></c>')
            else:
                cells.append('<c t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>')
        return f"<row>{''.join(cells)}</row>"
