"""Handles, article numbers, and what titles tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.rules import (
    article_number,
    check_digit,
    group_in_words,
    guess_kind,
    handle_of,
    is_handle,
    settled_sizing,
)
from returns_portal.errors import InvalidError


@pytest.mark.parametrize("text", ["boot", "chelsea-boot-2", "501"])
def test_handles(text: str) -> None:
    assert is_handle(text)


@pytest.mark.parametrize("text", ["", "Boot", "a--b", "-a", "a-", "a b", "a_b", "взуття", "a/b", "a" * 101, "a\n"])
def test_what_is_no_handle(text: str) -> None:
    assert not is_handle(text)


@pytest.mark.parametrize(
    ("title", "handle"),
    [
        ('Derby "Oxford" Leather', "derby-oxford-leather"),
        ("Вишиванка «Полтава»", "vishivanka-poltava"),
        ("Größe 42½", "grosse-421-2"),
        ("…", ""),
        ("word " * 50, "-".join(["word"] * 20)),
    ],
)
def test_a_title_makes_a_handle(title: str, handle: str) -> None:
    assert handle_of(title) == handle


@given(st.text())
def test_whatever_a_handle_is_made_of_is_one(text: str) -> None:
    handle = handle_of(text)
    assert handle == "" or is_handle(handle)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        # The first is the example of gs1.org/services/how-calculate-check-digit-manually.
        ("6291041500213", "6291041500213"), ("4006381333931", "4006381333931"), ("96385074", "96385074"),
        ("036000291452", "0036000291452"), ("00036000291452", "0036000291452"), ("'4006381333931", "4006381333931"),
        ("4 006381 333931", "4006381333931"), ("", ""),
    ],
)  # fmt: skip
def test_article_numbers_are_read(text: str, number: str) -> None:
    assert article_number(text) == number


@pytest.mark.parametrize("text", ["4006381333932", "400638133393", "1", "ABC", "４006381333931", "10036000291459"])
def test_what_is_no_article_number(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        article_number(text)
    assert caught.value.field == "ean"


@given(st.text("0123456789", min_size=12, max_size=12), st.data())
def test_one_wrong_digit_is_noticed(body: str, data: st.DataObject) -> None:
    number = body + str(check_digit(body))
    assert article_number(number) == number
    place = data.draw(st.integers(0, 12))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    with pytest.raises(InvalidError):
        article_number(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Chelsea Boot", ProductKind.SHOE), ("Кросівки", ProductKind.SHOE), ("Linen Dress", ProductKind.CLOTHING),
        ("Wool Socks", ProductKind.CLOTHING), ("Leather Belt", ProductKind.OTHER),
    ],
)  # fmt: skip
def test_a_title_tells_the_kind(title: str, kind: ProductKind) -> None:
    assert guess_kind(title) == kind


@pytest.mark.parametrize(
    ("words", "group"),
    [
        ("Women's Runner", SizeGroup.WOMEN), ("Mens Runner", SizeGroup.MEN), ("Men's Runner", SizeGroup.MEN),
        ("Сукня жіноча", SizeGroup.WOMEN), ("Kids' Women", SizeGroup.KIDS), ("Men, Women", None),
        ("Mendoza Shirt", None),
        ("Herrenhemd", SizeGroup.MEN),
    ],
)  # fmt: skip
def test_words_tell_for_whom(words: str, group: SizeGroup | None) -> None:
    assert group_in_words(words) == group


def test_what_was_said_is_not_guessed() -> None:
    settled = settled_sizing(ProductKind.SHOE, ["8", "9"], SizeSystem.UK, SizeGroup.WOMEN)
    assert (settled.system, settled.group) == (SizeSystem.UK, SizeGroup.WOMEN)
    settled = settled_sizing(ProductKind.SHOE, ["28", "29"], None, None)
    assert (settled.system, settled.group) == (SizeSystem.EU, SizeGroup.KIDS)
