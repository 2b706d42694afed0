"""The model of what people decide about money: refunds that failed, transfers, and gestures."""

from collections.abc import Callable, Sequence
from typing import Final

from tests.model.arithmetic import largest_remainder
from tests.model.plans import plan_gesture
from tests.model.sending import Sending
from tests.model.things import Gesture, Order, Refund, RefusedError, Run

PLACES: Final = {"EUR": 100, "JPY": 1, "BHD": 1000}
_ONE_PERSON: Final = 50
"""Up to how much of its currency one person may give of an order."""


class Money(Sending):
    """What can be done about a refund, and without one."""

    def _room(self, refund: Refund) -> int:
        """What is left of a payment beside a refund of it that failed."""
        others = [each for each in refund.order.refunds if each.payment is refund.payment and each is not refund]
        paid = refund.payment.before + refund.payment.lost + sum(each.amount for each in others if each.live)
        return refund.payment.amount - paid

    def _plan_anew(self, refund: Refund) -> None:
        refund.status, refund.held, refund.stopped, refund.changed = "planned", False, False, self.now
        refund.attempt, refund.unpayable = refund.attempt + 1, False
        self._ask_for(refund)

    def _need(self, refund: Refund, way: Callable[[], bool]) -> None:
        """A way is open where it is certain that nothing went out, and the payment has enough left."""
        if refund.status == "unknown":
            raise RefusedError("unknown")
        if refund.status != "failed":
            raise RefusedError("not_failed")
        if self._room(refund) < refund.amount:
            raise RefusedError("nothing_left")
        if refund.kind == "outside" or refund.payment.tender == "points" or not way():
            raise RefusedError("no_way")

    def try_again(self, refund: Refund) -> None:
        self._need(refund, lambda: not refund.unpayable)
        self._plan_anew(refund)

    def take_points(self, refund: Refund) -> None:
        """The customer agrees to points; the bonus that the return was promised comes with them."""
        self._need(refund, lambda: not refund.stopped)
        refund.to = "points"
        refund.bonus = refund.amount * refund.percent // 100 if refund.payment.tender == "stripe" else 0
        self._plan_anew(refund)

    def take_transfer(self, refund: Refund) -> None:
        self._need(refund, lambda: refund.to != "transfer")
        refund.to, refund.bonus = "transfer", 0
        self._plan_anew(refund)

    def lower(self, refund: Refund, amount: int) -> None:
        """Finance lets less go back, or nothing: as if it had been planned so."""
        if refund.status != "failed":
            raise RefusedError("not_failed")
        if not 0 <= amount < refund.amount or amount > max(0, self._room(refund)):
            raise RefusedError("invalid")
        if amount and refund.kind == "outside":
            raise RefusedError("invalid")
        shipping, tax = (part * amount // refund.amount for part in (refund.shipping, refund.tax))
        those = [run for run in refund.order.paid_for if run.release is refund.release]
        goods = refund.amount - refund.shipping - (amount - shipping)
        _less([run for run in those if run.line is not None], goods)
        _less([run for run in those if run.line is None], refund.shipping - shipping)
        if those and refund.tax:
            taxes = [run.tax for run in those]
            for run, less in zip(those, largest_remainder(sum(taxes) - refund.tax + tax, taxes), strict=True):
                run.tax = less
        for run in those:
            if run.line is not None and not run.units and not run.amount:
                refund.order.paid_for.remove(run)
        if not amount:
            self._move(refund, "canceled")
            return
        refund.bonus = refund.bonus * amount // refund.amount
        refund.amount, refund.tax, refund.shipping = amount, tax, shipping
        self._plan_anew(refund)

    def confirm_transfer(self, refund: Refund) -> None:
        if refund.status != "awaiting_transfer":
            raise RefusedError("wrong_status")
        self._move(refund, "succeeded")

    # Gestures.

    def give(self, order: Order, amount: int, *, to: str, shipping: bool) -> tuple[Gesture, list[Refund]]:
        """Support gives something back; above the limit it waits for a second person."""
        planned = plan_gesture(order, amount, to=to, shipping=shipping)
        alone = sum(gesture.amount for gesture in order.gestures if gesture.decision == "not_needed")
        waits = alone + planned.total > _ONE_PERSON * PLACES[order.currency]
        gesture = Gesture(order, planned.total, shipping, to, "waiting" if waits else "not_needed")
        order.gestures.append(gesture)
        return gesture, [] if waits else self.release(order, planned, "goodwill", due=self.now)

    def approve(self, gesture: Gesture) -> list[Refund]:
        if gesture.decision != "waiting":
            raise RefusedError("already_decided")
        try:
            planned = plan_gesture(gesture.order, gesture.amount, to=gesture.to, shipping=gesture.shipping)
        except RefusedError:
            raise RefusedError("nothing_left") from None
        gesture.decision = "approved"
        return self.release(gesture.order, planned, "goodwill", due=self.now)

    def decline(self, gesture: Gesture) -> None:
        if gesture.decision != "waiting":
            raise RefusedError("already_decided")
        gesture.decision = "declined"


def _less(those: Sequence[Run], less: int) -> None:
    """Let runs pay so much less together, each in proportion."""
    amounts = [run.amount for run in those]
    for run, amount in zip(those, largest_remainder(sum(amounts) - less, amounts) if those else [], strict=True):
        run.amount = amount
