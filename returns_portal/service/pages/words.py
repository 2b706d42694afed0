"""Words for questions, shared by the pages of those who ask and of those who answer."""

from typing import Any, Final

from returns_portal.i18n import mark, translate
from returns_portal.service.models import State
from returns_portal.service.queries import Shown

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


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "states": {state.value: (translate(text), kind) for state, (text, kind) in _STATES.items()},
        "refusals": {name: translate(text) for name, text in _REFUSALS.items()},
        "lists": {name: translate(text) for name, text in _SHOWN.items()},
    }
