"""The model of refunds on their way: planned, held while their payment is disputed, sent once, learnt of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from tests.model.bank import Bank
from tests.model.plans import Plan
from tests.model.points import Points
from tests.model.things import AS_REFUND, LEADS_TO, Dispute, Effect, Order, Parcel, Payment, Refund, RefusedError

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)
_FORGOTTEN: Final = timedelta(minutes=5)
_STEP: Final = {"BHD": 10}
"""The gateway takes amounts of this currency in such steps alone."""


class Sending(Points):
    """All refunds, and the jobs that wait to do them."""

    def __init__(self, now: datetime, batch: int) -> None:
        super().__init__()
        self._batch = batch
        """How many jobs a worker takes at once."""
        self.now = now
        self.bank = Bank()
        self.orders: list[Order] = []
        self.fault = ""
        """What happens to the next refund that is sent: its answer is `lost`, or the gateway is `busy`."""
        self._jobs: list[tuple[datetime, int, Callable[[], None]]] = []
        self._asked = 0

    @property
    def refunds(self) -> list[Refund]:
        return [refund for order in self.orders for refund in order.refunds]

    @property
    def effects(self) -> list[Effect]:
        return [effect for order in self.orders for payment in order.payments for effect in payment.effects]

    @property
    def disputes(self) -> list[Dispute]:
        return [dispute for order in self.orders for payment in order.payments for dispute in payment.disputes]

    @property
    def to_be_sent(self) -> bool:
        """Whether the next work sends a refund to the gateway."""
        return any(
            each.to == "original"
            and (each.status == "unknown" or (each.status == "planned" and each.due <= self.now))
            and not each.payment.disputed
            for each in self.refunds
        )

    # Releases.

    def release(
        self,
        order: Order,
        planned: Plan,
        kind: str,
        *,
        due: datetime,
        parcel: Parcel | None = None,
        percent: int = 0,
    ) -> list[Refund]:
        """Write the refunds of a plan, and what they pay for."""
        release = object()
        for run in planned.runs:
            run.release, run.parcel = release, parcel
        order.paid_for += planned.runs
        made = [
            Refund(
                order=order,
                payment=leg.payment,
                release=release,
                kind=kind,
                to=leg.to,
                amount=leg.amount,
                bonus=leg.bonus,
                tax=leg.tax,
                shipping=leg.shipping,
                due=due,
                changed=self.now,
                percent=percent,
                parcel=parcel,
            )
            for leg in planned.legs
        ]
        order.refunds += made
        for refund in made:
            self._ask_for(refund, due)
        return made

    def ask_for(self, job: Callable[[], None], at: datetime = _AT_ONCE) -> None:
        """Have something done by the queue, not before then."""
        self._asked += 1
        self._jobs.append((at, self._asked, job))

    def _ask_for(self, refund: Refund, at: datetime = _AT_ONCE) -> None:
        self.ask_for(partial(self._submit, refund), at)

    def work(self) -> None:
        """Do what is due, the longest due first, as many at once as a worker takes; then what fell due by that."""
        while called := [job for job in self._jobs if job[0] <= self.now]:
            while called:
                taken = sorted(called, key=lambda job: job[:2])[: self._batch]
                self._jobs = [job for job in self._jobs if job not in taken]
                called = [job for job in called if job not in taken]
                for _, _, job in taken:
                    job()
                called += [job for job in self._jobs if job[0] == _AT_ONCE and job not in called]

    def _submit(self, refund: Refund) -> None:
        if refund.status == "unknown":
            self._send(refund, asking=True)
        elif refund.status != "planned":
            return
        elif refund.payment.disputed:
            refund.held = True
        elif refund.to == "original":
            self._send(refund)
        else:
            self._move(refund, "succeeded" if refund.to == "points" else "awaiting_transfer")

    def _send(self, refund: Refund, *, asking: bool = False) -> None:
        """One effect for one attempt: where the outcome is not known, the gateway is asked before it is sent again."""
        refund.status, refund.held, refund.changed = "submitting", False, self.now
        known = self._made(refund)
        if asking and known:
            self._move(refund, AS_REFUND[known.status])
            return
        if refund.amount % _STEP.get(refund.order.currency, 1):
            self._move(refund, "failed")
            refund.unpayable = True
            return
        fault, self.fault = self.fault, ""
        effect = self._effect(refund) if fault != "busy" else None
        if fault:
            self._move(refund, "unknown")
            self._ask_for(refund, self.now + timedelta(seconds=1))
        else:
            self._move(refund, AS_REFUND[effect.status] if effect else "failed")

    @staticmethod
    def _made(refund: Refund) -> Effect | None:
        """What the gateway has of this attempt."""
        those = (each for each in refund.payment.effects if each.of is refund and each.attempt == refund.attempt)
        return next(those, None)

    def _effect(self, refund: Refund) -> Effect | None:
        """What the gateway does; a no is repeated to whoever asks again by the same key."""
        if refund.refused_as == refund.attempt:
            return None
        try:
            effect = self.bank.refund(refund.payment, refund.amount, ours=True)
        except RefusedError:
            refund.refused_as = refund.attempt
            return None
        effect.of, effect.attempt = refund, refund.attempt
        return effect

    def forget_keys(self) -> None:
        """The gateway has forgotten what it answered."""
        for refund in self.refunds:
            refund.refused_as = 0

    def _move(self, refund: Refund, status: str) -> None:
        """Bring a refund into another status, with what it does to points."""
        refund.status, refund.held, refund.changed = status, False, self.now
        if status == "succeeded":
            if refund.kind == "return" and refund.payment.tender != "points":
                self.claw_back(refund.order, self.now)
            if refund.to == "points":
                self.credit(refund, self.now)

    def poll(self) -> None:
        """What is pending is asked about; what nobody works on is set going again."""
        before = self.now - _FORGOTTEN
        for refund in sorted(self.refunds, key=lambda refund: refund.changed):
            made = self._made(refund)
            if refund.status == "pending" and made:
                self._record(refund, made)
            waits = refund.status in {"planned", "unknown"} and not refund.held
            if waits and max(refund.changed, refund.due) < before:
                self._ask_for(refund)

    # What the gateway tells.

    def tell_effect(self, effect: Effect, order: Order) -> None:
        """The portal reads a refund of the gateway's; one that was made elsewhere is counted against its payment."""
        if effect.ours:
            if effect.of and effect.of.attempt == effect.attempt:
                self._record(effect.of, effect)
            return
        if effect.of is None:
            effect.of = Refund(
                order=order,
                payment=effect.payment,
                release=object(),
                kind="outside",
                to="original",
                amount=effect.amount,
                bonus=0,
                tax=0,
                shipping=0,
                due=self.now,
                changed=self.now,
                percent=0,
                status="submitting",
            )
            order.refunds.append(effect.of)
        self._record(effect.of, effect)
        self._stop_excess(order, effect.payment)

    def _record(self, refund: Refund, effect: Effect) -> None:
        if AS_REFUND[effect.status] in LEADS_TO.get(refund.status, ()):
            self._move(refund, AS_REFUND[effect.status])

    def tell_dispute(self, dispute: Dispute, order: Order) -> None:
        """While a dispute is open what is planned waits; what was lost is not there any more."""
        dispute.known = dispute.status
        payment = dispute.payment
        if dispute.known == "lost":
            self._stop_excess(order, payment)
        for refund in order.refunds:
            if refund.payment is payment and refund.status == "planned":
                if refund.held and not payment.disputed:
                    self._ask_for(refund, refund.due)
                refund.held = payment.disputed

    def _stop_excess(self, order: Order, payment: Payment) -> None:
        """What is planned and no longer fits is stopped; what is on its way comes first, then the oldest."""
        room = payment.amount - payment.before - payment.lost
        live = [refund for refund in order.refunds if refund.payment is payment and refund.live]
        for refund in sorted(live, key=lambda refund: refund.status in {"planned", "awaiting_transfer"}):
            if refund.status in {"planned", "awaiting_transfer"} and refund.amount > room:
                self._move(refund, "failed")
                refund.stopped = True
            else:
                room -= refund.amount
