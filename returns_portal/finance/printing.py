"""Finance's documents made in processes of their own; the process that asks does not load what makes them."""

from typing import Final

import msgspec

from returns_portal.documents.pool import DocumentPool
from returns_portal.finance.chart import Bar
from returns_portal.finance.credit_notes_content import NoteContent

REPORT_SECONDS: Final = 30
"""A report takes two, but a busy machine is slow."""


class PrintedRow(msgspec.Struct, frozen=True):
    """A row of a printed table: what stands on the left, and what on the right."""

    texts: list[str]
    numbers: list[str]


class PrintedTable(msgspec.Struct, frozen=True):
    """A table: its heading, the names of its columns, and its rows, all in words of the reader."""

    heading: str
    names: PrintedRow
    rows: list[PrintedRow]


class PrintedReport(msgspec.Struct, frozen=True):
    """The refund report as it is printed, in words of the reader."""

    shop: str
    heading: str
    facts: list[tuple[str, str]]
    """What it is of: the period, the filters, when it was made."""
    totals: list[PrintedTable]
    chart_title: str
    chart: list[Bar]
    rows: PrintedTable
    left_out: str
    """Said where there are more rows than are printed."""
    sandbox: bool
    locale: str


def _report(content: PrintedReport) -> bytes:
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.finance.printed import render_report  # noqa: PLC0415

    return render_report(content)


def _note(content: NoteContent) -> bytes:
    from returns_portal.finance.printed import render_note  # noqa: PLC0415 - as above

    return render_note(content)


async def print_report(pool: DocumentPool, content: PrintedReport) -> bytes:
    """The report as PDF.

    Raises:
        DocumentError: too much is waiting, it took too long, or its process died.
    """
    return await pool.run(_report, content, seconds=REPORT_SECONDS)


async def print_note(pool: DocumentPool, content: NoteContent) -> bytes:
    """A credit note as PDF, in the customer's language.

    Raises:
        DocumentError: too much is waiting, it took too long, or its process died.
    """
    return await pool.run(_note, content)
