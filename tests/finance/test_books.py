"""The proof of the books: silent where they are in order, and precise about each thing that can be wrong."""
# ruff: noqa: S608 - the statements are made of ids of the test's own records

from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin
from returns_portal.finance.books import BROKEN, check, run_check_books
from returns_portal.finance.invariants import INVARIANTS, SHOWN
from returns_portal.finance.invariants.exchanges import EXCHANGES
from returns_portal.finance.invariants.trials import TRIALS
from returns_portal.settings import Settings
from tests.finance.breaks import CLOSING_BREAKS
from tests.finance.breaks_disputes import DISPUTE_BREAKS, disputed, set_going
from tests.finance.seed import START, identity, stories

pytestmark = pytest.mark.anyio

# Story 1 is a card refund of one unit, story 7 of one unit as points, story 10 of a whole order to the card.
REFUND_1 = identity("refund", 1)

BREAKS: Final = (
    CLOSING_BREAKS
    | DISPUTE_BREAKS
    | {
        "frozen-sums": f"UPDATE orders SET total = total + 1 WHERE id = '{identity('order', 1)}'",
        "payments-within-total": f"UPDATE payment SET amount = amount + 1 WHERE id = '{identity('payment', 1)}'",
        "requested-within-ordered": f"UPDATE return_line SET quantity = 3 WHERE id = '{identity('return_line', 1)}'",
        "counted-within-shipped": f"UPDATE order_line SET shipped = 0 WHERE id = '{identity('line', 1)}'",
        "counted-within-ordered": f"""
        INSERT INTO parcel_item SELECT gen_random_uuid(), parcel_id, order_line_id, 2, 'damaged', 'waiting', '', NULL,
        '', '' FROM parcel_item WHERE id = '{identity("item", 1)}'""",
        "units-paid-once": f"""
        INSERT INTO refund_line SELECT gen_random_uuid(), order_id, parcel_id, order_line_id, 0, 1, 0, 0, NULL,
        release_id FROM refund_line WHERE id = '{identity("refund_line", 1)}'""",
        "units-at-their-price": f"UPDATE refund_line SET amount = amount + 1 WHERE id = '{identity('refund_line', 1)}'",
        "shipping-once": f"""
        INSERT INTO refund_line SELECT gen_random_uuid(), order_id, parcel_id, NULL, 0, 0, 0, 0, NULL, release_id
        FROM refund_line WHERE id = '{identity("shipping_line", 10)}'""",
        "releases-are-refunded": f"UPDATE refund SET tax = tax - 1 WHERE id = '{REFUND_1}'",
        "accepted-is-paid": f"UPDATE parcel_item SET acceptance = 'sent_back' WHERE id = '{identity('item', 1)}'",
        "records-belong-together": f"""
        UPDATE refund SET payment_id = '{identity("payment", 4)}' WHERE id = '{REFUND_1}'""",
        "line-within-price": f"""
        INSERT INTO refund_line SELECT gen_random_uuid(), order_id, parcel_id, order_line_id, 0, 0, 1, 0, NULL,
        release_id FROM refund_line WHERE id = '{identity("refund_line", 1)}'""",
        "line-within-reduced-price": f"""
        WITH given AS (
            INSERT INTO goodwill SELECT release_id, order_id, false, 'original', currency, amount, 'A stain', NULL,
            'staff:1', created_at, 'not_needed', '', NULL, '', '[]' FROM refund WHERE id = '{REFUND_1}'
            RETURNING id, order_id, requested_at),
        claim AS (
            INSERT INTO item_claim SELECT gen_random_uuid(), order_id, 'faulty', 'reduction', '', 'reduced', '', id,
            NULL, 'staff:1', requested_at, requested_at, requested_at FROM given RETURNING id)
        INSERT INTO item_claim_line SELECT gen_random_uuid(), claim.id, l.order_line_id, 1, 1000000
        FROM claim, given, refund_line l WHERE l.id = '{identity("refund_line", 1)}'""",
        "goodwill-as-given": f"""
        INSERT INTO goodwill SELECT gen_random_uuid(), order_id, false, 'original', currency, 1, 'Sorry', NULL,
        'staff:1', created_at, 'not_needed', '', NULL, '', '[]' FROM refund WHERE id = '{REFUND_1}'""",
        "approved-by-another": f"""
        INSERT INTO goodwill SELECT gen_random_uuid(), order_id, false, 'original', currency, 1, 'Sorry', NULL,
        'staff:1', created_at, 'declined', 'staff:2', created_at, '', '[]' FROM refund WHERE id = '{REFUND_1}'""",
        "claims-as-decided": f"""
        INSERT INTO item_claim SELECT gen_random_uuid(), order_id, 'faulty', 'refund', '', 'refunded', '', NULL, NULL,
        'staff:1', created_at, created_at, created_at FROM refund WHERE id = '{REFUND_1}'""",
        "sent-anew-as-decided": f"""
        INSERT INTO item_claim SELECT gen_random_uuid(), order_id, 'faulty', 'replacement', '', 'replaced', '', NULL,
        NULL, 'staff:1', created_at, created_at, NULL FROM refund WHERE id = '{REFUND_1}'""",
        "gifts-are-points": f"""
        WITH gift AS (
            INSERT INTO gift SELECT gen_random_uuid(), order_id, 'kunde@example.com', 'kunde@example.com', 'en', '',
            '{{}}', created_at FROM returns WHERE id = '{identity("return", 10)}' RETURNING id)
        UPDATE returns SET gift_id = gift.id, refund_to = 'points', bonus_percent = 0, points_consent_at = created_at
        FROM gift WHERE returns.id = '{identity("return", 10)}'""",
        "points-by-consent": f"UPDATE returns SET points_consent_at = NULL WHERE id = '{identity('return', 7)}'",
        "payment-cap": f"UPDATE payment SET refunded_before = amount WHERE id = '{identity('payment', 1)}'",
        "same-way-back": f"UPDATE payment SET tender = 'points' WHERE id = '{identity('payment', 1)}'",
        "bonus-as-promised": f"UPDATE returns SET bonus_percent = 9 WHERE id = '{identity('return', 7)}'",
        "postage-once": f"UPDATE refund SET fee = 100 WHERE id = '{REFUND_1}'",
        "postage-as-promised": f"""
        UPDATE returns SET postage = 'customer', postage_fee = 490 WHERE id = '{identity("return", 1)}'""",
        "not-before-due": f"UPDATE refund SET due_at = submitted_at + interval '1 second' WHERE id = '{REFUND_1}'",
        "nothing-stuck": f"""
        UPDATE refund SET status = 'unknown' WHERE id = '{REFUND_1}'""",
        "ledger-balance": f"UPDATE ledger_entry SET amount = amount + 1 WHERE id = '{identity('goods', 1)}'",
        "ledger-cause": f"UPDATE ledger_transaction SET cause = 'gift' WHERE id = '{identity('booking', 1)}'",
        "refunds-are-booked": f"UPDATE refund SET status = 'pending' WHERE id = '{REFUND_1}'",
        "history-is-booked": f"""
        INSERT INTO history VALUES (gen_random_uuid(), 'refund', '{REFUND_1}', 'failed', 'system', now(),
        '{{"from": "succeeded", "attempt": 1}}')""",
        "booked-as-refunded": f"""
        UPDATE ledger_entry SET account = 'bank_clearing' WHERE id = '{identity("credit", 1)}'""",
        "attempts-as-booked": f"""
        INSERT INTO refund_attempt SELECT id, 1, destination, amount + 1, 0, 0, 0, NULL, '', '', NULL, NULL, '[]', 0
        FROM refund WHERE id = '{REFUND_1}'""",
        "points-have-an-owner": f"""
        UPDATE points_account SET email_key = 'other@example.com' WHERE id = '{identity("account", 7)}'""",
        "lots-are-the-balance": f"""
        UPDATE points_lot SET granted = granted + 1, remaining = remaining + 1 WHERE id = '{identity("lot", 7)}'""",
        "lots-tell-where-points-went": f"""
        UPDATE points_lot SET granted = granted + 1 WHERE id = '{identity("lot", 7)}'""",
        "redemptions-are-booked": f"""
        INSERT INTO points_redemption VALUES (gen_random_uuid(), '{identity("account", 7)}', 'EUR', 5, 5,
        'captured', '', '', now() + interval '2 years', now(), now())""",
        "holds-end": f"""
        WITH held AS (
            INSERT INTO points_redemption VALUES (gen_random_uuid(), '{identity("account", 7)}', 'JPY', 5, 0,
            'held', '', '', '{START}', now(), NULL) RETURNING id, account_id),
        left_lot AS (UPDATE points_lot SET remaining = remaining - 5 WHERE id = '{identity("lot", 7)}'),
        moved AS (
            INSERT INTO points_move SELECT gen_random_uuid(), '{identity("lot", 7)}', 'redemption', id, -5, now()
            FROM held),
        head AS (
            INSERT INTO ledger_transaction SELECT gen_random_uuid(), 'points_held', 'points_redemption', id, 1, now()
            FROM held RETURNING id)
        INSERT INTO ledger_entry
        SELECT gen_random_uuid(), head.id, a.account, account_id, (SELECT currency FROM points_lot
        WHERE id = '{identity("lot", 7)}'), a.amount
        FROM head, held, (VALUES ('customer_points', 5), ('points_held', -5)) AS a(account, amount)""",
        "earned-once": f"""
        INSERT INTO points_earning
        VALUES ('{identity("order", 7)}', '{identity("account", 7)}', 'EUR', 5, 100, now())""",
        "clawed-back-as-booked": f"""
        INSERT INTO points_adjustment VALUES (gen_random_uuid(), '{identity("account", 7)}', 'EUR', 5, 'x', 'done',
        false, 'staff:1', now(), 'staff:1', now())""",
        "points-never-become-money": f"""
        WITH head AS (
            INSERT INTO ledger_transaction SELECT gen_random_uuid(), 'points_adjusted', 'points_adjustment',
            gen_random_uuid(), 1, now() RETURNING id)
        INSERT INTO ledger_entry
        SELECT gen_random_uuid(), head.id, a.account, a.owner, 'JPY', a.amount
        FROM head, (VALUES ('customer_points', CAST('{identity("account", 7)}' AS uuid), 5),
        ('bank_clearing', NULL, -5)) AS a(account, owner, amount)""",
        "points-not-negative": f"""
        UPDATE ledger_entry SET amount = -amount WHERE transaction_id = '{identity("booking", 7)}'""",
    }
)

