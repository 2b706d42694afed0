"""Reading: single objects, lists with Stripe's pagination, and `expand`."""

from typing import LiteralString

import msgspec

from returns_portal.payments.sandbox.errors import ApiError, missing
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.params import (
    BalanceList,
    ChargeList,
    Created,
    IntentList,
    ListParams,
    RefundList,
)
from returns_portal.payments.sandbox.store import Page, Unit

_EXPANDABLE: dict[str, dict[str, str]] = {
    "payment_intent": {"latest_charge": "charge", "payment_method": "payment_method"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "failure_balance_transaction": "balance_transaction",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
    "balance_transaction": {"source": ""},
}
_SOURCES = {"ch": "charge", "re": "refund"}
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
    return await _list(unit, params, Page("payment_intent"), "/v1/payment_intents")


async def list_charges(unit: Unit, params: ChargeList) -> Document:
    """List charges, newest first."""
    return await _list(unit, params, Page("charge", payment_intent=params.payment_intent), "/v1/charges")


async def list_refunds(unit: Unit, params: RefundList) -> Document:
    """List refunds, newest first."""
    page = Page("refund", payment_intent=params.payment_intent, charge=params.charge)
    return await _list(unit, params, page, "/v1/refunds")


async def list_balance_transactions(unit: Unit, params: BalanceList) -> Document:
    """List the lines of the account's balance, newest first."""
    page = Page("balance_transaction", source=params.source, type=params.type)
    return await _list(unit, params, page, "/v1/balance_transactions")


async def _list(unit: Unit, params: ListParams, page: Page, url: str) -> Document:
    if not 1 <= params.limit <= _MAX_LIMIT:
        message = f"Invalid integer: {params.limit}. The limit must be between 1 and {_MAX_LIMIT}."
        raise ApiError(400, message, code="parameter_invalid_integer", param="limit")
    if params.starting_after and params.ending_before:
        raise ApiError(400, "You cannot parameterize both starting_after and ending_before.", param="ending_before")
    asked = msgspec.structs.replace(
        page,
        limit=params.limit,
        created=_range(params.created),
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
