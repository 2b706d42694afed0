"""The sandbox beside the SDK's own types: what it answers, what it takes, and what the gateway sends."""

import builtins
import re
import types
import typing
from pathlib import Path
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import msgspec
import pytest
import stripe
import stripe.params

import returns_portal.payments.sandbox
from returns_portal.payments import wire
from returns_portal.payments.sandbox import lists
from returns_portal.payments.sandbox import params as taken
from returns_portal.payments.sandbox.disputes import _FILES, _TEXTS
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.reads import _EXPANDABLE
from tests.payments.conftest import Pay
from tests.sandboxes import SandboxProcess

RESOURCES: dict[str, Any] = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
    "payment_method": stripe.PaymentMethod,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "payout": stripe.Payout,
    "setup_intent": stripe.SetupIntent,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


class _Names(dict[str, object]):
    """Resolves the names in the SDK's annotations; the SDK imports most of them for type checkers alone."""

    def __missing__(self, name: str) -> object:
        for place in (typing, builtins, stripe):
            if hasattr(place, name):
                return getattr(place, name)
        return Any


def annotations(class_: type) -> dict[str, Any]:
    """The fields that the SDK declares for one object, resolved."""
    names = _Names(vars(class_) | {"ExpandableField": Union, "ListObject": Any, "UntypedStripeObject": dict})
    found = {}
    for name, annotation in class_.__annotations__.items():
        resolved: Any = annotation
        if isinstance(annotation, str):
            resolved = eval(annotation, {}, names)  # noqa: S307 - the SDK's own annotations
        if not name.isupper():
            found[name] = resolved
    return found


def fits(value: object, type_: Any, where: str) -> list[str]:  # noqa: ANN401, PLR0911 - annotations have no common type
    """Say where a value does not fit the SDK's annotation."""
    if isinstance(type_, ForwardRef | str) or type_ is Any:
        named = RESOURCES.get(value["object"]) if isinstance(value, dict) and "object" in value else None
        return shaped(value, named, where) if named and isinstance(value, dict) else []
    origin, arguments = get_origin(type_), get_args(type_)
    if origin in (Union, types.UnionType):
        problems = [fits(value, argument, where) for argument in arguments]
        return [] if any(not found for found in problems) else min(problems, key=len)
    if origin is Literal:
        return [] if value in arguments else [f"{where}: {value!r} is none of {arguments}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [problem for item in value for problem in fits(item, arguments[0], where)]
    if origin is dict or type_ is dict or getattr(origin, "__name__", "") == "UntypedStripeObject":
        return [] if isinstance(value, dict) else [f"{where}: {value!r} is no object"]
    if getattr(origin, "__name__", type(type_).__name__) == "ListObject":
        return []
    if isinstance(type_, type) and issubclass(type_, stripe.StripeObject):
        return shaped(value, type_, where) if isinstance(value, dict) else [f"{where}: {value!r} is no object"]
    right = isinstance(value, type_) and not (type_ is int and isinstance(value, bool))
    return [] if right else [f"{where}: {value!r} is no {type_}"]


def shaped(value: dict[str, Any], class_: type, where: str) -> list[str]:
    """Say where an object has fields that the SDK does not know, lacks some, or has them of another type."""
    declared = annotations(class_)
    problems = [f"{where}.{name}: unknown to the SDK" for name in value.keys() - declared.keys()]
    for name, type_ in declared.items():
        if name in value:
            problems += fits(value[name], type_, f"{where}.{name}")
        elif type(None) not in get_args(type_):
            problems.append(f"{where}.{name}: missing")
    return problems


def test_the_check_itself_finds_what_is_wrong() -> None:
    problems = shaped({"object": "refund", "id": 1, "colour": "red", "status": "pending"}, stripe.Refund, "refund")
    assert {problem.split(":")[0] for problem in problems} >= {"refund.id", "refund.colour", "refund.amount"}
    assert "refund.status" not in {problem.split(":")[0] for problem in problems}


EVERYTHING = [
    "latest_charge.balance_transaction",
    "latest_charge.payment_intent",
    "payment_method",
]


def intents(pay: Pay, sandbox: SandboxProcess) -> list[str]:
    """One payment intent in each of its states."""
    waiting = sandbox.send("POST", "/v1/payment_intents", "amount=500&currency=eur&metadata[a]=b&description=x")[1]
    declined = sandbox.send(
        "POST", "/v1/payment_intents", "amount=500&currency=eur&confirm=true&payment_method=pm_card_chargeDeclined"
    )[1]
    canceled = pay(capture_method="manual").id
    sandbox.send("POST", f"/v1/payment_intents/{canceled}/cancel", "cancellation_reason=duplicate")
    acting = pay(payment_method="pm_card_authenticationRequired").id
    held = pay(capture_method="manual").id
    return [waiting["id"], declined["error"]["payment_intent"]["id"], canceled, acting, held, pay(500, "jpy").id]


def test_payments_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess, pay: Pay) -> None:
    query = "&".join(f"expand[]={path}" for path in EVERYTHING)
    statuses = set()
    for intent_id in intents(pay, sandbox):
        _, intent, _ = sandbox.send("GET", f"/v1/payment_intents/{intent_id}", query)
        statuses.add(intent["status"])
        assert shaped(intent, stripe.PaymentIntent, "intent") == []
        if intent["latest_charge"]:
            assert shaped(intent["latest_charge"], stripe.Charge, "charge") == []
        if intent["payment_method"]:
            assert shaped(intent["payment_method"], stripe.PaymentMethod, "method") == []
    assert statuses == {"requires_payment_method", "canceled", "requires_action", "requires_capture", "succeeded"}


