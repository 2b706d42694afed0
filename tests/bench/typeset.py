"""A comparable label by typst, which lays out and writes a PDF without an HTML engine: only for the bench.

The same texts at the same places in the same fonts, and the same two symbols, as SVG.
"""

from collections.abc import Callable
from typing import Final

from returns_portal.documents.fonts import SANS
from returns_portal.documents.symbols import Symbol, code_128, qr
from returns_portal.labels.content import LabelContent

_SOURCE: Final = """
#set page(width: 4in, height: 6in, margin: 0pt)
#set text(font: "Portal Sans", size: 10.5pt, fallback: false)
#let given = sys.inputs
#let at(x, y, body) = place(dx: x, dy: y, body)
#let small(body) = text(size: 6.5pt, upper(body))
#at(4mm, 4mm, [#small[From] \\ #given.name \\ #given.street \\ #given.place])
#at(59mm, 4mm, rect(width: 38.5mm, height: 18.7mm, stroke: 1.8pt))
#at(60mm, 5mm, box(width: 36.5mm, align(center, [*PREPAID RETURN* \\ #text(7pt)[Postage paid by addressee \\
  Licence #given.licence]])))
#at(4mm, 25mm, rect(width: 93.5mm, height: 34mm, stroke: 1.8pt))
#at(7.6mm, 27mm, text(15pt)[#small[To] \\ *#given.to_name* \\ #given.to_street \\ #given.to_place])
#at(11mm, 62mm, image(bytes(given.bars), format: "svg", width: 78mm))
#at(0mm, 96mm, box(width: 101.6mm, align(center, text(24pt, weight: "bold", given.code))))
#at(4mm, 108.5mm, line(length: 93.5mm, stroke: (dash: "dashed")))
#at(4mm, 112mm, image(bytes(given.square), format: "svg", width: 21mm, height: 21mm))
#at(34mm, 110mm, [#small[Order] \\ #text(13pt)[*#given.order*]])
#at(72mm, 110mm, [#small[Issued] \\ #text(13pt, given.issued)])
#at(34mm, 122mm, text(8.5pt)[#small[Inside] \\ #given.items])
#at(4mm, 143mm, box(width: 93.6mm, align(center, text(6.5pt)[#given.shop])))
"""
_BAR_HEIGHT: Final = 65
"""Modules."""


def typesetter() -> Callable[[list[LabelContent]], object] | None:
    """Makes labels one by one; None where typst is not installed."""
    try:
        import typst  # noqa: PLC0415 - a bench may do without
    except ImportError:
        return None
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(SANS.parent)])
    source = _SOURCE.encode()
    compiler = typst.Compiler(source, font_paths=fonts)

    def make(contents: list[LabelContent]) -> list[object]:
        return [
            compiler.compile(source, format="pdf", sys_inputs=_inputs(content), pdf_tags=False) for content in contents
        ]

    return make


def _inputs(content: LabelContent) -> dict[str, str]:
    sender, recipient = content.sender, content.recipient
    return {
        "name": sender.name,
        "street": sender.line1,
        "place": f"{sender.postal_code} {sender.city}, {sender.country}",
        "to_name": recipient.name,
        "to_street": recipient.line1,
        "to_place": f"{recipient.postal_code} {recipient.city}, {recipient.country}",
        "licence": content.licence,
        "code": content.code,
        "order": content.order_number,
        "issued": content.issued.isoformat(),
        "items": ", ".join(f"{item.quantity} × {item.title}, {item.size}, {item.color}" for item in content.items),
        "shop": f"{content.shop_name} · {content.shop_phone} · {content.shop_email}",
        "bars": _svg(code_128(content.code), row_height=_BAR_HEIGHT),
        "square": _svg(qr(content.code), row_height=1),
    }


def _svg(symbol: Symbol, row_height: int) -> str:
    path = "".join(
        f"M{start} {row * row_height}h{length}v{row_height}h-{length}z"
        for row, runs in enumerate(symbol.rows)
        for start, length in runs
    )
    size = f'viewBox="0 0 {symbol.width} {len(symbol.rows) * row_height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="{path}"/></svg>'
