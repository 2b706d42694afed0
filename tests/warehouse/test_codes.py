"""What scans say: articles, GS1 element strings, badges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.accounts.badges import ALPHABET
from returns_portal.ids import new_rma
from returns_portal.warehouse.codes import badge_code, check_digit_fits, eans, elements, is_badge, parcel_codes
from returns_portal.warehouse.rules import rma_of

GS = "\x1d"
EAN = "4006381333931"


@pytest.mark.parametrize(
    ("scan", "found"),
    [
        (EAN, [EAN]),
        ("96385074", ["96385074"]),
        ("036000291452", ["0036000291452"]),  # A UPC is an EAN without its first zero.
        (f"]E0{EAN}", [EAN]),
        (f"010{EAN}21ABC", [EAN]),
        (f"]C1010{EAN}10B7{GS}21ABC", [EAN]),
        (f"(01)0{EAN}(21)ABC", [EAN]),
        (f"]d2010{EAN}", [EAN]),
        ("4006381333932", []),  # A wrong check digit.
        ("14006381333938", []),  # A case of several is no article.
        ("R-7K3M-9QXD", []),
        ("", []),
        ("01", []),
        ("0100000000", []),
    ],
)
def test_articles_are_found_in_what_is_scanned(scan: str, found: list[str]) -> None:
    assert eans(scan) == found


def test_an_element_string_is_taken_apart() -> None:
    assert elements(f"]C1003401234500000000001712312510AB{GS}21XY{GS}3103001750") == {
        "00": "340123450000000000",
        "17": "123125",
        "10": "AB",
        "21": "XY",
        "3103": "001750",
    }
    assert elements("(00)340123450000000000(91)R-7K3M-9QXD")["91"] == "R-7K3M-9QXD"


@pytest.mark.parametrize("scan", ["", "0", "00123", "привіт", "17ABC", f"{GS}{GS}", "R-7K3M-9QXD", "()", "(01"])
def test_what_is_no_element_string(scan: str) -> None:
    assert elements(scan) == {}


@given(st.text(max_size=80))
def test_any_scan_is_read_without_harm(scan: str) -> None:
    elements(scan)
    assert all(check_digit_fits(ean) for ean in eans(scan))
    assert parcel_codes(scan)[0] is not None


def test_a_return_number_is_found_under_the_identifiers_of_a_carriers_label() -> None:
    rma = new_rma()
    sscc = "00340123450000000000"
    for scan in (rma, f"]C1{rma}", f"(91){rma}", f"]C1{sscc}{GS}91{rma}", f"{sscc}91{rma}"):
        assert rma in [rma_of(code) for code in parcel_codes(scan)], scan


def test_badges_are_told_from_everything_else() -> None:
    assert is_badge(f"RB-{ALPHABET[:16]}")
    assert is_badge(f"rb{ALPHABET[:16].lower()}")
    assert badge_code(f"rb{ALPHABET[:16].lower()}") == f"RB-{ALPHABET[:16]}"
    assert not any(is_badge(text) for text in ("RB-", new_rma(), EAN, f"RB-{ALPHABET[:15]}", f"RB-{ALPHABET[:17]}"))