@pytest.mark.parametrize("status", ["succeeded", "pending", "failed", "requires_action"])
def test_refunds_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess, pay: Pay, status: str) -> None:
    sandbox.control("refund-outcomes", status=status)
    form = f"payment_intent={pay().id}&amount=300&reason=duplicate&metadata[refund_id]=1"
    _, refund, _ = sandbox.send("POST", "/v1/refunds", form + "&expand[]=balance_transaction")
    assert refund["status"] == status
    assert shaped(refund, stripe.Refund, "refund") == []
    assert shaped(refund["balance_transaction"], stripe.BalanceTransaction, "line") == []


def checked(value: dict[str, Any]) -> dict[str, Any]:
    """Check an object by what it says it is; returns it."""
    assert shaped(value, RESOURCES[value["object"]], value["object"]) == []
    return value


def post(sandbox: SandboxProcess, path: str, form: str = "") -> dict[str, Any]:
    status, answer, _ = sandbox.send("POST", path, form)
    assert status == 200, answer
    return checked(answer)


@pytest.mark.parametrize("inquiry", [True, False])
def test_disputes_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess, pay: Pay, inquiry: bool) -> None:
    made = sandbox.control("disputes", payment_intent=pay().id, inquiry=inquiry)
    query = "expand[]=charge&expand[]=payment_intent"
    dispute = checked(sandbox.send("GET", f"/v1/disputes/{made['id']}", query)[1])
    assert dispute["charge"]["object"] == "charge"
    post(sandbox, f"/v1/disputes/{dispute['id']}", "evidence[customer_name]=A&submit=true")
    sandbox.control(f"disputes/{dispute['id']}/settle", status="warning_closed" if inquiry else "won")
    settled = checked(sandbox.send("GET", f"/v1/disputes/{dispute['id']}")[1])
    assert [checked(line)["type"] for line in settled["balance_transactions"]] == (
        [] if inquiry else ["adjustment"] * 2
    )


