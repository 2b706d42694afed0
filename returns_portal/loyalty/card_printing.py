"""The card as PDF, A6: the same bytes for the same content."""

from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.i18n import formatting_locale
from returns_portal.loyalty.card import CardContent


def render_card(content: CardContent) -> bytes:
    """The card as PDF. It takes a moment, so it is not for an event loop."""
    context = {
        "lang": formatting_locale(content.locale).language,
        "lines": [printable(line) for line in content.words.splitlines() if line.strip()],
        "shop_name": printable(content.shop_name),
    }
    return write(lay_out("thanks_card/thanks_card.html", ("thanks_card/thanks_card.css",), context), {})
