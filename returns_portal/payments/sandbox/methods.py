"""Payment methods: test cards made into objects, kept for customers, and when they may be used again."""

from typing import Any

from returns_portal.payments.sandbox import clock, objects
from returns_portal.payments.sandbox.cards import (
    BY_LAST4,
    BY_NAME,
    BY_NUMBER,
    BY_TOKEN,
    DECLINE_MESSAGES,
    WITH_OWN_CODE,
    Card,
)
from returns_portal.payments.sandbox.errors import ApiError, missing
from returns_portal.payments.sandbox.form import Params
from returns_portal.payments.sandbox.objects import Document, merged
from returns_portal.payments.sandbox.params import CardData, MethodAttach, MethodCreate, MethodData, MethodUpdate
from returns_portal.payments.sandbox.unit import Unit

USED = "used"
SET_UP = "set_up"
_DETACHED = "detached"
_MONTHS = 12
_CENTURY = 2000


def card_of(method: Document) -> Card:
    """Return the test card that a payment method stands for."""
    return BY_LAST4[method["card"]["last4"]]


async def chosen(unit: Unit, name: str | None, data: MethodData | None, customer: str | None = None) -> Document | None:
    """Return the payment method that a request names or describes; a test card's name makes a new one each time.

    Args:
        unit: where a new one is put.
        name: `pm_…`, or `pm_card_…` of a test card.
        data: a card, instead of a name.
        customer: for whom it is to be used.

    Raises:
        ApiError: there is no such card or method, or it may not be used so.
    """
    if name is not None and name not in BY_NAME:
        return await _usable(unit, name, customer)
    if name is not None:
        method = objects.payment_method(BY_NAME[name])
    elif data is not None:
        method = _made(data.card, "payment_method_data[card]", data.billing_details, data.metadata)
    else:
        return None
    unit.put(method)
    return method


async def _usable(unit: Unit, id_: str, customer: str | None) -> Document:
    method = await _existing(unit, id_)
    owner = method["customer"]
    if owner is None:
        if await unit.mark_of(id_) in {USED, _DETACHED}:
            raise _spent()
    elif customer is None:
        raise ApiError(
            400,
            f"The PaymentMethod supplied ({id_}) belongs to a Customer. Please include the Customer in the `customer` "
            "parameter.",
            param="payment_method",
        )
    elif owner != customer:
        raise ApiError(
            400,
            f"The payment method supplied ({id_}) does not belong to the Customer you supplied ({customer}). Please "
            "use this payment method with the Customer that it belongs to instead.",
            param="payment_method",
        )
    return method


async def check_customer(unit: Unit, customer: str | None) -> None:
    """Refuse a customer that does not exist.

    Raises:
        ApiError: 404 `resource_missing`.
    """
    if customer is not None and await unit.find("customer", customer) is None:
        raise missing("customer", customer, "customer")


def declined(decline: str, **more: Any) -> ApiError:  # noqa: ANN401 - objects of Stripe's
    """Build the refusal of a card; `more` are the objects that are shown with it."""
    return ApiError(
        402,
        DECLINE_MESSAGES[decline],
        type_="card_error",
        code=decline_code(decline),
        decline_code=decline,
        **more,
    )


def decline_code(decline: str) -> str:
    """Return the error code of a decline."""
    return decline if decline in WITH_OWN_CODE else "card_declined"


def keep(unit: Unit, method: Document, customer: str) -> None:
    """Attach a payment method to a customer, unless it is already."""
    if method["customer"] is None:
        method["customer"] = customer
        unit.put(method)
        unit.tell("payment_method.attached", method)


async def create(unit: Unit, params: MethodCreate) -> Document:
    """Make a payment method of a card."""
    if params.type is None:
        raise _lacking("type")
    if params.card is None:
        raise _lacking("card")
    method = _made(params.card, "card", params.billing_details, params.metadata)
    unit.put(method)
    return method


