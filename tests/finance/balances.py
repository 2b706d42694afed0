"""A gateway's balance that a test makes up: lines of the stories' refunds, changed as the test wants them."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from returns_portal.payments.gateway import GatewayBalanceLine, GatewayPayout, GatewayUnknownError
from tests.finance.seed import expected, identity

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
MIDDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
change = msgspec.structs.replace


def line(n: int, *, attempt: int = 1, **changes: Any) -> GatewayBalanceLine:  # noqa: ANN401 - the fields of a line
    """What the gateway's balance says of story n's refund."""
    story = expected(n)
    amount = changes.get("amount", -story.gross)
    currency = changes.get("currency", story.currency)
    made = GatewayBalanceLine(
        id=f"txn_{n}",
        type="refund",
        category="refund",
        source=f"re_{n}",
        payment=f"pi_{n}",
        charge=f"ch_{n}",
        our_id=f"{identity('refund', n)}:{attempt}",
        amount=amount,
        fee=0,
        net=amount,
        currency=currency,
        payment_amount=amount,
        payment_currency=currency,
        created=story.settled_at,
        available_on=story.settled_at,
    )
    return change(made, **changes)


def payout(id_: str, amount: int, **changes: Any) -> GatewayPayout:  # noqa: ANN401 - the fields of a payout
    made = GatewayPayout(
        id=id_,
        status="paid",
        amount=amount,
        currency="EUR",
        automatic=True,
        listed=True,
        created=MIDDAY,
        arrives=date(2026, 11, 21),
        livemode=False,
    )
    return change(made, **changes)


class Account:
    """What the gateway knows. It breaks off after so many lines as `breaks` says."""

    livemode = False

    def __init__(self, *lines: GatewayBalanceLine, payouts: dict[GatewayPayout, Sequence[str]] | None = None) -> None:
        """Take the lines, and the payouts with the ids of their lines."""
        self.lines = list(lines)
        self.payouts = payouts or {}
        self.breaks: int | None = None
        self.asked: list[tuple[datetime | None, datetime | None, str | None]] = []

    async def list_balance_transactions(
        self, *, since: datetime | None = None, until: datetime | None = None, payout: str | None = None
    ) -> AsyncIterator[GatewayBalanceLine]:
        self.asked.append((since, until, payout))
        mine = [id_ for one, ids in self.payouts.items() for id_ in ids if one.id == payout]
        given = 0
        for found in sorted(self.lines, key=lambda one: (one.created, one.id), reverse=True):
            inside = (since is None or found.created >= since) and (until is None or found.created < until)
            if inside and (payout is None or found.id in mine):
                if given == self.breaks:
                    raise GatewayUnknownError("the line went dead")
                given += 1
                yield found

    async def list_payouts(self, since: datetime) -> AsyncIterator[GatewayPayout]:
        for found in self.payouts:
            if found.created >= since:
                yield found
