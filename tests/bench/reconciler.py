"""One reconciliation in a process of its own, which tells how long it took and how much memory.

The gateway is a stand-in that answers pages as Stripe writes them, so that they are read as Stripe's are.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, TypeVar

import msgspec

from returns_portal.db import beginner, create_engine
from returns_portal.finance.reconciliation import reconcile
from returns_portal.payments.balance import Balance
from returns_portal.payments.reads import PAGE
from tests.bench.exporter import _memory
from tests.finance.seed import START, expected, identity

T = TypeVar("T")
STEP: Final = timedelta(seconds=10)
"""Between two refunds."""
_MONTH: Final = (date(2026, 11, 1), date(2026, 11, 30))


class Reconciled(msgspec.Struct, frozen=True):
    """What came of it; memory is resident, in MiB above what the process held before."""

    seconds: float
    lines: int
    differences: int
    peak_mib: float


class StandIn(Balance):
    """An account with the line of every card refund of the stories, in one payout, and nothing else."""

    livemode = False

    def __init__(self, stories: int) -> None:
        self._stories = stories

    async def _send(self, type_: type[T], method: str, path: str, **params: Any) -> T:  # noqa: ANN401 - Stripe's own
        del method
        if path == "/v1/payouts":
            return msgspec.json.decode(b'{"data": [], "has_more": false}', type=type_)
        bounds = params.get("created", {})
        newest = int(str(params["starting_after"]).rpartition("_")[2]) - 1 if "starting_after" in params else None
        numbers = self._numbers(newest, bounds.get("gte", 0), bounds.get("lt", 1 << 40))
        page = [line for line, _ in zip(numbers, range(PAGE + 1), strict=False)]
        body = msgspec.json.encode({"data": page[:PAGE], "has_more": len(page) > PAGE})
        return msgspec.json.decode(body, type=type_)

    def _numbers(self, newest: int | None, since: int, until: int) -> Iterator[dict[str, Any]]:
        """Lines of a stretch, the newest first."""
        first = int(START.timestamp())
        seconds = int(STEP.total_seconds())
        last = self._stories if newest is None else newest
        for n in range(min(last, -(-(until - first) // seconds) - 1), 0, -1):
            created = first + n * seconds
            if created < since:
                return
            if n % 7:  # Every seventh is taken as points, of which the gateway knows nothing.
                yield _line(n, created)


def _line(n: int, created: int) -> dict[str, Any]:
    story = expected(n)
    # Stripe counts yen and dinars as ISO does, and cents alike.
    amount, currency = -story.gross, story.currency.lower()
    source = {
        "id": f"re_{n}",
        "object": "refund",
        "amount": story.gross,
        "currency": currency,
        "charge": f"ch_{n}",
        "payment_intent": f"pi_{n}",
        "metadata": {"refund_id": f"{identity('refund', n)}:1"},
    }
    return {
        "id": f"txn_{n}",
        "type": "refund",
        "reporting_category": "refund",
        "amount": amount,
        "fee": 0,
        "net": amount,
        "currency": currency,
        "created": created,
        "available_on": created,
        "exchange_rate": None,
        "source": source,
    }


async def _main(url: str, stories: int) -> Reconciled:
    engine = create_engine(url, size=2)
    begin = beginner(engine)
    try:
        held = _memory("VmRSS")
        began = time.perf_counter()
        done = await reconcile(begin, StandIn(stories), _MONTH)
        seconds = time.perf_counter() - began
        return Reconciled(seconds, done.lines, done.differences, max(0.0, _memory("VmHWM") - held))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_main(sys.argv[1], int(sys.argv[2])))))
