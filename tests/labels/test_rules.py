"""Which carrier is asked for a label, and what a scan leads to."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.carriers.gateway import ScanCode
from returns_portal.labels.models import LABEL_TRANSITIONS, LIVE, LabelStatus
from returns_portal.labels.rules import Goods, Rule, after_scan, fits, is_reuse, next_rule

COAT = Goods("BG", 1400, 15900, "EUR")
S, C = LabelStatus, ScanCode


def a_rule(position: int = 1, **changes: Any) -> Rule:  # noqa: ANN401 - the fields of a rule
    fields: dict[str, Any] = {
        "carrier": "easypost",
        "service": "",
        "countries": [],
        "max_weight_grams": None,
        "min_value": 0,
        "max_value": None,
        "currency": "",
        "enabled": True,
        **changes,
    }
    return Rule(UUID(int=position), position, **fields)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"countries": ["BG", "DE"]}, True),
        ({"countries": ["DE"]}, False),
        ({"max_weight_grams": 1400}, True),
        ({"max_weight_grams": 1399}, False),
        ({"min_value": 15900, "currency": "EUR"}, True),
        ({"min_value": 15901, "currency": "EUR"}, False),
        ({"max_value": 15900, "currency": "EUR"}, True),
        ({"max_value": 15899, "currency": "EUR"}, False),
        ({"max_value": 99999, "currency": "USD"}, False),
    ],
)
def test_a_rule_is_for_a_parcel_by_country_weight_and_value(changes: dict[str, Any], expected: bool) -> None:
    assert fits(a_rule(**changes), COAT) is expected


def test_the_first_rule_behind_the_one_that_was_tried_comes_next() -> None:
    rules = [a_rule(3), a_rule(1, countries=["DE"]), a_rule(2)]
    assert next_rule(rules, COAT, 0) == rules[2]
    assert next_rule(rules, COAT, 2) == rules[0]
    assert next_rule(rules, COAT, 3) is None
    assert next_rule([], COAT, 0) is None


@given(st.lists(st.sampled_from(list(C)), max_size=12))
def test_no_order_of_scans_leaves_the_life_of_a_label(codes: list[ScanCode]) -> None:
    status = S.SENT
    for code in codes:
        to = after_scan(status, code)
        if to is not None:
            assert to in LABEL_TRANSITIONS[status]
            status = to
    if C.DELIVERED in codes:
        assert status is S.DELIVERED


def test_what_is_over_does_not_live_again() -> None:
    over = {S.DELIVERED, S.VOIDED, S.EXPIRED, S.LOST}
    assert over.isdisjoint(LIVE)
    for status in (S.DELIVERED, S.VOIDED):
        assert not LABEL_TRANSITIONS[status]
        assert all(after_scan(status, code) is None for code in C)


@pytest.mark.parametrize(
    ("status", "code", "days", "expected"),
    [
        (S.DELIVERED, C.IN_TRANSIT, 1, True),
        (S.VOIDED, C.PICKED_UP, 1, True),
        (S.DELIVERED, C.IN_TRANSIT, -1, False),
        (S.DELIVERED, C.DELIVERED, 1, False),
        (S.IN_TRANSIT, C.IN_TRANSIT, 1, False),
    ],
)
def test_a_label_on_its_way_after_its_end_is_used_again(
    status: LabelStatus, code: ScanCode, days: int, expected: bool
) -> None:
    ended = datetime(2026, 11, 16, tzinfo=UTC)
    assert is_reuse(status, code, ended + timedelta(days=days), ended) is expected
