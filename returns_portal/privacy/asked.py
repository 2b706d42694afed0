"""What a person asked the shop, and looked for in it, as they get it with everything else that is kept about them."""

from datetime import datetime

import msgspec


class Said(msgspec.Struct, frozen=True):
    """A message of a question; `by` is customer or staff."""

    at: datetime
    by: str
    text: str
    files: list[str]
    """The names of files that came along."""


class Question(msgspec.Struct, frozen=True):
    """What was asked, and what was answered."""

    number: str
    subject: str
    email: str
    name: str
    state: str
    opened_at: datetime
    helped: bool | None
    """Whether they were helped, as they said."""
    comment: str
    """What they said beside it."""
    messages: list[Said]


class LookedFor(msgspec.Struct, frozen=True):
    """Something that was asked for and was not in stock, and what became of it."""

    what: str
    size: str
    color: str
    words: str
    email: str
    agreed_to: str
    """The sentence under which the address was given; empty without one."""
    asked_at: datetime
    wish: str
    told_at: datetime | None
    answer: str
    named: list[str]
    """The other shops that were named, and whether they were gone to: `shop, followed`."""
    came_back_with_order: str
