"""What the model remembers: plain objects, amounts in minor units, moments by the clock that the machine moves."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

NOTHING: Final = UUID(int=0)
"""The id of what the portal has not made yet."""


class RefusedError(Exception):
    """The rules do not allow it; the argument is the code with which the portal refuses."""

    @property
    def code(self) -> str:
        return str(self.args[0])


class Thing:
    """Something with an identity, named by what tells it from others of its kind."""

    def __repr__(self) -> str:
        told = ("number", "tender", "kind", "status", "to", "amount", "quantity", "condition", "acceptance", "prices")
        values = (f"{name}={getattr(self, name)!r}" for name in told if hasattr(self, name))
        return f"{type(self).__name__}({', '.join(values)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401 - as Hypothesis asks for it
        del cycle
        printer.text(repr(self))


@dataclass(eq=False, repr=False)
class Line(Thing):
    """One line of an order."""

    ordered: int
    shipped: int
    prices: list[int]
    """What each of its units cost, tax in it."""
    taxes: list[int]
    """The tax in that."""
    id: UUID = NOTHING


@dataclass(eq=False, repr=False)
class Effect(Thing):
    """A refund as the gateway has it, whoever made it."""

    payment: "Payment"
    amount: int
    status: str
    of: "Refund | None" = None
    """The portal's row of it, if it has one."""
    attempt: int = 1
    """Which attempt of that row it is."""
    ours: bool = True
    """Whether the portal asked for it; the others are made in the dashboard."""
    counted: bool = False
    """Whether it was made before the portal knew of the payment."""
    id: str = ""

    @property
    def news(self) -> bool:
        """Whether the portal would learn something by reading it."""
        if self.counted or (self.of and self.of.attempt != self.attempt):
            return False
        return self.of is None or AS_REFUND[self.status] in LEADS_TO.get(self.of.status, ())

    @property
    def moves(self) -> bool:
        """Whether the money is on its way, or there."""
        return self.status in {"pending", "succeeded"}


@dataclass(eq=False, repr=False)
class Dispute(Thing):
    """A dispute at the bank, and what the portal knows of it."""

    payment: "Payment"
    amount: int
    status: str
    known: str = ""
    id: str = ""

    @property
    def told(self) -> bool:
        return self.known == self.status

    @property
    def took(self) -> bool:
        """Whether the bank has taken the money, and not given it back."""
        return self.status in {"needs_response", "under_review", "lost"}


