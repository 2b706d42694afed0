"""What a sheet of barcodes says: plain records, so that they travel to another process."""

import msgspec

from returns_portal.i18n import _
from returns_portal.warehouse.codes import Control


class CodeEntry(msgspec.Struct, frozen=True):
    """One barcode with what it does; `hint` is what a person should know beside it."""

    title: str
    code: str
    hint: str = ""


class CodeSheet(msgspec.Struct, frozen=True):
    """A sheet of barcodes in somebody's language."""

    locale: str
    title: str
    lead: str
    entries: list[CodeEntry]


def control_sheet(locale: str) -> CodeSheet:
    """The codes with which a station is operated by the scanner alone."""
    what = {
        Control.NEW: (_("Like new"), _("for the item that was scanned last")),
        Control.WORN: (_("Worn"), _("for the item that was scanned last")),
        Control.DAMAGED: (_("Damaged"), _("for the item that was scanned last")),
        Control.WRONG: (_("Wrong item"), _("for the item that was scanned last")),
        Control.MISSING: (_("Not in the parcel"), _("for the item that is marked")),
        Control.EMPTY: (_("The box is empty"), ""),
        Control.MORE_TO_COME: (_("More parcels are coming"), _("nothing counts as missing yet")),
        Control.DONE: (_("Done, next parcel"), ""),
        Control.UNDO: (_("Undo the last parcel"), _("until its refund is due")),
    }
    entries = [CodeEntry(what[control][0], control.value, what[control][1]) for control in Control]
    return CodeSheet(locale, _("Control codes"), _("Print this and keep it beside the scanner."), entries)


def badge_card(locale: str, name: str, code: str, pin: str) -> CodeSheet:
    """A badge, and on a piece of its own the PIN, which is not carried with it."""
    entries = [
        CodeEntry(name, code, _("Scan it at a station, then type the PIN.")),
        CodeEntry(_("PIN: {pin}", pin=pin), "", _("Learn it, and destroy this piece.")),
    ]
    return CodeSheet(locale, _("Badge"), _("Cut the two pieces apart. Neither is shown again."), entries)


def render(sheet: CodeSheet) -> bytes:
    """The sheet as PDF, for `DocumentPool.run`."""
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.warehouse.sheet_printing import render_sheet  # noqa: PLC0415

    return render_sheet(sheet)
