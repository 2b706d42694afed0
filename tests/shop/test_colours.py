"""Every colour that is taken can be read, on light and on dark paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.errors import InvalidError
from returns_portal.shop.colours import LEAST, OURS, contrast, scheme_of, style_of

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_the_standard() -> None:
    # The figures are those of the standard's own examples and of its definition.
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#123456", "#123456") == 1
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#ffffff", "#0000ff") == pytest.approx(8.59, abs=0.005)


def test_ours_is_taken_and_stands_where_the_shop_has_none() -> None:
    assert scheme_of("") == OURS
    assert scheme_of("#0F5C4A ").accent == OURS.accent
    assert (
        style_of(OURS, ":root")
        == ":root{--accent:light-dark(#0f5c4a,#6fd3b4);--on-accent:light-dark(#ffffff,#0b201a)}\n"
    )


@given(colours)
def test_what_is_taken_can_be_read_and_what_is_not_comes_with_one_that_is(colour: str) -> None:
    try:
        scheme = scheme_of(colour)
    except InvalidError as error:
        assert min(contrast(colour, ground) for ground in ("#faf8f4", "#fbf0d9", "#fbe6e3")) < LEAST
        scheme = scheme_of(str(error.values["near"]))
    else:
        assert scheme.accent == colour
    for paper in ("#ffffff", "#faf8f4", "#fbf0d9", "#fbe6e3", scheme.on_accent):
        assert contrast(scheme.accent, paper) >= LEAST
    for paper in ("#171614", "#201f1c", "#3a2e12", "#42201d", scheme.on_accent_dark):
        assert contrast(scheme.accent_dark, paper) >= LEAST


@pytest.mark.parametrize("colour", ["green", "#0f5c4", "0f5c4a", "#0f5c4a;}", "#0f5c4g", "#0f5c4a00"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(InvalidError, match="six signs"):
        scheme_of(colour)