# What is wrong is often wrong in two respects.
ALSO: Final = {
    "counted-within-ordered": {"counted-within-shipped"},
    "postage-once": {"releases-are-refunded", "booked-as-refunded"},
    "dispute-cap": {"disputes-are-booked"},
    "units-paid-once": {"accepted-is-paid"},
    "units-at-their-price": {"releases-are-refunded", "line-within-price"},
    "line-within-reduced-price": {"goodwill-as-given"},
    "line-within-price": {"releases-are-refunded"},
    "nothing-stuck": {"refunds-are-booked", "booked-as-refunded"},
    "refunds-are-booked": {"booked-as-refunded"},
    "ledger-balance": {"booked-as-refunded"},
    "ledger-cause": {"refunds-are-booked", "history-is-booked", "booked-as-refunded"},
    "points-not-negative": {"booked-as-refunded", "lots-are-the-balance", "points-never-become-money"},
    "points-never-become-money": {"ledger-cause", "lots-are-the-balance", "clawed-back-as-booked"},
}


async def _unguard(db: AsyncConnection) -> None:
    """Take away what the database itself refuses, in the test's own copy."""
    for table in ("ledger_entry", "ledger_transaction", "history"):
        await db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


async def test_books_in_order_are_silent(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 2000)
    assert await check(inside) == []