async def update(unit: Unit, params: MethodUpdate, id_: str) -> Document:
    """Change what is known of its holder."""
    method = await unit.lock("payment_method", id_)
    if method is None:
        raise missing("PaymentMethod", id_, "payment_method")
    method["billing_details"] = method["billing_details"] | params.billing_details
    method["metadata"] = merged(method["metadata"], params.metadata)
    unit.put(method)
    unit.tell("payment_method.updated", method)
    return method


async def attach(unit: Unit, params: MethodAttach, id_: str) -> Document:
    """Keep a payment method for a customer; the card's bank is asked first."""
    if params.customer is None:
        raise _lacking("customer")
    await check_customer(unit, params.customer)
    await unit.lock("payment_method", id_)
    method = await chosen(unit, id_, None, params.customer)
    if method is None or method["customer"] is not None:
        raise ApiError(400, "The payment method you provided has already been attached to a customer.")
    card = card_of(method)
    if card.decline and not card.saves:
        raise declined(card.decline)
    keep(unit, method, params.customer)
    return method


async def detach(unit: Unit, _params: Params, id_: str) -> Document:
    """Keep it no longer; it can never be used again."""
    method = await unit.lock("payment_method", id_)
    if method is None:
        raise missing("PaymentMethod", id_, "payment_method")
    if method["customer"] is None:
        raise ApiError(
            400, "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    unit.put(method, mark=_DETACHED)
    unit.tell("payment_method.detached", method, previous=previous)
    return method


async def _existing(unit: Unit, id_: str) -> Document:
    method = await unit.find("payment_method", id_)
    if method is None:
        raise missing("PaymentMethod", id_, "payment_method")
    return method


def _made(data: CardData, prefix: str, billing_details: Document, metadata: Document) -> Document:
    card = _known(data, prefix)
    method = objects.payment_method(card, metadata=metadata)
    method["billing_details"] = method["billing_details"] | billing_details
    if data.number is not None and data.exp_month is not None and data.exp_year is not None:
        year = data.exp_year if data.exp_year >= 100 else data.exp_year + _CENTURY  # noqa: PLR2004 - two digits of a year
        _check_expiry(data.exp_month, year, prefix)
        method["card"]["exp_month"], method["card"]["exp_year"] = data.exp_month, year
    return method


def _known(data: CardData, prefix: str) -> Card:
    if data.token is not None:
        if data.token not in BY_TOKEN:
            raise missing("token", data.token, f"{prefix}[token]")
        return BY_TOKEN[data.token]
    for name in ("number", "exp_month", "exp_year"):
        if getattr(data, name) is None:
            raise _lacking(f"{prefix}[{name}]")
    number = (data.number or "").replace(" ", "")
    if number not in BY_NUMBER:
        raise _wrong("Your card number is incorrect.", "incorrect_number", f"{prefix}[number]")
    if data.cvc is not None and not (data.cvc.isdigit() and len(data.cvc) in {3, 4}):
        raise _wrong("Your card's security code is invalid.", "invalid_cvc", f"{prefix}[cvc]")
    return BY_NUMBER[number]


def _check_expiry(month: int, year: int, prefix: str) -> None:
    today = clock.today()
    if not 1 <= month <= _MONTHS or (year == today.year and month < today.month):
        raise _wrong("Your card's expiration month is invalid.", "invalid_expiry_month", f"{prefix}[exp_month]")
    if not today.year <= year <= today.year + 50:
        raise _wrong("Your card's expiration year is invalid.", "invalid_expiry_year", f"{prefix}[exp_year]")


def _wrong(message: str, code: str, param: str) -> ApiError:
    return ApiError(402, message, type_="card_error", code=code, param=param)


def _lacking(param: str) -> ApiError:
    return ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def _spent() -> ApiError:
    return ApiError(
        400,
        "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, "
        "and may not be used again.",
    )
