"""Trials as the rules see them, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from returns_portal.ids import new_id
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Decision, Mode, Outcome, Strategy, TrialStatus
from returns_portal.tryon.queries import Charge, Days, Item, TrialView
from returns_portal.tryon.settlement import Facts

NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)


def an_item(price: int, **changes: Any) -> Item:  # noqa: ANN401 - fields of an item
    values: dict[str, Any] = {
        "id": new_id(),
        "order_line_id": new_id(),
        "variant_id": new_id(),
        "position": 0,
        "sku": "boot",
        "title": "Boot",
        "size": "42",
        "color": "Black",
        "price": price,
        "tax": 0,
        "decision": Decision.UNDECIDED,
        "decided_at": None,
        "outcome": Outcome.OPEN,
        "charge_id": None,
        "problem": "",
        "problem_note": "",
        "received": False,
        "requested": True,
    }
    return Item(**values | changes)


def a_charge(kind: ChargeKind, status: ChargeStatus, amount: int, **changes: Any) -> Charge:  # noqa: ANN401 - fields
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": kind,
        "status": status,
        "currency": "EUR",
        "amount": amount,
        "to_capture": 0,
        "captured": 0,
        "points": 0,
        "deposit": 0,
        "reference": "pi_1",
        "payment_id": None,
        "capture_before": None,
        "failure": "",
        "attempts": 1,
        "next_try_at": None,
        "unattended": False,
        "submitted_at": NOW,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Charge(**values | changes)


def a_trial(items: list[Item], charges: list[Charge], **changes: Any) -> TrialView:  # noqa: ANN401 - fields of a trial
    ended = NOW - timedelta(days=1)
    values: dict[str, Any] = dict.fromkeys(TrialView.__struct_fields__)
    values |= {
        "id": UUID(int=1),
        "number": "T-1",
        "order_id": UUID(int=2),
        "status": TrialStatus.SETTLING,
        "mode": Mode.TRIAL,
        "strategy": Strategy.HOLD,
        "strategy_reason": {},
        "currency": "EUR",
        "max_charge": sum(item.price for item in items),
        "deposit": 0,
        "points": 0,
        "trial_days": 7,
        "policy": Days(2, 7, 14, 3),
        "silence_keeps": True,
        "reminders": 2,
        "payment_method": "pm_1",
        "delivered_at": NOW - timedelta(days=8),
        "ends_at": ended,
        "settling_at": ended,
        "grace_ends_at": ended + timedelta(days=14),
        "refunded": 0,
        "items": items,
        "charges": charges,
        "shipments": [],
    }
    return TrialView(**values | changes)


@st.composite
def situations(draw: st.DrawFn) -> tuple[TrialView, Facts]:
    """Any trial that is being settled: what was said of each item, what came, and how its money was made sure of."""
    prices = draw(st.lists(st.integers(1, 30_000), min_size=1, max_size=6))
    items = [an_item(price, decision=draw(st.sampled_from(Decision)), received=draw(st.booleans())) for price in prices]
    most = sum(prices)
    points = draw(st.integers(0, most))
    deposit = draw(st.integers(0, most - points))
    left = draw(st.sampled_from([points, points, 0]))
    charges = []
    if deposit:
        charges.append(a_charge(ChargeKind.DEPOSIT, ChargeStatus.CAPTURED, deposit, captured=deposit))
    rest = most - points - deposit
    if rest and draw(st.booleans()):
        charges.append(a_charge(ChargeKind.HOLD, draw(st.sampled_from(_HOLDS)), rest))
    scanned = draw(st.one_of(st.none(), st.integers(-20, 20).map(lambda days: NOW + timedelta(days=days))))
    arrived = draw(st.one_of(st.none(), st.integers(-20, 20).map(lambda days: NOW + timedelta(days=days))))
    trial = a_trial(
        items,
        charges,
        points=points,
        deposit=deposit,
        reminders=draw(st.integers(0, 2)),
        silence_keeps=draw(st.booleans()),
        return_scanned_at=scanned,
    )
    doubted = {item.order_line_id for item in items if item.received and draw(st.booleans())}
    return trial, Facts(left, frozenset(doubted), arrived)


_HOLDS: Final = [ChargeStatus.HELD, ChargeStatus.HELD, ChargeStatus.EXPIRED, ChargeStatus.CAPTURING]
moments: Final = st.integers(0, 60).map(lambda days: NOW + timedelta(days=days))
