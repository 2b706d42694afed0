"""Which addresses are taken, when a price is old, and how many are told of what is back."""

from datetime import date, timedelta

import pytest

from returns_portal.demand.rules import check_link, check_seen, is_stale, readers_of
from returns_portal.errors import InvalidError

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("link", ["https://shop.example/boots?size=43&x=%20", " https://xn--bcher-kva.example/ "])
def test_addresses_of_pages_are_taken(link: str) -> None:
    assert check_link(link) == link.strip()


@pytest.mark.parametrize(
    "link",
    [
        "",
        "boots",
        "http://shop.example/",
        "javascript:alert(1)",
        "//shop.example/",
        "https:/shop.example",
        "https:///boots",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://ours@shop.example/",
        "https://:word@shop.example/",
        "https://shop.example:8443/",
        "https://shop.example:x/",
        "https://shop.example/a b",
        "https://shop.example\\@evil.example/",
        "https://shop.example/\nx",
        "https://bücher.example/",
        "https://[::1/",
        "https://shop.example/" + "a" * 500,
    ],
)
def test_nothing_else_is(link: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        check_link(link)
    assert refusal.value.field == "url"


def test_a_price_is_old_after_thirty_days_and_never_of_tomorrow() -> None:
    assert not is_stale(TODAY - timedelta(days=30), TODAY)
    assert is_stale(TODAY - timedelta(days=31), TODAY)
    assert check_seen(TODAY, TODAY) == TODAY
    with pytest.raises(InvalidError):
        check_seen(TODAY + timedelta(days=1), TODAY)


@pytest.mark.parametrize(("pieces", "stock", "told"), [(1, 1, 3), (5, 2, 6), (2, 0, 0), (0, 7, 0)])
def test_so_many_are_told(pieces: int, stock: int, told: int) -> None:
    assert readers_of(pieces, stock) == told
