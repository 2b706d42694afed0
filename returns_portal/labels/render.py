"""Labels as PDF: 4x6 in for label printers, and A4 or Letter with packing slip and instructions."""

from collections.abc import Mapping
from datetime import date

from weasyprint import Document  # type: ignore[import-untyped]  # WeasyPrint ships no types.

from returns_portal import i18n
from returns_portal.documents.press import lay_out, write
from returns_portal.labels.content import SIZES, LabelContent, LabelItem, PostalAddress, Size
from returns_portal.labels.drawing import draw_label, draw_slip_code
from returns_portal.labels.fitting import Fit, dots
from returns_portal.labels.wording import OwnWords, Translate, code_points, own_words, standing_words, tall

ROLL = ("label/label.css", "label/roll.css")
SHEETS = {
    "a4": ("label/label.css", "label/sheet.css", "label/a4.css"),
    "letter": ("label/label.css", "label/sheet.css", "label/letter.css"),
}
SHEET_OFFSET = 48
"""Dots from the edges of an A4 or Letter sheet to the label on it: 6 mm, so that its ink begins at 10."""

_ASIDE_TYPE = (10.0, 9.5, 9.0, 8.0, 7.0, 6.0)
"""Points in which the instructions on a sheet are set, tried in turn."""
_ASIDE_END = 1271
"""Dots from the top of a sheet to where the instructions end at the latest, 159 mm: above the words at the fold."""


def render_label(content: LabelContent, size: Size, translate: Translate = i18n.translate) -> bytes:
    """The label as PDF: the same bytes for the same content, whenever and wherever it is made with the same fonts.

    Args:
        content: what it says; its text may be anything that people type.
        size: the paper.
        translate: says a message in the customer's language.

    Takes some 30 ms of processor time, so it is not for an event loop: see `labels.renderer`.
    """
    with i18n.speaking(content.locale):
        standing, own = standing_words(content, translate), own_words(content, translate)
        document, fit = _fitted(standing, own)
        if size == "4x6":
            return write(document, {0: draw_label(content.code, fit.plan)})
        sheet = lay_out_sheet(size, values(standing, own, fit))
        _, top, right, _ = sheet.pages[0].anchors["slip-code"]
        slip = draw_slip_code(content.code, right=round(dots(right)), top=round(dots(top)))
        return write(sheet, {0: draw_label(content.code, fit.plan, SHEET_OFFSET) + slip})


def warm_up() -> None:
    """Load what the first label of a process would have to wait for: libraries, fonts, stylesheets."""
    nobody = PostalAddress(
        name="Name", line1="Їжак 1", line2="", city="София", region="", postal_code="1000", country="BG"
    )
    item = LabelItem(quantity=1, title="Article", size="M", color="Синій")
    content = LabelContent(
        code="R-0000-0000",
        carrier="prepaid",
        sender=nobody,
        recipient=nobody,
        licence="0",
        order_number="0",
        items=(item,),
        issued=date(2000, 1, 1),
        locale="en",
        shop_name="Shop",
        shop_phone="0",
        shop_email="shop@example.com",
        sandbox=True,
    )
    for size in SIZES:
        render_label(content, size)


def _fitted(standing: Mapping[str, object], own: OwnWords) -> tuple[Document, Fit]:
    """Lay the label out by itself, in the largest type in which both addresses keep within their places."""
    fit = Fit()
    while True:
        document = lay_out("label/roll.html", ROLL, values(standing, own, fit))
        smaller = fit.after(_end(document, "sender"), _end(document, "recipient"))
        if smaller == fit:
            return document, fit
        fit = smaller


def lay_out_sheet(size: Size, words: Mapping[str, object]) -> Document:
    """Lay a sheet out, in the largest type in which the instructions keep above the fold."""
    for points in _ASIDE_TYPE:
        sheet = lay_out("label/sheet.html", SHEETS[size], {**words, "aside_points": points})
        if dots(sheet.pages[0].anchors["help"][3]) <= _ASIDE_END:
            break
    return sheet


def values(standing: Mapping[str, object], own: OwnWords, fit: Fit) -> dict[str, object]:
    """The templates' values for a label whose addresses are set this small."""
    plan = fit.plan
    return {
        **standing,
        **own.templates(),
        **fit.setting(tall_sender=tall(*own.sender_lines), tall_recipient=bool(standing["recipient_tall"])),
        "inside": own.inside(plan.item_lines),
        "code_points": code_points(own.code, plan.code_type),
    }


def _end(document: Document, anchor: str) -> float:
    """How far down the first page a block reaches, in dots."""
    return dots(document.pages[0].anchors[anchor][3])
