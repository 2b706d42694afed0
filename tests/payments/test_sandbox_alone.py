"""`returns-portal stripe-sandbox --port N`: for any SDK of Stripe's, and gone without a trace."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import stripe

from tests.sandboxes import KEY


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def alone(port: int, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command with nothing of the portal's in its environment; it is killed where the test fails."""
    command = [sys.executable, "-m", "returns_portal", "stripe-sandbox", "--port", str(port)]
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    process = subprocess.Popen(
        command, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'stripe_sandbox%'").fetchall()
    return {row[0] for row in rows}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_any_sdk_and_leaves_nothing(sandbox_database: str, number: int) -> None:
    port, before = free_port(), schemas(sandbox_database)
    # STRIPE_SECRET_KEY is the portal's, and not asked for here.
    with alone(port, DATABASE_URL=sandbox_database, STRIPE_SECRET_KEY="sk_live_x") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert f"http://127.0.0.1:{port}" in line
        assert "sk_test_" in line
        assert len(schemas(sandbox_database) - before) == 1
        http = stripe.RequestsClient()
        client = stripe.StripeClient(KEY, base_addresses={"api": f"http://127.0.0.1:{port}"}, http_client=http)
        intent = client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "eur",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "return_url": "https://shop.example/paid",
            }
        )
        assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"
        assert {event.type for event in client.v1.events.list().data} >= {"refund.created", "charge.refunded"}
        http.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
        assert (process.returncode, out, errors) == (0, "", "")
    assert schemas(sandbox_database) == before


def test_a_port_in_use_is_one_sentence(sandbox_database: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        alone(taken.getsockname()[1], DATABASE_URL=sandbox_database) as process,
    ):
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert errors.startswith(f"Error: Port {taken.getsockname()[1]} of 127.0.0.1 cannot be listened on: ")
        assert "Traceback" not in errors


def test_it_brings_a_database_of_its_own() -> None:
    port = free_port()
    with alone(port) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
