"""Being forgotten: nothing of the person remains anywhere, and the books agree as before."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import InvalidError
from returns_portal.orders.actions import put_order
from returns_portal.orders.queries import order_for
from returns_portal.privacy.erasing import StillOpenError, erase
from returns_portal.warehouse.models import Condition
from tests.orders.samples import an_order
from tests.portal import API, Portal, at_once
from tests.privacy.lives import ADDRESS, EMAIL, NAME, PHONE, leave_traces, traces

pytestmark = pytest.mark.anyio

SUMS = """
    SELECT (SELECT json_agg(e ORDER BY e.id) FROM ledger_entry e) AS entries,
           (SELECT json_agg(json_build_object('id', f.id, 'amount', f.amount, 'status', f.status) ORDER BY f.id)
            FROM refund f) AS refunds,
           (SELECT sum(total) FROM orders) AS totals,
           (SELECT json_agg(json_build_object('n', n.document, 'amount', n.content -> 'amount') ORDER BY n.number)
            FROM credit_note n) AS notes
"""


async def forget(portal: Portal, email: str = EMAIL) -> None:
    async with portal.begin() as db:
        await erase(db, SYSTEM, email)


async def test_nothing_of_the_person_remains_in_any_table(portal: Portal) -> None:
    await leave_traces(portal)
    await leave_traces(portal, "Z-2")
    before = await traces(portal)
    assert {"orders", "withdrawal", "email", "sms", "points_account", "pickup", "parcel", "return_line"} <= set(before)
    assert {"credit_note", "points_adjustment", "refund", "parcel_item", "idempotency_key"} <= set(before)
    [sums] = await portal.rows(SUMS)
    await forget(portal)
    assert await traces(portal) == {}
    assert (await portal.rows(SUMS))[0] == sums
    for table in ("dock_photo", "web_session", "email", "sms"):
        assert await portal.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608 - one of the words above


async def test_numbers_that_only_look_like_a_postcode_are_no_trace(portal: Portal) -> None:
    key = """INSERT INTO idempotency_key (caller, key, fingerprint, status, body, created_at)
        VALUES ('api', :key, CAST('x' AS bytea), 200, '{}', '2026-11-23T10:00:00.4999Z') RETURNING key"""
    await portal.rows(key, key="01930000-4999-7000-8000-000000000000")
    assert await traces(portal) == {}
    await portal.rows(key, key="Plovdiv, 4999.")
    assert set(await traces(portal)) == {"idempotency_key"}


async def test_what_was_bought_where_and_when_stays_and_belongs_together(portal: Portal) -> None:
    await leave_traces(portal)
    await leave_traces(portal, "Z-2")
    points = (await portal.rows("SELECT sum(remaining) AS left FROM points_lot"))[0].left
    await forget(portal)
    orders = await portal.rows("SELECT * FROM orders ORDER BY number")
    assert [(order.number, order.address["country"]) for order in orders] == [("Z-1", "BG"), ("Z-2", "BG")]
    [account] = await portal.rows("SELECT email_key FROM points_account")
    assert {order.email_key for order in orders} == {account.email_key}
    assert account.email_key.startswith("erased:")
    assert (await portal.rows("SELECT sum(remaining) AS left FROM points_lot"))[0].left == points
    [told] = await portal.rows("SELECT DISTINCT data FROM history WHERE action = 'person_erased'")
    assert told.data == {}
    async with portal.begin() as db:
        assert (await order_for(db, API, "Z-1")).name == "–"


async def test_another_person_keeps_everything(portal: Portal) -> None:
    await portal.order(number="1", email="other@example.com")
    await leave_traces(portal)
    await forget(portal)
    [other] = await portal.rows("SELECT * FROM orders WHERE number = '1'")
    assert (other.email, other.name, other.phone) == ("other@example.com", "Мария Георгиева", "+359 2 000 000")
    assert other.erased_at is None


async def test_once_more_and_at_once_changes_nothing_more(portal: Portal) -> None:
    await leave_traces(portal)
    assert [answer for answer in await at_once(*(forget(portal) for _ in range(3))) if answer is not None] == []
    [first] = await portal.rows("SELECT email_key, erased_at FROM orders")
    await forget(portal)
    assert await portal.rows("SELECT email_key, erased_at FROM orders") == [first]
    assert len(await portal.rows("SELECT 1 FROM history WHERE action = 'person_erased'")) == 1


async def test_an_order_that_is_handed_in_again_keeps_its_person_forgotten(portal: Portal) -> None:
    await leave_traces(portal)
    await forget(portal)
    again = {"number": "Z-1", "email": EMAIL, "name": NAME, "phone": PHONE, "shipping_address": ADDRESS}
    for more in ({}, {"delivered_at": clock.now() - timedelta(days=1)}):
        async with portal.begin() as db:
            await put_order(db, API, portal.settings, an_order(**again, **more))
    assert await traces(portal) == {}
    [order] = await portal.rows("SELECT delivered_at FROM orders")
    assert order.delivered_at > clock.now() - timedelta(days=2)


async def test_who_comes_back_begins_anew(portal: Portal) -> None:
    await leave_traces(portal)
    await forget(portal)
    await leave_traces(portal, "Z-9")
    assert len(await portal.rows("SELECT DISTINCT email_key FROM orders")) == 2
    assert len(await portal.rows("SELECT id FROM points_account")) == 2
    await forget(portal)
    assert await traces(portal) == {}


async def test_what_is_open_stands_in_the_way_and_is_named(portal: Portal) -> None:
    _order, lines = await portal.order(number="Z-1", email=EMAIL)
    filed = await portal.file("Z-1", (lines[0], 1))
    with pytest.raises(StillOpenError, match=filed.rma):
        await forget(portal)
    await portal.receive(filed.rma, (lines[0], 1, Condition.DAMAGED))
    with pytest.raises(StillOpenError, match=filed.rma):
        await forget(portal)
    await portal.rows("UPDATE parcel_item SET acceptance = 'sent_back' RETURNING id")
    await forget(portal)
    assert [row.name for row in await portal.rows("SELECT name FROM orders")] == ["–"]


async def test_a_refund_on_its_way_and_a_statement_are_open_too(portal: Portal) -> None:
    _order, lines = await portal.order(number="Z-1", email=EMAIL)
    filed = await portal.file("Z-1", (lines[0], 1))
    await portal.receive(filed.rma, (lines[0], 1, Condition.RESELLABLE), delay=3600)
    with pytest.raises(StillOpenError) as refused:
        await forget(portal)
    assert [(one.what, one.number) for one in refused.value.found] == [("refund", filed.rma)]
    assert [row.name for row in await portal.rows("SELECT name FROM orders")] == ["Мария Георгиева"]


async def test_nobody_known_is_forgotten_without_a_word(portal: Portal) -> None:
    await forget(portal, "nobody@example.com")
    assert await portal.rows("SELECT 1 FROM history") == []


@pytest.mark.parametrize("email", ["", "erased:", "%", "example.com"])
async def test_what_is_no_address_is_nobody(portal: Portal, email: str) -> None:
    await portal.order()
    await portal.rows("UPDATE orders SET email = '', email_key = '' RETURNING id")
    with pytest.raises(InvalidError):
        await forget(portal, email)
    assert [row.name for row in await portal.rows("SELECT name FROM orders")] == ["Мария Георгиева"]


async def test_a_name_empties_no_answers_of_others(portal: Portal) -> None:
    await leave_traces(portal)
    await portal.rows("UPDATE orders SET name = 'answer Max' RETURNING id")
    await portal.rows("""INSERT INTO idempotency_key (caller, key, fingerprint, status, body, created_at)
        VALUES ('api', 'k', CAST('x' AS bytea), 200, '{"answer": "Max"}', now()) RETURNING key""")
    await forget(portal)
    [other] = await portal.rows("SELECT body FROM idempotency_key WHERE key = 'k'")
    assert other.body == {"answer": "Max"}


async def test_credit_notes_change_in_no_other_way(portal: Portal) -> None:
    await leave_traces(portal)
    for change in ("UPDATE credit_note SET content = '{}'", "DELETE FROM credit_note", "TRUNCATE credit_note CASCADE"):
        with pytest.raises(DBAPIError, match="append-only"):
            await portal.rows(change)
    async with portal.begin() as db:
        await db.exec_driver_sql("SELECT set_config('returns_portal.erasing', 'on', true)")
        with pytest.raises(DBAPIError, match="append-only"):
            await db.exec_driver_sql("UPDATE credit_note SET content = jsonb_set(content, '{amount}', '1')")
        await db.rollback()
