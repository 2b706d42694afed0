"""Words for claims, shared by the customer's pages and those of staff."""

from collections.abc import Sequence
from typing import Any, Final

from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.queries import ClaimView, Step
from returns_portal.i18n import mark, translate

_KINDS: Final = {
    Kind.DAMAGED: (mark("It arrived damaged"), mark("broken, torn or stained on its way")),
    Kind.FAULTY: (mark("It is faulty"), mark("a seam, a zip, a sole: it does not last as it should")),
    Kind.MISSING: (mark("It was not in the parcel"), mark("paid for, and not there")),
    Kind.WRONG: (mark("It is something else"), mark("another item, size or colour than you ordered")),
}
_REMEDIES: Final = {
    Remedy.REFUND: mark("My money back"),
    Remedy.REPLACEMENT: mark("The same item anew"),
    Remedy.REDUCTION: mark("Keep it, and pay less"),
}
_STANDINGS: Final = {
    "filed": (mark("We look at it"), "wait"),
    "approving": (mark("We look at it"), "wait"),
    "returning": (mark("Waiting for your parcel"), "wait"),
    "replacing": (mark("A new one is being packed"), "wait"),
    "refunded": (mark("Money back"), "good"),
    "replaced": (mark("A new one is on its way"), "good"),
    "reduced": (mark("Price reduced"), "good"),
    "refused": (mark("Not accepted"), "bad"),
    "withdrawn": (mark("Withdrawn by you"), ""),
}
_STAFF: Final = {
    "filed": mark("to be decided"),
    "approving": mark("waits for a second person"),
    "returning": mark("goods asked for"),
    "replacing": mark("to be sent anew"),
    "refunded": mark("refunded"),
    "replaced": mark("sent anew"),
    "reduced": mark("reduced"),
    "refused": mark("refused"),
    "withdrawn": mark("withdrawn"),
}
_STEPS: Final = {
    "filed": mark("You told us"),
    "photos_added": mark("You sent photos"),
    "returning": mark("We asked for the item, with a free label"),
    "refunded": mark("We decided to give you your money back"),
    "replaced": mark("We decided to send you a new one"),
    "reduced": mark("We decided to reduce the price"),
    "refused": mark("We could not accept it"),
    "withdrawn": mark("You withdrew it"),
    "anew_sent": mark("The new one left us"),
    "anew_ended_missing": mark("The new one turned out to be missing or faulty"),
    "anew_ended_called_off": mark("The new one is not sent, as we look at it again"),
    "anew_ended_settled": mark("The new one is not sent, as the item is in a return or paid back"),
}

# A new one is set aside as it is decided; what became of that is told by steps of its own.
_DECIDED: Final = frozenset({"returning", "refunded", "reduced", "refused"})


def told(claim: ClaimView, steps: Sequence[Step]) -> list[Step]:
    """The steps of a claim that its customer is told.

    A decision is told once it holds: not while a second person has still to agree to it, and not when that person did
    not, or when the return that it asked for was cancelled. Then it waits to be decided anew.
    """
    decisions = [step for step in steps if step.action in _DECIDED]
    stands = claim.standing in ("returning", "refunded", "reduced", "refused")
    holds = decisions[-1:] if stands else []
    return [step for step in steps if step.action in _STEPS and (step not in decisions or step in holds)]


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "kinds": [(kind.value, translate(title), translate(note)) for kind, (title, note) in _KINDS.items()],
        "kind_words": {kind.value: translate(title) for kind, (title, _note) in _KINDS.items()},
        "remedies": [(remedy.value, translate(text)) for remedy, text in _REMEDIES.items()],
        "remedy_words": {remedy.value: translate(text) for remedy, text in _REMEDIES.items()},
        "standings": {name: (translate(text), kind) for name, (text, kind) in _STANDINGS.items()},
        "staff_standings": {name: translate(text) for name, text in _STAFF.items()},
        "step_words": {name: translate(text) for name, text in _STEPS.items()},
    }
