"""The model of returns and of what arrives: announced, counted, undone, corrected, decided."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from tests.model.arithmetic import day_of
from tests.model.decisions import Money
from tests.model.plans import Claim as Units
from tests.model.plans import Dues, Plan, due, paid_by, plan
from tests.model.points import ZONE
from tests.model.things import Item, Line, Order, Parcel, Refund, RefusedError, Return

_WINDOW = timedelta(days=90)
BONUS = 10
"""Per cent."""


class Count(NamedTuple):
    """So many units were found in this condition; of no line of the order, where it says none."""

    line: Line | None
    quantity: int
    condition: str


class Model(Money):
    """The whole shop, without a database, a queue or a gateway."""

    def place(self, order: Order) -> None:
        self.orders.append(order)
        self.ask_for(lambda: self.earn(order, self.now))

    def preview(self, order: Order, lines: dict[Line, int], to: str) -> Plan:
        return plan(order, Dues([Units(line, units) for line, units in lines.items()], []), to=to, bonus=BONUS)

    def file(self, order: Order, lines: dict[Line, int], to: str) -> Return:
        """Announce that units come back."""
        for line, units in lines.items():
            left = line.ordered - order.gone(line)
            if left <= 0:
                raise RefusedError("already_returned")
            if order.delivered_at and day_of(self.now, ZONE) > day_of(order.delivered_at, ZONE) + _WINDOW:
                raise RefusedError("window_closed")
            if units > left:
                raise RefusedError("already_returned")
        made = Return(order, lines, to, BONUS)
        order.returns.append(made)
        return made

    def cancel(self, ret: Return) -> None:
        if ret.status != "filed":
            raise RefusedError("not_cancellable")
        ret.status, ret.was_cancelled = "cancelled", True

    def receive(
        self, ret: Return, counts: Sequence[Count], number: int, delay: timedelta
    ) -> tuple[Parcel, list[Refund]]:
        """Count a parcel, once; what is as it left the shop, or was tried on, is paid for when it cannot be undone."""
        if any(parcel.live and parcel.number == number for parcel in ret.parcels):
            raise RefusedError("already_checked_in")
        parcel = Parcel(ret, number, _recorded(ret.order, counts))
        ret.parcels.append(parcel)
        _had_left(ret.order)
        ret.status = "received"
        units = [Units(line, accepted) for line, accepted in _accepted(parcel).items()]
        planned = plan(ret.order, Dues(units, []), to=ret.to, bonus=ret.bonus)
        return parcel, self._released(parcel, planned, delay)

    def _released(self, parcel: Parcel, planned: Plan, delay: timedelta = timedelta()) -> list[Refund]:
        ret, at = parcel.ret, self.now + delay
        return self.release(ret.order, planned, "return", due=at, parcel=parcel, percent=ret.bonus)

    def unshipped(self, ret: Return) -> tuple[list[Count], int]:
        """What of a return never left the shop, and the number under which that is counted."""
        counts = []
        for line, units in ret.lines.items():
            here = min(units, line.ordered - line.shipped - ret.order.counted(line))
            if here > 0:
                counts.append(Count(line, here, "not_shipped"))
        if not counts:
            raise RefusedError("shipped")
        return counts, max((parcel.number for parcel in ret.parcels), default=0) + 1

    def undo(self, parcel: Parcel) -> None:
        """Take a count back while nothing was paid or decided."""
        ret = parcel.ret
        mine = [refund for refund in ret.order.refunds if refund.parcel is parcel]
        if not parcel.live:
            raise RefusedError("already_undone")
        if parcel.corrects is not None:
            raise RefusedError("conflict")
        if any(refund.status != "planned" or refund.due <= self.now for refund in mine):
            raise RefusedError("refund_due")
        if any(item.decided for item in parcel.items):
            raise RefusedError("decided")
        for refund in mine:
            refund.status, refund.held = "canceled", False
        ret.order.paid_for = [run for run in ret.order.paid_for if run.parcel is not parcel]
        parcel.live = False
        if not any(other.live for other in ret.parcels):
            ret.status = "cancelled" if ret.was_cancelled else "filed"

    def correct(self, parcel: Parcel, counts: Sequence[Count]) -> tuple[Parcel, list[Refund]]:
        """Count again what was paid for: what is owed now beyond that is paid, and nothing is pulled back."""
        ret = parcel.ret
        waiting = [refund for refund in ret.order.refunds if refund.parcel is parcel and refund.status == "planned"]
        if any(refund.due > self.now for refund in waiting):
            raise RefusedError("undo_instead")
        if not parcel.live:
            raise RefusedError("already_undone")
        paid = {line: paid_by(parcel, line) for line in ret.order.lines}
        parcel.live = False
        new = Parcel(ret, parcel.number, _recorded(ret.order, counts), corrects=parcel)
        ret.parcels.append(new)
        _had_left(ret.order)
        dues = Dues([], [])
        accepted = _accepted(new)
        for line in ret.order.lines:
            if line in accepted:
                more = due(new, paid[line], line, [], (accepted[line], None))
                dues = Dues(dues.claims + more.claims, dues.rests + more.rests)
        return new, self._released(new, plan(ret.order, dues, to=ret.to, bonus=ret.bonus))

    def decide(self, parcel: Parcel, item: Item, verdict: str, part: int | None, units: int) -> list[Refund]:
        """Pay a waiting item in full, in part, or send it back; the rest of its units goes on waiting."""
        if not parcel.live or item.acceptance != "waiting":
            raise RefusedError("already_decided")
        if not 0 < units <= item.quantity:
            raise RefusedError("bad_quantity")
        ret = parcel.ret
        dues = Dues([], [])
        if verdict != "sent_back" and item.line is not None:
            decided = sorted(
                (each for each in parcel.items if each.line is item.line and each.acceptance in {"accepted", "part"}),
                key=lambda each: each.decided,
            )
            before = [(each.quantity, each.part) for each in decided]
            dues = due(parcel, paid_by(parcel, item.line), item.line, before, (units, part))
        if units < item.quantity:
            parcel.items.append(Item(item.line, item.quantity - units, item.condition, "waiting"))
        item.quantity, item.acceptance, item.part = units, verdict, part
        item.decided = max(each.decided for each in parcel.items) + 1
        return self._released(parcel, plan(ret.order, dues, to=ret.to, bonus=ret.bonus))


def _had_left(order: Order) -> None:
    """What arrives had left the shop."""
    for line in order.lines:
        line.shipped = max(line.shipped, order.arrived(line))


def _recorded(order: Order, counts: Sequence[Count]) -> list[Item]:
    """Counts as they are kept: what the order never had is surplus, what is damaged or wrong waits for a person."""
    room = {line: line.ordered - order.counted(line) for line in order.lines}
    items = []
    for count in counts:
        fits = min(count.quantity, room[count.line]) if count.line else 0
        if count.line and fits > 0:
            room[count.line] -= fits
            fine = count.condition in {"resellable", "worn", "not_shipped"}
            items.append(Item(count.line, fits, count.condition, "accepted" if fine else "waiting"))
        if count.quantity > fits:
            items.append(Item(count.line, count.quantity - fits, count.condition, "surplus"))
    return items


def _accepted(parcel: Parcel) -> dict[Line, int]:
    """How many units of each line were fine."""
    found: dict[Line, int] = {}
    for item in parcel.items:
        if item.line and item.acceptance == "accepted":
            found[item.line] = found.get(item.line, 0) + item.quantity
    return found
