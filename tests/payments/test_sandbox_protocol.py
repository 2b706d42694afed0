"""What the sandbox says before anything is done: keys, parameters, paths, headers."""

import pytest

from tests.payments.conftest import Pay
from tests.sandboxes import KEY, SandboxProcess


@pytest.mark.parametrize("header", ["", "Bearer sk_live_0123456789abcdef", "Bearer pk_test_x", "Basic sk_test_x"])
def test_only_secret_test_keys_are_taken(sandbox: SandboxProcess, header: str) -> None:
    answer = sandbox.http.get("/v1/refunds", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "0123456789" not in answer.text


def test_all_keys_see_the_same_account(sandbox: SandboxProcess, pay: Pay) -> None:
    path = f"/v1/payment_intents/{pay().id}"
    headers = {"Authorization": "Bearer sk_test_another"}
    assert sandbox.http.get(path, headers=headers).json()["livemode"] is False
    assert sandbox.http.get(path, auth=("sk_test_as_curl_sends_it", "")).json()["livemode"] is False


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("currency=eur", "parameter_missing", "amount"),
        ("amount=1000", "parameter_missing", "currency"),
        ("amount=10.5&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=&currency=eur", "parameter_invalid_empty", "amount"),
        ("amount=1000&currency=eur&colour=red", "parameter_unknown", "colour"),
        ("amount=1000&currency=eur&payment_method_types[0]=card", "parameter_unknown", "payment_method_types"),
        (
            "amount=1000&currency=eur&automatic_payment_methods[on]=true",
            "parameter_unknown",
            "automatic_payment_methods[on]",
        ),
        (
            "amount=1000&currency=eur&automatic_payment_methods[allow_redirects]=never",
            "parameter_missing",
            "automatic_payment_methods[enabled]",
        ),
        ("amount=1000&currency=eur&confirm=perhaps", None, "confirm"),
        ("amount=1000&currency=eur&capture_method=later", None, "capture_method"),
        (f"amount=1000&currency=eur&metadata[x]={'y' * 501}", None, "metadata[x]"),
        (f"amount=1000&currency=eur&metadata[{'x' * 41}]=y", None, "metadata"),
        ("amount=1000&amount[a]=1&currency=eur", None, "amount[a]"),
    ],
)
def test_parameters_are_checked(sandbox: SandboxProcess, form: str, code: str | None, param: str) -> None:
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", form)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert (answer["error"].get("code"), answer["error"]["param"]) == (code, param)


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "/v1/customers/cus_1/balance_transactions", ""),
        ("POST", "/v1/payment_intents/pi_1/apply_customer_balance", ""),
        ("DELETE", "/v1/refunds/re_1", ""),
        ("POST", "/v1/refunds", "payment_intent=pi_1&reverse_transfer=true"),
        ("GET", "/", ""),
    ],
)
def test_what_is_not_simulated_says_so(sandbox: SandboxProcess, method: str, path: str, form: str) -> None:
    status, answer, headers = sandbox.send(method, path, form)
    assert (status, answer["error"]["code"]) == (501, "not_simulated")
    assert headers["stripe-should-retry"] == "false"


@pytest.mark.parametrize("path", ["payment_intents", "charges", "refunds", "balance_transactions", "payment_methods"])
def test_what_does_not_exist_is_missing(sandbox: SandboxProcess, path: str) -> None:
    status, answer, _ = sandbox.send("GET", f"/v1/{path}/none")
    assert (status, answer["error"]["code"]) == (404, "resource_missing")
    assert answer["error"]["message"].endswith(": 'none'")


def test_every_answer_has_its_request_id_and_version(sandbox: SandboxProcess) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2026-10-28.endive"}
    answers = [sandbox.http.get("/v1/refunds?limit=1", headers=headers) for _ in range(2)]
    ids = {answer.headers["request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(id_.startswith("req_") for id_ in ids)
    assert answers[0].headers["stripe-version"] == "2026-10-28.endive"
    assert answers[0].json()["object"] == "list"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("faults", b'{"kind": "earthquake"}', 400),
        ("refund-outcomes", b"not json", 400),
        ("refunds/re_none/settle", b'{"status": "failed"}', 404),
        ("payment_intents/pi_none/authenticate", b"{}", 404),
        ("weather", b"{}", 501),
    ],
)
def test_controls_are_checked(sandbox: SandboxProcess, path: str, body: bytes, status: int) -> None:
    assert sandbox.http.post(f"/_sandbox/{path}", content=body).status_code == status


def test_faults_that_did_not_happen_can_be_forgotten(sandbox: SandboxProcess) -> None:
    sandbox.control("faults", kind="error", path="/v1/refunds", times=5)
    assert sandbox.send("GET", "/v1/refunds")[0] == 500
    assert sandbox.http.delete("/_sandbox/faults").json() == {"forgotten": 1}
    assert sandbox.send("GET", "/v1/refunds")[0] == 200
