"""Reading: single objects, lists with Stripe's pagination, and `expand`."""

from typing import LiteralString

import msgspec

from returns_portal.payments.sandbox.errors import ApiError, missing, not_simulated
from returns_portal.payments.sandbox.lists import (
    BalanceList,
    ChargeList,
    Created,
    CustomerList,
    CustomerMethodList,
    DisputeList,
    IntentList,
    MethodList,
    Paged,
    PayoutList,
    RefundList,
    SetupList,
)
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.statements import Page
from returns_portal.payments.sandbox.unit import Unit

_LINES = dict.fromkeys(("balance_transaction", "failure_balance_transaction"), "balance_transaction")
_PAYMENT = {"charge": "charge", "payment_intent": "payment_intent"}
_SAVED = {"customer": "customer", "payment_method": "payment_method"}
_EXPANDABLE: dict[str, dict[str, str]] = {
    "payment_intent": {"latest_charge": "charge"} | _SAVED,
    "charge": {"customer": "customer", "payment_intent": "payment_intent"} | _LINES,
    "refund": _PAYMENT | {"payment_method": "payment_method"} | _LINES,
    "balance_transaction": {"source": ""},
    "dispute": _PAYMENT,
    "payout": _LINES,
    "setup_intent": _SAVED,
    "payment_method": {"customer": "customer"},
}
_SOURCES = {"ch": "charge", "du": "dispute", "po": "payout", "re": "refund"}
_MAX_DEPTH = 4
_MAX_LIMIT = 100
_OPERATORS: dict[str, LiteralString] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


async def retrieve(unit: Unit, object_: str, id_: str, param: str = "id") -> Document:
    """Read one object.

    Raises:
        ApiError: there is none with this id.
    """
    document = await unit.find(object_, id_)
    if document is None:
        raise missing(object_, id_, param)
    return document


async def expand(unit: Unit, document: Document, paths: list[str]) -> Document:
    """Replace ids by the objects that they name: `latest_charge`, `data.charge.balance_transaction`.

    Raises:
        ApiError: a path leads to something that is not an object's id, or is deeper than four levels.
    """
    expanded: Document = dict(document)
    for path in paths:
        parts = path.split(".")
        if len(parts) > _MAX_DEPTH:
            raise ApiError(
                400,
                "You can't expand more than 4 levels of a property.",
                code="property_expansion_max_depth",
                param="expand",
            )
        if expanded["object"] == "list":
            if parts[0] != "data" or len(parts) == 1:
                raise _not_expandable(path)
            for item in expanded["data"]:
                await _expand(unit, item, parts[1:], path)
        else:
            await _expand(unit, expanded, parts, path)
    return expanded


async def _expand(unit: Unit, document: Document, parts: list[str], path: str) -> None:
    name, *rest = parts
    targets = _EXPANDABLE.get(document["object"], {})
    if name not in targets:
        raise _not_expandable(path)
    value = document.get(name)
    if isinstance(value, str):
        value = await unit.find(targets[name] or _SOURCES[value.partition("_")[0]], value)
        document[name] = value and dict(value)
    if rest and document.get(name) is not None:
        await _expand(unit, document[name], rest, path)


def _not_expandable(path: str) -> ApiError:
    return ApiError(400, f"This property cannot be expanded ({path}).", param="expand")


async def list_intents(unit: Unit, params: IntentList) -> Document:
    """List payment intents, newest first."""
    page = Page("payment_intent", columns={"customer": params.customer})
    return await listed(unit, params, page, "/v1/payment_intents")


async def list_charges(unit: Unit, params: ChargeList) -> Document:
    """List charges, newest first."""
    page = Page("charge", columns={"payment_intent": params.payment_intent, "customer": params.customer})
    return await listed(unit, params, page, "/v1/charges")


async def list_refunds(unit: Unit, params: RefundList) -> Document:
    """List refunds, newest first."""
    page = Page("refund", columns={"payment_intent": params.payment_intent, "charge": params.charge})
    return await listed(unit, params, page, "/v1/refunds")


