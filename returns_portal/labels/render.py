"""Labels as PDF: 4x6 in for label printers, and A4 or Letter with packing slip and instructions."""

from collections.abc import Mapping
from datetime import date

import msgspec
from weasyprint import Document  # type: ignore[import-untyped]  # WeasyPrint ships no types.

from returns_portal import i18n
from returns_portal.documents.press import lay_out, write
from returns_portal.documents.symbols import DOTS_PER_INCH, POINTS_PER_DOT
from returns_portal.labels.content import SIZES, LabelContent, LabelItem, PostalAddress, Size
from returns_portal.labels.drawing import CROWDED, USUAL, Plan, Room, draw_label, draw_slip_code
from returns_portal.labels.wording import BASELINE, CAPTION_TYPE, Translate, wording

_ROLL = ("label/label.css", "label/roll.css")
_SHEETS = {
    "a4": ("label/label.css", "label/sheet.css", "label/a4.css"),
    "letter": ("label/label.css", "label/sheet.css", "label/letter.css"),
}
_SHEET_OFFSET = 48
"""Dots from the edges of an A4 or Letter sheet to the label on it: 6 mm, so that its ink begins at 10."""

_SENDER_TYPE = (10.5, 9.0, 7.5, 8.0, 6.5, 5.5, 4.5, 4.0)
_RECIPIENT_TYPE = (15.0, 12.5, 10.5, 9.0, 7.5, 6.5, 5.5, 4.5, 4.0)
"""Points in which the addresses are set, tried in turn until they keep within their places."""
_FIRST_CROWDED = 3
"""From this step of the sender on, addresses take the label's whole width."""
_RUN_IN_BELOW = 6.0
"""Points below which the lines of an address follow one another in one paragraph."""
_OVERHANG = 2
"""Dots."""


class _Fit(msgspec.Struct, frozen=True):
    """How small the two addresses are set, as steps of the type above."""

    sender: int = 0
    recipient: int = 0

    @property
    def plan(self) -> Plan:
        return CROWDED if self.sender >= _FIRST_CROWDED else USUAL

    def smaller(self, *, sender: bool, recipient: bool) -> "_Fit":
        """The next step for those that do not fit, as long as there is one."""
        return _Fit(
            sender=min(self.sender + sender, len(_SENDER_TYPE) - 1),
            recipient=min(self.recipient + recipient, len(_RECIPIENT_TYPE) - 1),
        )


def render_label(content: LabelContent, size: Size, translate: Translate = i18n.translate) -> bytes:
    """The label as PDF: the same bytes for the same content, whenever and wherever it is made with the same fonts.

    Args:
        content: what it says; its text may be anything that people type.
        size: the paper.
        translate: says a message in the customer's language.

    Takes some 30 ms of processor time, so it is not for an event loop: see `labels.renderer`.
    """
    with i18n.speaking(content.locale):
        words = wording(content, translate)
        document, fit = _fitted(words)
        if size == "4x6":
            return write(document, {0: draw_label(content.code, fit.plan)})
        sheet = lay_out("label/sheet.html", _SHEETS[size], {**words, **_setting(fit)})
        _, top, right, _ = sheet.pages[0].anchors["slip-code"]
        slip = draw_slip_code(content.code, right=round(_dots(right)), top=round(_dots(top)))
        return write(sheet, {0: draw_label(content.code, fit.plan, _SHEET_OFFSET) + slip})


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


def _fitted(words: Mapping[str, object]) -> tuple[Document, _Fit]:
    """Lay the label out by itself, in the largest type in which both addresses keep within their places."""
    fit = _Fit()
    while True:
        document = lay_out("label/roll.html", _ROLL, {**words, **_setting(fit)})
        smaller = fit.smaller(
            sender=_end(document, "sender") > fit.plan.sender.end,
            recipient=_end(document, "recipient") > fit.plan.recipient.end,
        )
        if smaller == fit:
            return document, fit
        fit = smaller


def _setting(fit: _Fit) -> dict[str, object]:
    return {
        "crowded": fit.plan is CROWDED,
        "item_room": fit.plan.item_lines,
        "sender": _address_setting(_SENDER_TYPE[fit.sender], fit.plan.sender),
        "recipient": _address_setting(_RECIPIENT_TYPE[fit.recipient], fit.plan.recipient),
    }


def _address_setting(points: float, room: Room) -> dict[str, object]:
    """What parts the lines of an address, and the style of its block.

    The block is shifted so that the caption in its first line keeps its place whatever the type. It may grow a
    little over its room, which shows that it does not fit, and no further.
    """
    run_in = points < _RUN_IN_BELOW
    top = room.top * POINTS_PER_DOT + (CAPTION_TYPE - points) * BASELINE
    height = (room.end + _OVERHANG) * POINTS_PER_DOT - top
    return {
        "style": f"font-size:{points}pt;top:{top:.2f}pt;max-height:{height:.2f}pt"
        + (";line-height:1.12" if run_in else ""),
        "part": " · " if run_in else "\n",
    }


def _end(document: Document, anchor: str) -> float:
    """How far down the first page a block reaches, in dots."""
    return _dots(document.pages[0].anchors[anchor][3])


def _dots(length: float) -> float:
    """WeasyPrint measures in px, 96 to the inch."""
    return length * DOTS_PER_INCH / 96
