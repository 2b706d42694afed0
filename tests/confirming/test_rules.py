"""Which orders need a call: each rule by itself, as the shop has switched it on."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from returns_portal.confirming.models import Reason
from returns_portal.confirming.places import fits_postcode, lacks_number, zone_of
from returns_portal.confirming.rules import Facts, check_again, is_phone, reasons_to_call, still_to_call
from returns_portal.confirming.settings_form import read, shown
from returns_portal.errors import InvalidError
from returns_portal.shop.confirming import Confirming

CLEAR = {"line1": "бул. Витоша 89", "line2": "", "postal_code": "1463", "country": "BG"}
KNOWN = Facts(known_customer=True, value=29_999, currency="EUR", address=CLEAR, phone="+359 88 123 4567")
ALL = Confirming(call_new_customers=True, call_unclear_addresses=True, call_from={"EUR": 30_000})
WINTER, SUMMER = datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 7, 23, 8, tzinfo=UTC)


def test_an_ordinary_order_of_a_known_customer_needs_none() -> None:
    assert reasons_to_call(KNOWN, ALL) == []


def test_each_rule_gives_its_reason_where_it_is_switched_on() -> None:
    odd = Facts(False, 30_000, "EUR", {"line1": "Витоша", "postal_code": "14", "country": "BG"}, "")
    assert reasons_to_call(odd, Confirming()) == []
    assert reasons_to_call(odd, Confirming(call_new_customers=True)) == [Reason.NEW_CUSTOMER]
    assert reasons_to_call(odd, Confirming(call_from={"EUR": 30_000})) == [Reason.LARGE]
    assert reasons_to_call(odd, Confirming(call_unclear_addresses=True)) == [
        Reason.NO_NUMBER,
        Reason.POSTCODE,
        Reason.NO_PHONE,
    ]
    assert len(reasons_to_call(odd, ALL)) == 5


def test_a_currency_without_a_sum_is_never_large() -> None:
    assert reasons_to_call(replace(KNOWN, value=10**12, currency="UAH"), ALL) == []


@pytest.mark.parametrize(
    ("code", "country"),
    [
        *(("1463", "BG"), ("BG-1463", "BG"), ("10115", "DE"), ("D-10115", "DE"), ("01001", "UA"), ("1010", "AT")),
        *(("LV-1010", "LV"), ("1012 ab", "NL"), ("1012AB", "NL"), ("SW1A 1AA", "GB"), ("00-950", "PL")),
        *(("110 00", "CZ"), ("D02 AF30", "IE"), ("K1A 0B1", "CA"), ("20500-0003", "US"), ("", "AE"), ("101000", "RU")),
    ],
)
def test_postcodes_fit_their_country(code: str, country: str) -> None:
    assert fits_postcode(code, country)


@pytest.mark.parametrize(
    ("code", "country"),
    [("", "BG"), ("146", "BG"), ("A-1463", "BG"), ("1010", "DE"), ("010010", "UA"), ("1012", "NL"), ("١٢٣٤", "BG")],
)
def test_postcodes_that_do_not(code: str, country: str) -> None:
    assert not fits_postcode(code, country)


@pytest.mark.parametrize(
    ("line1", "line2", "country", "lacks"),
    [
        ("бул. Витоша", "", "BG", True),
        ("бул. Витоша", "вх. 2", "BG", False),
        ("ж.к. Младост", "бл. 12", "BG", False),
        ("ул. Роза б/н", "", "BG", False),
        ("Офис на Еконт Център", "", "BG", False),
        ("Бобова улица", "", "BG", True),
        ("Hauptstraße", "", "DE", True),
        ("Office Park Lane", "", "GB", False),
        ("Rose Cottage", "Church Lane", "GB", False),
        ("вул. Хрещатик", "", "UA", True),
    ],
)
def test_a_house_number_is_missed_where_houses_have_one(line1: str, line2: str, country: str, lacks: bool) -> None:
    assert lacks_number({"line1": line1, "line2": line2, "country": country}) is lacks


@pytest.mark.parametrize(
    ("text", "known"),
    [
        *(("+359 88 123-45.67", True), ("(02) 987/65 43", True), ("0881234567", True)),
        *(("12345", False), ("000000000", False), ("call my mum", False), ("+12345678901234567", False), ("+", False)),
    ],
)
def test_what_can_be_a_telephone_number(text: str, known: bool) -> None:
    assert is_phone(text) is known


def test_a_country_has_a_time_where_all_of_it_has_the_same() -> None:
    assert zone_of("BG", WINTER) == "Europe/Sofia"
    assert zone_of("UA", WINTER) == "Europe/Kyiv"
    assert zone_of("DE", SUMMER) == "Europe/Berlin"
    assert [zone_of(country, SUMMER) for country in ("US", "RU", "PT", "", "XX")] == ["", "", "", "", ""]


def test_a_change_takes_away_what_it_puts_right_and_brings_nothing_new() -> None:
    unclear = replace(KNOWN, phone="")
    assert still_to_call([Reason.NO_NUMBER], KNOWN) == []
    assert still_to_call([Reason.NEW_CUSTOMER, Reason.POSTCODE], KNOWN) == [Reason.NEW_CUSTOMER]
    assert still_to_call([Reason.LARGE], unclear) == [Reason.LARGE]
    assert still_to_call([Reason.BAD_PHONE], unclear) == [Reason.NO_PHONE]


def test_another_try_is_soon_and_still_to_come() -> None:
    check_again(None, WINTER)
    check_again(WINTER + timedelta(days=14), WINTER)
    for moment in (WINTER, WINTER + timedelta(days=15)):
        with pytest.raises(InvalidError):
            check_again(moment, WINTER)


def test_the_form_reads_what_it_shows() -> None:
    choices = replace(ALL, call_from={"EUR": 30_050, "JPY": 40_000, "BHD": 1_500})
    assert shown(choices)["call_from"] == "BHD 1.500\nEUR 300.50\nJPY 40000"
    assert read(shown(choices)) == choices
    assert read({"call_from": "eur 300,5\n\n"}).call_from == {"EUR": 30_050}
    assert read({}) == Confirming()


@pytest.mark.parametrize("line", ["300", "EUR", "EUR -3", "EUR 0", "XYZ 3", "JPY 3.5", "EUR 1e9"])
def test_a_sum_that_is_none_is_named(line: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read({"call_from": f"EUR 300\n{line}"})
    assert refused.value.values["line"] == line
