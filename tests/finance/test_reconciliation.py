"""Reconciliation with a Stripe that really keeps a balance: refunds, failures, disputes, dashboards, payouts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.finance import listing
from returns_portal.finance.filters import Filters
from returns_portal.finance.matching_differences import Difference, differences
from returns_portal.finance.models import Outcome
from returns_portal.finance.reconciliation import Run, asked, reconcile, usual_period
from returns_portal.finance.reconciliation_command import AGREES, DIFFERS, NOT_COMPARED, run_reconcile
from returns_portal.finance.reconciliation_view import Reconciled, reconciled
from returns_portal.finance.report import page_rows
from returns_portal.jobs import registry
from returns_portal.orders.intake import LineInput, PaymentInput
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import disputed, failed, reading, settling
from returns_portal.refunds.filing import FiledReturn
from tests.payments.webhooks import dashboard_refund
from tests.portal import FINANCE, Portal
from tests.refunds.samples import LIKE_NEW
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

ZONE: Final = "Europe/Sofia"
LATER: Final = timedelta(hours=2)
"""Long enough for everything to be judged."""


async def compare(portal: Portal, days: tuple[date, date] | None = None) -> Run:
    return await reconcile(portal.begin, portal.context.service(StripeGateway), days)


async def shown(portal: Portal, days: tuple[date, date] | None = None) -> Reconciled:
    async with portal.begin() as db:
        view = await reconciled(db, FINANCE, days or usual_period(ZONE), ZONE, livemode=False)
    assert view is not None
    return view


async def found(portal: Portal) -> Sequence[Difference]:
    """Compare when everything is old enough to be judged."""
    with clock.shifted(LATER):
        done = await compare(portal)
        days = usual_period(ZONE)
        async with portal.begin() as db:
            listed = (await differences(db, asked(*days, ZONE, read_at=done.at, livemode=False), limit=100)).page
    assert (done.differences, done.outcome) == (len(listed), Outcome.DIFFERS if listed else Outcome.AGREES)
    return listed


async def matched(portal: Portal) -> list[tuple[str, int, str]]:
    """What is matched: the category of the line, and amount and currency of the posting."""
    rows = await portal.rows(
        "SELECT g.category, e.amount, e.currency FROM gateway_line g JOIN ledger_entry e ON e.id = g.ledger_entry_id"
        " ORDER BY g.created_at, g.category, e.amount"
    )
    return [(row.category, row.amount, row.currency) for row in rows]


async def paid_back(portal: Portal, **changes: Any) -> FiledReturn:  # noqa: ANN401 - the fields of an order
    """An order of which one unit came back and was refunded."""
    order, [line, *_] = await portal.order(**changes)
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    return filed


async def reference_of(portal: Portal) -> str:
    [payment] = await portal.rows("SELECT reference FROM payment WHERE tender = 'stripe'")
    return str(payment.reference)


def earn(sandbox: SandboxProcess) -> None:
    """Have something to pay out, whatever debts the balance has."""
    form = "amount=99999999&currency=eur&confirm=true&payment_method=pm_card_visa"
    assert sandbox.send("POST", "/v1/payment_intents", form)[0] == 200


async def test_all_agrees_with_the_payouts_in_each_currency(portal: Portal, sandbox: SandboxProcess) -> None:
    for number, currency in (("1001", "EUR"), ("1002", "JPY"), ("1003", "BHD")):
        await paid_back(portal, number=number, currency=currency, lines=[
            LineInput(sku="KE-42", title="Derby", quantity=2, unit_price=15_900)])  # fmt: skip
    assert await found(portal) == []
    assert sorted(await matched(portal)) == [("refund", -15_900, code) for code in ("BHD", "EUR", "JPY")]
    earn(sandbox)
    [paid] = sandbox.control("payouts", currency="eur")["data"]
    assert await found(portal) == []
    [row] = await portal.rows(
        "SELECT f.gateway_id, g.id, p.id AS payout, p.arrives, g.amount, g.net, g.fee FROM refund f"
        " JOIN gateway_line g ON g.source = f.gateway_id JOIN payout p ON p.id = g.payout_id WHERE f.currency = 'EUR'"
    )
    [refund] = await portal.rows("SELECT gateway_id FROM refund WHERE currency = 'EUR'")
    body = sandbox.send("GET", f"/v1/refunds/{refund.gateway_id}")[1]
    assert (row.id, row.payout, row.gateway_id) == (body["balance_transaction"], paid["id"], refund.gateway_id)
    assert (row.amount, row.fee, row.net) == (-15_900, 0, -15_900)
    assert row.arrives == datetime.fromtimestamp(paid["arrival_date"], UTC).date()
    today = clock.now().date()
    days = Filters(first=today - timedelta(days=2), last=today + timedelta(days=2), zone=ZONE)
    async with listing.reading(portal.begin) as driver:
        told = {row.currency: row for row in await page_rows(driver, days, after=None, limit=9)}
    assert (told["EUR"].balance_transaction, told["EUR"].payout_id) == (row.id, paid["id"])
    assert (told["EUR"].charge_id, told["EUR"].payout_date) == (body["charge"], row.arrives.isoformat())
    assert (told["JPY"].payout_id, told["JPY"].payout_date) == (None, None)
    view = await shown(portal)
    assert view.matched == 3
    payments = {one.currency: one.known for one in view.lines if one.category == "charge"}
    assert {code: payments[code] for code in ("EUR", "JPY", "BHD")} == {"EUR": 1, "JPY": 1, "BHD": 1}
    assert view.fees.keys() >= {"EUR", "JPY", "BHD"}
    [listed] = [one for one in view.payouts if one.id == paid["id"]]
    assert (listed.status, listed.read, listed.sums_up, listed.wrong, listed.refunds) == ("paid", True, True, 0, 1)


async def test_the_same_again_changes_nothing(portal: Portal) -> None:
    await paid_back(portal)
    first = await compare(portal)
    before = await portal.rows("SELECT * FROM gateway_line ORDER BY id")
    again = await compare(portal)
    assert (first.outcome, again.outcome) == (Outcome.AGREES, Outcome.AGREES)
    assert {row.id for row in before} <= {row.id for row in await portal.rows("SELECT id FROM gateway_line")}
    assert await matched(portal) == [("refund", -15_900, "EUR")]


async def test_a_refund_that_came_back_has_two_lines_and_the_next_try_a_third(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    sandbox.control("refund-outcomes", status="succeeded", then="failed", after=0.1)
    filed = await paid_back(portal)
    [refund] = await portal.refunds(filed)
    assert refund.gateway_id is not None
    sandbox.settled(refund.gateway_id, "failed")
    [difference] = await found(portal)
    assert (difference.kind, difference.what, difference.theirs) == ("missing_here", "refund_failure", 15_900)
    assert difference.refund_id == refund.id
    gateway = portal.context.service(StripeGateway)
    await settling.record(portal.context, refund.id, await gateway.read_refund(refund.gateway_id))
    assert await found(portal) == []
    assert sorted(await matched(portal)) == [("refund", -15_900, "EUR"), ("refund_failure", 15_900, "EUR")]
    # Our row forgets the gateway's id of the first attempt; the balance still says whose it was.
    async with portal.begin() as db:
        await failed.try_again(db, FINANCE, refund.id)
    await portal.work()
    assert await found(portal) == []
    assert [category for category, *_ in sorted(await matched(portal))] == ["refund", "refund", "refund_failure"]


async def test_a_refund_at_the_bank_is_under_way_and_may_come_back_before_it_was_booked(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    sandbox.control("refund-outcomes", status="pending")
    filed = await paid_back(portal)
    assert await portal.statuses(filed) == ["pending"]
    assert await found(portal) == []
    assert (await shown(portal)).open["under_way"] == 1
    [refund] = await portal.refunds(filed)
    sandbox.control(f"refunds/{refund.gateway_id}/settle", status="failed")
    await settling.poll(portal.context)
    with clock.shifted(timedelta(minutes=10)):
        await settling.poll(portal.context)
    assert await portal.statuses(filed) == ["failed"]
    assert await found(portal) == []
    view = await shown(portal)
    assert (view.matched, view.open["netted"]) == (0, 2)
    assert "under_way" not in view.open


async def test_what_the_dashboard_refunded_is_named_until_it_is_discovered(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, _lines = await portal.order()
    await portal.work()
    refund = dashboard_refund(sandbox, await reference_of(portal), 2_290)
    assert (await compare(portal)).outcome == Outcome.AGREES
    assert (await shown(portal)).open["too_new"] == 1
    [difference] = await found(portal)
    assert (difference.kind, difference.theirs, difference.their_currency) == ("missing_here", -2_290, "EUR")
    assert (difference.source, difference.order_number) == (refund["id"], order.number)
    await reading.read(portal.context, "refund", refund["id"])
    assert await found(portal) == []
    assert await matched(portal) == [("refund", -2_290, "EUR")]


async def test_a_dispute_takes_and_gives_back(portal: Portal, sandbox: SandboxProcess) -> None:
    order, _lines = await portal.order()
    await portal.work()
    made = sandbox.control("disputes", payment_intent=await reference_of(portal))
    [difference] = await found(portal)
    assert (difference.kind, difference.what, difference.theirs) == ("missing_here", "dispute", -order.total)
    await disputed.read(portal.context, made["id"])
    assert await found(portal) == []
    sandbox.control(f"disputes/{made['id']}/settle", status="won")
    await disputed.read(portal.context, made["id"])
    assert await found(portal) == []
    assert await matched(portal) == [("dispute", -order.total, "EUR"), ("dispute_reversal", order.total, "EUR")]
    fees = [one.fee for one in (await shown(portal)).lines if one.category == "dispute" and one.currency == "EUR"]
    assert sum(fees) > 0


async def test_a_dispute_that_was_over_before_it_was_known(portal: Portal, sandbox: SandboxProcess) -> None:
    await portal.order()
    await portal.work()
    made = sandbox.control("disputes", payment_intent=await reference_of(portal))
    sandbox.control(f"disputes/{made['id']}/settle", status="won")
    await disputed.read(portal.context, made["id"])
    assert await found(portal) == []
    assert (await matched(portal), (await shown(portal)).open["netted"]) == ([], 2)


async def test_what_went_back_before_the_order_came_and_what_others_sell_is_no_difference(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    await portal.order(payments=[PaymentInput(tender=Tender.STRIPE, amount=32_290, refunded_before=5_000)])
    await portal.work()
    other = await gateway.create_sandbox_payment(
        key=f"reconciled:{id(portal)}", amount=1_000, currency="EUR", metadata={}
    )
    dashboard_refund(sandbox, other.id, 1_000)
    assert await found(portal) == []
    view = await shown(portal)
    assert view.open["before"] == 1
    assert view.open["elsewhere"] >= 1


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2026, 10, 31, 21, 59, 59, tzinfo=UTC), id="month end"),
        pytest.param(datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), id="the night with two hours of three"),
    ],
)
async def test_the_gateway_may_have_it_on_another_day(portal: Portal, moment: datetime) -> None:
    """Booked here on that night; the sandbox has its own clock, by which it was weeks later."""
    with clock.at(moment):
        await paid_back(portal)
    day = moment.astimezone(ZoneInfo(ZONE)).date()
    with clock.shifted(LATER):
        for offset in (-1, 0, 1):
            days = (day + timedelta(days=offset),) * 2
            assert (await compare(portal, days)).outcome == Outcome.AGREES
            assert (await shown(portal, days)).matched == int(offset == 0)
        assert (await compare(portal)).outcome == Outcome.AGREES


async def test_a_gateway_that_does_not_answer_is_said_and_nothing_is_compared(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    await paid_back(portal)
    sandbox.control("faults", kind="error", method="GET", path="/v1/balance_transactions")
    with pytest.raises(GatewayUnknownError):
        await registry["finance.reconcile"].handler(portal.context)
    [kept] = await portal.rows("SELECT outcome, reason FROM reconciliation")
    assert kept.outcome == Outcome.NO_ANSWER
    assert kept.reason
    assert await matched(portal) == []
    await registry["finance.reconcile"].handler(portal.context)
    assert [row.outcome for row in await portal.rows("SELECT outcome FROM reconciliation ORDER BY at")] == [
        "no_answer",
        "agrees",
    ]


async def test_the_command_prints_what_does_not_agree_one_a_line(
    portal: Portal, sandbox: SandboxProcess, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = portal.settings.model_copy(update={"database_url": database_url})
    await paid_back(portal)
    capsys.readouterr()
    assert await run_reconcile(settings, first=None, last=None) == AGREES
    said = capsys.readouterr()
    assert said.out == ""
    assert "All agrees." in said.err
    assert "1 postings matched" in said.err
    assert "Sandbox: no money moves." in said.err
    refund = dashboard_refund(sandbox, await reference_of(portal), 250)
    with clock.shifted(LATER):
        today = f"{clock.now().astimezone(ZoneInfo(ZONE)):%Y-%m-%d}"
        yesterday = f"{clock.now().astimezone(ZoneInfo(ZONE)) - timedelta(days=1):%Y-%m-%d}"
        assert await run_reconcile(settings, first=yesterday, last=today) == DIFFERS
        said = capsys.readouterr()
        [line] = said.out.splitlines()
        assert line.startswith("MISSING HERE  refund  ")
        assert f"stripe=-2.50 EUR  order=1001  source={refund['id']}  line=txn_" in line
        assert said.err.startswith("1 do not agree.")
        assert await run_reconcile(settings, first="2026-01-01", last="2026-01-31") == AGREES
        sandbox.control("faults", kind="error", method="GET", path="/v1/payouts")
        capsys.readouterr()
        assert await run_reconcile(settings, first=None, last=None) == NOT_COMPARED
        said = capsys.readouterr()
    assert (said.out, "nothing was compared" in said.err) == ("", True)
