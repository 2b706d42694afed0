"""The card as PDF, A6 or to be cut out of a sheet of A4: the same bytes for the same content."""

from typing import Final

from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.i18n import formatting_locale
from returns_portal.loyalty.card import CardContent

_STYLE: Final = "thanks_card/thanks_card.css"
_SHEET: Final = "thanks_card/sheet.css"


def render_card(content: CardContent, *, sheet: bool = False) -> bytes:
    """The card as PDF, on a page of its size or on a `sheet` as slips are. It takes a moment: not for an event loop."""
    context = {
        "lang": formatting_locale(content.locale).language,
        "lines": [printable(line) for line in content.words.splitlines() if line.strip()],
        "shop_name": printable(content.shop_name),
    }
    styles = (_STYLE, _SHEET) if sheet else (_STYLE,)
    return write(lay_out("thanks_card/thanks_card.html", styles, context), {})