CLOSED: Final = {"won", "lost", "warning_closed"}
AS_REFUND: Final = {"pending": "pending", "succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
"""What a refund of the gateway is to the customer and to the books: a canceled one did not happen."""
LEADS_TO: Final = {
    "submitting": {"pending", "succeeded", "failed"},
    "unknown": {"pending", "succeeded", "failed"},
    "pending": {"succeeded", "failed"},
    # The bank sends it back days later: the card was closed.
    "succeeded": {"failed"},
}
"""What the gateway may tell of a refund, by where it stands."""


@dataclass(eq=False, repr=False)
class Payment(Thing):
    """One tender of an order."""

    tender: str
    amount: int
    before: int = 0
    """What had gone back before the order was taken in."""
    card: str = "pm_card_visa"
    reference: str = ""
    effects: list[Effect] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """What the bank has taken for good, as far as the portal knows."""
        return sum(dispute.amount for dispute in self.disputes if dispute.known == "lost")

    @property
    def disputed(self) -> bool:
        """Whether the portal knows of an open dispute."""
        return any(dispute.known and dispute.known not in CLOSED for dispute in self.disputes)


@dataclass(eq=False, repr=False)
class Order(Thing):
    """An order as it was taken in, with all that came of it."""

    number: str
    email: str
    currency: str
    lines: list[Line]
    payments: list[Payment]
    shipping: int
    """What goes back for delivery when everything does."""
    shipping_tax: int
    """The tax in that."""
    delivered_at: datetime | None
    id: UUID = NOTHING
    returns: list["Return"] = field(default_factory=list)
    paid_for: list["Run"] = field(default_factory=list)
    refunds: list["Refund"] = field(default_factory=list)
    gestures: list["Gesture"] = field(default_factory=list)
    earned: int = 0
    basis: int = 0
    """The money on which it earned."""
    clawed: int = 0
    """How many points were to go back so far, found or not."""

    def counted(self, line: Line) -> int:
        """Units of a line in parcels, without those that the order never had."""
        return sum(
            item.quantity
            for parcel in self.parcels
            if parcel.live
            for item in parcel.items
            if item.line is line and item.acceptance != "surplus"
        )

    @property
    def parcels(self) -> list["Parcel"]:
        return [parcel for each in self.returns for parcel in each.parcels]

    def arrived(self, line: Line) -> int:
        """Units of a line that came in parcels."""
        return self.counted(line) - sum(
            item.quantity
            for parcel in self.parcels
            if parcel.live
            for item in parcel.items
            if item.line is line and item.condition == "not_shipped" and item.acceptance != "surplus"
        )

    def gone(self, line: Line) -> int:
        """Units of a line that cannot be announced again: in returns, or settled without one."""
        settled = sum(len(run.units) for run in self.paid_for if run.line is line)
        return max(self.announced(line), settled)

    def announced(self, line: Line) -> int:
        """Units of a line in returns that are not cancelled."""
        return sum(each.lines.get(line, 0) for each in self.returns if each.status != "cancelled")


@dataclass(eq=False, repr=False)
class Return(Thing):
    """A return as it was filed."""

    order: Order
    lines: dict[Line, int]
    to: str
    bonus: int
    status: str = "filed"
    was_cancelled: bool = False
    parcels: list["Parcel"] = field(default_factory=list)
    rma: str = ""
    id: UUID = NOTHING


@dataclass(eq=False, repr=False)
class Item(Thing):
    """Units of one line and condition in a parcel."""

    line: Line | None
    quantity: int
    condition: str
    acceptance: str
    part: int | None = None
    """What a decision gives for these units together, where it is not all."""
    decided: int = 0
    """Which decision of all it was; 0 for none."""
    id: UUID = NOTHING


@dataclass(eq=False, repr=False)
class Parcel(Thing):
    """A check-in."""

    ret: Return
    number: int
    items: list[Item]
    corrects: "Parcel | None" = None
    live: bool = True
    id: UUID = NOTHING

    @property
    def chain(self) -> list["Parcel"]:
        """This count and those that it corrects."""
        return [self, *(self.corrects.chain if self.corrects else [])]


@dataclass(eq=False, repr=False)
class Run(Thing):
    """Neighbouring units that are paid for; delivery where there is no line; the rest of a unit where no units."""

    release: object
    """What was decided together, with the refunds of the same release."""
    parcel: Parcel | None
    line: Line | None
    units: list[int]
    amount: int
    tax: int


@dataclass(eq=False, repr=False)
class Refund(Thing):
    """One movement of money or points."""

    order: Order
    payment: Payment
    release: object
    kind: str
    to: str
    amount: int
    bonus: int
    tax: int
    shipping: int
    due: datetime
    changed: datetime
    percent: int
    """The bonus that its return was promised."""
    parcel: Parcel | None = None
    status: str = "planned"
    attempt: int = 1
    held: bool = False
    stopped: bool = False
    """Whether it failed because too little is left."""
    unpayable: bool = False
    """Whether it failed because the gateway cannot be told this amount."""
    refused_as: int = 0
    """The attempt to which the gateway has said no, which it says again to the same key."""
    id: UUID = NOTHING

    @property
    def live(self) -> bool:
        """Whether it has happened, or still may."""
        return self.status not in {"failed", "canceled"}


@dataclass(eq=False, repr=False)
class Gesture(Thing):
    """Money back without goods, as it was asked for."""

    order: Order
    amount: int
    shipping: bool
    to: str
    decision: str
    id: UUID = NOTHING
