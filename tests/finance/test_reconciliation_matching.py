"""Matching: what agrees is silent whatever the clocks say, and each thing that does not agree has its name."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, insert_rows
from returns_portal.finance.matching import match
from returns_portal.finance.matching_differences import Difference, differences
from returns_portal.finance.models import Outcome
from returns_portal.finance.reconciliation import asked, reconcile
from returns_portal.finance.reconciliation_view import Reconciled, reconciled
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account as Book
from returns_portal.payments.models import Dispute
from tests.finance.balances import MIDDAY, NOVEMBER, Account, change, line, payout
from tests.finance.seed import START, expected, identity, stories
from tests.portal import FINANCE, at_once

pytestmark = pytest.mark.anyio

ZONE = "Europe/Sofia"
CARDS = [n for n in range(1, 13) if not expected(n).to_points]


async def found(begin: Begin, account: Account, days: tuple[date, date] = NOVEMBER) -> list[Difference]:
    """Reconcile, and read what does not agree."""
    done = await reconcile(begin, account, days)
    async with begin() as db:
        answer = await differences(db, asked(*days, ZONE, read_at=done.at, livemode=account.livemode), limit=100)
    listed = answer.page
    assert done.differences == answer.count == len(listed)
    assert done.outcome == (Outcome.DIFFERS if listed else Outcome.AGREES)
    return listed


async def view(begin: Begin, days: tuple[date, date] = NOVEMBER) -> Reconciled:
    async with begin() as db:
        shown = await reconciled(db, FINANCE, days, ZONE, livemode=False)
    assert shown is not None
    return shown


def said(listed: list[Difference]) -> list[tuple[str, int | None, int | None, str | None]]:
    return [(one.kind, one.ours, one.theirs, one.source) for one in listed]


async def test_what_agrees_is_silent_in_every_currency(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 12)
    account = Account(*map(line, CARDS))
    assert await found(inside, account) == []
    shown = await view(inside)
    assert shown.matched == len(CARDS)
    sums = {one.currency: one.matched_amount for one in shown.booked}
    assert sums == {
        code: -sum(expected(n).gross for n in CARDS if expected(n).currency == code) for code in ("EUR", "JPY", "BHD")
    }
    # Whatever is done again changes nothing.
    assert await found(inside, account) == []
    assert (await view(inside)).matched == len(CARDS)


async def test_each_difference_has_its_name(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 6)
    amount = expected(2).gross
    twice = line(5, id="txn_5b", source="re_5b", created=expected(5).settled_at + timedelta(minutes=1))
    known = line(1, id="txn_shop", source="re_shop", our_id=None, amount=-100, net=-100, payment_amount=-100)
    account = Account(line(1), line(2, amount=1 - amount), line(3, currency="USD"), line(5), twice, line(6), known)
    listed = await found(inside, account)
    assert sorted(said(listed)) == sorted(
        [
            ("amount", -amount, 1 - amount, "re_2"),
            ("currency", -expected(3).gross, -expected(3).gross, "re_3"),
            ("missing_there", -expected(4).gross, None, "re_4"),
            ("missing_here", None, -expected(5).gross, "re_5b"),
            ("missing_here", None, -100, "re_shop"),
        ]
    )
    assert {one.order_number for one in listed} == {"N1", "N2", "N3", "N4", "N5"}
    assert {one.refund_id for one in listed if one.source == "re_4"} == {identity("refund", 4)}


async def test_a_line_is_matched_by_the_gateways_id_where_it_names_no_refund_of_ours(
    db: AsyncConnection, inside: Begin
) -> None:
    await stories(db, 1, 2)
    elsewhere = "0190a5f4-0000-7000-8000-000000000000:1"
    account = Account(line(1, our_id=None), line(2, our_id=elsewhere), line(2, id="txn_again", our_id=None))
    assert [(one.kind, one.line_id) for one in await found(inside, account)] == [("missing_here", "txn_again")]


async def test_other_sales_are_counted_and_are_no_difference(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    other = line(99, payment="pi_other", charge="ch_other", our_id=None)
    charge = line(1, id="txn_c", category="charge", type="charge", source="ch_1", amount=5_000, fee=100, net=4_900)
    unknown = change(charge, id="txn_d", payment="pi_other", charge="ch_other")
    assert await found(inside, Account(line(1), other, charge, unknown)) == []
    shown = await view(inside)
    assert shown.open == {"elsewhere": 1}
    [payments] = [one for one in shown.lines if one.category == "charge"]
    assert (payments.count, payments.known, payments.fee) == (2, 1, 200)


async def test_fees_are_summed_by_currency(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    alone = line(3, id="txn_f", category="fee", type="stripe_fee", source=None, amount=-250, net=-250, currency="EUR")
    with_fee = line(3, id="txn_d", category="dispute", source="du_x", payment=None, charge=None, fee=1_500, net=-2_500,
                    amount=-1_000, currency="EUR")  # fmt: skip
    yen = line(1, id="txn_y", category="charge", source="ch_1", amount=1_000, fee=40, net=960)
    await found(inside, Account(line(1), alone, with_fee, yen))
    assert (await view(inside)).fees == {"EUR": 1_750, expected(1).currency: 40}


async def test_a_balance_of_another_currency_is_compared_in_the_payments(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    gross = expected(1).gross
    converted = line(1, amount=-7, currency="EUR", payment_amount=-gross, payment_currency=expected(1).currency)
    assert await found(inside, Account(converted)) == []


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2026, 11, 9, 21, 59, 59, tzinfo=UTC), id="midnight"),
        pytest.param(datetime(2026, 11, 30, 21, 59, 59, tzinfo=UTC), id="month end"),
        pytest.param(datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), id="the night with two hours of three"),
        pytest.param(datetime(2026, 10, 24, 20, 59, 59, tzinfo=UTC), id="before that night"),
        pytest.param(datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC), id="the night without an hour of three"),
    ],
)
@pytest.mark.parametrize("skew", [timedelta(seconds=1), timedelta(minutes=-59), timedelta(days=4)])
async def test_no_clock_makes_a_false_alarm(
    db: AsyncConnection, inside: Begin, moment: datetime, skew: timedelta
) -> None:
    await stories(db, 1, 1, start=moment - timedelta(minutes=1))
    account = Account(line(1, created=moment + skew))
    with clock.at(moment + timedelta(days=5)):
        await reconcile(inside, account)
        local = moment.astimezone(ZoneInfo(ZONE)).date()
        for offset in range(-1, 6):
            day = local + timedelta(days=offset)
            shown = await view(inside, (day, day))
            assert (shown.count, shown.matched) == (0, int(day == local))


async def test_what_is_too_new_is_not_judged_and_later_it_is(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 2)
    account = Account(line(2), line(1, id="txn_9", source="re_9", our_id=None))
    with clock.at(START + timedelta(minutes=50)):
        assert await found(inside, account) == []
        assert (await view(inside)).waiting == 2
    with clock.at(START + timedelta(minutes=62)):
        assert [one.kind for one in await found(inside, account)] == ["missing_there", "missing_here"]


async def test_a_payout_is_the_sum_of_its_lines_or_is_named(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 6)
    charge = line(3, id="txn_c", category="charge", source="ch_3", amount=9_000, fee=160, net=8_840, our_id=None)
    own = line(3, id="txn_p", category="payout", source="po_1", amount=0, our_id=None)
    right = 8_840 - expected(3).gross - expected(6).gross
    of_payout = ["txn_c", "txn_3", "txn_6", "txn_p"]
    manual = payout("po_2", 500, automatic=False, listed=False)
    early = payout("po_3", 500, listed=False)
    account = Account(
        *map(line, (1, 2, 3, 4, 5, 6)), charge, own, payouts={payout("po_1", right): of_payout, manual: [], early: []}
    )
    assert await found(inside, account) == []
    shown = {one.id: one for one in (await view(inside)).payouts}
    assert (shown["po_1"].sums_up, shown["po_1"].wrong, shown["po_1"].lines, shown["po_1"].refunds) == (True, 0, 3, 2)
    assert (shown["po_2"].telling, shown["po_3"].read) == (False, False)
    rows = await db.execute(text("SELECT id FROM gateway_line WHERE payout_id = 'po_1' ORDER BY id"))
    assert list(rows.scalars()) == sorted(of_payout)
    # The bank sends it back, and Stripe counts another amount than its own lines.
    account.payouts = {payout("po_1", right, status="failed"): of_payout, payout("po_4", 70): ["txn_1"]}
    assert said(await found(inside, account)) == [("payout", -expected(1).gross, 70, "po_4")]
    assert {one.id: one.status for one in (await view(inside)).payouts}["po_1"] == "failed"


async def test_a_payout_shows_that_a_line_of_it_does_not_agree(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 3)
    stray = line(3, id="txn_s", source="re_s", our_id=None, amount=-100)
    wrong = line(2, amount=-1)
    account = Account(line(1), wrong, stray, line(3), payouts={payout("po_1", -101): ["txn_2", "txn_s"]})
    await found(inside, account)
    [shown] = (await view(inside)).payouts
    assert (shown.sums_up, shown.wrong) == (True, 2)


async def disputed(db: AsyncConnection, n: int, *amounts: int) -> None:
    """A dispute of story n's payment, with these postings: negative where the bank took something."""
    [currency] = (
        await db.execute(text("SELECT currency FROM payment WHERE id = :id"), {"id": identity("payment", n)})
    ).scalars()
    dispute: dict[str, Any] = {
        "id": new_id(),
        "payment_id": identity("payment", n),
        "gateway_id": f"du_{n}",
        "charge": f"ch_{n}",
        "status": "needs_response",
        "reason": "fraudulent",
        "currency": currency,
        "amount": 100,
        "withdrawn": max(0, -sum(amounts)),
        "opened_at": START,
        "recorded_at": START,
        "version": 1,
        "postings": len(amounts),
    }
    await insert_rows(db, (Dispute, [dispute]))
    with clock.at(START):
        for sequence, amount in enumerate(amounts, 1):
            moved = [Posting(Book.DISPUTES_OPEN, -amount), Posting(Book.GATEWAY_CLEARING, amount)]
            await insert_rows(
                db, *ledger.rows("dispute", ("dispute", dispute["id"]), currency, moved, sequence=sequence)
            )


