"""When a courier comes: windows that can be, how they are said in every language, and how many parts an SMS takes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.confirming.windows import Window, check, in_hours
from returns_portal.confirming.wording import sentence, short
from returns_portal.errors import InvalidError
from returns_portal.i18n import available, speaking
from returns_portal.notifications.segments import segments

NOON = datetime(2026, 11, 23, 10, 2, tzinfo=UTC)
"""Two past twelve in Sofia."""
SOFIA = "Europe/Sofia"


def window(begins: float, lasts: float = 2, *, timed: bool = True) -> Window:
    """From so many hours after twelve o'clock in Sofia."""
    start = NOON.replace(minute=0) + timedelta(hours=begins)
    return Window(start, start + timedelta(hours=lasts), timed)


def test_in_two_hours_is_a_window_of_one_hour_on_a_round_minute() -> None:
    assert in_hours(2, NOON) == window(2, 1)
    for hours in (0, 13, -1):
        with pytest.raises(InvalidError):
            in_hours(hours, NOON)


def test_a_window_that_began_can_be_announced_and_one_that_is_over_cannot() -> None:
    check(window(-1), NOON)
    check(window(24 * 14), NOON)
    for wrong, field, code in (
        (window(-3), "ends", "too_late"),
        (window(1, 0), "ends", None),
        (window(1, 25), "ends", None),
        (window(24 * 15), "begins", None),
    ):
        with pytest.raises(InvalidError) as refused:
            check(wrong, NOON)
        assert refused.value.field == field
        assert code in (None, refused.value.code)


@pytest.mark.parametrize(
    ("comes", "said"),
    [
        (window(2), "Your courier Oleksandr will be with you in about 2 hours, between 14:00 and 16:00."),
        (window(1), "Your courier Oleksandr will be with you in about 1 hour, between 13:00 and 15:00."),
        (window(0.5), "Your courier Oleksandr will be with you soon, between 12:30 and 14:30."),
        (window(-1), "Your courier Oleksandr is on the way and should be with you by 13:00."),
        (window(24), "Your courier Oleksandr comes on 24 November, between 12:00 and 14:00."),
        (window(-1, 13, timed=False), "Your courier Oleksandr comes today."),
        (window(20, 16, timed=False), "Your courier Oleksandr comes on 24 November."),
    ],
)
def test_it_is_said_as_on_the_telephone(comes: Window, said: str) -> None:
    assert sentence(comes, "Oleksandr", SOFIA, NOON) == said
    assert sentence(comes, "", SOFIA, NOON) == said.replace(" Oleksandr", "")


def test_times_are_those_of_the_place() -> None:
    assert "between 13:00 and 15:00" in sentence(window(2), "", "Europe/Berlin", NOON)
    assert "on 24 November" in sentence(window(9), "", "Asia/Tokyo", NOON.replace(hour=9))


@pytest.mark.parametrize("locale", available())
def test_every_language_says_who_and_when_in_two_parts(locale: str) -> None:
    with speaking(locale):
        for comes in (window(2), window(24), window(-1), window(-1, 13, timed=False)):
            text = short("Nord & Sund", comes, "Oleksandr", SOFIA, NOON)
            assert "Oleksandr" in text
            assert segments(text) <= 2
            assert "{" not in text


@given(st.text(max_size=60), st.text(max_size=120), st.sampled_from(available()))
def test_names_give_way_before_the_time_does(courier: str, shop: str, locale: str) -> None:
    with speaking(locale):
        text = short(shop, window(24), courier, SOFIA, NOON)
        assert segments(text) <= 2
        assert "12:00" in text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        *(("", 1), ("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3), ("ä" * 160, 1), ("€" * 80, 1)),
        *(("€" * 81, 2), ("x" * 152 + "€" * 76, 2), ("x" * 152 + "€" * 77, 3)),
        *(("ж" * 70, 1), ("ж" * 71, 2), ("ж" * 134, 2), ("ж" * 135, 3), ("x" * 69 + "ж", 1), ("x" * 70 + "ж", 2)),
        *(("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 66, 2), ("😀" * 67, 3)),
    ],
)
def test_the_parts_of_an_sms_are_counted_as_networks_cut_them(text: str, parts: int) -> None:
    assert segments(text) == parts