def test_every_invariant_is_broken_once() -> None:
    """Those of trials are broken where trials are made: `tests/tryon/test_settlement_books.py`."""
    assert set(BREAKS) == {invariant.name for invariant in INVARIANTS if invariant not in (*TRIALS, *EXCHANGES)}


@pytest.mark.parametrize("name", BREAKS)
async def test_what_is_broken_is_found(db: AsyncConnection, inside: Begin, name: str) -> None:
    await stories(db, 1, 40)
    await _unguard(db)
    await db.execute(text(BREAKS[name]))
    with clock.at(START + timedelta(days=30)):
        breaches = {breach.invariant: breach for breach in await check(inside)}
    assert set(breaches) == {name} | ALSO.get(name, set())
    assert breaches[name].count == 1
    assert len(breaches[name].rows) == 1


async def test_many_breaches_are_counted_and_the_first_are_shown(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 50)
    await db.execute(text("UPDATE orders SET total = total + 1"))
    (breach,) = await check(inside)
    assert (breach.invariant, breach.count, len(breach.rows)) == ("frozen-sums", 50, SHOWN)


async def keep_first(db: AsyncConnection) -> None:
    """Keep the first attempt of story 1's refund as it is."""
    await db.execute(
        text(
            "INSERT INTO refund_attempt SELECT id, 1, destination, amount, 0, tax, shipping, gateway_id, '', '',"
            f" submitted_at, settled_at, '[]', 0 FROM refund WHERE id = '{REFUND_1}'"
        )
    )


