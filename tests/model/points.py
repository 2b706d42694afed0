"""The model of points: lots that come with an end, leave the one that ends first, and never become money."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from tests.model.arithmetic import end_of_day_after
from tests.model.things import NOTHING, Order, Refund, RefusedError, Thing

ZONE: Final = "Europe/Sofia"
RATE: Final = 33
"""Points for 1000 minor units of money."""
LIMIT: Final = 5000
"""More than that, given or taken by hand, needs a second person."""
GIVEN: Final = frozenset({"earned", "bonus", "adjusted"})
"""What may be taken back with the goods; all else is the customer's own money."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(eq=False, repr=False)
class Lot(Thing):
    """Points that came together."""

    kind: str
    granted: int
    left: int
    ends: datetime | None
    place: int
    """Which of all lots it is."""
    cause: object
    origin: "Lot | None" = None

    @property
    def end(self) -> datetime:
        return self.ends or _NEVER


@dataclass(eq=False, repr=False)
class Hold(Thing):
    """Points that are set aside."""

    purse: "Purse"
    amount: int
    ends: datetime
    number: str
    took: dict[Lot, int]
    status: str = "held"
    captured: int = 0
    id: UUID = NOTHING


@dataclass(eq=False, repr=False)
class Asked(Thing):
    """Points that somebody wants to give or take by hand, and a second person is to look at."""

    purse: "Purse"
    amount: int
    id: UUID = NOTHING


@dataclass(eq=False, repr=False)
class Purse(Thing):
    """A customer's points of one currency."""

    currency: str
    lots: list[Lot] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    alone: list[tuple[datetime, int]] = field(default_factory=list)
    """What was given or taken by hand without a second person, and when."""

    def points(self, now: datetime) -> int:
        """What has ended is not there any more, also before the night in which the books hear of it."""
        return sum(lot.left for lot in self.lots if lot.end > now)

    @property
    def held(self) -> int:
        return sum(hold.amount for hold in self.holds if hold.status == "held")

    def expiring(self, now: datetime) -> dict[datetime | None, int]:
        """How many end when."""
        found: dict[datetime | None, int] = {}
        for lot in self.lots:
            if lot.left and lot.end > now:
                found[lot.ends] = found.get(lot.ends, 0) + lot.left
        return found

    def give(self, kind: str, points: int, ends: datetime | None, cause: object, origin: Lot | None = None) -> None:
        if points:
            self.lots.append(Lot(kind, points, points, ends, len(self.lots), cause, origin))

    def take(self, points: int, now: datetime, *, kinds: Collection[str] = (), own: object = None) -> dict[Lot, int]:
        """Take up to so many, those that end first before the others; of this cause before all."""
        lots = sorted(self.lots, key=lambda lot: (lot.cause is not own or own is None, lot.end, lot.place))
        took = {}
        for lot in lots:
            share = min(points, lot.left)
            if share and lot.end > now and (not kinds or lot.kind in kinds):
                took[lot] = share
                lot.left -= share
                points -= share
        return took


