"""What the sandbox remembers through a crash of its own or of its database."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Json

from tests.sandboxes import SandboxProcess, running

PAY = (
    "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa"
    "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never"
)


def test_a_killed_sandbox_remembers_what_it_answered(sandbox_database: str) -> None:
    with running(sandbox_database) as sandbox:
        key = str(uuid4())
        _, intent, _ = sandbox.send("POST", "/v1/payment_intents", PAY, key=key)
        sandbox.control("refund-outcomes", status="pending", then="succeeded", after=0.1)
        _, refund, _ = sandbox.send("POST", "/v1/refunds", f"payment_intent={intent['id']}")
        sandbox.restart()
        _, again, headers = sandbox.send("POST", "/v1/payment_intents", PAY, key=key)
        assert again == intent
        assert headers["idempotent-replayed"] == "true"
        assert sandbox.settled(refund["id"], "succeeded")["amount"] == 1000


def test_effects_and_keys_stay_together_when_it_is_killed_at_work(sandbox_database: str) -> None:
    with running(sandbox_database) as sandbox:
        _, intent, _ = sandbox.send("POST", "/v1/payment_intents", PAY)
        keys = [str(uuid4()) for _ in range(40)]

        def refund(key: str) -> None:
            form = f"payment_intent={intent['id']}&amount=10&metadata[refund_id]={key}"
            try:
                status, _, _ = sandbox.send("POST", "/v1/refunds", form, key=key)
            except httpx.TransportError:
                return
            assert status == 200

        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(refund, key) for key in keys]
            time.sleep(0.03)
            sandbox.restart()
            for done in work:
                done.result()
        for key in keys:
            refund(key)
        _, page, _ = sandbox.send("GET", "/v1/refunds", f"payment_intent={intent['id']}&limit=100")
        assert sorted(found["metadata"]["refund_id"] for found in page["data"]) == sorted(keys)
        _, charge, _ = sandbox.send("GET", f"/v1/charges/{intent['latest_charge']}")
        assert charge["amount_refunded"] == 400


def test_lost_database_connections_are_replaced(sandbox: SandboxProcess) -> None:
    _, intent, _ = sandbox.send("POST", "/v1/payment_intents", PAY)
    with psycopg.connect(sandbox.database_url, autocommit=True) as connection:
        for _ in range(3):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            status, _, _ = sandbox.send("POST", "/v1/refunds", f"payment_intent={intent['id']}&amount=10")
            assert status == 200
    assert sandbox.send("GET", f"/v1/payment_intents/{intent['id']}")[0] == 200


def test_the_database_itself_refuses_more_than_was_captured(sandbox: SandboxProcess) -> None:
    _, intent, _ = sandbox.send("POST", "/v1/payment_intents", PAY)
    body = "jsonb_set(body::jsonb, '{amount_refunded}', '1001')::json"
    statement = f"UPDATE stripe_sandbox.resource SET body = {body} WHERE id = %s"  # noqa: S608 - nothing from outside
    with psycopg.connect(sandbox.database_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement, (intent["latest_charge"],))


def test_it_ends_politely(sandbox_database: str) -> None:
    with running(sandbox_database) as sandbox:
        assert sandbox.stop() == 0


OLDER = """
    CREATE SCHEMA stripe_sandbox;
    CREATE TABLE stripe_sandbox.resource (
        seq bigint GENERATED ALWAYS AS IDENTITY, id text PRIMARY KEY, object text NOT NULL, created bigint NOT NULL,
        payment_intent text, charge text, due double precision, body json NOT NULL
    );
    CREATE TABLE stripe_sandbox.idempotency (
        key text PRIMARY KEY, endpoint text NOT NULL, fingerprint bytea NOT NULL, status smallint NOT NULL,
        body text NOT NULL, request_id text NOT NULL, created timestamptz NOT NULL DEFAULT now()
    );
"""


def test_a_store_of_an_older_version_is_brought_up_to_date(database_url: str) -> None:
    charge = {
        "id": "ch_old",
        "object": "charge",
        "created": 1_700_000_000,
        "amount_captured": 900,
        "amount_refunded": 0,
        "captured": True,
        "currency": "eur",
        "disputed": False,
        "payment_intent": "pi_old",
        "payment_method": "pm_old",
        "payment_method_details": {"card": {"last4": "4242", "brand": "visa", "network": "visa"}},
    }
    insert = (
        "INSERT INTO stripe_sandbox.resource (id, object, created, payment_intent, body) VALUES (%s, %s, %s, %s, %s)"
    )
    with psycopg.connect(database_url) as connection:
        connection.execute(OLDER)
        connection.execute(insert, ("ch_old", "charge", 1_700_000_000, "pi_old", Json(charge)))
    with running(database_url) as sandbox:
        assert sandbox.send("POST", "/v1/refunds", "charge=ch_old&amount=400")[0] == 200
        assert sandbox.control("disputes", charge="ch_old")["amount"] == 500
        sandbox.restart()
        assert sandbox.send("GET", "/v1/disputes", "charge=ch_old")[1]["data"][0]["status"] == "needs_response"