async def test_a_retry_after_a_late_failure_is_in_order(db: AsyncConnection, inside: Begin) -> None:
    """Succeeded, failed days later with its reversal, tried again and succeeded: two bookings and a reversal."""
    await stories(db, 1, 3)
    await keep_first(db)
    await db.execute(text(f"UPDATE refund SET attempt = 2 WHERE id = '{REFUND_1}'"))
    for kind, sequence, sign in (("refund_reversal", 1, -1), ("refund", 2, 1)):
        booked = (
            await db.execute(
                text(
                    "INSERT INTO ledger_transaction VALUES"
                    f" (gen_random_uuid(), '{kind}', 'refund', '{REFUND_1}', {sequence}, now()) RETURNING id"
                )
            )
        ).scalar_one()
        await db.execute(
            text(
                f"INSERT INTO ledger_entry SELECT gen_random_uuid(), '{booked}', account, owner_id, currency,"
                f" {sign} * amount FROM ledger_entry WHERE transaction_id = '{identity('booking', 1)}'"
            )
        )
    for action, attempt in (("failed", 1), ("succeeded", 2)):
        await db.execute(
            text(
                f"INSERT INTO history VALUES (gen_random_uuid(), 'refund', '{REFUND_1}', '{action}', 'system', now(),"
                f" jsonb_build_object('from', 'succeeded', 'attempt', {attempt}))"
            )
        )
    assert await check(inside) == []


async def _corrected(db: AsyncConnection, accepted: int, *, undone: bool = False) -> None:
    """Correct the count of story 10, of which two units were paid for."""
    await db.execute(text(f"UPDATE parcel SET undone_at = now() WHERE id = '{identity('parcel', 10)}'"))
    await db.execute(
        text(
            "INSERT INTO parcel SELECT CAST(md5('new') AS uuid), return_id, number, checked_in_at, checked_in_by, '',"
            f" CASE WHEN {undone} THEN now() END, '', id, NULL FROM parcel WHERE id = '{identity('parcel', 10)}'"
        )
    )
    await db.execute(
        text(
            f"INSERT INTO parcel_item SELECT gen_random_uuid(), CAST(md5('new') AS uuid), order_line_id, {accepted},"
            f" condition, acceptance, '', NULL, '', '' FROM parcel_item WHERE id = '{identity('item', 10)}'"
        )
    )


@pytest.mark.parametrize("accepted", [1, 2])
async def test_a_correction_to_less_leaves_what_was_paid(db: AsyncConnection, inside: Begin, accepted: int) -> None:
    await stories(db, 10, 10)
    await _corrected(db, accepted)
    assert await check(inside) == []


async def test_a_correction_that_was_undone_leaves_nothing_to_be_paid_for(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 10, 10)
    await _corrected(db, 2, undone=True)
    (breach,) = await check(inside)
    assert breach.invariant == "accepted-is-paid"
    assert (breach.rows[0]["paid"], breach.rows[0]["standing"]) == (2, False)


async def test_an_overdue_refund_with_a_job_is_not_stuck(db: AsyncConnection, inside: Begin) -> None:
    await stories(db, 1, 1)
    await _unguard(db)
    await db.execute(text("UPDATE refund SET status = 'submitting'"))
    await db.execute(
        text(
            "DELETE FROM ledger_entry e USING ledger_transaction t WHERE t.id = e.transaction_id AND t.kind = 'refund'"
        )
    )
    await db.execute(text("DELETE FROM ledger_transaction WHERE kind = 'refund'"))
    await db.execute(text("DELETE FROM history"))
    await db.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', 'refunds.submit',"
            f" jsonb_build_object('refund_id', '{REFUND_1}'))"
        )
    )
    with clock.at(START + timedelta(days=1)):
        assert await check(inside) == []


async def test_the_command_says_what_is_wrong(
    begin: Begin, settings: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings.model_copy(update={"database_url": database_url})
    async with begin() as db:
        await stories(db, 1, 30)
    assert await run_check_books(settings, gateway=False) == 0
    async with begin() as db:
        await db.execute(text("UPDATE orders SET total = total + 1"))
    assert await run_check_books(settings, gateway=False) == BROKEN
    said = capsys.readouterr().out
    assert "BROKEN frozen-sums" in said
    assert "(30)" in said
    assert "and 10 more" in said


@pytest.mark.parametrize(("days", "also"), [(0, {"dispute-holds", "dispute-cap"}), (-2, set())])
async def test_only_what_was_set_going_during_a_dispute_breaks_the_cap(
    db: AsyncConnection, inside: Begin, days: int, also: set[str]
) -> None:
    """A customer who was refunded may still go to the bank: that is a case for finance, and no fault of the books."""
    await stories(db, 1, 3)
    await db.execute(text(disputed("needs_response", 2_400, "NULL")))
    await db.execute(text(set_going(START + timedelta(days=days))))
    # The dispute is of no gateway, and in no books.
    assert {breach.invariant for breach in await check(inside)} == {"disputes-are-booked"} | also
