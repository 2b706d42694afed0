"""Labels of one process, beside the same page through WeasyPrint alone: no symbols, no addresses that are fitted."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from weasyprint import HTML  # type: ignore[import-untyped]  # WeasyPrint ships no types.

from returns_portal.documents import press
from returns_portal.labels.render import render_label, warm_up
from returns_portal.resources import templates_dir
from tests.bench.servers import Server
from tests.bench.table import Row
from tests.labels.prints import CONTENT, label

_ROUNDS: Final = 4
_COUNT: Final = 10
_STYLESHEETS: Final = ("label.css", "roll.css")


def run(_server: Server) -> list[Row]:
    """Measure."""
    warm_up()
    page = _page()
    _bare(page)
    ours, beside = 0.0, 0.0
    for number in range(_ROUNDS):
        ours += _seconds(partial(_label, number * _COUNT))
        beside += _seconds(lambda _index: _bare(page))
    count = _ROUNDS * _COUNT
    return [Row("labels/s of one process, 4x6 in", count / ours, count / beside, "bare write_pdf()")]


def _seconds(make: Callable[[int], bytes]) -> float:
    began = time.perf_counter()
    for index in range(_COUNT):
        make(index)
    return time.perf_counter() - began


def _label(first: int, index: int) -> bytes:
    return render_label(label(order_number=str(first + index)), "4x6")


def _page() -> str:
    """The page of a label as the portal lays it out, with its styles written into it."""
    pages: list[str] = []

    def kept(*, string: str, **options: Any) -> HTML:  # noqa: ANN401 - WeasyPrint's own
        pages.append(string)
        return HTML(string=string, **options)

    with patch.object(press, "HTML", kept):
        render_label(CONTENT, "4x6")
    folder = templates_dir() / "documents" / "label"
    styles = "".join((folder / name).read_text(encoding="utf-8") for name in _STYLESHEETS)
    return f"<style>{styles}</style>{pages[-1]}"


def _bare(page: str) -> bytes:
    content: bytes = HTML(string=page).write_pdf()
    return content
