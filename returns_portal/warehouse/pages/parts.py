"""What the station's page is made of."""

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

import msgspec

from returns_portal.returns.queries import ReturnView
from returns_portal.warehouse.finding import FoundOrder, FoundReturn, InBox, LastCheckIn
from returns_portal.warehouse.queries import DockFigures

Kind = Literal["good", "wait", "bad", "idle"]


class State(msgspec.Struct, frozen=True):
    """The line that is read from two metres, its colour and its sound."""

    kind: Kind
    words: str
    small: str = ""


class Row(msgspec.Struct, frozen=True):
    """A line of the order: how many are expected, and how many were counted in each condition so far."""

    line_id: str
    sku: str
    codes: str
    """What may be scanned for it besides its own number, with a space between two."""
    big: str
    title: str
    expected: int
    counts: dict[str, int]
    goes: str
    note: str


class Count(msgspec.Struct, frozen=True):
    """An open parcel: what is expected in it, what else the order has, and what was typed so far."""

    view: ReturnView
    number: int
    rows: list[Row]
    others: list[Row]
    corrects: str
    token: str
    typed: Mapping[str, str]
    places: list[tuple[str, str]]
    """Where goods can go: value and words."""
    box: str = ""
    found: str = ""
    fellows: list[InBox] = []
    """The other returns in the same parcel."""


class Known(msgspec.Struct, frozen=True):
    """A parcel that was counted, and what can be done about it."""

    view: ReturnView
    check_in_id: UUID
    items: list[str]
    note: str
    next_number: int
    missing: int
    findings: list[str]
    photos: list[UUID]
    waiting: list[str] = []
    """The numbers of the other returns in the same parcel of which nothing was counted yet."""


class Station(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    state: State
    figures: DockFigures
    longest: str
    last: LastCheckIn | None
    conditions: list[tuple[str, str]]
    """Value and words, in the order of their keys."""
    count: Count | None = None
    known: Known | None = None
    found: list[FoundReturn] | None = None
    orders: list[FoundOrder] | None = None
    badge: str = ""
    box: str = ""
    nameless: str = ""
    warehouses: list[str] = []
    """What the shop's are called."""


class View(msgspec.Struct, frozen=True):
    """The part of the page that depends on what was asked."""

    state: State
    count: Count | None = None
    known: Known | None = None
    found: list[FoundReturn] | None = None
    orders: list[FoundOrder] | None = None
    badge: str = ""
    """The code of a badge whose PIN is asked for."""


class Along(msgspec.Struct, frozen=True):
    """What the next scan belongs to: a box of which a return was counted before, or a parcel without a name."""

    box: str = ""
    found: str = ""


ALONE: Final = Along()
IDLE: Final = View(State("idle", "", ""))
