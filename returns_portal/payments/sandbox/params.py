"""What may be sent to each endpoint, and how Stripe's form encoding (`a[b]=c`, `expand[0]=d`) is read.

The structs list the parameters that the sandbox simulates. Those that Stripe has besides are named in
`not_simulated`, so that they are refused as such; all others are unknown, as they are to Stripe.
"""

import re
from typing import ClassVar, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec

from returns_portal.payments.sandbox.errors import ApiError, not_simulated

Form = dict[str, object]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every endpoint takes."""

    not_simulated: ClassVar[frozenset[str]] = frozenset()
    expand: list[str] = []


class AutomaticMethods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`automatic_payment_methods`."""

    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class CardNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card by its number; only test cards exist, whatever their date and code."""

    number: str
    exp_month: int
    exp_year: int
    cvc: str | None = None


class MethodData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`payment_method_data`."""

    card: CardNumber
    type: Literal["card"] = "card"


class IntentConfirm(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/confirm."""

    not_simulated = _names(
        "allowed_payment_method_types amount_details amount_to_confirm capture_method confirmation_token "
        "error_on_requires_action excluded_payment_method_types hooks mandate mandate_data payment_details "
        "payment_method_options radar_options receipt_email setup_future_usage shipping"
    )
    off_session: bool = False
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False


class IntentCreate(Params, frozen=True, kw_only=True):
    """POST /v1/payment_intents."""

    not_simulated = _names(
        "allowed_payment_method_types amount_details application_fee_amount confirmation_token "
        "customer customer_account error_on_requires_action excluded_payment_method_types hooks "
        "mandate mandate_data on_behalf_of payment_details payment_method_configuration "
        "payment_method_options radar_options setup_future_usage transfer_data transfer_group"
    )
    amount: int
    currency: str
    automatic_payment_methods: AutomaticMethods | None = None
    capture_method: Literal["automatic", "automatic_async", "manual"] = "automatic_async"
    confirm: bool = False
    confirmation_method: Literal["automatic"] = "automatic"
    description: str | None = None
    metadata: dict[str, str] = {}
    off_session: bool = False
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    receipt_email: str | None = None
    return_url: str | None = None
    shipping: dict[str, str | dict[str, str]] | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    use_stripe_sdk: bool = False


class IntentCapture(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/capture."""

    not_simulated = _names(
        "amount_details application_fee_amount final_capture hooks payment_details "
        "statement_descriptor statement_descriptor_suffix transfer_data"
    )
    amount_to_capture: int | None = None
    metadata: dict[str, str] = {}


class IntentCancel(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/cancel."""

    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = None


class RefundCreate(Params, frozen=True):
    """POST /v1/refunds."""

    not_simulated = _names("currency customer instructions_email origin refund_application_fee reverse_transfer")
    amount: int | None = None
    charge: str | None = None
    metadata: dict[str, str] = {}
    payment_intent: str | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class RefundUpdate(Params, frozen=True):
    """POST /v1/refunds/{refund}."""

    metadata: dict[str, str] = {}


class Created(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of creation times in Unix seconds."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class ListParams(Params, frozen=True):
    """What every list takes."""

    created: Created | int | None = None
    ending_before: str | None = None
    limit: int = 10
    starting_after: str | None = None


class IntentList(ListParams, frozen=True):
    """GET /v1/payment_intents."""

    not_simulated = frozenset({"customer", "customer_account"})


class ChargeList(ListParams, frozen=True):
    """GET /v1/charges."""

    not_simulated = frozenset({"customer", "transfer_group"})
    payment_intent: str | None = None


class RefundList(ListParams, frozen=True):
    """GET /v1/refunds."""

    charge: str | None = None
    payment_intent: str | None = None


class BalanceList(ListParams, frozen=True):
    """GET /v1/balance_transactions."""

    not_simulated = frozenset({"currency", "payout"})
    source: str | None = None
    type: str | None = None


_P = TypeVar("_P", bound=Params)
_KEY_PART = re.compile(r"\[([^\]]*)\]")
_MAX_METADATA = 50
_MAX_METADATA_KEY = 40
_MAX_METADATA_VALUE = 500


def decode_form(text: str) -> Form:
    """Read a form or a query string into nested dictionaries and lists."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, _, rest = name.partition("[")
        parts = [first, *_KEY_PART.findall("[" + rest)] if rest else [first]
        node = form
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ApiError(400, f"Invalid parameter: {name}", param=name)
            node = inner
        last = parts[-1] or str(len(node))
        node[last] = value
    return {name: _listed(value) for name, value in form.items()}


def _listed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def read(type_: type[_P], form: Form) -> _P:
    """Check what was sent against what the endpoint takes.

    Raises:
        ApiError: a parameter is unknown, missing, empty or not of its type.
    """
    for name, value in form.items():
        if name in type_.not_simulated:
            raise not_simulated(f"the parameter {name}")
        if not value and name != "metadata":
            raise _empty(name)
    given = form if form.get("metadata") != "" else {**form, "metadata": {}}
    try:
        params = msgspec.convert(given, type_, strict=False)
    except msgspec.ValidationError as error:
        raise _problem(str(error), given) from None
    _check_metadata(getattr(params, "metadata", {}))
    return params


def _empty(name: str) -> ApiError:
    return ApiError(
        400,
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
        "value.",
        code="parameter_invalid_empty",
        param=name,
    )


_PROBLEM = re.compile(r"`(?P<field>\w+)`(?: - at `\$\.?(?P<inside>[^`]*)`)?$|`\$\.(?P<at>[^`]*)`$")


def _problem(text: str, form: Form) -> ApiError:
    """Turn the validator's sentence into Stripe's."""
    found = _PROBLEM.search(text)
    if found is None:
        return ApiError(400, text)
    if "unknown field" in text or "missing required field" in text:
        path = [*filter(None, (found["inside"] or "").split(".")), found["field"]]
        name = _bracketed(path)
        if "unknown" in text:
            return ApiError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        return ApiError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    path = (found["at"] or found["inside"]).split(".")
    name = _bracketed(path)
    value: object = form
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if "Expected `int" in text:
        return ApiError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    if "Expected `bool" in text:
        return ApiError(400, f"Invalid boolean: {value}", param=name)
    return ApiError(400, f"Invalid {name}: {value}", param=name)


def _bracketed(path: list[str]) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:])


def _check_metadata(metadata: dict[str, str]) -> None:
    """Hold metadata to Stripe's limits: 50 keys of 40 characters, values of 500."""
    if len(metadata) > _MAX_METADATA:
        raise ApiError(400, f"Metadata can have at most {_MAX_METADATA} keys.", param="metadata")
    for key, value in metadata.items():
        if len(key) > _MAX_METADATA_KEY:
            raise ApiError(400, f"Metadata keys can be at most {_MAX_METADATA_KEY} characters.", param="metadata")
        if len(value) > _MAX_METADATA_VALUE:
            name = f"metadata[{key}]"
            raise ApiError(400, f"Metadata values can be at most {_MAX_METADATA_VALUE} characters.", param=name)
