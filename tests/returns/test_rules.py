"""May it be sent back?"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from returns_portal.returns.rules import Line, OrderFacts, Policy, refund_deadline, refusal, window_ends

LINE = Line(UUID(int=1), 2, 0)
SOFIA = Policy(return_days=30, timezone="Europe/Sofia")
DELIVERED = datetime(2026, 10, 1, 12, tzinfo=UTC)


def code(order: OrderFacts, line: Line, now: datetime, policy: Policy = SOFIA) -> str | None:
    refused = refusal(order, line, policy, now)
    return refused.code if refused else None


def test_within_the_window_nothing_is_asked() -> None:
    assert code(OrderFacts(None, DELIVERED), LINE, DELIVERED + timedelta(days=3)) is None


def test_the_last_day_counts_whole_in_the_shops_zone() -> None:
    # 31 October 2026, 23:59 in Sofia is 21:59 UTC: summer time has ended by then.
    assert window_ends(DELIVERED, SOFIA) == date(2026, 10, 31)
    assert code(OrderFacts(None, DELIVERED), LINE, datetime(2026, 10, 31, 21, 59, tzinfo=UTC)) is None
    assert code(OrderFacts(None, DELIVERED), LINE, datetime(2026, 10, 31, 22, 0, tzinfo=UTC)) == "window_closed"


def test_a_short_promise_never_shortens_the_law() -> None:
    short = Policy(return_days=3, timezone="UTC")
    assert code(OrderFacts(None, DELIVERED), LINE, DELIVERED + timedelta(days=14), short) is None
    assert code(OrderFacts(None, DELIVERED), LINE, DELIVERED + timedelta(days=15), short) == "window_closed"


@pytest.mark.parametrize("days", [0, 400, 4000])
def test_an_unknown_delivery_never_closes_the_window(days: int) -> None:
    assert code(OrderFacts(None, None), LINE, DELIVERED + timedelta(days=days)) is None


def test_cancelled_and_already_returned() -> None:
    assert code(OrderFacts(DELIVERED, None), LINE, DELIVERED) == "order_cancelled"
    assert code(OrderFacts(None, None), Line(UUID(int=1), 2, 2), DELIVERED) == "already_returned"
    assert code(OrderFacts(None, None), Line(UUID(int=1), 2, 1), DELIVERED) is None


def test_the_money_is_due_fourteen_days_after_the_statement() -> None:
    assert refund_deadline(DELIVERED, "Europe/Sofia") == datetime(2026, 10, 15, 12, tzinfo=UTC)
