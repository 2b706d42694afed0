"""A step of a way that is told on a page."""

from typing import Literal

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One step: done, now, or (empty) still to come."""

    title: str
    note: str
    state: Literal["done", "now", ""]
