"""The balance as the gateway's module reads it: amounts in our units, ids of ours, payouts, pages."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from returns_portal.payments.amounts import whole_from_stripe
from returns_portal.payments.balance import Balance
from returns_portal.payments.gateway import GatewayRefusedError
from returns_portal.payments.stripe import StripeGateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

T = TypeVar("T")
NOW = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
CHARGE = {"id": "ch_1", "object": "charge", "amount": 1_000, "currency": "jpy", "payment_intent": "pi_1"}


class Said(Balance):
    """A gateway that says these lines."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        self.lines = lines

    async def _send(self, type_: type[T], method: str, path: str, **params: object) -> T:
        assert (method, path, params["expand"]) == ("get", "/v1/balance_transactions", ["data.source"])
        return msgspec.convert({"data": self.lines, "has_more": False}, type_)


def said(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the fields of a line
    line = {
        "id": "txn_1",
        "type": "charge",
        "reporting_category": "charge",
        "amount": 1_000,
        "fee": 40,
        "net": 960,
        "currency": "jpy",
        "created": NOW,
        "available_on": NOW,
        "exchange_rate": None,
        "source": CHARGE,
    }
    return line | changes


async def test_amounts_are_in_the_minor_units_of_the_books() -> None:
    lines = [said(), said(currency="bhd"), said(currency="mga"), said(currency="isk", amount=5_000, fee=2_575)]
    read = [line async for line in Said(*lines).list_balance_transactions()]
    assert [(one.amount, one.fee, one.net, one.currency) for one in read] == [
        (1_000, 40, 960, "JPY"),
        (1_000, 40, 960, "BHD"),
        (100_000, 4_000, 96_000, "MGA"),
        # Of 25.75 krónur the fraction is rounded up, so that fee and net are the amount.
        (50, 26, 24, "ISK"),
    ]
    assert (whole_from_stripe(-2_575, "ISK"), whole_from_stripe(2_575, "ISK")) == (-26, 25)


async def test_what_the_balance_has_changed_is_said_in_the_payments_currency() -> None:
    refund = {"id": "re_1", "object": "refund", "amount": 700, "currency": "jpy", "charge": "ch_1",
              "payment_intent": "pi_1", "metadata": {"refund_id": "ours:1"}}  # fmt: skip
    line = said(reporting_category="refund", amount=-412, fee=0, currency="eur", exchange_rate=0.0058, source=refund)
    same = said(reporting_category="refund", amount=-700, fee=0, source=refund)
    converted, plain = [one async for one in Said(line, same).list_balance_transactions()]
    assert (converted.amount, converted.currency) == (-412, "EUR")
    assert (converted.payment_amount, converted.payment_currency) == (-700, "JPY")
    assert (plain.payment_amount, plain.payment_currency) == (-700, "JPY")
    assert (converted.source, converted.payment, converted.charge, converted.our_id) == (
        "re_1",
        "pi_1",
        "ch_1",
        "ours:1",
    )


async def test_lines_of_anything_are_read() -> None:
    transfer = {"id": "tr_1", "object": "transfer", "amount": 5, "currency": "eur", "metadata": {"refund_id": "x:1"}}
    lines = [said(source=None), said(source="ch_9"), said(source=transfer), said(currency="usdc"), said()]
    read = [one async for one in Said(*lines).list_balance_transactions()]
    assert [(one.source, one.charge, one.our_id) for one in read] == [
        (None, None, None),
        ("ch_9", None, None),
        ("tr_1", None, None),
        ("ch_1", "ch_1", None),
    ]


async def test_lists_are_read_to_their_end_and_within_their_bounds(
    gateway: StripeGateway, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("returns_portal.payments.balance.PAGE", 3)
    before = datetime.fromtimestamp(sandbox.control("clock", advance=0)["now"], UTC) - timedelta(seconds=1)
    made = [
        await gateway.create_sandbox_payment(key=f"b:{id(gateway)}:{n}", amount=999_900, currency="NOK", metadata={})
        for n in range(7)
    ]
    charges = {payment.charge for payment in made}
    read = [one async for one in gateway.list_balance_transactions(since=before)]
    assert charges <= {one.source for one in read}
    assert len({one.id for one in read}) == len(read)
    assert [one async for one in gateway.list_balance_transactions(since=before, until=before)] == []
    [paid] = sandbox.control("payouts", currency="nok")["data"]
    of_payout = [one async for one in gateway.list_balance_transactions(payout=paid["id"])]
    assert charges <= {one.source for one in of_payout}
    [payout] = [one async for one in gateway.list_payouts(before) if one.id == paid["id"]]
    assert (payout.status, payout.automatic, payout.listed, payout.livemode) == ("paid", True, True, False)
    assert payout.amount == sum(one.net for one in of_payout if one.source != payout.id)
    with pytest.raises(GatewayRefusedError):
        _ = [one async for one in gateway.list_balance_transactions(payout="po_none")]