def test_payouts_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess, pay: Pay) -> None:
    pay(99_999_999, "sek")
    made = sandbox.control("payouts", currency="sek", status="pending")["data"][0]
    checked(made)
    for status in ("paid", "failed"):
        checked(sandbox.control(f"payouts/{made['id']}/settle", status=status))
    query = f"payout={made['id']}&expand[]=data.source"
    sources = {
        checked(line)["source"]["object"] for line in sandbox.send("GET", "/v1/balance_transactions", query)[1]["data"]
    }
    assert sources == {"charge", "payout"}
    lines = "expand[]=balance_transaction&expand[]=failure_balance_transaction"
    checked(sandbox.send("GET", f"/v1/payouts/{made['id']}", lines)[1])


def test_cards_on_file_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess) -> None:
    customer = post(sandbox, "/v1/customers", "email=a@example.com&address[city]=Sofia&metadata[a]=b")
    method = post(sandbox, "/v1/payment_methods", "type=card&card[token]=tok_visa&billing_details[address][city]=Sofia")
    post(sandbox, f"/v1/payment_methods/{method['id']}/attach", f"customer={customer['id']}")
    waiting = post(sandbox, "/v1/setup_intents", f"customer={customer['id']}&usage=on_session&description=x")
    post(sandbox, f"/v1/setup_intents/{waiting['id']}/cancel", "cancellation_reason=abandoned")
    form = f"customer={customer['id']}&confirm=true&payment_method="
    done = post(sandbox, "/v1/setup_intents", form + method["id"] + "&expand[]=payment_method&expand[]=customer")
    assert done["payment_method"]["customer"] == customer["id"]
    acting = post(sandbox, "/v1/setup_intents", form + "pm_card_authenticationRequired")
    assert acting["next_action"] is not None
    sandbox.control(f"setup_intents/{acting['id']}/authenticate", succeeds=False)
    checked(sandbox.send("GET", f"/v1/setup_intents/{acting['id']}")[1])
    refused = sandbox.send("POST", "/v1/setup_intents", form + "pm_card_chargeDeclined")[1]["error"]
    checked(refused["setup_intent"])
    paid = f"&off_session=true&amount=500&currency=eur&setup_future_usage=off_session{'&expand[]=customer'}"
    post(sandbox, "/v1/payment_intents", form + method["id"] + paid)