def taken(n: int, *amounts: int) -> list[Any]:
    """The gateway's lines of that dispute."""
    kinds = {True: "dispute", False: "dispute_reversal"}
    return [
        line(n, id=f"txn_du_{n}_{k}", category=kinds[amount < 0], type="adjustment", source=f"du_{n}", our_id=None,
             amount=amount, created=START + timedelta(minutes=k))
        for k, amount in enumerate(amounts)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "expecting"),
    [
        pytest.param([-100], [-100], [], id="taken"),
        pytest.param([-100, 100, -100], [-100, 100, -100], [], id="taken, given back, taken again"),
        pytest.param([], [-100, 100], [], id="given back before it was known"),
        pytest.param([-100], [-60, -40], [], id="in two parts"),
        pytest.param([-100], [], [("missing_there", -100, None)], id="not there"),
        pytest.param([-100, 100], [-100], [("missing_there", 100, None)], id="not given back there"),
        pytest.param([], [-100], [("missing_here", None, -100)], id="not here"),
        pytest.param([-100], [-100, 100], [("missing_here", None, 100)], id="given back, and not booked"),
        pytest.param([-100], [-90], [("amount", -100, -90)], id="another amount"),
    ],
)
async def test_what_a_dispute_moved_agrees_or_is_named(
    db: AsyncConnection, inside: Begin, ours: list[int], theirs: list[int], expecting: list[Any]
) -> None:
    await stories(db, 1, 1)
    await disputed(db, 1, *ours)
    listed = await found(inside, Account(line(1), *taken(1, *theirs)))
    assert [(one.kind, one.ours, one.theirs) for one in listed] == expecting
    assert all(one.source == "du_1" and one.dispute_id and one.order_number == "N1" for one in listed)


