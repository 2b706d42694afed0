"""A customer who has left traces everywhere, and a way to look for them in every table."""

import re
from typing import Final

from returns_portal.accounts import actions as accounts
from returns_portal.accounts.rules import CUSTOMER_SESSION
from returns_portal.actor import Actor
from returns_portal.finance.credit_notes import issue
from returns_portal.models import metadata
from returns_portal.orders.intake import AddressInput
from returns_portal.points.adjusting import open_account, request
from returns_portal.refunds.withdrawing import Statement, withdraw
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.portal import FINANCE, Portal

EMAIL: Final = "Zlatica.Quvenzhane@Example.com"
NAME: Final = "Zlatica Quvenzhané"
PHONE: Final = "+359 88 765 4321"
STREET: Final = "ul. Xylofonska 7"
TRACES: Final = ("zlatica", "quvenzhan", "xylofonska", "88 765 4321", "887654321", "plovdivgrad", "4999")
"""What must be found nowhere, in any case of letters."""
ADDRESS: Final = AddressInput(name=NAME, line1=STREET, city="Plovdivgrad", postal_code="4999", country="BG")


async def leave_traces(portal: Portal, number: str = "Z-1") -> None:
    """An order with a return that was settled, a withdrawal, points, notes, photos, letters, a session."""
    _order, lines = await portal.order(number=number, email=EMAIL, name=NAME, phone=PHONE, shipping_address=ADDRESS)
    filed = await portal.file(number, (lines[0], 1), to=RefundTo.POINTS)
    await portal.receive(filed.rma, (lines[0], 1, Condition.RESELLABLE))
    await portal.work()
    async with portal.begin() as db:
        stated = Statement(NAME, "Z-unknown", EMAIL, f"I, {NAME}, want none of it")
        withdrawal_id = await withdraw(db, Actor(kind="customer"), portal.settings, DEFAULT, stated, locale="en")
        order_id = (await portal.rows("SELECT id FROM orders WHERE number = :n", n=number))[0].id
        await accounts.open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id)
    await portal.rows("UPDATE withdrawal SET handled_at = now() WHERE id = :id RETURNING id", id=withdrawal_id)
    await portal.work()
    await issue(portal.begin)
    await _notes(portal, filed.id)


async def _notes(portal: Portal, return_id: object) -> None:
    """What people of the staff wrote, what was photographed, and what other systems told."""
    wrote = f"called {NAME} ({PHONE}, {EMAIL}), zlatica is happy"
    parcel = (await portal.rows("SELECT id FROM parcel WHERE return_id = :id", id=return_id))[0].id
    label = (await portal.rows("SELECT id FROM label WHERE return_id = :id", id=return_id))[0].id
    for statement in (
        "UPDATE parcel SET note = :wrote WHERE id = :parcel RETURNING id",
        "UPDATE parcel_item SET note = :wrote, decision_reason = :wrote WHERE parcel_id = :parcel RETURNING id",
        "UPDATE return_line SET reason = :wrote WHERE return_id = :return_id RETURNING id",
        "UPDATE refund SET reason = :wrote WHERE return_id = :return_id RETURNING id",
        "UPDATE label SET failure = :wrote, pdf = CAST('x' AS bytea) WHERE id = :label RETURNING id",
        """INSERT INTO parcel_finding (id, parcel_id, kind, quantity, description)
           VALUES (gen_random_uuid(), :parcel, 'fewer', 1, :wrote) RETURNING id""",
        """INSERT INTO dock_photo (id, parcel_id, draft, width, height, data, taken_at, taken_by)
           VALUES (gen_random_uuid(), :parcel, '', 1, 1, CAST('x' AS bytea), now(), 'staff') RETURNING id""",
        """INSERT INTO pickup (id, return_id, label_id, status, carrier, line1, city, postal_code, country, phone,
               begins_at, ends_at, courier_name, confirmation, cost_currency, failure, created_at)
           VALUES (gen_random_uuid(), :return_id, :label, 'done', '', :street, 'Plovdivgrad', '4999', 'BG', :phone,
               now(), now() + interval '1 hour', '', '', '', '', now()) RETURNING id""",
        """INSERT INTO sms (id, recipient, locale, text, subject_id, status, attempts, error, created_at)
           VALUES (gen_random_uuid(), :phone, 'en', :wrote, :return_id, 'sent', 1, '', now()) RETURNING id""",
        """INSERT INTO idempotency_key (caller, key, fingerprint, status, body, created_at)
           VALUES ('api', CAST(gen_random_uuid() AS text), CAST('x' AS bytea), 200,
               jsonb_build_object('answer', CAST(:wrote AS text)), now())
           RETURNING key""",
    ):
        values = {
            "wrote": wrote,
            "parcel": parcel,
            "label": label,
            "return_id": return_id,
            "street": STREET,
            "phone": PHONE,
        }
        await portal.rows(statement, **{key: values[key] for key in set(re.findall(r":(\w+)", statement))})
    async with portal.begin() as db:
        await request(db, FINANCE, await open_account(db, FINANCE, EMAIL), "EUR", 500, wrote)


async def traces(portal: Portal) -> dict[str, list[str]]:
    """Where something of the person stands, in any column of any table that is text, JSON, or a list of either."""
    found: dict[str, list[str]] = {}
    for table in await _tables(portal):
        # A trace of digits stands in no word, and is neither a part of a UUID nor a fraction of a second: the numbers
        # that name rows, and the moments of what is done, have every four digits sooner or later.
        pattern = "|".join(rf"(?<![\w.-]){trace}(?![\w-])" if trace.isdigit() else re.escape(trace) for trace in TRACES)
        rows = await portal.rows(
            f'SELECT to_jsonb(t)::text AS row FROM "{table}" t WHERE to_jsonb(t)::text ~* :pattern',  # noqa: S608 - a table's own name
            pattern=pattern,
        )
        if rows:
            found[table] = [row.row for row in rows]
    return found


async def _tables(portal: Portal) -> list[str]:
    """Every table of the database, the queue's among them: more than the models know of."""
    rows = await portal.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    names = [row.table_name for row in rows]
    assert {table.name for table in metadata.sorted_tables} <= set(names)
    return names
