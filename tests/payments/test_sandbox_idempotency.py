"""Idempotency keys in the sandbox: at most one effect, whatever becomes of the answer."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.payments.conftest import Pay
from tests.sandboxes import Answer, SandboxProcess


class OneRefund:
    """A refund of one payment, sent under one key as often as it is called."""

    def __init__(self, sandbox: SandboxProcess, intent_id: str) -> None:
        self._sandbox = sandbox
        self._intent = intent_id
        self._key = str(uuid4())

    def __call__(self, amount: int = 300) -> Answer:
        form = f"payment_intent={self._intent}&amount={amount}"
        return self._sandbox.send("POST", "/v1/refunds", form, key=self._key)

    def count(self) -> int:
        """How many refunds the payment has."""
        _, page, _ = self._sandbox.send("GET", "/v1/refunds", f"payment_intent={self._intent}")
        return len(page["data"])


@pytest.fixture
def refund(sandbox: SandboxProcess, pay: Pay) -> OneRefund:
    return OneRefund(sandbox, pay().id)


def test_the_same_request_gets_the_same_answer(refund: OneRefund) -> None:
    first, second = refund(), refund()
    assert first[:2] == second[:2]
    assert "idempotent-replayed" not in first[2]
    assert second[2]["idempotent-replayed"] == "true"
    assert second[2]["original-request"] == first[2]["request-id"]
    assert second[2]["request-id"] != first[2]["request-id"]
    assert refund.count() == 1


def test_a_refusal_is_repeated_too(sandbox: SandboxProcess, pay: Pay) -> None:
    form, key = f"payment_intent={pay().id}&amount=2000", str(uuid4())
    first = sandbox.send("POST", "/v1/refunds", form, key=key)
    second = sandbox.send("POST", "/v1/refunds", form, key=key)
    assert first[0] == second[0] == 400
    assert first[1] == second[1]
    assert second[2]["idempotent-replayed"] == "true"


def test_another_request_under_the_key_is_refused(refund: OneRefund) -> None:
    refund()
    status, answer, _ = refund(amount=301)
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")
    assert "same parameters they were first used with" in answer["error"]["message"]
    assert refund.count() == 1


def test_another_endpoint_under_the_key_is_refused(sandbox: SandboxProcess, pay: Pay) -> None:
    key = str(uuid4())
    sandbox.send("POST", "/v1/refunds", f"payment_intent={pay().id}", key=key)
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", "amount=1000&currency=eur", key=key)
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")
    assert "'/v1/refunds'" in answer["error"]["message"]


def test_a_request_whose_key_is_in_use_is_told_so(sandbox: SandboxProcess, pay: Pay) -> None:
    form, key = f"payment_intent={pay().id}&amount=10", str(uuid4())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: sandbox.send("POST", "/v1/refunds", form, key=key), range(20)))
    effects = {answer["id"] for status, answer, _ in answers if status == 200}
    conflicts = {answer["error"]["code"] for status, answer, _ in answers if status == 409}
    assert len(effects) == 1
    assert conflicts <= {"idempotency_key_in_use"}
    assert {status for status, _, _ in answers} <= {200, 409}


def test_a_dropped_answer_is_replayed(sandbox: SandboxProcess, refund: OneRefund) -> None:
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds")
    with pytest.raises(httpx.RemoteProtocolError):
        refund()
    assert refund.count() == 1
    status, _, headers = refund()
    assert (status, headers["idempotent-replayed"]) == (200, "true")
    assert refund.count() == 1


@pytest.mark.parametrize("acts", [True, False])
def test_a_server_error_is_kept_under_the_key(sandbox: SandboxProcess, refund: OneRefund, acts: bool) -> None:
    sandbox.control("faults", kind="error", path="/v1/refunds", acts=acts)
    first, second = refund(), refund()
    assert first[0] == second[0] == 500
    assert first[2]["stripe-should-retry"] == "false"
    assert second[2]["idempotent-replayed"] == "true"
    assert refund.count() == int(acts)


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("conflict", 409)])
def test_a_refused_beginning_is_not_kept(sandbox: SandboxProcess, refund: OneRefund, kind: str, status: int) -> None:
    sandbox.control("faults", kind=kind, path="/v1/refunds")
    assert refund()[0] == status
    assert refund.count() == 0
    second = refund()
    assert second[0] == 200
    assert "idempotent-replayed" not in second[2]


def test_a_misspelt_parameter_is_not_kept(sandbox: SandboxProcess, pay: Pay) -> None:
    key = str(uuid4())
    assert sandbox.send("POST", "/v1/refunds", "payment=pi_1", key=key)[0] == 400
    assert sandbox.send("POST", "/v1/refunds", f"payment_intent={pay().id}", key=key)[0] == 200


def test_a_forgotten_key_makes_a_new_refund(sandbox: SandboxProcess, refund: OneRefund) -> None:
    refund()
    assert sandbox.control("keys/forget", older_than_hours=24)["forgotten"] == 0
    assert sandbox.control("keys/forget", older_than_hours=0)["forgotten"] >= 1
    refund()
    assert refund.count() == 2


def test_requests_without_a_key_are_each_their_own(sandbox: SandboxProcess, pay: Pay) -> None:
    form = f"payment_intent={pay().id}&amount=100"
    ids = {sandbox.send("POST", "/v1/refunds", form)[1]["id"] for _ in range(2)}
    assert len(ids) == 2
