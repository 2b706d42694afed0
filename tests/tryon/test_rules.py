"""What may be tried, how its money is made sure of, when it ends."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.catalog.rules import tax_in
from returns_portal.tryon.models import (
    CHARGE_TRANSITIONS,
    OPEN,
    TRIAL_TRANSITIONS,
    ChargeStatus,
    Strategy,
    TrialStatus,
)
from returns_portal.tryon.rules import HOLD_DAYS, Policy, Wish, choose, deposit_of, refusals, trial_ends

POLICY = Policy(
    offered=True,
    max_items=6,
    max_value=150_000,
    open_trials=2,
    deposit_percent=0,
    trial_days=7,
    max_trial_days=30,
    extension_days=3,
    transit_days=2,
    delivery_days=7,
    grace_days=14,
    silence_keeps=True,
    countries=["BG", "DE"],
)
WISH = Wish(items=4, value=75_600, currency="EUR", country="BG", trial_days=7)


def test_a_short_trial_is_held_and_a_long_one_is_charged_later() -> None:
    assert choose(3, POLICY).strategy is Strategy.HOLD
    assert choose(21, POLICY).strategy is Strategy.CARD_ON_FILE
    assert choose(21, POLICY).reason == {
        "code": "outlasts_hold",
        "transit_days": 2,
        "trial_days": 21,
        "needed_days": 25,
        "hold_days": HOLD_DAYS,
    }


@given(st.integers(1, 60), st.integers(0, 30), st.integers(1, 31))
def test_a_hold_outlasts_the_way_and_the_trial_until_its_last_midnight(
    trial_days: int, transit: int, hold_days: int
) -> None:
    choice = choose(trial_days, msgspec.structs.replace(POLICY, transit_days=transit), hold_days=hold_days)
    assert (choice.strategy is Strategy.HOLD) == (transit + trial_days + 1 < hold_days)


@pytest.mark.parametrize(
    ("delivered", "days", "ends"),
    [
        # Sofia is two hours ahead in winter, three in summer; the clocks go back in the night to 25 October 2026.
        ("2026-11-02T09:00:00+00:00", 7, "2026-11-09T22:00:00+00:00"),
        ("2026-11-02T22:30:00+00:00", 7, "2026-11-10T22:00:00+00:00"),
        ("2026-10-20T09:00:00+00:00", 7, "2026-10-27T22:00:00+00:00"),
        ("2026-03-25T09:00:00+00:00", 7, "2026-04-01T21:00:00+00:00"),
    ],
)
def test_the_last_day_counts_whole_in_the_shops_zone(delivered: str, days: int, ends: str) -> None:
    assert trial_ends(datetime.fromisoformat(delivered), days, "Europe/Sofia") == datetime.fromisoformat(ends)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.integers(1, 60))  # noqa: DTZ001 - made aware below
def test_a_trial_never_ends_before_its_days_are_over(moment: datetime, days: int) -> None:
    delivered = moment.replace(tzinfo=UTC)
    ends = trial_ends(delivered, days, "Europe/Berlin")
    assert (ends - delivered).total_seconds() >= days * 86_400 - 3_600
    assert (ends - delivered).total_seconds() <= (days + 1) * 86_400 + 3_600


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"items": 7}, "too_many_items"),
        ({"value": 150_001}, "too_much_value"),
        ({"open_trials": 2}, "too_many_trials"),
        ({"country": "CH"}, "country"),
        ({"trial_days": 31}, "too_many_days"),
    ],
)
def test_each_limit_says_why(changes: dict[str, Any], code: str) -> None:
    assert not refusals(WISH, POLICY)
    [refused] = refusals(msgspec.structs.replace(WISH, **changes), POLICY)
    assert refused.code == code
    assert refused.sentence.format(**refused.values)


def test_a_shop_that_sends_nothing_to_try_says_so() -> None:
    assert [r.code for r in refusals(WISH, msgspec.structs.replace(POLICY, offered=False))] == ["not_offered"]


@pytest.mark.parametrize(("currency", "most"), [("EUR", 150_000), ("JPY", 1_500), ("BHD", 1_500_000)])
def test_the_limit_of_value_knows_the_places_of_the_currency(currency: str, most: int) -> None:
    assert POLICY.most(currency) == most


@pytest.mark.parametrize(("currency", "most"), [("EUR", 150_000), ("JPY", 240_000), ("GBP", 130_000)])
def test_the_limit_of_value_is_said_by_currency(currency: str, most: int) -> None:
    policy = msgspec.structs.replace(POLICY, max_values={"JPY": 240_000, "GBP": 130_000})
    assert policy.most(currency) == most


@given(st.integers(0, 10**9), st.integers(0, 100))
def test_a_deposit_is_a_part(payable: int, percent: int) -> None:
    deposit = deposit_of(payable, msgspec.structs.replace(POLICY, deposit_percent=percent))
    assert 0 <= deposit <= payable
    assert deposit_of(payable, msgspec.structs.replace(POLICY, deposit_percent=100)) == payable


@given(st.integers(0, 10**9), st.integers(0, 10_000))
def test_the_tax_in_a_price_is_the_nearest_whole(price: int, rate: int) -> None:
    tax = tax_in(price, rate)
    assert 0 <= tax <= price
    assert abs(tax * (10_000 + rate) - price * rate) * 2 <= 10_000 + rate


def test_every_status_can_be_reached_and_every_open_one_left() -> None:
    reached = {TrialStatus.PLACED} | {after for targets in TRIAL_TRANSITIONS.values() for after in targets}
    assert reached == set(TrialStatus)
    assert {status for status, targets in TRIAL_TRANSITIONS.items() if not targets} == set(TrialStatus) - OPEN
    reached_charges = {after for targets in CHARGE_TRANSITIONS.values() for after in targets}
    assert reached_charges == set(ChargeStatus) - {ChargeStatus.PLANNED}
