"""Whole, consistent stories of orders that came back, written straight into the tables, thousands at a time.

Story n is one order of two units with shipping, paid by card, returned and refunded. What differs follows from n, so
that a test can compute the sums by itself (`expected`) without asking the database.
"""

# ruff: noqa: S608 - the statements are made of this file's own numbers

import hashlib
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CURRENCIES: Final = ("EUR", "JPY", "BHD")
START: Final = datetime(2026, 11, 1, 9, tzinfo=UTC)
SHIPPING: Final = 490
SHIPPING_TAX: Final = 80
UNIT_TAX: Final = 160
BONUS_PERCENT: Final = 10


class Expected(NamedTuple):
    """What the refund of one story comes to, in minor units."""

    currency: str
    gross: int
    tax: int
    shipping: int
    bonus: int
    quantity: int
    to_points: bool
    settled_at: datetime


def expected(n: int, step: timedelta = timedelta(minutes=1)) -> Expected:
    """The refund of story n: every fifth order comes back whole, every seventh is taken as points."""
    unit = 1000 + n % 700
    whole = n % 5 == 0
    gross = 2 * unit + 1 + SHIPPING if whole else unit
    to_points = n % 7 == 0
    return Expected(
        currency=CURRENCIES[n % 3],
        gross=gross,
        tax=2 * UNIT_TAX + 1 + SHIPPING_TAX if whole else UNIT_TAX,
        shipping=SHIPPING if whole else 0,
        bonus=gross * BONUS_PERCENT // 100 if to_points else 0,
        quantity=2 if whole else 1,
        to_points=to_points,
        settled_at=START + n * step,
    )


def identity(kind: str, n: int) -> UUID:
    """The id of a record of story n, as the statements below make it: in the order of time, as the portal's own are."""
    return UUID(f"{n:012x}{_tail(kind)}")


def _id(kind: str) -> str:
    return f"CAST(lpad(to_hex(n), 12, '0') || '{_tail(kind)}' AS uuid)"


def _tail(kind: str) -> str:
    return hashlib.md5(kind.encode(), usedforsecurity=False).hexdigest()[12:]


_STORY: Final = f"""
    SELECT n, (ARRAY['EUR', 'JPY', 'BHD'])[1 + n % 3] AS currency, 1000 + n % 700 AS unit, n % 5 = 0 AS whole,
           n % 7 = 0 AS to_points, CAST(:start AS timestamptz) + n * CAST(:step AS interval) AS settled,
           CASE WHEN n % 5 = 0 THEN 2 * (1000 + n % 700) + 1 + {SHIPPING} ELSE 1000 + n % 700 END AS gross,
           CASE WHEN n % 5 = 0 THEN {2 * UNIT_TAX + 1 + SHIPPING_TAX} ELSE {UNIT_TAX} END AS tax
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
"""