class Points:
    """All purses, and what may be done with them."""

    def __init__(self) -> None:
        self.months = 12
        self.purses: dict[tuple[str, str], Purse] = {}
        self.asked: list[Asked] = []

    def purse(self, email: str, currency: str) -> Purse:
        return self.purses.setdefault((email, currency), Purse(currency))

    def end(self, now: datetime) -> datetime | None:
        return end_of_day_after(now, self.months, ZONE)

    # Purchases.

    def earn(self, order: Order, now: datetime) -> None:
        """What was paid with money earns, once, rounded down."""
        basis = sum(payment.amount - payment.before for payment in order.payments if payment.tender != "points")
        order.earned, order.basis = basis * RATE // 1000, basis
        self.purse(order.email, order.currency).give("earned", order.earned, self.end(now), order)

    def claw_back(self, order: Order, now: datetime) -> None:
        """What was earned goes back as the money for goods does, as far as it is still there."""
        if not order.earned:
            return
        gone = sum(
            refund.amount
            for refund in order.refunds
            if refund.kind == "return" and refund.status == "succeeded" and refund.payment.tender != "points"
        )
        due = order.earned * min(gone, order.basis) // order.basis - order.clawed
        if due > 0:
            order.clawed += due
            self.purse(order.email, order.currency).take(due, now, kinds=GIVEN, own=order)

    # Refunds.

    def credit(self, refund: Refund, now: datetime) -> None:
        """A refund in points: points that had paid come back to their end, money becomes new ones."""
        order = refund.order
        purse = self.purse(order.email, order.currency)
        if refund.payment.tender != "points":
            purse.give("refund", refund.amount, self.end(now), refund)
            purse.give("bonus", refund.bonus, self.end(now), refund)
            return
        left = refund.amount
        for lot, points in self._spent(purse, order):
            share = min(left, points)
            again = lot.ends if lot.ends is None or lot.ends > now else now + timedelta(days=30)
            purse.give("restored", share, again, refund, lot)
            left -= share
        purse.give("restored", left, self.end(now), refund)

    @staticmethod
    def _spent(purse: Purse, order: Order) -> list[tuple[Lot, int]]:
        """What paid for an order and has not come back, those that last longest first."""
        spent: dict[Lot, int] = {}
        for hold in purse.holds:
            if hold.status == "captured" and hold.number == order.number:
                for lot, points in hold.took.items():
                    spent[lot] = spent.get(lot, 0) + points
        for lot in purse.lots:
            if lot.origin is not None and lot.origin in spent and isinstance(lot.cause, Refund):
                spent[lot.origin] -= lot.granted if lot.cause.order is order else 0
        return [(lot, spent[lot]) for lot in _lasting_first(spent) if spent[lot] > 0]

    # The shop's own checkout.

    def hold(self, purse: Purse, points: int, now: datetime, minutes: int, number: str = "") -> Hold:
        if points > purse.points(now):
            raise RefusedError("too_few_points")
        made = Hold(purse, points, now + timedelta(minutes=minutes), number, purse.take(points, now))
        purse.holds.append(made)
        return made

    def capture(self, hold: Hold, points: int) -> None:
        if not 0 < points <= hold.amount:
            raise RefusedError("invalid")
        if hold.status == "captured" and hold.captured == points:
            return
        if hold.status != "held":
            raise RefusedError(f"already_{hold.status}")
        self._settle(hold, "captured", points)

    def let_go(self, hold: Hold) -> None:
        if hold.status == "captured":
            raise RefusedError("already_captured")
        if hold.status == "held":
            self._settle(hold, "released", 0)

    @staticmethod
    def _settle(hold: Hold, status: str, captured: int) -> None:
        """What was not spent goes back to where it came from, into what lasts longest first."""
        back = hold.amount - captured
        for lot in _lasting_first(hold.took):
            share = min(back, hold.took[lot])
            lot.left += share
            hold.took[lot] -= share
            back -= share
        hold.status, hold.captured = status, captured

    # By hand, and by the calendar.

    def adjust(self, purse: Purse, points: int, now: datetime) -> Asked | None:
        """Give or take; the request, where it waits for a second person."""
        lately = [other for at, other in purse.alone if at > now - timedelta(days=30) and (other > 0) == (points > 0)]
        if abs(sum(lately) + points) > LIMIT:
            self.asked.append(Asked(purse, points))
            return self.asked[-1]
        self._adjust(purse, points, now)
        purse.alone.append((now, points))
        return None

    def decide_asked(self, asked: Asked, *, approved: bool, now: datetime) -> None:
        if approved:
            self._adjust(asked.purse, asked.amount, now)
        self.asked.remove(asked)

    def _adjust(self, purse: Purse, points: int, now: datetime) -> None:
        if points > 0:
            purse.give("adjusted", points, self.end(now), None)
        elif -points > purse.points(now):
            raise RefusedError("too_few_points")
        else:
            purse.take(-points, now)

    def night(self, now: datetime, months: int | None) -> None:
        """Holds whose time is over go back; then points whose time is over are gone. New ones may last otherwise."""
        self.months = self.months if months is None else months
        for purse in self.purses.values():
            for hold in purse.holds:
                if hold.status == "held" and hold.ends <= now:
                    self._settle(hold, "released", 0)
            for lot in purse.lots:
                if lot.ends is not None and lot.ends <= now:
                    lot.left = 0


def _lasting_first(lots: Iterable[Lot]) -> list[Lot]:
    return sorted(sorted(lots, key=lambda lot: lot.place), key=lambda lot: lot.end, reverse=True)
