"""The statement as PDF: the same bytes for the same content."""

from typing import Any

from returns_portal import i18n
from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.points.paper import StatementContent

_STYLES = ("statement/statement.css",)


def render_statement(content: StatementContent) -> bytes:
    """The statement as PDF. It takes seconds for a hundred lines, so it is not for an event loop."""
    with i18n.speaking(content.locale):
        return write(lay_out("statement/statement.html", _STYLES, _context(content)), {})


def _context(content: StatementContent) -> dict[str, Any]:
    """The template's values; what people typed is made printable."""

    def local(message: str, **values: object) -> str:
        return printable(i18n.translate(message, **values))

    return {
        "_": local,
        "lang": i18n.formatting_locale(content.locale).language,
        "shop_name": printable(content.shop_name),
        "contact": printable(content.contact),
        "email": printable(content.email),
        "issued": printable(content.issued),
        "sandbox": content.sandbox,
        "complete": content.complete,
        "parts": [
            {
                "balance": printable(part.sheet.points),
                "worth": printable(part.sheet.worth),
                "held": printable(part.sheet.held),
                "expiring": [tuple(map(printable, line)) for line in part.sheet.expiring],
                "movements": [tuple(map(printable, line)) for line in part.movements],
            }
            for part in content.parts
        ],
    }