async def list_balance_transactions(unit: Unit, params: BalanceList) -> Document:
    """List the lines of the account's balance, newest first; those of a payout include its own."""
    if params.payout is not None:
        await retrieve(unit, "payout", params.payout, "payout")
    fields = {"source": params.source, "type": params.type, "currency": params.currency}
    page = Page("balance_transaction", columns={"payout": params.payout}, fields=fields)
    return await listed(unit, params, page, "/v1/balance_transactions")


async def list_disputes(unit: Unit, params: DisputeList) -> Document:
    """List disputes, newest first."""
    page = Page("dispute", columns={"payment_intent": params.payment_intent, "charge": params.charge})
    return await listed(unit, params, page, "/v1/disputes")


async def list_payouts(unit: Unit, params: PayoutList) -> Document:
    """List payouts, newest first."""
    page = Page("payout", fields={"status": params.status}, arrival=_range(params.arrival_date))
    return await listed(unit, params, page, "/v1/payouts")


async def list_setups(unit: Unit, params: SetupList) -> Document:
    """List setup intents, newest first."""
    page = Page("setup_intent", columns={"customer": params.customer}, fields={"payment_method": params.payment_method})
    return await listed(unit, params, page, "/v1/setup_intents")


async def list_customers(unit: Unit, params: CustomerList) -> Document:
    """List customers, newest first."""
    return await listed(unit, params, Page("customer", fields={"email": params.email}), "/v1/customers")


async def list_methods(unit: Unit, params: MethodList) -> Document:
    """List a customer's payment methods, newest first."""
    if params.customer is None:
        raise not_simulated("a list of the payment methods of nobody")
    page = Page("payment_method", columns={"customer": params.customer}, fields={"type": params.type})
    return await listed(unit, params, page, "/v1/payment_methods")


async def list_methods_of(unit: Unit, params: CustomerMethodList, customer: str) -> Document:
    """List one customer's payment methods, newest first."""
    await retrieve(unit, "customer", customer, "customer")
    page = Page("payment_method", columns={"customer": customer}, fields={"type": params.type})
    return await listed(unit, params, page, f"/v1/customers/{customer}/payment_methods")


async def listed(unit: Unit, params: Paged, page: Page, url: str) -> Document:
    """Answer one page of a list.

    Raises:
        ApiError: the limit or the cursor is wrong.
    """
    if not 1 <= params.limit <= _MAX_LIMIT:
        message = f"Invalid integer: {params.limit}. The limit must be between 1 and {_MAX_LIMIT}."
        raise ApiError(400, message, code="parameter_invalid_integer", param="limit")
    if params.starting_after and params.ending_before:
        raise ApiError(400, "You cannot parameterize both starting_after and ending_before.", param="ending_before")
    asked = msgspec.structs.replace(
        page,
        limit=params.limit,
        created=_range(getattr(params, "created", None)),
        after=await _cursor(unit, page.object, params.starting_after, "starting_after"),
        before=await _cursor(unit, page.object, params.ending_before, "ending_before"),
    )
    found = await unit.page(asked)
    items = found[: params.limit]
    if params.ending_before:
        # Read upwards from the cursor, so that the nearest are found, and shown newest first like all pages.
        items.reverse()
    data = msgspec.json.decode("[" + ",".join(items) + "]")
    return {"object": "list", "data": data, "has_more": len(found) > params.limit, "url": url}


def _range(created: Created | int | None) -> list[tuple[LiteralString, int]]:
    if created is None:
        return []
    if isinstance(created, int):
        return [("=", created)]
    bounds = msgspec.structs.asdict(created)
    return [(_OPERATORS[name], moment) for name, moment in bounds.items() if moment is not None]


async def _cursor(unit: Unit, object_: str, id_: str | None, param: str) -> tuple[int, int] | None:
    if id_ is None:
        return None
    place = await unit.place(object_, id_)
    if place is None:
        raise missing(object_, id_, param)
    return place