async def test_a_dispute_in_another_currency_is_named(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    await disputed(db, 1, -100)
    [theirs] = taken(1, -100)
    listed = await found(inside, Account(line(1), change(theirs, payment_currency="USD")))
    assert [(one.kind, one.their_currency) for one in listed] == [("currency", "USD")]


async def test_live_and_test_are_never_compared_with_one_another(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 3)
    live = Account()
    live.livemode = True
    assert await found(inside, live) == []
    assert len(await found(inside, Account())) == 3


async def test_there_are_pages(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 20, step=timedelta())  # All at one moment, so that only the key tells them apart.
    done = await reconcile(inside, Account(), NOVEMBER)
    question = asked(*NOVEMBER, ZONE, read_at=done.at, livemode=False)
    seen: list[str] = []
    after = None
    while page := (await differences(db, question, limit=7, after=after)).page:
        seen += [one.key for one in page]
        after = page[-1].at, page[-1].key
    assert len(seen) == len(set(seen)) == done.differences == 18


async def test_several_match_at_once(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 12)
    account = Account(*map(line, CARDS))
    answers = await at_once(*(reconcile(begin, account, NOVEMBER) for _ in range(4)), *(match(begin) for _ in range(4)))
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert await found(begin, account) == []
    async with begin() as db:
        rows = await db.execute(text("SELECT count(*), count(DISTINCT ledger_entry_id) FROM gateway_line"))
    assert tuple(rows.one()) == (len(CARDS), len(CARDS))


async def test_without_any_payment_nothing_is_asked(inside: Begin) -> None:
    account = Account(line(1))
    assert (await reconcile(inside, account)).outcome == Outcome.AGREES
    assert account.asked == []


async def test_the_system_may_look_and_support_may_not(db: AsyncConnection, inside: Begin) -> None:
    await reconcile(inside, Account(), (MIDDAY.date(), MIDDAY.date()))
    assert await reconciled(db, SYSTEM, NOVEMBER, ZONE, livemode=False) is not None
    assert await reconciled(db, SYSTEM, NOVEMBER, ZONE, livemode=True) is None
