"""Words for requests, shared by the pages of the staff."""

from typing import Any, Final

from returns_portal.i18n import mark, translate

_STATES: Final = {
    "open": (mark("open"), "wait"),
    "elsewhere": (mark("sent elsewhere"), "good"),
    "coming": (mark("we will have it"), "good"),
    "declined": (mark("we do not get it"), ""),
}
_WISHES: Final = {
    "none": mark("nobody is to be told"),
    "waiting": mark("waits to be told"),
    "told": mark("was told"),
    "ended": mark("does not wait any more"),
}


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "states": {name: (translate(text), kind) for name, (text, kind) in _STATES.items()},
        "wishes": {name: translate(text) for name, text in _WISHES.items()},
    }
