"""Many labels in one PDF: the portal's own and those that carriers made, piece by piece, then all pieces.

It runs in the processes that make documents: the process that asks does not load it (see `labels.renderer`).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Final

import pikepdf

from returns_portal.labels.content import LabelContent, Size
from returns_portal.labels.stamping import render_labels

_PAPER: Final[dict[Size, tuple[float, float]]] = {"4x6": (288, 432), "a4": (595.28, 841.89), "letter": (612, 792)}
"""Width and height in points."""
_SAME: Final = 1.0
"""Points by which a page may differ from the paper and still be put in untouched."""


def gather(pieces: Sequence[LabelContent | bytes], size: Size) -> bytes:
    """One PDF with all pieces in their order: labels to draw, and PDFs as carriers made them, put on the same paper.

    Raises:
        pikepdf.PdfError: one of the PDFs cannot be read.
    """
    with ExitStack() as opened:
        whole = opened.enter_context(pikepdf.new())
        for drawn, group in groupby(pieces, key=lambda piece: isinstance(piece, LabelContent)):
            if drawn:
                contents = [piece for piece in group if isinstance(piece, LabelContent)]
                made = opened.enter_context(pikepdf.open(BytesIO(render_labels(contents, size))))
                whole.pages.extend(made.pages)
                continue
            for piece in group:
                if isinstance(piece, bytes):
                    _put_in(whole, opened.enter_context(pikepdf.open(BytesIO(piece))), size)
        return _written(whole)


def bind(parts: Sequence[str], target: str) -> int:
    """Put the PDFs at these paths together at another; the bytes that it has.

    Of the parts only what joins them is read into memory: the content of their pages goes from file to file.
    """
    with ExitStack() as opened:
        whole = opened.enter_context(pikepdf.new())
        for part in parts:
            whole.pages.extend(opened.enter_context(pikepdf.open(part)).pages)
        whole.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return Path(target).stat().st_size


def _put_in(whole: pikepdf.Pdf, label: pikepdf.Pdf, size: Size) -> None:
    """Add a carrier's pages: smaller where they are larger than the paper, never enlarged, in the middle."""
    width, height = _PAPER[size]
    for page in label.pages:
        if _same(page, width, height):
            whole.pages.append(page)
            continue
        sheet = whole.add_blank_page(page_size=(width, height))
        drawing, name, room = page.as_form_xobject(), pikepdf.Name("/Label"), pikepdf.Rectangle(0, 0, width, height)
        sheet.add_resource(drawing, pikepdf.Name.XObject, name)
        sheet.contents_add(
            sheet.calc_form_xobject_placement(
                drawing, name, room, invert_transformations=True, allow_shrink=True, allow_expand=False
            )
        )


def _same(page: pikepdf.Page, width: float, height: float) -> bool:
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    turned = int(page.obj.get("/Rotate", 0)) % 360
    fits = abs(right - left - width) < _SAME and abs(top - bottom - height) < _SAME
    return not turned and fits


def _written(whole: pikepdf.Pdf) -> bytes:
    file = BytesIO()
    whole.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return file.getvalue()
