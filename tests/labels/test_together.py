"""A label for the returns of several orders: it names them all, by itself and among others."""

import pytest

from returns_portal.labels.content import Size
from returns_portal.labels.render import render_label
from returns_portal.labels.stamping import render_labels
from tests.labels.prints import label, text

TWO = ("R-1111-1111", "R-2222-2222")


@pytest.mark.parametrize("size", ["4x6", "a4", "letter"])
def test_who_unpacks_it_reads_all_numbers(size: Size) -> None:
    content = label(fellows=TWO, locale="en")
    for pdf in (render_label(content, size), render_labels([content, label(locale="en")], size)):
        shown = text(pdf)
        assert "+R-1111-1111,R-2222-2222" in shown
        assert "TrailRunnerGTX" in shown
        assert ("Alsointhisparcel:R-1111-1111,R-2222-2222" in shown) == (size != "4x6")


def test_more_than_a_line_holds_are_counted_on_the_label_and_named_on_the_slip() -> None:
    content = label(fellows=(*TWO, "R-3333-3333"), locale="de")
    shown = text(render_label(content, "a4"))
    assert "R-1111-1111,R-2222-2222+1" in shown
    assert "R-3333-3333" in shown