_STATEMENTS: Final = (
    f"""
    INSERT INTO orders (id, number, email, email_key, name, phone, locale, currency, placed_at, shipped_at,
        delivered_at, financial_status, fulfillment_status, address, tax_included, total, order_discount,
        shipping_price, shipping_discount, shipping_tax, shipping_paid, shipping_refundable, source, fingerprint,
        created_at, updated_at)
    SELECT {_id("order")}, 'N' || n, 'customer' || n || '@example.com', 'customer' || n || '@example.com',
        'Ana Petrova', '', 'en', currency, settled - interval '20 days', settled - interval '19 days',
        settled - interval '17 days',
        'paid', 'fulfilled', '{{}}', true, 2 * unit + 1 + {SHIPPING}, 0, {SHIPPING}, 0, {SHIPPING_TAX}, {SHIPPING},
        {SHIPPING}, 'api', '', settled - interval '20 days', settled - interval '20 days' FROM story
    """,
    f"""
    INSERT INTO order_line (id, order_id, position, sku, title, size, color, quantity, shipped, unit_price, discount,
        tax, unit_discount, unit_tax, unit_paid)
    SELECT {_id("line")}, {_id("order")}, 0, 'SKU-' || n % 100, 'Wool coat', '38', 'Navy', 2, 2, unit, 0,
        {2 * UNIT_TAX + 1}, '{{0,0}}', ARRAY[{UNIT_TAX}, {UNIT_TAX + 1}], ARRAY[unit, unit + 1] FROM story
    """,
    f"""
    INSERT INTO payment (id, order_id, tender, status, reference, imported_reference, method, card_brand, card_last4,
        amount, refunded_before, currency, livemode, created_at)
    SELECT {_id("payment")}, {_id("order")}, 'stripe', 'captured', 'pi_' || n, 'c' || n, 'Stripe', 'visa', '4242',
        2 * unit + 1 + {SHIPPING}, 0, currency, false, settled - interval '20 days' FROM story
    """,
    f"""
    INSERT INTO returns (id, rma, order_id, status, refund_to, points_consent_at, bonus_percent, refund_deadline,
        filed_by, created_at)
    SELECT {_id("return")}, 'R-' || n, {_id("order")}, 'received',
        CASE WHEN to_points THEN 'points' ELSE 'original' END,
        CASE WHEN to_points THEN settled - interval '10 days' END, {BONUS_PERCENT}, settled + interval '4 days',
        'customer', settled - interval '10 days' FROM story
    """,
    f"""
    INSERT INTO return_line (id, return_id, order_line_id, quantity, reason)
    SELECT {_id("return_line")}, {_id("return")}, {_id("line")}, CASE WHEN whole THEN 2 ELSE 1 END, '' FROM story
    """,
    f"""
    INSERT INTO parcel (id, return_id, number, checked_in_at, checked_in_by, note, undone_by)
    SELECT {_id("parcel")}, {_id("return")}, 1, settled - interval '5 minutes', 'staff:1', '', '' FROM story
    """,
    f"""
    INSERT INTO parcel_item (id, parcel_id, order_line_id, quantity, condition, acceptance, description, decided_by,
        decision_reason)
    SELECT {_id("item")}, {_id("parcel")}, {_id("line")}, CASE WHEN whole THEN 2 ELSE 1 END, 'resellable', 'accepted',
        '', '', '' FROM story
    """,
    f"""
    INSERT INTO refund_line (id, order_id, parcel_id, release_id, order_line_id, first_unit, quantity, amount, tax)
    SELECT {_id("refund_line")}, {_id("order")}, {_id("parcel")}, {_id("release")}, {_id("line")}, 0,
        CASE WHEN whole THEN 2 ELSE 1 END, CASE WHEN whole THEN 2 * unit + 1 ELSE unit END,
        CASE WHEN whole THEN {2 * UNIT_TAX + 1} ELSE {UNIT_TAX} END
    FROM story UNION ALL
    SELECT {_id("shipping_line")}, {_id("order")}, {_id("parcel")}, {_id("release")}, NULL, 0, 0, {SHIPPING},
        {SHIPPING_TAX}
    FROM story WHERE whole
    """,
    f"""
    INSERT INTO refund (id, order_id, return_id, parcel_id, release_id, kind, reason, payment_id, status, destination,
        currency, amount, bonus, tax, shipping, attempt, gateway_id, gateway_reference, failure_reason, livemode,
        requested_at, created_at, due_at, submitted_at, settled_at, changed_at)
    SELECT {_id("refund")}, {_id("order")}, {_id("return")}, {_id("parcel")}, {_id("release")}, 'return', '',
        {_id("payment")}, 'succeeded',
        CASE WHEN to_points THEN 'points' ELSE 'original' END, currency, gross,
        CASE WHEN to_points THEN gross * {BONUS_PERCENT} / 100 ELSE 0 END, tax,
        CASE WHEN whole THEN {SHIPPING} ELSE 0 END, 1, CASE WHEN to_points THEN NULL ELSE 're_' || n END,
        CASE WHEN to_points THEN '' ELSE 'arn' || n END, '', false, settled - interval '10 days',
        settled - interval '5 minutes', settled - interval '4 minutes',
        CASE WHEN to_points THEN NULL ELSE settled - interval '1 minute' END, settled, settled FROM story
    """,
    f"""
    INSERT INTO history (id, subject, subject_id, action, actor, at, data)
    SELECT {_id("history")}, 'refund', {_id("refund")}, 'succeeded', 'system', settled,
        '{{"from": "submitting", "attempt": 1}}' FROM story
    """,
    f"""
    INSERT INTO points_account (id, email_key, created_at)
    SELECT {_id("account")}, 'customer' || n || '@example.com', settled FROM story WHERE to_points
    """,
    f"""
    INSERT INTO points_lot (id, account_id, currency, kind, granted, remaining, cause, cause_id, created_at)
    SELECT {_id("lot")}, {_id("account")}, currency, 'refund', gross, gross, 'refund', {_id("refund")}, settled
    FROM story WHERE to_points UNION ALL
    SELECT {_id("bonus_lot")}, {_id("account")}, currency, 'bonus', gross * {BONUS_PERCENT} / 100,
        gross * {BONUS_PERCENT} / 100, 'refund', {_id("refund")}, settled FROM story WHERE to_points
    """,
    f"""
    INSERT INTO ledger_transaction (id, kind, cause, cause_id, sequence, at)
    SELECT {_id("owing")}, 'refund_owed', 'refund', {_id("refund")}, 1, settled - interval '5 minutes' FROM story
    UNION ALL SELECT {_id("booking")}, 'refund', 'refund', {_id("refund")}, 1, settled FROM story
    """,
    f"""
    INSERT INTO ledger_entry (id, transaction_id, account, owner_id, currency, amount)
    SELECT {_id("goods")}, {_id("owing")}, 'sales_returns', CAST(NULL AS uuid), currency, gross FROM story UNION ALL
    SELECT {_id("owed")}, {_id("owing")}, 'refunds_payable', NULL, currency, -gross FROM story UNION ALL
    SELECT {_id("paid")}, {_id("booking")}, 'refunds_payable', NULL, currency, gross FROM story UNION ALL
    SELECT {_id("bonus")}, {_id("booking")}, 'bonus_expense', NULL, currency, gross * {BONUS_PERCENT} / 100
    FROM story WHERE to_points UNION ALL
    SELECT {_id("credit")}, {_id("booking")}, CASE WHEN to_points THEN 'customer_points' ELSE 'gateway_clearing' END,
        CASE WHEN to_points THEN {_id("account")} END, currency,
        -(gross + CASE WHEN to_points THEN gross * {BONUS_PERCENT} / 100 ELSE 0 END) FROM story
    """,
)


async def stories(
    db: AsyncConnection,
    first: int,
    last: int,
    *,
    start: datetime = START,
    step: timedelta = timedelta(minutes=1),
    tables: Container[str] | None = None,
) -> None:
    """Write the stories from `first` to `last`; story n is settled at `start` + n × `step`.

    With `tables`, only what stands in these is written: for benches, which need not have it whole.
    """
    values = {"first": first, "last": last, "start": start, "step": step}
    for statement in _STATEMENTS:
        head, _, select = statement.partition("SELECT")
        if tables is not None and head.split()[2] not in tables:
            continue
        await db.execute(text(f"WITH story AS ({_STORY}) {head} SELECT {select}"), values)