def test_events_and_endpoints_are_shaped_as_the_sdk_expects(sandbox: SandboxProcess, pay: Pay) -> None:
    endpoint = post(sandbox, "/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[0]=*&description=x")
    checked(sandbox.send("GET", f"/v1/webhook_endpoints/{endpoint['id']}")[1])
    intent = pay(payment_method="pm_card_refundFail")
    _, refund, _ = sandbox.send("POST", "/v1/refunds", f"payment_intent={intent.id}")
    sandbox.settled(refund["id"], "failed")
    events = sandbox.send("GET", "/v1/events", "limit=20")[1]["data"]
    assert {checked(event)["type"] for event in events} >= {"payment_intent.created", "refund.failed"}
    for event in events:
        checked(event["data"]["object"])
    assert events[0]["api_version"] == stripe.api_version
    sandbox.send("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def test_every_event_that_is_told_is_one_of_stripes() -> None:
    code = "".join(file.read_text() for file in Path(returns_portal.payments.sandbox.__file__).parent.glob("*.py"))
    told = {name for name in re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', code) if name.partition(".")[0] in RESOURCES}
    assert {"refund.created", "charge.dispute.funds_withdrawn", "setup_intent.succeeded"} <= told
    assert told <= set(get_args(annotations(stripe.Event)["type"]))


def test_every_id_that_names_something_simulated_can_be_expanded() -> None:
    for object_, targets in _EXPANDABLE.items():
        declared = annotations(RESOURCES[object_])
        for name, target in targets.items():
            names = {getattr(found, "__forward_arg__", found) for found in get_args(declared[name])}
            assert not target or RESOURCES[target].__name__ in names, f"{object_}.{name}"


@pytest.mark.parametrize(
    ("struct", "theirs"),
    [
        (taken.IntentCreate, stripe.params.PaymentIntentCreateParams),
        (taken.IntentUpdate, stripe.params.PaymentIntentModifyParams),
        (taken.IntentConfirm, stripe.params.PaymentIntentConfirmParams),
        (taken.IntentCapture, stripe.params.PaymentIntentCaptureParams),
        (taken.IntentCancel, stripe.params.PaymentIntentCancelParams),
        (taken.SetupCreate, stripe.params.SetupIntentCreateParams),
        (taken.SetupUpdate, stripe.params.SetupIntentModifyParams),
        (taken.SetupConfirm, stripe.params.SetupIntentConfirmParams),
        (taken.SetupCancel, stripe.params.SetupIntentCancelParams),
        (taken.RefundCreate, stripe.params.RefundCreateParams),
        (taken.RefundUpdate, stripe.params.RefundModifyParams),
        (taken.DisputeUpdate, stripe.params.DisputeModifyParams),
        (Params, stripe.params.DisputeCloseParams),
        (taken.CustomerCreate, stripe.params.CustomerCreateParams),
        (taken.CustomerUpdate, stripe.params.CustomerModifyParams),
        (taken.MethodCreate, stripe.params.PaymentMethodCreateParams),
        (taken.MethodUpdate, stripe.params.PaymentMethodModifyParams),
        (taken.MethodAttach, stripe.params.PaymentMethodAttachParams),
        (Params, stripe.params.PaymentMethodDetachParams),
        (taken.EndpointCreate, stripe.params.WebhookEndpointCreateParams),
        (taken.EndpointUpdate, stripe.params.WebhookEndpointModifyParams),
        (lists.RefundList, stripe.params.RefundListParams),
        (lists.ChargeList, stripe.params.ChargeListParams),
        (lists.IntentList, stripe.params.PaymentIntentListParams),
        (lists.SetupList, stripe.params.SetupIntentListParams),
        (lists.BalanceList, stripe.params.BalanceTransactionListParams),
        (lists.DisputeList, stripe.params.DisputeListParams),
        (lists.PayoutList, stripe.params.PayoutListParams),
        (lists.CustomerList, stripe.params.CustomerListParams),
        (lists.MethodList, stripe.params.PaymentMethodListParams),
        (lists.CustomerMethodList, stripe.params.CustomerListPaymentMethodsParams),
        (lists.EndpointList, stripe.params.WebhookEndpointListParams),
        (lists.EventList, stripe.params.EventListParams),
    ],
)
def test_the_sandbox_knows_every_parameter_that_the_sdk_has(struct: type[Params], theirs: type) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    options = stripe.RequestOptions.__annotations__.keys()
    known = theirs.__annotations__.keys() - options
    assert fields.keys() | struct.not_simulated == known
    assert not fields.keys() & struct.not_simulated
    required = {name for name, field in fields.items() if field.required}
    assert required == theirs.__required_keys__ - options  # type: ignore[attr-defined]  # a TypedDict's


def test_evidence_is_known_by_its_names() -> None:
    assert {*_TEXTS, *_FILES, "appeal", "enhanced_evidence"} == set(
        stripe.params.DisputeModifyParamsEvidence.__annotations__
    )


@pytest.mark.parametrize(
    ("struct", "theirs"),
    [
        (wire.Intent, stripe.PaymentIntent),
        (wire.Charge, stripe.Charge),
        (wire.Card, stripe.Charge.PaymentMethodDetails.Card),
        (wire.Refund, stripe.Refund),
        (wire.CardDestination, stripe.Refund.DestinationDetails.Card),
    ],
)
def test_the_gateway_reads_only_fields_that_the_sdk_declares(struct: type[msgspec.Struct], theirs: type) -> None:
    declared = annotations(theirs)
    for field in msgspec.structs.fields(struct):
        assert field.name in declared
        nullable = type(None) in get_args(declared[field.name])
        assert not nullable or not field.required, f"{field.name} may be null"
