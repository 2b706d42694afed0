"""Places in prepared texts that a question fills, such as {customer}. Pure.

What has no value stays as it is: a gap that everybody sees, and that no answer is sent with.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from returns_portal import i18n
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.service.queries import QuestionView

NAMES: Final = ("customer", "order", "return", "shop", "staff")
WORDS: Final = "words"
"""What only a person can fill in: the customer's words, as they were understood."""
_PLACE: Final = re.compile(r"\{([^{}\n]*)\}")


def check(text: str, *, field: str, names: Sequence[str] = NAMES) -> None:
    """Refuse places that nothing can ever fill.

    Raises:
        InvalidError: naming the first of them.
    """
    for found in _PLACE.finditer(text):
        if found[1] not in names:
            raise InvalidError(
                mark("Nothing is known of {variable}. There are: {names}."),
                field=field,
                variable=found[0],
                names=", ".join(f"{{{name}}}" for name in names),
            )


def values_of(question: QuestionView, shop: str, staff: str) -> dict[str, str]:
    """What a question fills in; empty where it knows nothing."""
    return {
        "customer": question.name,
        "order": question.order_number,
        "return": question.rma,
        "shop": shop,
        "staff": staff.split(" ", 1)[0],
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known in its places; the others stay."""
    return _PLACE.sub(lambda found: values.get(found[1]) or found[0], text)


def gaps(text: str) -> list[str]:
    """The places of a text that are not filled, each once."""
    return list(dict.fromkeys(found[0] for found in _PLACE.finditer(text) if found[1] in {*NAMES, WORDS}))


def refuse_gaps(text: str, *, field: str) -> None:
    """Refuse a text that would reach a customer with a place that is not filled.

    Raises:
        InvalidError: naming them.
    """
    if left := gaps(text):
        raise InvalidError(
            mark("Please fill in or take out first: {gaps}. Nothing was sent; what you typed is below."),
            field=field,
            gaps=", ".join(left),
        )


def in_language(texts: Mapping[str, str], locale: str) -> str:
    """A text in the reader's language, or in English where it is in no other."""
    return texts.get(i18n.supported(locale)) or texts[i18n.DEFAULT]
