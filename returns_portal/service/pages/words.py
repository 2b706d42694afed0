"""Words for questions, shared by the pages of those who ask and of those who answer."""

from typing import Any, Final

from returns_portal.i18n import _, mark, translate
from returns_portal.orders.models import FinancialStatus, FulfillmentStatus
from returns_portal.returns.models import ReturnStatus
from returns_portal.service.beside import OrderBeside
from returns_portal.service.models import State, Topic
from returns_portal.service.queries import Shown
from returns_portal.web import formats

_STATES: Final = {
    State.WAITING: (mark("We read it and answer"), "wait"),
    State.ANSWERED: (mark("Answered"), "good"),
    State.CLOSED: (mark("Answered and closed"), ""),
}
_SHOWN: Final[dict[Shown, str]] = {
    "waiting": mark("waiting for us"),
    "mine": mark("mine"),
    "answered": mark("answered"),
    "closed": mark("closed"),
}

_REFUSALS: Final = {
    "kind": mark("not kept: only pictures and PDF are"),
    "size": mark("not kept: too large"),
    "many": mark("not kept: too many at once"),
    "broken": mark("not kept: it cannot be read"),
}

_RETURNS: Final = {
    ReturnStatus.FILED: mark("on its way to us"),
    ReturnStatus.RECEIVED: mark("arrived"),
    ReturnStatus.CANCELLED: mark("cancelled"),
}

_TOPICS: Final = {
    Topic.DAMAGED: mark("Damaged on its way"),
    Topic.ADDRESS: mark("Wrong address"),
    Topic.WRONG: mark("Wrong size, colour or item"),
    Topic.LATE: mark("Late"),
    Topic.MISSING: mark("Something is missing"),
    Topic.RETURN: mark("A return"),
    Topic.REFUND: mark("A refund"),
    Topic.PRODUCT: mark("A product"),
    Topic.OTHER: mark("Something else"),
}
"""What a question can be about."""


def topics() -> list[tuple[str, str]]:
    """What a question can be about, to choose from; at first nobody has said it."""
    return [("", _("Not said yet")), *((topic.value, translate(text)) for topic, text in _TOPICS.items())]


def order_in_a_word(order: OrderBeside) -> str:
    """How far an order is, in the reader's language."""
    if order.cancelled_at:
        return _("cancelled")
    if order.financial_status is FinancialStatus.REFUNDED:
        return _("refunded")
    if order.delivered_at:
        return _("delivered {day}", day=formats.format_date(order.delivered_at, "medium"))
    if order.shipped_at and order.fulfillment_status is FulfillmentStatus.FULFILLED:
        return _("on its way since {day}", day=formats.format_date(order.shipped_at, "medium"))
    return _("sent in part") if order.fulfillment_status is FulfillmentStatus.PARTIAL else _("not sent yet")


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "states": {state.value: (translate(text), kind) for state, (text, kind) in _STATES.items()},
        "refusals": {name: translate(text) for name, text in _REFUSALS.items()},
        "return_states": {state.value: translate(text) for state, text in _RETURNS.items()},
        "topic_words": {topic.value: translate(text) for topic, text in _TOPICS.items()},
        "order_state": order_in_a_word,
        "lists": {name: translate(text) for name, text in _SHOWN.items()},
    }
