"""Labels on one core: a single one, and many in one file, each beside what the stack can do at best.

The floor of a single label is its page through WeasyPrint alone in the quickest way that there is: everything at
fixed places, small fonts by `@font-face`, one font configuration, stylesheets parsed once, symbols that were drawn
before. It fits no address, translates nothing and encodes no symbol.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

import pydyf  # type: ignore[import-untyped]  # pydyf ships no types.
from weasyprint import CSS, HTML, Document  # type: ignore[import-untyped]  # WeasyPrint ships no types.

from returns_portal.documents import press
from returns_portal.documents.fetching import PackageFetcher, font_configuration
from returns_portal.documents.fonts import FONT_FACES
from returns_portal.documents.symbols import POINTS_PER_DOT
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress
from returns_portal.labels.drawing import USUAL, draw_label
from returns_portal.labels.render import ROLL, render_label, warm_up
from returns_portal.labels.stamping import render_labels
from returns_portal.resources import templates_dir
from tests.bench import typeset
from tests.bench.servers import Server
from tests.bench.table import Row
from tests.labels.prints import CONTENT, label

_ROUNDS: Final = 12
_SINGLES: Final = 6
_BATCH: Final = 200
_AT_MOST_SLOWER: Final = 1 / 1.2

Make = Callable[[list[LabelContent]], object]


def run(_server: Server) -> list[Row]:
    """Measure."""
    with _one_core():
        warm_up()
        render_labels([CONTENT], "4x6")
        return _rows()


def _rows() -> list[Row]:
    """The ways take turns, so that a slow moment of the machine is a slow moment of all."""
    typst = typeset.typesetter()
    ways: dict[str, tuple[Make, int]] = {
        "single": (_each_alone, _SINGLES),
        "floor": (_floor(), _SINGLES),
        "bulk": (lambda contents: render_labels(contents, "4x6"), _BATCH),
        **({"typst": (typst, _SINGLES)} if typst else {}),
    }
    seconds = dict.fromkeys(ways, 0.0)
    for number in range(_ROUNDS + 1):
        for name in sorted(ways, reverse=bool(number % 2)):  # Each comes after each, and pays for its own garbage.
            make, count = ways[name]
            gc.collect()
            contents = [_content(number * _BATCH + index) for index in range(count)]
            began = time.perf_counter()
            make(contents)
            if number:  # The first round warms up.
                seconds[name] += time.perf_counter() - began
    rate = {name: _ROUNDS * count / seconds[name] for name, (_, count) in ways.items()}
    beside, beside_is = (rate["typst"], "typst") if typst else (None, "typst is missing")
    return [
        Row("labels/s of one core, 4x6 in", rate["single"], rate["floor"], "WeasyPrint's best", least=_AT_MOST_SLOWER),
        Row("the same", rate["single"], beside, beside_is),
        Row(f"labels/s, {_BATCH} in one file", rate["bulk"], rate["single"], "a single one", least=1),
        Row("the same", rate["bulk"], beside, beside_is),
    ]


def _content(number: int) -> LabelContent:
    """A label that differs from all others in everything that is its own."""
    return label(
        code=f"R-{number:04}-9QXD",
        order_number=str(1000 + number),
        sender=PostalAddress(f"Олександр Шевченко {number}", f"вул. Хрещатик {number}", "", "Київ", "", "01001", "UA"),
        items=(LabelItem(1, f"Trail Runner {number}", "42", "Navy"),),
    )


def _each_alone(contents: list[LabelContent]) -> None:
    for content in contents:
        render_label(content, "4x6")


def _floor() -> Make:
    """The page of a label through WeasyPrint alone."""
    page = _page()
    folder = templates_dir() / "documents"
    source = FONT_FACES + "".join((folder / name).read_text(encoding="utf-8") for name in ROLL)
    fetcher, configuration = PackageFetcher(), font_configuration()
    style = CSS(string=source, font_config=configuration, url_fetcher=fetcher)
    symbols = draw_label(CONTENT.code, USUAL)

    def finish(document: Document, pdf: pydyf.PDF) -> None:
        content = pdf.objects[int(pdf.objects[pdf.pages["Kids"][0]]["Contents"].split()[0])]
        dots = f"{POINTS_PER_DOT} 0 0 {-POINTS_PER_DOT} 0 {document.pages[0].height * 0.75} cm"
        content.stream.insert(0, b"q")
        content.stream.extend((b"Q", f"q\n{dots}\n0 g\n{symbols}\nQ".encode()))

    def make(contents: list[LabelContent]) -> None:
        for content in contents:
            html = HTML(string=page.replace(CONTENT.order_number, content.order_number), url_fetcher=fetcher)
            html.write_pdf(stylesheets=[style], font_config=configuration, finisher=finish)

    return make


def _page() -> str:
    """The page of a label as the portal lays it out."""
    pages: list[str] = []

    def kept(*, string: str, **options: Any) -> HTML:  # noqa: ANN401 - WeasyPrint's own
        pages.append(string)
        return HTML(string=string, **options)

    with patch.object(press, "HTML", kept):
        render_label(CONTENT, "4x6")
    return pages[-1]


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
