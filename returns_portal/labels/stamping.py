"""Many labels in one PDF."""

from collections.abc import Sequence
from io import BytesIO

import pikepdf

from returns_portal import i18n
from returns_portal.labels.content import LabelContent, Size
from returns_portal.labels.render import render_label
from returns_portal.labels.wording import Translate


def render_labels(contents: Sequence[LabelContent], size: Size, translate: Translate = i18n.translate) -> bytes:
    """One PDF with the pages of each label, in order: the same bytes for the same contents.

    Args:
        contents: what the labels say; one at least.
        size: the paper.
        translate: says a message in a label's language.
    """
    with pikepdf.new() as made:
        for content in contents:
            with pikepdf.open(BytesIO(render_label(content, size, translate))) as single:
                made.pages.extend(single.pages)
        file = BytesIO()
        made.save(file, deterministic_id=True)
        return file.getvalue()
