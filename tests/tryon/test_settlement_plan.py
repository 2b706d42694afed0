"""What a settlement decides, for any trial: pure properties."""

from datetime import datetime, timedelta

from hypothesis import given

from returns_portal.tryon.models import ChargeKind, ChargeStatus, Decision
from returns_portal.tryon.queries import TrialView
from returns_portal.tryon.settlement import Facts, Fate, fate_of, in_hand, is_moving, plan
from tests.tryon.views import NOW, a_charge, a_trial, an_item, moments, situations


@given(situations(), moments)
def test_every_item_has_one_fate_and_the_money_is_the_price(situation: tuple[TrialView, Facts], now: datetime) -> None:
    trial, facts = situation
    found = plan(trial, facts, now)
    groups = [found.returned, found.waived, found.waiting, found.stuck, found.unpaid]
    assert sorted(item.id for group in groups for item in group) == sorted(item.id for item in trial.items)
    assert found.points + found.deposit + found.card == sum(item.price for item in found.charged)
    assert 0 <= found.points <= facts.points
    assert 0 <= found.deposit <= max(0, in_hand(trial))
    assert found.card >= 0


@given(situations(), moments)
def test_nothing_that_the_warehouse_has_is_charged(situation: tuple[TrialView, Facts], now: datetime) -> None:
    trial, facts = situation
    found = plan(trial, facts, now)
    assert not any(item.received or item.order_line_id in facts.in_doubt for item in found.unpaid)
    assert not any(item.decision == Decision.PROBLEM for item in found.unpaid)


@given(situations(), moments)
def test_a_hold_is_captured_within_what_it_holds_or_released_and_never_both(
    situation: tuple[TrialView, Facts], now: datetime
) -> None:
    trial, facts = situation
    found = plan(trial, facts, now)
    assert not (found.capture and found.release)
    if found.capture:
        assert 0 < found.card <= found.capture.amount
    if found.under_way:
        assert not found.charged
        assert not found.release
        assert not found.ends


@given(situations(), moments)
def test_what_is_on_its_way_is_charged_only_if_the_customer_keeps_it(
    situation: tuple[TrialView, Facts], now: datetime
) -> None:
    trial, facts = situation
    found = plan(trial, facts, now)
    if is_moving(trial, facts):
        assert all(item.decision == Decision.KEEP for item in found.unpaid)


@given(situations())
def test_nobody_waits_for_ever(situation: tuple[TrialView, Facts]) -> None:
    """Long after the end only what the warehouse doubts still waits."""
    trial, facts = situation
    found = plan(trial, facts, NOW + timedelta(days=100))
    assert all(item.order_line_id in facts.in_doubt for item in found.waiting)


@given(situations(), moments, moments)
def test_time_only_ever_ends_waiting(situation: tuple[TrialView, Facts], one: datetime, other: datetime) -> None:
    trial, facts = situation
    for item in trial.items:
        earlier, later = (fate_of(item, trial, facts, now) for now in sorted((one, other)))
        assert earlier in {Fate.WAITING, later}


@given(situations(), moments)
def test_silence_needs_terms_reminders_and_no_label_on_its_way(
    situation: tuple[TrialView, Facts], now: datetime
) -> None:
    trial, facts = situation
    for item in plan(trial, facts, now).unpaid:
        if item.decision == Decision.UNDECIDED:
            assert trial.silence_keeps
            assert trial.reminders >= 2
            assert not is_moving(trial, facts)


@given(situations(), moments)
def test_while_the_trial_goes_on_only_decided_items_are_charged(
    situation: tuple[TrialView, Facts], now: datetime
) -> None:
    trial, facts = situation
    found = plan(trial, facts, now, decided_only=True)
    assert all(item.decision == Decision.KEEP for item in found.unpaid)
    assert found.release is None


def test_what_is_too_little_for_a_card_takes_from_the_points() -> None:
    trial = a_trial([an_item(10_000, decision=Decision.KEEP)], [])
    found = plan(trial, Facts(points=9_999), NOW)
    assert (found.points, found.card) == (9_950, 50)


def test_a_hold_that_is_too_small_pays_for_as_much_as_it_holds() -> None:
    kept = [an_item(10_000, decision=Decision.KEEP) for _ in range(3)]
    hold = a_charge(ChargeKind.HOLD, ChargeStatus.HELD, 25_000)
    found = plan(a_trial(kept, [hold], points=5_000), Facts(), NOW)
    assert (len(found.charged), found.card, len(found.unpaid)) == (2, 20_000, 3)
    assert found.capture == hold
    small = plan(a_trial(kept, [a_charge(ChargeKind.HOLD, ChargeStatus.HELD, 5_000)], points=25_000), Facts(), NOW)
    assert small.capture is None
    assert small.release is not None
