"""Words for calls: why, what to ask, and what came of them."""

from typing import Any, Final

from returns_portal.confirming.models import Outcome, Reason
from returns_portal.confirming.queries import Shown
from returns_portal.i18n import mark, translate

_REASONS: Final = {
    Reason.NEW_CUSTOMER: (
        mark("new customer"),
        mark("Say hello, and ask whether everything is as they want it: sizes, colours, the address."),
    ),
    Reason.LARGE: (mark("large order"), mark("Go through the items and the sum together.")),
    Reason.NO_NUMBER: (mark("no house number"), mark("Ask for the house number, and for entrance and floor.")),
    Reason.POSTCODE: (mark("postcode does not fit"), mark("Ask for the postcode, and spell the town.")),
    Reason.NO_PHONE: (
        mark("no telephone number"),
        mark("Write by e-mail, and ask for a number under which the courier reaches them."),
    ),
    Reason.BAD_PHONE: (
        mark("the telephone number is none"),
        mark("Write by e-mail, and ask for the right number."),
    ),
}
_OUTCOMES: Final = {
    Outcome.CONFIRMED: (mark("reached, all as ordered"), "good"),
    Outcome.CHANGED: (mark("reached, something changes"), "wait"),
    Outcome.NOT_REACHED: (mark("not reached"), "wait"),
    Outcome.NOT_NEEDED: (mark("not needed"), ""),
}
_LISTS: Final[dict[Shown, str]] = {
    "now": mark("to call now"),
    "later": mark("to call later"),
    "over": mark("over"),
}


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "reasons": {one.value: (translate(name), translate(ask)) for one, (name, ask) in _REASONS.items()},
        "outcomes": {one.value: (translate(name), kind) for one, (name, kind) in _OUTCOMES.items()},
        "lists": {name: translate(text) for name, text in _LISTS.items()},
    }
