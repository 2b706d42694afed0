"""A record on paper: what somebody stated, or what is kept about them, in words that are ready.

Plain records, so that they travel to the process that prints them; the process that asks does not load the press.
"""

import msgspec


class Section(msgspec.Struct, frozen=True):
    """Rows of what something is called, and what it is; the heading may be empty."""

    heading: str
    rows: list[tuple[str, str]]


class Record(msgspec.Struct, frozen=True):
    """All that the paper says, in one language."""

    locale: str
    shop_name: str
    contact: str
    title: str
    lead: str
    sections: list[Section]
    closing: str = ""
    mode: str = ""
    """Said at the foot of each page where no money moves; empty else."""


def render(record: Record) -> bytes:
    """The record as PDF, for `DocumentPool.run`: the same bytes for the same record."""
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.documents.record_printing import print_record  # noqa: PLC0415

    return print_record(record)
