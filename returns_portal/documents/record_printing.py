"""A record as PDF. What people typed is made printable."""

from returns_portal import i18n
from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.documents.record import Record


def print_record(record: Record) -> bytes:
    """The record as PDF. It takes a second for a hundred rows, so it is not for an event loop."""
    context = {
        "lang": i18n.formatting_locale(record.locale).language,
        "shop_name": printable(record.shop_name),
        "contact": printable(record.contact),
        "title": printable(record.title),
        "lead": printable(record.lead),
        "closing": printable(record.closing),
        "mode": printable(record.mode),
        "sections": [
            (printable(part.heading), [(printable(label), printable(value)) for label, value in part.rows])
            for part in record.sections
        ],
    }
    return write(lay_out("record/record.html", ("record/record.css",), context), {})
