"""Reading the balance: what is new, once, in bounded memory, and on from where it was interrupted."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.db import Begin
from returns_portal.finance import reconciliation_reading as reading
from returns_portal.finance.reconciliation import last_run, reconcile
from returns_portal.finance.reconciliation_reading import OVERLAP, STRETCH, read_balance
from returns_portal.payments.gateway import GatewayUnknownError
from tests.finance.balances import MIDDAY, Account, line, payout
from tests.finance.seed import START, identity, stories
from tests.portal import FINANCE, at_once

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few lines at a time, so that few lines make many batches."""
    monkeypatch.setattr(reading, "BATCH", 4)


@pytest.fixture(autouse=True)
def in_those_days() -> Iterator[None]:
    """Where a reading stops hangs on how long ago the first payment was, so that it is always as long ago."""
    with clock.shifted(START + timedelta(days=20) - clock.now()):
        yield


async def kept(begin: Begin) -> list[str]:
    async with begin() as db:
        return list((await db.execute(text("SELECT id FROM gateway_line ORDER BY id"))).scalars())


async def cursor(begin: Begin) -> object:
    async with begin() as db:
        return await db.scalar(text("SELECT read_until FROM gateway_cursor WHERE name = 'balance:test'"))


async def test_whoever_is_interrupted_goes_on_and_nothing_is_read_twice_over(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    lines = [line(n, created=MIDDAY + timedelta(minutes=n)) for n in range(1, 31)]
    account = Account(*lines)
    account.breaks = 10
    with pytest.raises(GatewayUnknownError):
        await reconcile(begin, account)
    assert len(await kept(begin)) == 8
    before = await cursor(begin)
    async with begin() as db:
        run = await last_run(db, FINANCE, livemode=False)
        assert run is not None
        assert (run.outcome, run.reason) == ("no_answer", "the line went dead")
        assert await last_run(db, FINANCE, livemode=False, answered=True) is None
    account.breaks = None
    await reconcile(begin, account)
    assert len(await kept(begin)) == 30
    after = await cursor(begin)
    assert before != after == lines[-1].created
    account.asked.clear()
    account.lines.append(line(31, created=lines[-1].created + timedelta(days=1)))
    await reconcile(begin, account)
    assert len(await kept(begin)) == 31
    assert account.asked[0][0] == lines[-1].created - OVERLAP


async def test_the_first_reading_begins_with_the_first_payment_and_goes_in_stretches(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
        first = await db.scalar(text("SELECT created_at FROM payment"))
        await db.execute(
            text("INSERT INTO payment SELECT gen_random_uuid(), order_id, 'external', status, NULL, NULL, method,"
                 " card_brand, card_last4, amount, 0, currency, livemode, created_at - interval '1 year', NULL"
                 " FROM payment")
        )  # fmt: skip
    account = Account(line(1))
    with clock.at(first + timedelta(days=30)):
        await read_balance(begin, account)
    starts = [since for since, _until, _payout in account.asked]
    assert starts[0] is not None
    assert first - timedelta(hours=3) < starts[0] <= first - timedelta(hours=1)
    assert [until is None for _since, until, _payout in account.asked] == [False] * 4 + [True]
    assert all(until - since == STRETCH + OVERLAP for since, until, _ in account.asked[:-1] if since and until)


async def test_the_gateways_clock_may_run_ahead(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    account = Account(line(1, created=START + timedelta(days=300)))
    with clock.at(START + timedelta(hours=3)):
        assert (await reconcile(begin, account)).outcome == "agrees"
    assert await kept(begin) == ["txn_1"]


async def test_the_lines_of_a_payout_are_read_once_all_of_them_are_told(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 9)
    lines = [line(n) for n in range(1, 10)]
    ids = [one.id for one in lines]
    account = Account(*lines, payouts={payout("po_1", -5, listed=False): ids})
    await read_balance(begin, account)
    account.payouts = {payout("po_1", -5): ids}
    account.breaks = 6
    with pytest.raises(GatewayUnknownError):
        await read_balance(begin, account)
    async with begin() as db:
        assert await db.scalar(text("SELECT read_at FROM payout")) is None
    account.breaks = None
    await read_balance(begin, account)
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM gateway_line WHERE payout_id = 'po_1'")) == 9
        assert await db.scalar(text("SELECT read_at FROM payout")) is not None
    account.asked.clear()
    await read_balance(begin, account)
    assert [asked[2] for asked in account.asked] == [None]


async def test_a_payout_of_long_ago_that_was_never_read_is_read(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    account = Account(line(1), payouts={payout("po_1", -5, created=START): ["txn_1"]})
    account.breaks = 0
    with clock.at(START + timedelta(days=200)):
        with pytest.raises(GatewayUnknownError):
            await read_balance(begin, account)
        account.breaks = None
        await read_balance(begin, account)
    async with begin() as db:
        assert await db.scalar(text("SELECT payout_id FROM gateway_line")) == "po_1"


async def test_what_is_no_id_of_ours_is_no_id_of_ours(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    ours = f"{identity('refund', 1)}"
    names = [None, "", "x", ours, f"{ours}:0", f"{ours}:1x", f"{ours}:99999999999", f"{ours}:2"]
    account = Account(*(line(n, our_id=name, created=MIDDAY) for n, name in enumerate(names)))
    await read_balance(begin, account)
    async with begin() as db:
        rows = (await db.execute(text("SELECT id, attempt FROM gateway_line WHERE refund_id IS NOT NULL"))).all()
    assert [tuple(row) for row in rows] == [("txn_7", 2)]


async def test_several_read_at_once(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    account = Account(*(line(n, created=MIDDAY) for n in range(1, 41)))
    account.payouts = {payout("po_1", -5): [one.id for one in account.lines]}
    answers = await at_once(*(read_balance(begin, account) for _ in range(6)))
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert len(await kept(begin)) == 40
