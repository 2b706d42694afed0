"""CSV files whose rows belong together in groups: the lines of an order, the variants of a product.

They are read row by row. A file is looked through once before anything of it is taken in, so that one that is broken
changes nothing.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import is_currency, to_minor

Row = Mapping[str, str]

_LONGEST: Final = 1_000_000
"""Bytes of one line of text; beyond it, this is no such file, and memory stays bounded."""
_AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_WORDS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Layout(NamedTuple):
    """Which columns a kind of file must have, and how one group is told from the next."""

    key: str
    required: frozenset[str]
    most: int
    """How many rows a group may have; one more is kept, to be refused."""
    head: str = ""
    """A column that is filled on a group's first row and on no other, where there is one."""
    aliases: Mapping[str, str] = {}
    """Other names of columns, which some files have."""


class Group(msgspec.Struct):
    """Rows that belong together, and the line of the file on which they begin."""

    line: int
    key: str
    rows: list[Row]
    misshapen: int
    """The first line whose cells are not as many as the columns; 0 where there is none."""

    @property
    def head(self) -> Row:
        """The row with the columns of the group as a whole."""
        return self.rows[0]


def inspect(path: Path, layout: Layout) -> int:
    """Look a file through and count its rows.

    Raises:
        InvalidError: it is empty, not UTF-8, not such a file, or breaks off; says where.
    """
    reader = _Reader(path, layout)
    return sum(1 for _line, _cells in reader.cells())


def read(path: Path, layout: Layout) -> Iterator[Group]:
    """The groups of a file, one by one, in the order of the file.

    Rows of one group stand together; what stands apart is a group of its own, without its first row.

    Raises:
        InvalidError: as `inspect`.
    """
    reader = _Reader(path, layout)
    current: Group | None = None
    for line, cells in reader.cells():
        row = dict(zip(reader.columns, cells, strict=False))
        key = row.get(layout.key, "")
        if current is None or key != current.key or row.get(layout.head, ""):
            if current is not None:
                yield current
            current = Group(line, key, [], 0)
        if len(cells) != len(reader.columns) and not current.misshapen:
            current.misshapen = line
        # One more than a group may have is enough to refuse it; a file without keys is not held in memory.
        if len(current.rows) <= layout.most:
            current.rows.append(row)
    if current is not None:
        yield current


class _Reader:
    """One pass through a file: its columns, then its rows with the lines on which they begin."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._lines = 0
        self.columns: list[str] = []

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._text(), strict=True)
        try:
            self.columns = self._checked(next(reader, []))
            begins = reader.line_num + 1
            for cells in reader:
                if any(cells):
                    yield begins, cells
                begins = reader.line_num + 1
        except csv.Error as error:
            raise _bad(
                mark("The file is not well-formed CSV at line {line}: {reason}."), line=self._lines, reason=str(error)
            ) from error

    def _text(self) -> Iterator[str]:
        # Lines are decoded one by one, so that the line at fault can be named.
        with self._path.open("rb") as file:
            while raw := file.readline(_LONGEST):
                self._lines += 1
                if len(raw) == _LONGEST:
                    raise _bad(mark("Line {line} is too long to be one of such a file."), line=self._lines)
                try:
                    yield raw.decode("utf-8-sig" if self._lines == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise _bad(
                        mark("The file is not UTF-8 at line {line}; please export it as UTF-8."), line=self._lines
                    ) from error

    def _checked(self, header: list[str]) -> list[str]:
        columns = [self._layout.aliases.get(name.strip(), name.strip()) for name in header]
        if not any(columns):
            raise _bad(mark("The file is empty."))
        missing = sorted(self._layout.required - set(columns))
        if missing and len(columns) == 1 and re.search(r"[;\t|]", columns[0]):
            raise _bad(mark("The columns of this file are not separated by commas."))
        if missing:
            raise _bad(mark("The file lacks the columns {columns}."), columns=", ".join(missing))
        if len(set(columns)) != len(columns):
            raise _bad(mark("Two columns of the file have the same name."))
        return columns


def _bad(sentence: str, **values: object) -> InvalidError:
    return InvalidError(sentence, code="bad_file", field="file", **values)


def text(row: Row, column: str) -> str:
    """A cell as one line of text; empty where the file has no such column."""
    return " ".join(row.get(column, "").split())


def currency(row: Row, column: str) -> str:
    """A cell with a currency.

    Raises:
        InvalidError: it is none.
    """
    code = text(row, column).upper()
    if not is_currency(code):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field=column)
    return code


def amount(row: Row, column: str, code: str) -> int:
    """A cell with a decimal amount, in minor units of the currency; 0 where it is empty.

    Raises:
        InvalidError: it is no amount, or finer than the currency.
    """
    cell = text(row, column)
    if not cell:
        return 0
    if not _AMOUNT.fullmatch(cell):
        raise InvalidError(mark("{cell} is not an amount."), field=column, cell=repr(cell))
    try:
        return to_minor(cell, code)
    except ValueError as error:
        raise InvalidError(
            mark("{cell} has more decimal places than {currency} has."), field=column, cell=cell, currency=code
        ) from error


def count(row: Row, column: str) -> int:
    """A cell with a number of things.

    Raises:
        InvalidError: it is none.
    """
    cell = text(row, column)
    if not _COUNT.fullmatch(cell):
        raise InvalidError(mark("{cell} is not a number of things."), field=column, cell=repr(cell))
    return int(cell)


def moment(row: Row, column: str) -> datetime | None:
    """A cell with a time and its zone (`2026-10-05 00:41:00 +0200`, or as in RFC 3339); None where it is empty.

    Raises:
        InvalidError: it is none.
    """
    cell = text(row, column)
    if not cell:
        return None
    try:
        return datetime.fromisoformat(re.sub(r" (?=[+-]|UTC$)", "", cell).replace("UTC", "+00:00"))
    except ValueError as error:
        raise InvalidError(mark("{cell} is not a time."), field=column, cell=repr(cell)) from error


def yes_or_no(row: Row, column: str) -> bool | None:
    """A cell with yes or no, as spreadsheets write them too; None where it is empty.

    Raises:
        InvalidError: it says something else.
    """
    cell = text(row, column).lower()
    if not cell:
        return None
    if cell not in _WORDS:
        raise InvalidError(mark("{cell} is neither yes nor no."), field=column, cell=repr(cell))
    return _WORDS[cell]
