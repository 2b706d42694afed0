"""The slip as PDF, A4: boxes to tick, how it works, the last day; behind it the label for what goes back, a card."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from io import BytesIO
from typing import Any, Final

import pikepdf

from returns_portal import i18n
from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.documents.symbols import DOTS_PER_INCH, code_128, pdf_operators, qr
from returns_portal.labels.render import render_label
from returns_portal.loyalty.card_printing import render_card
from returns_portal.tryon.slip import SlipContent

_STYLES: Final = ("trial_slip/trial_slip.css",)
_QR_MODULE: Final = 6
_BAR_MODULE: Final = 3
_BAR_HEIGHT: Final = 70
"""Dots: nine millimetres, read by hand-held scanners at the packing table; no carrier reads these bars."""


def render_slip(content: SlipContent) -> bytes:
    """The slip as PDF: the same bytes for the same content. It takes a moment, so it is not for an event loop."""
    with i18n.speaking(content.locale):
        document = lay_out("trial_slip/trial_slip.html", _STYLES, _context(content))
        slip = write(document, {number: _symbols(content, page.anchors) for number, page in enumerate(document.pages)})
    more = [render_label(content.label, "a4")] if content.label is not None else []
    more += [render_card(content.card, sheet=True)] if content.card is not None else []
    return _joined(slip, more) if more else slip


def _symbols(content: SlipContent, anchors: Mapping[str, Sequence[float]]) -> str:
    """The number as bars for the packing table, and the address of the order's page for the customer's phone.

    A long order runs over several pages; each has what its places say.
    """
    drawn = []
    if "bars" in anchors:
        left, top = (_dots(length) for length in anchors["bars"][:2])
        symbol = code_128(content.number)
        drawn.append(pdf_operators(symbol, left=left, top=top, module=_BAR_MODULE, row_height=_BAR_HEIGHT))
    if "square" in anchors:
        left, top = (_dots(length) for length in anchors["square"][:2])
        drawn.append(pdf_operators(qr(content.url), left=left, top=top, module=_QR_MODULE, row_height=_QR_MODULE))
    return "\n".join(drawn)


def _dots(length: float) -> int:
    """WeasyPrint measures in px, 96 to the inch."""
    return round(length * DOTS_PER_INCH / 96)


def _joined(first: bytes, more: Sequence[bytes]) -> bytes:
    out = BytesIO()
    with ExitStack() as stack:
        slip = stack.enter_context(pikepdf.open(BytesIO(first)))
        for each in more:
            slip.pages.extend(stack.enter_context(pikepdf.open(BytesIO(each))).pages)
        slip.save(out, deterministic_id=True)
    return out.getvalue()


def _context(content: SlipContent) -> dict[str, Any]:
    """The template's values; what people typed is made printable."""

    def local(message: str, **values: object) -> str:
        return printable(i18n.translate(message, **values))

    def plural(one: str, many: str, n: int, **values: object) -> str:
        return printable(i18n.ngettext(one, many, n, **values))

    return {
        "_": local,
        "ngettext": plural,
        "lang": i18n.formatting_locale(content.locale).language,
        "number": content.number,
        "name": printable(content.name),
        "items": [
            {name: printable(getattr(item, name)) for name in ("title", "size", "color", "price")}
            for item in content.items
        ],
        "most": printable(content.most),
        "trial": content.trial,
        "lent": content.lent,
        "anew": content.anew,
        "days": content.days,
        "arrives": printable(content.arrives),
        "last_day": printable(content.last_day),
        "known": content.known,
        "silence_keeps": content.silence_keeps,
        "shop_name": printable(content.shop_name),
        "contact": printable(content.contact),
        "sandbox": content.sandbox,
        "has_label": content.label is not None,
    }
