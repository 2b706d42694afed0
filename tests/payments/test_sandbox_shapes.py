"""The sandbox beside the SDK's own types: what it answers, what it takes, and what the gateway sends."""

import builtins
import types
import typing
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import msgspec
import pytest
import stripe
import stripe.params

from returns_portal.payments import wire
from returns_portal.payments.sandbox import params as taken
from tests.payments.conftest import Pay
from tests.sandboxes import SandboxProcess

RESOURCES: dict[str, Any] = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
    "payment_method": stripe.PaymentMethod,
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


@pytest.mark.parametrize(
    ("struct", "theirs"),
    [
        (taken.IntentCreate, stripe.params.PaymentIntentCreateParams),
        (taken.IntentConfirm, stripe.params.PaymentIntentConfirmParams),
        (taken.IntentCapture, stripe.params.PaymentIntentCaptureParams),
        (taken.IntentCancel, stripe.params.PaymentIntentCancelParams),
        (taken.RefundCreate, stripe.params.RefundCreateParams),
        (taken.RefundUpdate, stripe.params.RefundModifyParams),
        (taken.RefundList, stripe.params.RefundListParams),
        (taken.ChargeList, stripe.params.ChargeListParams),
        (taken.IntentList, stripe.params.PaymentIntentListParams),
        (taken.BalanceList, stripe.params.BalanceTransactionListParams),
    ],
)
def test_the_sandbox_knows_every_parameter_that_the_sdk_has(struct: type[taken.Params], theirs: type) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    options = stripe.RequestOptions.__annotations__.keys()
    known = theirs.__annotations__.keys() - options
    assert fields.keys() | struct.not_simulated == known
    assert not fields.keys() & struct.not_simulated
    required = {name for name, field in fields.items() if field.required}
    assert required == theirs.__required_keys__ - options  # type: ignore[attr-defined]  # a TypedDict's


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
